//! MQTT 5.

use alloc::string::String;
use alloc::sync::Arc;

use bytes::Bytes;
use mqtt_proto::v5::{
    Connack as WireConnack, Connect as WireConnect, Disconnect, Header, LastWill, PacketType, PubackProperties,
    RetainHandling as WireRetainHandling, Suback, Subscribe, SubscriptionOptions as WireOptions, Unsuback,
};
use mqtt_proto::{Pid, QoS, TopicFilter};

use super::malformed::{LAYOUT, Rule, unwanted};
use super::receive::{MAX_PACKET, incoming, packet_id};
use super::{Ack, Acks, Connack, Connect, Packet, Unsendable, payload, properties, qos, topic};
use crate::mqtt::{RetainHandling, Subscription, SubscriptionOptions};

pub(super) fn connect(connect: &Connect) -> Result<WireConnect, Unsendable> {
    let mut wire = WireConnect::new(connect.login.client_id.as_str().into(), connect.keep_alive_s);
    // What is larger would end the connection, and a broker that has kept it would send it again.
    wire.properties.max_packet_size = Some(MAX_PACKET as u32 + 5);
    wire.clean_start = connect.starts_clean;
    wire.properties.session_expiry_interval = (connect.session_expiry_s > 0).then_some(connect.session_expiry_s);
    wire.username = connect.login.user_name.as_ref().map(|name| name.reveal().into());
    wire.password =
        connect.login.password.as_ref().map(|password| Bytes::copy_from_slice(password.reveal().as_bytes()));
    if let Some((message, wire_topic)) = connect.will {
        let mut will = LastWill::new(qos(message.qos), topic(wire_topic)?, payload(message));
        will.retain = message.retain;
        if let Some(given) = &message.properties {
            will.properties = properties::of_will(given)?;
        }
        will.properties.delay_interval = connect.will_delay_s;
        wire.last_will = Some(will);
    }
    Ok(wire)
}

pub(super) fn subscribe(id: u16, to: &[Subscription]) -> Result<Subscribe, Unsendable> {
    let filters = to.iter().map(|one| Ok((TopicFilter::try_from(one.filter.as_str())?, options(one))));
    Ok(Subscribe::new(Pid::try_from(id)?, filters.collect::<Result<_, Unsendable>>()?))
}

fn options(subscription: &Subscription) -> WireOptions {
    let SubscriptionOptions { no_local, retain_as_published, retain_handling } =
        subscription.options.unwrap_or_default();
    WireOptions {
        max_qos: qos(subscription.qos),
        no_local,
        retain_as_published,
        retain_handling: match retain_handling {
            RetainHandling::Always => WireRetainHandling::SendAtSubscribe,
            RetainHandling::IfNew => WireRetainHandling::SendAtSubscribeIfNotExist,
            RetainHandling::Never => WireRetainHandling::DoNotSend,
        },
    }
}

pub(super) fn read(first: u8, body: &[u8]) -> Result<Packet, Rule> {
    let length = u32::try_from(body.len()).map_err(|_| LAYOUT)?;
    let header = Header::new_with(first, length, length)?;
    let mut offset = 0;
    let packet = match header.typ {
        // A broker that knows no MQTT 5 says so as MQTT 3.1.1 does, or refuses for another reason.
        PacketType::Connack if body.len() == 2 => return Ok(v3_connack(body[1])),
        PacketType::Connack => connack(WireConnack::decode(body, &mut offset, header)?)?,
        PacketType::Publish => return incoming(first, body, properties::received),
        PacketType::Puback => return puback(body, header.typ),
        PacketType::Suback => {
            let suback = Suback::decode(body, &mut offset, header)?;
            let codes = suback.topics.iter().map(|code| *code as u8).collect();
            Packet::Suback(Acks { id: suback.pid.value(), codes, reason: text(suback.properties.reason_string) })
        }
        PacketType::Unsuback => {
            let unsuback = Unsuback::decode(body, &mut offset, header)?;
            let codes = unsuback.topics.iter().map(|code| *code as u8).collect();
            Packet::Unsuback(Acks { id: unsuback.pid.value(), codes, reason: text(unsuback.properties.reason_string) })
        }
        PacketType::Disconnect => {
            let disconnect = Disconnect::decode(body, &mut offset, header)?;
            let reason = text(disconnect.properties.reason_string);
            let elsewhere = text(disconnect.properties.server_reference);
            Packet::Disconnect { code: disconnect.reason_code as u8, reason, elsewhere }
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

/// Whatever it says, it is not the answer to this CONNECT. One that accepts has not read which version it was asked for.
fn v3_connack(code: u8) -> Packet {
    let code = match code {
        2 => 0x85,
        3 => 0x88,
        4 => 0x86,
        5 => 0x87,
        _ => 0x84,
    };
    Packet::Connack(Connack { code, is_of_v3: true, ..Connack::default() })
}

/// Not by mqtt-proto: its decoder takes for malformed whatever code the standard does not have for a PUBACK, and brokers say
/// "message rate too high" in it. The code alone is what matters, so any is taken.
fn puback(body: &[u8], packet: PacketType) -> Result<Packet, Rule> {
    let (id, rest) = body.split_at_checked(2).ok_or(LAYOUT)?;
    let id = packet_id(id)?;
    let (code, reason) = match rest {
        [] => (0, None),
        [code] => (*code, None),
        [code, properties @ ..] => {
            let mut length = 0;
            let read = PubackProperties::decode(properties, &mut length, packet)?;
            if length != properties.len() {
                return Err(LAYOUT);
            }
            (*code, text(read.reason_string))
        }
    };
    Ok(Packet::Puback(Ack { id, code, reason }))
}

fn connack(connack: WireConnack) -> Result<Packet, Rule> {
    let properties = connack.properties;
    // With 0 no message could ever be sent, and the standard forbids it.
    if properties.receive_max == Some(0) {
        return Err(Rule("its receive maximum is 0"));
    }
    if properties.max_packet_size == Some(0) {
        return Err(Rule("its maximum packet size is 0"));
    }
    Ok(Packet::Connack(Connack {
        code: connack.reason_code as u8,
        reason: text(properties.reason_string),
        elsewhere: text(properties.server_reference),
        session_present: connack.session_present,
        keep_alive_s: properties.server_keep_alive,
        receive_maximum: properties.receive_max,
        max_packet_bytes: properties.max_packet_size,
        takes_qos_1: properties.max_qos != Some(QoS::Level0),
        takes_retained: properties.retain_available != Some(false),
        is_of_v3: false,
    }))
}

fn text(text: Option<Arc<str>>) -> Option<String> {
    text.map(|text| String::from(&*text))
}
