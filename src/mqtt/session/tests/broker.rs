//! The other end. Reads with the codec's own decoders for whole packets, which the session does not use.

use mqtt_proto::{QosPid, v3, v5};

use crate::mqtt::Version;

/// A message as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub at_ms: u64,
    pub connection: u32,
    pub topic: String,
    pub payload: String,
    pub id: Option<u16>,
    pub duplicate: bool,
    /// What is left of its message expiry.
    pub expiry_s: Option<u32>,
}

/// Which code a message is answered with, by the time and the payload.
pub type Verdict = Box<dyn FnMut(u64, &str) -> u8>;

/// Whether an answer is lost, by its first byte.
pub type Loss = Box<dyn FnMut(u8) -> bool>;

/// What the broker makes of a packet.
pub enum Reaction {
    Nothing,
    Answer(Vec<u8>),
    Close,
}

pub struct SimulatedBroker {
    pub version: Version,
    /// Whether there is anybody to connect to.
    pub is_up: bool,
    /// Return or reason code for a CONNECT.
    pub connack: u8,
    pub session_present: bool,
    pub receive_maximum: Option<u16>,
    pub max_packet_bytes: Option<u32>,
    pub keep_alive_s: Option<u16>,
    pub takes_at_most_once_only: bool,
    pub retains_nothing: bool,
    /// Takes everything and says nothing.
    pub is_mute: bool,
    /// Takes messages and does not acknowledge them.
    pub holds_acks: bool,
    /// Takes subscriptions and does not answer them.
    pub holds_subacks: bool,
    /// Closes the connection upon a message to this topic, in good order unless something lies behind it.
    pub closes_upon: Option<String>,
    /// Reason code for a message.
    pub puback: u8,
    /// For each message anew.
    pub verdict: Option<Verdict>,
    /// How long it takes for an acknowledgement.
    pub ack_delay_ms: u64,
    /// Which answers never leave, though the broker is there.
    pub loses: Option<Loss>,
    /// Answers that are on their way, and when they come.
    pub later: Vec<(u64, Vec<u8>)>,
    /// When messages were refused, and which.
    pub refusals: Vec<(u64, String)>,
    /// Closes the connection upon a subscription to this filter.
    pub closes_upon_filter: Option<String>,
    /// Refuses this filter, with MQTT 5 by this code.
    pub refuses_filter: Option<String>,
    pub suback: u8,
    pub connection: u32,
    pub connects: Vec<u64>,
    pub arrivals: Vec<Arrival>,
    /// Identifiers of messages to the client that it has acknowledged.
    pub acknowledged: Vec<u16>,
    /// Before then it closes upon a CONNECT, without a word.
    pub registered_ms: u64,
    /// The options of the subscriptions of MQTT 5, as they came.
    pub asked: Vec<u8>,
    /// How long the session is to be kept after the goodbye, if that was said with it.
    pub goodbye_expiry_s: Option<u32>,
    /// What came, by name, in its order.
    pub log: Vec<String>,
}

impl SimulatedBroker {
    pub fn new(version: Version) -> Self {
        Self {
            version,
            is_up: true,
            connack: 0,
            session_present: false,
            receive_maximum: None,
            max_packet_bytes: None,
            keep_alive_s: None,
            takes_at_most_once_only: false,
            retains_nothing: false,
            is_mute: false,
            holds_acks: false,
            holds_subacks: false,
            closes_upon: None,
            puback: 0,
            verdict: None,
            ack_delay_ms: 0,
            loses: None,
            later: Vec::new(),
            refusals: Vec::new(),
            closes_upon_filter: None,
            refuses_filter: None,
            suback: 0x87,
            connection: 0,
            connects: Vec::new(),
            arrivals: Vec::new(),
            acknowledged: Vec::new(),
            registered_ms: 0,
            asked: Vec::new(),
            goodbye_expiry_s: None,
            log: Vec::new(),
        }
    }

    pub fn payloads(&self) -> Vec<&str> {
        self.arrivals.iter().map(|arrival| arrival.payload.as_str()).collect()
    }

