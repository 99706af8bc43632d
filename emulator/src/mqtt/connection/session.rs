//! What goes up and what comes down are read apart, and belong together: an acknowledgement to a message, the end of a
//! connection to who wanted it. What both directions know of a connection is here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::mqtt::entry::{MqttDelivery, MqttEnd, MqttEntry, MqttFate, MqttProperties, MqttPublish, MqttSubscribe};
use crate::mqtt::ledger::MqttRecording;
use crate::mqtt::packet::{Properties, Publish, Subscribe};
use crate::mqtt::tls_proxy::TlsProxy;

/// A connection whose CONNECT was admitted.
pub(super) struct Session<'a> {
    pub(super) proxy: &'a TlsProxy,
    pub(super) connection: u64,
    pub(super) client_id: String,
    pub(super) is_version_5: bool,
    /// As the client has asked for it.
    pub(super) keep_alive: u16,
    /// Of the CONNECT in the ledger.
    number: u64,
    state: Mutex<State>,
}

/// What a client has said of itself that matters as long as it is connected.
pub(super) struct Who {
    pub(super) client_id: String,
    pub(super) is_version_5: bool,
    pub(super) keep_alive: u16,
}

#[derive(Default)]
struct State {
    /// The numbers of messages in the ledger, by their packet ids.
    publishes: HashMap<u16, u64>,
    deliveries: HashMap<u16, u64>,
    subscribes: HashMap<u16, u64>,
    connack: Option<u8>,
    client_disconnect: Option<u8>,
    server_disconnect: Option<u8>,
    is_to_be_reset: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(proxy: &'a TlsProxy, connection: u64, who: Who, number: u64) -> Self {
        let Who { client_id, is_version_5, keep_alive } = who;
        Self { proxy, connection, client_id, is_version_5, keep_alive, number, state: Mutex::default() }
    }

    pub(super) fn connack(&self, code: u8) {
        self.state().connack = Some(code);
        self.proxy.ledger.answer_connect(self.number, code);
    }

    /// Whether the CONNACK was passed on.
    pub(super) fn is_answered(&self) -> bool {
        self.state().connack.is_some()
    }

    pub(super) fn publish(&self, topic: &str, publish: &Publish<'_>, fate: MqttFate) {
        let ledger = &self.proxy.ledger;
        let recording = ledger.recording();
        if recording == MqttRecording::Counts {
            return ledger.count_publish(fate);
        }
        let number = ledger.record(MqttEntry::Publish(MqttPublish {
            connection: self.connection,
            topic: topic.to_owned(),
            payload: payload(recording, publish.payload),
            qos: publish.qos,
            retain: publish.retain,
            dup: publish.dup,
            packet_id: publish.packet_id,
            properties: owned(&publish.properties),
            fate,
            acknowledged: false,
        }));
        if let Some(packet_id) = publish.packet_id
            && fate == MqttFate::Forwarded
        {
            self.state().publishes.insert(packet_id, number);
        }
    }

    /// An acknowledgement for the client: nothing is counted for one of an error.
    pub(super) fn acknowledge(&self, packet_id: u16, reason: u8) {
        let number = self.state().publishes.remove(&packet_id);
        if reason < 0x80 {
            self.proxy.ledger.acknowledge(number);
        }
    }

    /// An acknowledgement that does not reach the client.
    pub(super) fn swallow(&self, packet_id: u16) {
        self.state().publishes.remove(&packet_id);
    }

    pub(super) fn deliver(&self, topic: &str, publish: &Publish<'_>) {
        let ledger = &self.proxy.ledger;
        let recording = ledger.recording();
        if recording == MqttRecording::Counts {
            return ledger.count_delivery();
        }
        let number = ledger.record(MqttEntry::Delivery(MqttDelivery {
            connection: self.connection,
            topic: topic.to_owned(),
            payload: payload(recording, publish.payload),
            qos: publish.qos,
            retain: publish.retain,
            dup: publish.dup,
            packet_id: publish.packet_id,
            properties: owned(&publish.properties),
            acknowledged: false,
        }));
        if let Some(packet_id) = publish.packet_id {
            self.state().deliveries.insert(packet_id, number);
        }
    }

