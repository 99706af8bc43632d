//! "Which endpoint do I authenticate at?" is an old question: there are three paths beside `/auth`, on another host,
//! with another shape of request and answer. That host is another port here, so that a client that takes one for the
//! other fails as it would there.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ClientHello;
use serde_json::Value;

use super::cloud::Cloud;
use super::{answer, bootstrap, mqtt_login, register};
use crate::chaos::Conditions;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::http1::{Framing, Request, Response};
use crate::ledger::{Disposition, Ledger};
use crate::platform::{Decision, Description, Peer, Platform, Purpose};

pub(super) struct IotAuth {
    config: Arc<ServerConfig>,
    cloud: Arc<Cloud>,
}

#[derive(Clone, Copy)]
enum Path {
    Register,
    Bootstrap,
    MqttLogin,
}

impl Path {
    fn behind(path: &str) -> Option<Self> {
        match path {
            "/auth/register/device" => Some(Self::Register),
            "/auth/bootstrap" => Some(Self::Bootstrap),
            "/auth/devicename" => Some(Self::MqttLogin),
            _ => None,
        }
    }
}

impl IotAuth {
    pub(super) fn new(config: Arc<ServerConfig>, cloud: Arc<Cloud>) -> Self {
        Self { config, cloud }
    }

    fn enter(&self, door: Path, request: &Request) -> Result<Value, u32> {
        let mut state = self.cloud.state();
        if let Some(code) = state.next_iot_auth_codes.pop_front() {
            return Err(code);
        }
        match door {
            Path::Register => register::register(request, &mut state.registry),
            Path::Bootstrap => bootstrap::find(request, &state),
            Path::MqttLogin => mqtt_login::prepare(request, &state),
        }
    }
}

impl Platform for IotAuth {
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
        let knocks = request.method == "POST" && Path::behind(request.path()).is_some();
        if knocks { Purpose::Authentication } else { Purpose::Other }
    }

    fn describe(&self, _peer: &Peer, _request: &Request) -> Option<Description> {
        None
    }

    fn decide(&self, _peer: &Peer, request: &Request) -> Decision {
        let cloud = &self.cloud;
        let Some(door) = Path::behind(request.path()) else {
            // Captured from the other host. The same web server stands in front of this one.
            return answer::by_the_web_server(answer::redirect(cloud));
        };
        if request.method != "POST" {
            return answer::by_the_web_server(answer::page(cloud, 405));
        }
        if request.framing == Framing::TooLarge {
            return answer::by_the_web_server(answer::page(cloud, 413));
        }
        let trace_id = answer::trace_id();
        let (disposition, answer) = match self.enter(door, request) {
            // The ledger has no entry for this, and the secret belongs in none.
            Ok(data) => (Disposition::Accepted { id: String::new() }, answer::data(cloud, &trace_id, &data)),
            Err(code) => {
                let disposition = Disposition::Refused { status: 200, code: code.to_string() };
                (disposition, answer::no_data(cloud, &trace_id, code))
            }
        };
        Decision { disposition, trace_id: Some(trace_id), answer: Some(answer) }
    }

    fn reject(&self, status: u16) -> Response {
        answer::page(&self.cloud, status)
    }
}