    /// Takes the first packet of what came, if it is whole.
    pub fn take(&mut self, now_ms: u64, input: &mut Vec<u8>) -> Option<Reaction> {
        let length = whole_packet(input)?;
        let packet: Vec<u8> = input.drain(..length).collect();
        if self.is_mute {
            return Some(Reaction::Nothing);
        }
        let reaction = match self.version {
            Version::V3 => self.take_v3(now_ms, v3::Packet::decode(&packet).unwrap().unwrap()),
            Version::V5 => self.take_v5(now_ms, v5::Packet::decode(&packet).unwrap().unwrap()),
        };
        Some(match reaction {
            Reaction::Answer(answer) if self.is_lost(&answer) => Reaction::Nothing,
            reaction => reaction,
        })
    }

    fn is_lost(&mut self, answer: &[u8]) -> bool {
        self.loses.as_mut().is_some_and(|loses| loses(answer[0]))
    }

    fn take_v3(&mut self, now_ms: u64, packet: v3::Packet) -> Reaction {
        match packet {
            v3::Packet::Connect(connect) => {
                self.log.push(format!("connect clean={} keep-alive={}", connect.clean_session, connect.keep_alive));
                self.connected(now_ms);
                if now_ms < self.registered_ms {
                    return Reaction::Close;
                }
                Reaction::Answer(vec![0x20, 2, u8::from(self.session_present), self.connack])
            }
            v3::Packet::Publish(publish) => {
                let header = (publish.qos_pid, publish.dup, None);
                self.published(now_ms, &publish.topic_name, &publish.payload, header)
            }
            v3::Packet::Subscribe(subscribe) => {
                let filters: Vec<&str> = subscribe.topics.iter().map(|(filter, _)| &**filter).collect();
                let codes = self.subscribed(&filters);
                if self.holds_subacks {
                    return Reaction::Nothing;
                }
                if self.closes_upon_filter.as_deref().is_some_and(|filter| filters.contains(&filter)) {
                    return Reaction::Close;
                }
                let mut answer = vec![0x90, (2 + codes.len()) as u8];
                answer.extend(subscribe.pid.value().to_be_bytes());
                answer.extend(codes);
                Reaction::Answer(answer)
            }
            v3::Packet::Unsubscribe(unsubscribe) => {
                self.log.push(format!("unsubscribe {}", &*unsubscribe.topics[0]));
                let [high, low] = unsubscribe.pid.value().to_be_bytes();
                Reaction::Answer(vec![0xb0, 2, high, low])
            }
            v3::Packet::Puback(id) => self.acknowledged(id.value()),
            v3::Packet::Pingreq => self.pinged(),
            v3::Packet::Disconnect => self.goodbye(),
            other => panic!("a client does not send {other:?}"),
        }
    }

    fn take_v5(&mut self, now_ms: u64, packet: v5::Packet) -> Reaction {
        match packet {
            v5::Packet::Connect(connect) => {
                self.log.push(format!("connect clean={} keep-alive={}", connect.clean_start, connect.keep_alive));
                self.connected(now_ms);
                if now_ms < self.registered_ms {
                    return Reaction::Close;
                }
                let mut properties = Vec::new();
                if let Some(maximum) = self.receive_maximum {
                    properties.push(0x21);
                    properties.extend(maximum.to_be_bytes());
                }
                if let Some(maximum) = self.max_packet_bytes {
                    properties.push(0x27);
                    properties.extend(maximum.to_be_bytes());
                }
                if let Some(seconds) = self.keep_alive_s {
                    properties.push(0x13);
                    properties.extend(seconds.to_be_bytes());
                }
                if self.takes_at_most_once_only {
                    properties.extend([0x24, 0]);
                }
                if self.retains_nothing {
                    properties.extend([0x25, 0]);
                }
                let mut answer = vec![0x20, (3 + properties.len()) as u8, u8::from(self.session_present), self.connack];
                answer.push(properties.len() as u8);
                answer.extend(properties);
                Reaction::Answer(answer)
            }
            v5::Packet::Publish(publish) => {
                let header = (publish.qos_pid, publish.dup, publish.properties.message_expiry_interval);
                self.published(now_ms, &publish.topic_name, &publish.payload, header)
            }
            v5::Packet::Subscribe(subscribe) => {
                self.asked.extend(subscribe.topics.iter().map(|(_, options)| options.to_u8()));
                let filters: Vec<&str> = subscribe.topics.iter().map(|(filter, _)| &**filter).collect();
                let codes = self.subscribed(&filters);
                let mut answer = vec![0x90, (3 + codes.len()) as u8];
                answer.extend(subscribe.pid.value().to_be_bytes());
                answer.push(0);
                answer.extend(codes);
                Reaction::Answer(answer)
            }
            v5::Packet::Unsubscribe(unsubscribe) => {
                self.log.push(format!("unsubscribe {}", &*unsubscribe.topics[0]));
                let [high, low] = unsubscribe.pid.value().to_be_bytes();
                Reaction::Answer(vec![0xb0, 4, high, low, 0, 0])
            }
            v5::Packet::Puback(puback) => self.acknowledged(puback.pid.value()),
            v5::Packet::Pingreq => self.pinged(),
            v5::Packet::Disconnect(disconnect) => {
                self.goodbye_expiry_s = disconnect.properties.session_expiry_interval;
                self.goodbye()
            }
            other => panic!("a client does not send {other:?}"),
        }
    }

