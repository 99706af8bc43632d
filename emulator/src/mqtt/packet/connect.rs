//! Both clouds decide by CONNECT alone who a client is. It has three versions of itself, which differ in the first
//! bytes: only after those is it known how to read the rest.

use super::frame::{Kind, Packet};
use super::properties::Properties;
use super::reader::Reader;

/// What a client says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mqtt) struct Connect<'a> {
    /// 3 for MQTT 3.1, 4 for 3.1.1, 5 for 5.
    pub(in crate::mqtt) level: u8,
    pub(in crate::mqtt) clean_start: bool,
    pub(in crate::mqtt) keep_alive: u16,
    pub(in crate::mqtt) session_expiry: Option<u32>,
    pub(in crate::mqtt) receive_maximum: Option<u16>,
    pub(in crate::mqtt) client_id: &'a str,
    pub(in crate::mqtt) will: Option<Will<'a>>,
    pub(in crate::mqtt) user_name: Option<&'a str>,
    pub(in crate::mqtt) password: Option<&'a [u8]>,
}

/// What is to be published when the client is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mqtt) struct Will<'a> {
    pub(in crate::mqtt) topic: &'a str,
    pub(in crate::mqtt) payload: &'a [u8],
    pub(in crate::mqtt) qos: u8,
    pub(in crate::mqtt) retain: bool,
}

/// Why a packet is no CONNECT that could be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mqtt) enum NotConnect {
    /// One of a version that is neither 3.1 nor 3.1.1 nor 5.
    Version,
    Malformed,
}

impl<'a> Connect<'a> {
    pub(in crate::mqtt) fn read(packet: &Packet<'a>) -> Result<Self, NotConnect> {
        if packet.kind != Kind::Connect || packet.flags != 0 {
            return Err(NotConnect::Malformed);
        }
        let mut reader = Reader::new(packet.body);
        let protocol = reader.binary().ok_or(NotConnect::Malformed)?;
        let level = reader.byte().ok_or(NotConnect::Malformed)?;
        match (protocol, level) {
            (b"MQTT", 4 | 5) | (b"MQIsdp", 3) => {}
            (b"MQTT" | b"MQIsdp", _) => return Err(NotConnect::Version),
            _ => return Err(NotConnect::Malformed),
        }
        let connect = Self::read_rest(level, &mut reader).ok_or(NotConnect::Malformed)?;
        if reader.is_empty() { Ok(connect) } else { Err(NotConnect::Malformed) }
    }

    fn read_rest(level: u8, reader: &mut Reader<'a>) -> Option<Self> {
        let flags = reader.byte()?;
        let has = |flag: u8| flags & flag != 0;
        let keep_alive = reader.two_bytes()?;
        let properties = if level == 5 { Properties::read(reader)? } else { Properties::default() };
        let client_id = reader.text()?;
        let will = if has(0x04) {
            if level == 5 {
                Properties::read(reader)?;
            }
            let (topic, payload) = (reader.text()?, reader.binary()?);
            Some(Will { topic, payload, qos: (flags >> 3) & 3, retain: has(0x20) })
        } else {
            None
        };
        let user_name = if has(0x80) { Some(reader.text()?) } else { None };
        let password = if has(0x40) { Some(reader.binary()?) } else { None };
        Some(Self {
            level,
            clean_start: has(0x02),
            keep_alive,
            session_expiry: properties.session_expiry,
            receive_maximum: properties.receive_maximum,
            client_id,
            will,
            user_name,
            password,
        })
    }

    pub(in crate::mqtt) fn is_version_5(&self) -> bool {
        self.level == 5
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(body: &[u8]) -> Packet<'_> {
        Packet { kind: Kind::Connect, flags: 0, body }
    }

    #[test]
    fn everything_that_a_client_of_3_1_1_can_say_is_read() {
        let body = b"\0\x04MQTT\x04\xee\0\x3c\0\x02id\0\x01w\0\x03bye\0\x04user\0\x06secret";
        let connect = Connect::read(&packet(body)).unwrap();
        let expected = Connect {
            level: 4,
            clean_start: true,
            keep_alive: 60,
            session_expiry: None,
            receive_maximum: None,
            client_id: "id",
            will: Some(Will { topic: "w", payload: b"bye", qos: 1, retain: true }),
            user_name: Some("user"),
            password: Some(b"secret"),
        };
        assert_eq!(connect, expected);
    }

    #[test]
    fn version_5_has_properties_of_the_session_and_of_the_will() {
        let body = b"\0\x04MQTT\x05\x04\0\0\x08\x11\0\0\x0e\x10\x21\0\x09\0\x02id\x05\x18\0\0\0\x05\0\x01w\0\0";
        let connect = Connect::read(&packet(body)).unwrap();
        assert_eq!((connect.session_expiry, connect.receive_maximum), (Some(3600), Some(9)));
        assert_eq!(connect.will, Some(Will { topic: "w", payload: b"", qos: 0, retain: false }));
        assert!(connect.is_version_5() && !connect.clean_start);
    }

    #[test]
    fn other_versions_are_told_apart_from_nonsense() {
        assert_eq!(Connect::read(&packet(b"\0\x04MQTT\x06\x02\0\0\0\0")), Err(NotConnect::Version));
        assert_eq!(Connect::read(&packet(b"\0\x06MQIsdp\x04\x02\0\0\0\0")), Err(NotConnect::Version));
        assert!(Connect::read(&packet(b"\0\x06MQIsdp\x03\x02\0\0\0\x01a")).is_ok());
        assert_eq!(Connect::read(&packet(b"\0\x04HTTP\x04\x02\0\0\0\0")), Err(NotConnect::Malformed));
        assert_eq!(Connect::read(&packet(b"\0\x04MQTT\x04\x02\0\0\0\0\0")), Err(NotConnect::Malformed));
        let publish = Packet { kind: Kind::Publish, flags: 0, body: b"\0\x04MQTT\x04\x02\0\0\0\0" };
        assert_eq!(Connect::read(&publish), Err(NotConnect::Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(level in 3_u8..7, rest in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut body = b"\0\x04MQTT".to_vec();
            body.push(level);
            body.extend(rest);
            let _whatever_it_is = Connect::read(&packet(&body));
        }

        #[test]
        fn a_connect_that_is_cut_short_is_malformed(end in 0_usize..47) {
            let body = b"\0\x04MQTT\x04\xee\0\x3c\0\x02id\0\x01w\0\x03bye\0\x04user\0\x06secret";
            let end = end.min(body.len() - 1);
            prop_assert_eq!(Connect::read(&packet(&body[..end])), Err(NotConnect::Malformed));
        }
    }
}
