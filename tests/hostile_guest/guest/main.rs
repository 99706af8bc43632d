//! The hostile component. It pretends to be a publisher; `publish` carries out the attack that the topic names.

#![cfg(target_family = "wasm")]

mod bindings;
mod bodies;
mod denied_hosts;
mod headers;
mod injection;
mod loops;
mod memory;
mod report;
mod request_lines;
mod requests;
mod signer;
mod sockets;
mod traps;
mod unread_answers;

use bindings::exports::thingpost::iot::aws_publisher::Options;
use bindings::exports::thingpost::iot::publisher::{Client, Error, GuestClient, Message, Receipt};
use bindings::exports::thingpost::iot::{aliyun_publisher, aws_publisher, publisher};

struct Component;

/// What pretends to be a device.
struct Device;

impl aws_publisher::Guest for Component {
    fn open(_: aws_publisher::Config, _: Options, _: Option<String>) -> Result<Client, String> {
        Ok(Client::new(Device))
    }
}

impl aliyun_publisher::Guest for Component {
    fn open(_: aliyun_publisher::Config, _: Options, _: Option<String>) -> Result<Client, String> {
        Ok(Client::new(Device))
    }
}

impl publisher::Guest for Component {
    type Client = Device;
}

/// Resources of its own, each of which has a place in the host's table of handles, without an end.
fn handles() -> String {
    loop {
        std::mem::forget(Client::new(Device));
    }
}

impl GuestClient for Device {
    fn publish(&self, message: Message) -> Result<Receipt, Error> {
        let endpoint = String::from_utf8(message.payload).unwrap_or_default();
        Err(report::done(match message.topic.as_str() {
            "memory" => memory::attack(),
            "bodies" => bodies::attack(),
            "headers" => headers::attack(),
            "request lines" => request_lines::attack(),
            "cpu" => loops::compute(),
            "host call" => loops::poll_list(),
            "wait" => loops::wait(),
            "handles" => handles(),
            "denied hosts" => denied_hosts::attack(),
            "injection" => injection::attack(&endpoint),
            "unread answers" => unread_answers::attack(&endpoint),
            "signer" => signer::attack(&endpoint),
            "sockets" => sockets::attack(&endpoint),
            other => match other.strip_prefix("half a message: ") {
                Some(end) => bodies::half_written(end, &endpoint),
                None => traps::attack(other, &endpoint),
            },
        }))
    }

    fn publish_all(&self, messages: Vec<Message>) -> Vec<Result<Receipt, Error>> {
        messages.into_iter().map(|message| self.publish(message)).collect()
    }

    fn credential(&self) -> Option<String> {
        None
    }
}
