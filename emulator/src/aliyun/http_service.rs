//! A wrong path is not told apart from a wrong host by Aliyun: both end in a redirect to an error page, which many a
//! client has tried to parse as JSON. The front decides which requests reach the platform at all.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ClientHello;
use tokio::time::Instant;

use super::answer::{self, Info};
use super::cloud::{Cloud, State};
use super::code::{REQUEST_TOO_MANY, TOKEN_NULL};
use super::registry::DeviceName;
use super::{auth, publish, thing_model};
use crate::chaos::Conditions;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::gauge::Turn;
use crate::http1::{Framing, Request, Response};
use crate::ledger::{Disposition, Ledger};
use crate::percent;
use crate::platform::{Decision, Description, Listener, Peer, Platform, Properties, Purpose};

pub(super) struct HttpService {
    config: Arc<ServerConfig>,
    cloud: Arc<Cloud>,
}

impl HttpService {
    pub(super) fn new(config: Arc<ServerConfig>, cloud: Arc<Cloud>) -> Self {
        Self { config, cloud }
    }

    fn authenticate(&self, request: &Request) -> Result<String, u32> {
        let now_ms = self.cloud.clock.now_ms();
        let ends_the_older = self.cloud.conditions.has_one_token();
        let mut state = self.cloud.state();
        let answered = Self::issue_token(&mut state, request, now_ms, ends_the_older);
        state.authentications += 1;
        if let Some(device) = auth::named(request) {
            state.attempts.decided(device, answered.is_ok());
        }
        answered
    }

    fn issue_token(state: &mut State, request: &Request, now_ms: u64, ends_the_older: bool) -> Result<String, u32> {
        if let Some(code) = state.next_authentication_codes.pop_front() {
            return Err(code);
        }
        let device = auth::check(request, &state.registry, now_ms)?;
        state.registry.activate(&device);
        Ok(state.tokens.issue(device, now_ms, ends_the_older))
    }

    /// The id of the message, if it is taken.
    fn publish(&self, request: &Request) -> Result<u64, u32> {
        let now_ms = self.cloud.clock.now_ms();
        let mut state = self.cloud.state();
        if let Some(code) = state.next_codes.pop_front() {
            return Err(code);
        }
        let device = state.tokens.check(token(request).ok_or(TOKEN_NULL)?, now_ms)?.clone();
        let topic = publish::check(request, &device)?;
        if !self.cloud.conditions.is_within_quota(Instant::now()) {
            return Err(REQUEST_TOO_MANY);
        }
        state.survive_chaos(&device)?;
        let id = state.message_id();
        state.thing_posts.extend(thing_model::read(&topic, &request.body, device.to_device(), id));
        Ok(id)
    }
}

/// An empty token is none.
fn token(request: &Request) -> Option<&str> {
    request.header("password").filter(|token| !token.is_empty())
}

impl Platform for HttpService {
    fn ledger(&self) -> &Ledger {
        &self.cloud.ledger
    }

    fn faults(&self) -> &Faults {
        &self.cloud.faults
    }

    fn conditions(&self) -> &Conditions {
        &self.cloud.conditions
    }

    fn clock(&self) -> &Clock {
        &self.cloud.clock
    }

    fn choose(&self, _hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        Some(Arc::clone(&self.config))
    }

    fn purpose(&self, request: &Request) -> Purpose {
        if request.method != "POST" {
            Purpose::Other
        } else if request.path() == "/auth" {
            Purpose::Authentication
        } else if publish::encoded_topic(request.path()).is_some() {
            Purpose::Publish
        } else {
            Purpose::Other
        }
    }

    fn enter(&self, request: &Request) -> Option<Turn> {
        let asks_for_token = self.purpose(request) == Purpose::Authentication;
        let device = auth::named(request).filter(|_| asks_for_token)?;
        Some(self.cloud.state().attempts.enter(device))
    }

    fn describe(&self, _peer: &Peer, request: &Request) -> Option<Description> {
        if self.purpose(request) != Purpose::Publish {
            return None;
        }
        Some(Description {
            listener: Listener::Aliyun,
            device: token(request).and_then(|token| self.cloud.state().tokens.owner(token).map(DeviceName::to_device)),
            topic: publish::encoded_topic(request.path()).and_then(percent::decode),
            qos: None,
            retain: false,
            properties: Properties::default(),
        })
    }

    fn decide(&self, _peer: &Peer, request: &Request) -> Decision {
        let cloud = &self.cloud;
        let purpose = self.purpose(request);
        if purpose == Purpose::Other {
            let known = request.path() == "/auth" || publish::encoded_topic(request.path()).is_some();
            return answer::by_the_web_server(if known { answer::page(cloud, 405) } else { answer::redirect(cloud) });
        }
        if request.framing == Framing::TooLarge {
            return answer::by_the_web_server(answer::page(cloud, 413));
        }
        let trace_id = answer::trace_id();
        let decided = match purpose {
            Purpose::Authentication => self.authenticate(request).map(|token| {
                // The ledger has no entry for this, and the token belongs in none.
                (String::new(), answer::success(cloud, &trace_id, &Info::Token(&token)))
            }),
            Purpose::Publish | Purpose::Other => self
                .publish(request)
                .map(|id| (id.to_string(), answer::success(cloud, &trace_id, &Info::MessageId(id)))),
        };
        let (disposition, answer) = match decided {
            Ok((id, answer)) => (Disposition::Accepted { id }, answer),
            Err(code) => {
                let disposition = Disposition::Refused { status: 200, code: code.to_string() };
                (disposition, answer::failure(cloud, &trace_id, code))
            }
        };
        Decision { disposition, trace_id: Some(trace_id), answer: Some(answer) }
    }

    fn reject(&self, status: u16) -> Response {
        answer::page(&self.cloud, status)
    }
}
