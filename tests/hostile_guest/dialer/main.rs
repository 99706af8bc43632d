//! The hostile component that dials. It pretends to have an MQTT session; `publish` carries out the attack that the topic names, against
//! the destination in the payload.

#![cfg(target_family = "wasm")]

mod bindings;
mod dials;

use bindings::exports::thingpost::iot::mqtt_session::{
    Connection, Error, Event, GuestSession, Message, Session, SessionConfig, SessionOptions, Subscription, Unfinished,
};
use bindings::exports::thingpost::iot::types::{Cause, Delivery, Retry, Stage};
use bindings::exports::thingpost::iot::{aliyun_mqtt, aws_mqtt, generic_mqtt, mqtt_session};

struct Component;

/// What pretends to be a session.
struct NoSession;

impl mqtt_session::Guest for Component {
    type Session = NoSession;
}

impl aws_mqtt::Guest for Component {
    fn open(_: aws_mqtt::Broker, _: SessionConfig, _: SessionOptions, _: Vec<Unfinished>) -> Result<Session, String> {
        Ok(Session::new(NoSession))
    }
}

impl aliyun_mqtt::Guest for Component {
    fn open(
        _: aliyun_mqtt::Broker,
        _: SessionConfig,
        _: SessionOptions,
        _: Vec<Unfinished>,
    ) -> Result<Session, String> {
        Ok(Session::new(NoSession))
    }
}

impl generic_mqtt::Guest for Component {
    fn open(
        _: generic_mqtt::Broker,
        _: SessionConfig,
        _: SessionOptions,
        _: Vec<Unfinished>,
    ) -> Result<Session, String> {
        Ok(Session::new(NoSession))
    }
}

impl GuestSession for NoSession {
    fn connect(&self) -> Result<Connection, Error> {
        Err(said("it never connects".to_owned()))
    }

    fn keep_connecting(&self) {}

    fn publish(&self, message: Message) -> Result<u64, Error> {
        let destination = String::from_utf8(message.payload).unwrap_or_default();
        Err(said(match message.topic.as_str() {
            "all kept" => dials::keep_all(&destination),
            "refusals dropped" => dials::drop_refusals(&destination),
            other => format!("there is no attack {other}"),
        }))
    }

    fn publish_all(&self, messages: Vec<Message>) -> Vec<Result<u64, Error>> {
        messages.into_iter().map(|message| self.publish(message)).collect()
    }

    fn subscribe(&self, _: Subscription) -> Result<(), Error> {
        Ok(())
    }

    fn unsubscribe(&self, _: String) -> Result<(), Error> {
        Ok(())
    }

    fn receive(&self, _: u32, _: u32) -> Vec<Event> {
        Vec::new()
    }

    fn outstanding(&self) -> u32 {
        0
    }

    fn disconnect(&self) {}

    fn expire_after_disconnect(&self, _: u32) -> Result<(), String> {
        Ok(())
    }

    fn unfinished(&self) -> Vec<Unfinished> {
        Vec::new()
    }

    fn abandon(&self) {}
}

/// What a guest has seen before it gave up, as the explanation of an error.
fn said(explanation: String) -> Error {
    Error {
        cause: Cause::Other,
        stage: Stage::Other,
        delivery: Delivery::Unknown,
        retry: Retry::Never,
        attempts: 0,
        answer: None,
        explanation,
    }
}
