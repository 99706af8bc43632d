//! Interface `exchange`: the state machine for hosts with an HTTP client of their own.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use thingpost::exchange::{self, Outgoing};
use thingpost::{ConfigurationProblem, Moment, SignMethod};

use crate::bindings::exports::thingpost::iot::exchange::{
    Error, Exchange as ExchangeHandle, GuestExchange, HttpResponse, Message, Moment as WitMoment,
    NoAnswer as WitNoAnswer, Options, Outgoing as WitOutgoing, Platform, Receipt, SignMethod as WitSignMethod,
    Signing as WitSigning, Step,
};
use crate::{explained, http, message, no_answer, platform};

pub struct Exchange(RefCell<exchange::Exchange>);

impl Exchange {
    fn new(
        platform: Platform,
        options: &Options,
        session: Option<&str>,
        seed: u64,
        messages: Vec<Message>,
    ) -> Result<Self, ConfigurationProblem> {
        let platform = platform::platform(platform)?;
        let options = platform::options(options)?;
        let credential = session.map(|text| platform.import_credential(text)).transpose()?;
        let messages = messages.into_iter().map(message::message).collect();
        Ok(Self(RefCell::new(exchange::Exchange::new(platform, options, credential, seed, messages)?)))
    }
}

impl GuestExchange for Exchange {
    fn open(
        platform: Platform,
        options: Options,
        session: Option<String>,
        seed: u64,
        messages: Vec<Message>,
    ) -> Result<ExchangeHandle, String> {
        Self::new(platform, &options, session.as_deref(), seed, messages)
            .map(ExchangeHandle::new)
            .map_err(|problem| problem.text())
    }

    fn next(&self, now: WitMoment) -> Step {
        match self.0.borrow_mut().next(moment(now)) {
            exchange::Step::Send(Outgoing { id, request, connect_timeout_ms, timeout_ms, .. }) => {
                Step::Send(WitOutgoing { id, request: http::request(request), connect_timeout_ms, timeout_ms })
            }
            exchange::Step::Sign(signing) => Step::Sign(WitSigning {
                product_key: signing.group,
                device_name: signing.device,
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

    fn signed(&self, now: WitMoment, signature: Result<String, String>) {
        self.0.borrow_mut().signed(moment(now), signature);
    }

    fn answer(&self, now: WitMoment, id: u32, answered: Result<HttpResponse, WitNoAnswer>) {
        let answered = answered.map(http::response).map_err(no_answer::no_answer);
        self.0.borrow_mut().answer(moment(now), id, answered);
    }

    fn outcomes(&self) -> Vec<Result<Receipt, Error>> {
        let exchange = self.0.borrow();
        let explain = |error: &_, subject: &_| exchange.platform().explain(error, subject);
        exchange
            .outcomes()
            .map(|(subject, outcome)| explained::explained(outcome, |error| explain(error, subject)))
            .collect()
    }

    fn session(&self) -> Option<String> {
        let exchange = self.0.borrow();
        exchange.credential().and_then(|credential| exchange.platform().export_credential(credential))
    }
}

fn moment(now: WitMoment) -> Moment {
    Moment { monotonic_ms: now.monotonic_ms, unix_ms: now.unix_ms }
}
