//! A device registers at one port and publishes at the other, and both must meet the same account. What the ports share
//! stands here.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use super::attempts::Attempts;
use super::chaos::{AliyunStrike, TokenChaos};
use super::code::{CHECK_TOKEN_ERROR, TOKEN_EXPIRED};
use super::mqtt::Mqtt;
use super::registry::{DeviceName, Registry};
use super::thing_model::AliyunThingPost;
use super::token::{End, TokenForm, Tokens};
use crate::chaos::Conditions;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::ledger::Ledger;

/// What both ports share.
pub(super) struct Cloud {
    pub(super) ledger: Ledger,
    pub(super) faults: Faults,
    pub(super) conditions: Conditions,
    pub(super) clock: Clock,
    pub(super) keep_alive: bool,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) registry: Registry,
    pub(super) tokens: Tokens,
    pub(super) authentications: u64,
    pub(super) attempts: Attempts,
    pub(super) next_codes: VecDeque<u32>,
    pub(super) next_authentication_codes: VecDeque<u32>,
    pub(super) next_iot_auth_codes: VecDeque<u32>,
    pub(super) chaos: Option<TokenChaos>,
    pub(super) strikes: Vec<AliyunStrike>,
    pub(super) thing_posts: Vec<AliyunThingPost>,
    pub(super) capital_info: bool,
    pub(super) mqtt: Mqtt,
    next_message_id: u64,
}

/// The message id of the captured answer: an integer that a double cannot hold.
const FIRST_MESSAGE_ID: u64 = 1_207_967_842_654_323_713;

impl Cloud {
    pub(super) fn new(server_name: &str, keep_alive: bool, token_form: TokenForm) -> Self {
        Self {
            ledger: Ledger::new(),
            faults: Faults::default(),
            conditions: Conditions::default(),
            clock: Clock::default(),
            keep_alive,
            state: Mutex::new(State::new(server_name, token_form)),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the state")
    }
}

impl State {
    fn new(server_name: &str, token_form: TokenForm) -> Self {
        Self {
            registry: Registry::default(),
            tokens: Tokens::new(token_form),
            authentications: 0,
            attempts: Attempts::default(),
            next_codes: VecDeque::new(),
            next_authentication_codes: VecDeque::new(),
            next_iot_auth_codes: VecDeque::new(),
            chaos: None,
            strikes: Vec::new(),
            thing_posts: Vec::new(),
            capital_info: false,
            mqtt: Mqtt::new(server_name),
            next_message_id: FIRST_MESSAGE_ID,
        }
    }

    pub(super) fn message_id(&mut self) -> u64 {
        let id = self.next_message_id;
        self.next_message_id += 1;
        id
    }

    /// Lets chaos have its way with one more good message, and gives the code to answer with if that was struck.
    pub(super) fn survive_chaos(&mut self, device: &DeviceName) -> Result<(), u32> {
        let Some(strike) = self.chaos.as_mut().and_then(TokenChaos::strike) else {
            return Ok(());
        };
        self.strikes.push(strike);
        match strike {
            AliyunStrike::Revoke => self.tokens.end_those_of(device, End::Revoked),
            AliyunStrike::Expire => {
                self.tokens.end_those_of(device, End::Expired);
                return Err(TOKEN_EXPIRED);
            }
            AliyunStrike::Refuse(code) => return Err(code),
            AliyunStrike::RevokeAndRefuseAuthentication(code) => {
                self.tokens.end_those_of(device, End::Revoked);
                self.next_authentication_codes.push_back(code);
            }
        }
        Err(CHECK_TOKEN_ERROR)
    }
}