    fn connected(&mut self, now_ms: u64) {
        self.connection += 1;
        self.connects.push(now_ms);
    }

    fn published(
        &mut self,
        at_ms: u64,
        topic: &str,
        payload: &[u8],
        (id, duplicate, expiry_s): (QosPid, bool, Option<u32>),
    ) -> Reaction {
        let payload = String::from_utf8(payload.to_vec()).unwrap();
        self.log.push(format!("publish {payload}"));
        let id = id.pid().map(mqtt_proto::Pid::value);
        let connection = self.connection;
        if self.closes_upon.as_deref() == Some(topic) {
            return Reaction::Close;
        }
        let code = self.verdict.as_mut().map_or(self.puback, |verdict| verdict(at_ms, &payload));
        if code < 0x80 {
            let topic = topic.to_owned();
            self.arrivals.push(Arrival { at_ms, connection, topic, payload, id, duplicate, expiry_s });
        } else {
            self.refusals.push((at_ms, payload));
        }
        match id {
            Some(id) if self.ack_delay_ms > 0 => {
                let answer = ack(id, code);
                if !self.is_lost(&answer) {
                    self.later.push((at_ms + self.ack_delay_ms, answer));
                }
                Reaction::Nothing
            }
            Some(id) if !self.holds_acks => Reaction::Answer(ack(id, code)),
            _ => Reaction::Nothing,
        }
    }

    pub fn ack(&self, id: u16) -> Vec<u8> {
        ack(id, self.puback)
    }

    /// An answer whose time has come.
    pub fn due(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        let index = self.later.iter().position(|(at_ms, _)| *at_ms <= now_ms)?;
        Some(self.later.remove(index).1)
    }

    fn subscribed(&mut self, filters: &[&str]) -> Vec<u8> {
        self.log.push(format!("subscribe {}", filters.join(" ")));
        let refusal = if self.version == Version::V3 { 0x80 } else { self.suback };
        let code = |filter: &&str| if self.refuses_filter.as_deref() == Some(*filter) { refusal } else { 1 };
        filters.iter().map(code).collect()
    }

    fn acknowledged(&mut self, id: u16) -> Reaction {
        self.acknowledged.push(id);
        Reaction::Nothing
    }

    fn pinged(&mut self) -> Reaction {
        self.log.push("ping".into());
        Reaction::Answer(vec![0xd0, 0])
    }

    fn goodbye(&mut self) -> Reaction {
        self.log.push("disconnect".into());
        Reaction::Close
    }
}

fn ack(id: u16, code: u8) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    match code {
        0 => vec![0x40, 2, high, low],
        code => vec![0x40, 3, high, low, code],
    }
}

fn whole_packet(input: &[u8]) -> Option<usize> {
    let mut length = 0;
    for (index, byte) in input.get(1..)?.iter().enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let total = 2 + index + length;
            return (input.len() >= total).then_some(total);
        }
    }
    None
}