    /// An acknowledgement of the client.
    pub(super) fn confirm(&self, packet_id: u16) {
        let number = self.state().deliveries.remove(&packet_id);
        self.proxy.ledger.confirm(number);
    }

    pub(super) fn subscribe(&self, subscribe: &Subscribe<'_>) {
        let filters = subscribe.filters.iter().map(|&(filter, qos)| (filter.to_owned(), qos)).collect();
        let entry = MqttSubscribe { connection: self.connection, filters, granted: None };
        let number = self.proxy.ledger.record(MqttEntry::Subscribe(entry));
        self.state().subscribes.insert(subscribe.packet_id, number);
    }

    pub(super) fn grant(&self, packet_id: u16, codes: &[u8]) {
        let number = self.state().subscribes.remove(&packet_id);
        if let Some(number) = number {
            self.proxy.ledger.answer_subscribe(number, codes);
        }
    }

    pub(super) fn client_disconnects(&self, reason: u8) {
        self.state().client_disconnect = Some(reason);
    }

    pub(super) fn server_disconnects(&self, reason: u8) {
        self.state().server_disconnect = Some(reason);
    }

    /// Has the connection reset where it would be closed.
    pub(super) fn reset_at_the_end(&self) {
        self.state().is_to_be_reset = true;
    }

    pub(super) fn is_to_be_reset(&self) -> bool {
        self.state().is_to_be_reset
    }

    /// How it ended when the client has closed.
    pub(super) fn end_by_client(&self) -> MqttEnd {
        let state = self.state();
        match (state.client_disconnect, state.server_disconnect) {
            (Some(reason), _) => MqttEnd::ClientDisconnect { reason },
            (None, Some(reason)) => MqttEnd::ServerDisconnect { reason },
            (None, None) => MqttEnd::ClientClosed,
        }
    }

    /// How it ended when the broker has closed.
    pub(super) fn end_by_broker(&self) -> MqttEnd {
        let state = self.state();
        match (state.client_disconnect, state.server_disconnect, state.connack) {
            (Some(reason), ..) => MqttEnd::ClientDisconnect { reason },
            (None, Some(reason), _) => MqttEnd::ServerDisconnect { reason },
            (None, None, Some(code @ 1..)) => MqttEnd::Refused { code },
            (None, None, Some(0) | None) => MqttEnd::ServerClosed,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the state of a connection")
    }
}

fn payload(recording: MqttRecording, payload: &[u8]) -> Vec<u8> {
    if recording == MqttRecording::Everything { payload.to_vec() } else { Vec::new() }
}

fn owned(properties: &Properties<'_>) -> MqttProperties {
    MqttProperties {
        content_type: properties.content_type.map(str::to_owned),
        response_topic: properties.response_topic.map(str::to_owned),
        message_expiry: properties.message_expiry,
        payload_format: properties.payload_format,
        correlation_data: properties.correlation_data.map(<[u8]>::to_vec),
        user_properties: properties.user.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

/// What the aliases of one direction stand for.
#[derive(Default)]
pub(super) struct Aliases(HashMap<u16, String>);

impl Aliases {
    /// The topic of a message. Nothing when it has an alias that stands for nothing.
    pub(super) fn topic<'a>(&'a mut self, publish: &Publish<'a>) -> Option<&'a str> {
        let Some(alias) = publish.properties.topic_alias else {
            return Some(publish.topic);
        };
        if publish.topic.is_empty() {
            return self.0.get(&alias).map(String::as_str);
        }
        self.0.insert(alias, publish.topic.to_owned());
        Some(publish.topic)
    }
}
