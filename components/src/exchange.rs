//! Interface `exchange`: the state machine for hosts with an HTTP client of their own.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;

use thingpost::exchange::{self, Outgoing};
use thingpost::{ConfigError, Moment, Platform, SignMethod};

use crate::Component;
use crate::bindings::exports::thingpost::iot::exchange::{
    Error, Exchange as ExchangeHandle, Guest, GuestExchange, HttpResponse, Moment as WitMoment,
    Outgoing as WitOutgoing, Receipt, SignMethod as WitSignMethod, Signing as WitSigning, Step, TransportError,
};
use crate::bindings::exports::thingpost::iot::types::{Message, Options};
use crate::values::{explained, http, message, options, transport_error};

pub struct Exchange(RefCell<exchange::Exchange>);

/// Opens an exchange with whichever platform.
pub fn open(
    platform: Result<Arc<dyn Platform>, ConfigError>,
    options: &Options,
    credential: Option<&str>,
    seed: u64,
    messages: Vec<Message>,
) -> Result<ExchangeHandle, String> {
    let opened = platform.and_then(|platform| {
        let options = options::options(options)?;
        let credential = credential.map(|text| platform.import_credential(text)).transpose()?;
        let messages = messages.into_iter().map(message::message).collect();
        exchange::Exchange::new(platform, options, credential, seed, messages)
    });
    opened.map(|exchange| ExchangeHandle::new(Exchange(RefCell::new(exchange)))).map_err(|problem| problem.to_string())
}

impl Guest for Component {
    type Exchange = Exchange;
}

impl GuestExchange for Exchange {
    fn poll(&self, now: WitMoment) -> Step {
        match self.0.borrow_mut().poll(moment(now)) {
            exchange::Step::Send(Outgoing { id, request, connect_timeout_ms, timeout_ms, .. }) => {
                Step::Send(WitOutgoing { id, request: http::request(request), connect_timeout_ms, timeout_ms })
            }
            exchange::Step::Sign(signing) => Step::Sign(WitSigning {
                group: signing.group,
                device: signing.device,
                method: match signing.method {
                    SignMethod::HmacMd5 => WitSignMethod::HmacMd5,
                    SignMethod::HmacSha1 => WitSignMethod::HmacSha1,
                    SignMethod::HmacSha256 => WitSignMethod::HmacSha256,
                },
                content: signing.content,
            }),
            exchange::Step::Wait(until_ms) => Step::Wait(until_ms),
            exchange::Step::Done => Step::Done,
        }
    }

    fn handle_signature(&self, now: WitMoment, signature: Result<String, String>) {
        self.0.borrow_mut().handle_signature(moment(now), signature.map_err(Into::into));
    }

    fn handle_response(&self, now: WitMoment, id: u32, response: Result<HttpResponse, TransportError>) {
        let answered = response.map(http::response).map_err(transport_error::transport_error);
        self.0.borrow_mut().handle_response(moment(now), id, answered);
    }

    fn outcomes(&self) -> Vec<Result<Receipt, Error>> {
        let exchange = self.0.borrow();
        let explain = |error: &_, subject: &_| exchange.platform().explain(error, subject);
        exchange
            .outcomes()
            .map(|(subject, outcome)| explained::explained(outcome, |error| explain(error, subject)))
            .collect()
    }

    fn credential(&self) -> Option<String> {
        let exchange = self.0.borrow();
        exchange.credential().and_then(|credential| exchange.platform().export_credential(credential))
    }
}

fn moment(now: WitMoment) -> Moment {
    Moment { monotonic_ms: now.monotonic_ms, unix_ms: now.unix_ms }
}
