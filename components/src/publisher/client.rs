//! The `client` resource: a device on a platform, and its token between calls.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use thingpost::aws::{self, Operation, Reply};
use thingpost::http::Scheme;
use thingpost::{ConfigError, Credential, Exchange, Options, Platform, wasi};

use super::signer;
use crate::Component;
use crate::bindings::exports::thingpost::iot::publisher::{
    Client as ClientHandle, Error, Guest, GuestClient, Message, Receipt,
};
use crate::bindings::exports::thingpost::iot::types::Options as WitOptions;
use crate::values::{explained, message, options, outcome};

/// Why an exchange can always begin.
const CHECKED: &str = "the options were checked when the client was opened";

pub struct Client {
    platform: Arc<dyn Platform>,
    options: Options,
    credential: RefCell<Option<Credential>>,
    /// Whether a message has ever been answered.
    has_been_answered: Cell<bool>,
    /// How far the clock of the host is ahead, as far as an exchange has learned it.
    clock_ahead_ms: Cell<i64>,
}

/// Opens a client for a device on whichever platform.
pub fn open(
    platform: Result<Arc<dyn Platform>, ConfigError>,
    options: &WitOptions,
    credential: Option<&str>,
) -> Result<ClientHandle, String> {
    platform
        .and_then(|platform| Client::new(platform, options, credential))
        .map(ClientHandle::new)
        .map_err(|problem| problem.to_string())
}

impl Guest for Component {
    type Client = Client;
}

impl Client {
    fn new(platform: Arc<dyn Platform>, options: &WitOptions, credential: Option<&str>) -> Result<Self, ConfigError> {
        signer::check(&*platform)?;
        let options = options::options(options)?;
        let credential = credential.map(|text| platform.import_credential(text)).transpose()?;
        Ok(Self {
            platform,
            options,
            credential: RefCell::new(credential),
            has_been_answered: Cell::new(false),
            clock_ahead_ms: Cell::new(0),
        })
    }

    /// Runs an exchange with what those before it have found out, and keeps what it finds out.
    fn run(&self, exchange: Result<Exchange, ConfigError>) -> Exchange {
        let exchange = exchange.expect(CHECKED).answered_before(self.has_been_answered.get());
        let mut exchange = exchange.with_clock_ahead_ms(self.clock_ahead_ms.get());
        wasi::run(&mut exchange, &signer::signer(&*self.platform), Scheme::Https);
        self.credential.replace(exchange.credential().cloned());
        self.has_been_answered.set(exchange.has_been_answered());
        self.clock_ahead_ms.set(exchange.clock_ahead_ms());
        exchange
    }

    /// Carries out another operation than to publish.
    pub fn operate(&self, operation: Operation) -> Result<Reply, Error> {
        let credential = self.credential.take();
        let exchange = Exchange::operation(
            self.platform.clone(),
            self.options.clone(),
            credential,
            wasi::seed(),
            Arc::new(operation),
        );
        let exchange = self.run(exchange);
        let (subject, reply) = aws::reply(&exchange).expect("an exchange has one outcome for its operation");
        reply.map_err(|error| {
            let explanation = self.platform.explain(&error, subject);
            outcome::error(error, explanation)
        })
    }
}

impl GuestClient for Client {
    fn publish(&self, message: Message) -> Result<Receipt, Error> {
        let mut outcomes = self.publish_all(vec![message]);
        outcomes.pop().expect("an exchange has one outcome for each message")
    }

    fn publish_all(&self, messages: Vec<Message>) -> Vec<Result<Receipt, Error>> {
        let messages = messages.into_iter().map(message::message).collect();
        let credential = self.credential.take();
        let exchange = Exchange::new(self.platform.clone(), self.options.clone(), credential, wasi::seed(), messages);
        let exchange = self.run(exchange);
        exchange
            .outcomes()
            .map(|(subject, outcome)| explained::explained(outcome, |error| self.platform.explain(error, subject)))
            .collect()
    }

    fn credential(&self) -> Option<String> {
        self.credential.borrow().as_ref().and_then(|credential| self.platform.export_credential(credential))
    }
}
