//! MQTT 3.1.1.

use alloc::vec::Vec;

use bytes::Bytes;
use mqtt_proto::v3::{Connack as WireConnack, Connect as WireConnect, Header, LastWill, PacketType, Subscribe};
use mqtt_proto::{Pid, TopicFilter};

use super::malformed::{LAYOUT, Rule, unwanted};
use super::receive::{incoming, packet_id};
use super::{Ack, Acks, Connack, Connect, Packet, Unsendable, payload, qos, topic};
use crate::mqtt::Subscription;

pub(super) fn connect(connect: &Connect) -> Result<WireConnect, Unsendable> {
    let mut wire = WireConnect::new(connect.login.client_id.as_str().into(), connect.keep_alive_s);
    wire.clean_session = connect.starts_clean;
    wire.username = connect.login.user_name.as_ref().map(|name| name.reveal().into());
    wire.password =
        connect.login.password.as_ref().map(|password| Bytes::copy_from_slice(password.reveal().as_bytes()));
    if let Some((message, wire_topic)) = connect.will {
        let will = LastWill::new(qos(message.qos), topic(wire_topic)?, payload(message));
        wire.last_will = Some(LastWill { retain: message.retain, ..will });
    }
    Ok(wire)
}

pub(super) fn subscribe(id: u16, to: &[Subscription]) -> Result<Subscribe, Unsendable> {
    let filters = to.iter().map(|one| Ok((TopicFilter::try_from(one.filter.as_str())?, qos(one.qos))));
    Ok(Subscribe::new(Pid::try_from(id)?, filters.collect::<Result<_, Unsendable>>()?))
}

pub(super) fn read(first: u8, body: &[u8]) -> Result<Packet, Rule> {
    let length = u32::try_from(body.len()).map_err(|_| LAYOUT)?;
    let header = Header::new_with(first, length, length)?;
    let mut offset = 0;
    let packet = match header.typ {
        PacketType::Connack => {
            let connack = WireConnack::decode(body, &mut offset)?;
            Packet::Connack(Connack {
                code: connack.code as u8,
                session_present: connack.session_present,
                takes_qos_1: true,
                takes_retained: true,
                ..Connack::default()
            })
        }
        PacketType::Publish => return incoming(first, body, |_| Ok((None, 0))),
        PacketType::Puback => {
            return Ok(Packet::Puback(Ack { id: packet_id(body)?, code: 0, reason: None }));
        }
        PacketType::Suback => {
            let (id, codes) = body.split_at_checked(2).ok_or(LAYOUT)?;
            return Ok(Packet::Suback(Acks { id: packet_id(id)?, codes: codes.to_vec(), reason: None }));
        }
        PacketType::Unsuback => {
            let acks = Acks { id: packet_id(body)?, codes: Vec::new(), reason: None };
            return Ok(Packet::Unsuback(acks));
        }
        PacketType::Pingresp if body.is_empty() => Packet::Pingresp,
        PacketType::Pingresp => return Err(LAYOUT),
        _ => return Err(unwanted(first)),
    };
    match offset == body.len() {
        true => Ok(packet),
        false => Err(LAYOUT),
    }
}
