//! Everybody who publishes to Aliyun over HTTP has to sign, to keep a token and to replace it in time, and there is no
//! emulator to try that on. This one checks signatures by code of its own, lets tokens expire on request, and answers
//! with what was captured: business errors under status 200, no reason phrase, message ids beyond 2^53.
//!
//! | Where | What |
//! |---|---|
//! | `front.rs` | which path leads where |
//! | `auth.rs`, `sign.rs` | the checks of `/auth` |
//! | `token.rs` | tokens and their end |
//! | `publish.rs` | the checks of `/topic/…` |
//! | `answer.rs` | the code table and the answers, byte for byte |

mod answer;
mod auth;
mod front;
mod publish;
mod sign;
mod token;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::clock::Clock;
use crate::fault::Faults;
use crate::ledger::Ledger;
use crate::pki::Authority;
use crate::serve::{Connections, Deadlines, Port};
use crate::tls::{ClientCertificates, server_config};
use front::Front;
pub use token::TokenForm;
use token::Tokens;

/// How to start an [`AliyunEmulator`].
#[derive(Clone, Debug)]
pub struct AliyunOptions {
    /// Who signs the server certificate. Its root is what clients must trust.
    pub authority: Authority,
    /// The endpoint's name, such as `iot-as-http.cn-shanghai.aliyuncs.com`. The certificate is also good for
    /// `localhost` and for [`ip`](Self::ip), as clients need not send this name.
    pub server_name: String,
    /// Where to listen.
    pub ip: IpAddr,
    /// Whether connections are kept after an answer. The captured answers say `Connection: close`.
    pub keep_alive: bool,
    /// What tokens look like.
    pub token_form: TokenForm,
}

impl AliyunOptions {
    /// Listens on 127.0.0.1, closes after each answer, and makes tokens as they are today.
    pub fn new(authority: &Authority, server_name: &str) -> Self {
        Self {
            authority: authority.clone(),
            server_name: server_name.to_owned(),
            ip: Ipv4Addr::LOCALHOST.into(),
            keep_alive: false,
            token_form: TokenForm::Hex,
        }
    }
}

/// Aliyun IoT Platform on a port of this machine. Dropping it closes the port and aborts its connections.
pub struct AliyunEmulator {
    cloud: Arc<Cloud>,
    server_name: String,
    port: Port,
}

struct Cloud {
    ledger: Ledger,
    faults: Faults,
    clock: Clock,
    keep_alive: bool,
    state: Mutex<State>,
}

struct State {
    devices: HashMap<DeviceName, Secret>,
    tokens: Tokens,
    authentications: u64,
    next_codes: VecDeque<u32>,
    next_authentication_codes: VecDeque<u32>,
    capital_info: bool,
    next_message_id: u64,
}

/// A device of a product.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct DeviceName {
    product_key: String,
    device_name: String,
}

/// A device secret. It has no Debug output, so that it cannot get into any other.
struct Secret(String);

/// The message id of the captured answer: an integer that a double cannot hold.
const FIRST_MESSAGE_ID: u64 = 1_207_967_842_654_323_713;

impl State {
    fn new(token_form: TokenForm) -> Self {
        Self {
            devices: HashMap::new(),
            tokens: Tokens::new(token_form),
            authentications: 0,
            next_codes: VecDeque::new(),
            next_authentication_codes: VecDeque::new(),
            capital_info: false,
            next_message_id: FIRST_MESSAGE_ID,
        }
    }

    fn message_id(&mut self) -> u64 {
        let id = self.next_message_id;
        self.next_message_id += 1;
        id
    }
}

impl Cloud {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the state")
    }
}

impl AliyunEmulator {
    /// Binds the port and starts to accept. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound, or no certificate can hold the server name.
    pub async fn start(options: AliyunOptions) -> io::Result<Self> {
        let AliyunOptions { authority, server_name, ip, keep_alive, token_form } = options;
        let names = [server_name.clone(), "localhost".to_owned(), ip.to_string()];
        let identity = authority.issue_server(&names).map_err(io::Error::other)?;
        let config = server_config(&identity, ClientCertificates::NotAsked, &[]).map_err(io::Error::other)?;
        let cloud = Arc::new(Cloud {
            ledger: Ledger::new(),
            faults: Faults::default(),
            clock: Clock::default(),
            keep_alive,
            state: Mutex::new(State::new(token_form)),
        });
        let front = Front::new(config, Arc::clone(&cloud));
        let port = Port::open(ip, Arc::new(front), Deadlines::default()).await?;
        Ok(Self { cloud, server_name, port })
    }

    /// The name that stands in the certificate.
    pub fn server_name(&self) -> &str {
        &self.server_name
    }

    /// Where the port is.
    pub fn addr(&self) -> SocketAddr {
        self.port.address()
    }

    /// Every message.
    pub fn ledger(&self) -> Ledger {
        self.cloud.ledger.clone()
    }

    /// What is to go wrong next.
    pub fn faults(&self) -> Faults {
        self.cloud.faults.clone()
    }

    /// Makes a device known, or gives it another secret.
    pub fn add_device(&self, product_key: &str, device_name: &str, device_secret: &str) {
        let device = DeviceName { product_key: product_key.to_owned(), device_name: device_name.to_owned() };
        self.cloud.state().devices.insert(device, Secret(device_secret.to_owned()));
    }

    /// Lets all tokens that exist now expire: each use of them is answered with 20001.
    pub fn expire_tokens(&self) {
        self.cloud.state().tokens.expire_all();
    }

    /// Forgets all tokens that exist now: each use of them is answered with 20003.
    pub fn revoke_tokens(&self) {
        self.cloud.state().tokens.revoke_all();
    }

    /// How long tokens made from now on are good for. Seven days to begin with, by the emulator's clock.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.cloud.state().tokens.set_lifetime(lifetime);
    }

    /// Whether answers say `Info`, as one page of the documentation once did, instead of `info`.
    pub fn answer_with_capital_info(&self, capital: bool) {
        self.cloud.state().capital_info = capital;
    }

    /// Answers one more publish request with this code, before any check. The message is not taken.
    pub fn next_code(&self, code: u32) {
        self.cloud.state().next_codes.push_back(code);
    }

    /// Answers one more request to `/auth` with this code, before any check.
    pub fn next_authentication_code(&self, code: u32) {
        self.cloud.state().next_authentication_codes.push_back(code);
    }

    /// How many requests to `/auth` the platform has decided about, whatever it decided. One that a fault ended before
    /// does not count.
    pub fn authentications(&self) -> u64 {
        self.cloud.state().authentications
    }

    /// How many connections there have been.
    pub fn connections(&self) -> Connections {
        self.port.connections()
    }

    /// Sets the emulator's clock to true time plus this many milliseconds. It decides about time stamps and the end of
    /// tokens, and shows in the `Date` header.
    pub fn shift_clock_ms(&self, offset_ms: i64) {
        self.cloud.clock.set_offset_ms(offset_ms);
    }
}

impl fmt::Debug for AliyunEmulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AliyunEmulator")
            .field("server_name", &self.server_name)
            .field("addr", &self.addr())
            .finish_non_exhaustive()
    }
}
