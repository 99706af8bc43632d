//! A wrong path is not told apart from a wrong host by Aliyun: both end in a redirect to an error page, which many a
//! client has tried to parse as JSON. The front decides which requests reach the platform at all.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ClientHello;

use super::answer::{self, Info, TOKEN_NULL};
use super::{Cloud, DeviceName, auth, publish};
use crate::fault::Faults;
use crate::http1::{Framing, Request, Response};
use crate::ledger::{Device, Disposition, Ledger};
use crate::percent;
use crate::platform::{Decision, Description, Listener, Peer, Platform, Properties, Purpose};

pub(super) struct Front {
    config: Arc<ServerConfig>,
    cloud: Arc<Cloud>,
}

impl Front {
    pub(super) fn new(config: Arc<ServerConfig>, cloud: Arc<Cloud>) -> Self {
        Self { config, cloud }
    }

    fn authenticate(&self, request: &Request) -> Result<String, u32> {
        let now_ms = self.cloud.clock.now_ms();
        let mut state = self.cloud.state();
        state.authentications += 1;
        if let Some(code) = state.next_authentication_codes.pop_front() {
            return Err(code);
        }
        let device = auth::check(request, &state.devices, now_ms)?;
        Ok(state.tokens.issue(device, now_ms))
    }

    /// The id of the message, if it is taken.
    fn publish(&self, request: &Request) -> Result<u64, u32> {
        let now_ms = self.cloud.clock.now_ms();
        let mut state = self.cloud.state();
        if let Some(code) = state.next_codes.pop_front() {
            return Err(code);
        }
        let device = state.tokens.check(token(request).ok_or(TOKEN_NULL)?, now_ms)?;
        publish::check(request, device)?;
        Ok(state.message_id())
    }

    /// An answer of the web server, which has no trace id.
    fn page(&self, response: Response) -> Decision {
        let disposition = Disposition::Refused { status: response.status, code: String::new() };
        Decision { disposition, trace_id: None, answer: Some(response) }
    }
}

/// An empty token is none.
fn token(request: &Request) -> Option<&str> {
    request.header("password").filter(|token| !token.is_empty())
}

impl Platform for Front {
    fn ledger(&self) -> &Ledger {
        &self.cloud.ledger
    }

    fn faults(&self) -> &Faults {
        &self.cloud.faults
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

    fn describe(&self, _peer: &Peer, request: &Request) -> Option<Description> {
        if self.purpose(request) != Purpose::Publish {
            return None;
        }
        let device = |owner: &DeviceName| Device::Aliyun {
            product_key: owner.product_key.clone(),
            device_name: owner.device_name.clone(),
        };
        Some(Description {
            listener: Listener::Aliyun,
            device: token(request).and_then(|token| self.cloud.state().tokens.owner(token).map(device)),
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
            return self.page(if known { answer::page(cloud, 405) } else { answer::redirect(cloud) });
        }
        if request.framing == Framing::TooLarge {
            return self.page(answer::page(cloud, 413));
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
