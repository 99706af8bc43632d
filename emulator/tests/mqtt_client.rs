//! A hand-held MQTT client. A proper one would acknowledge, ping and connect again by itself, and these tests are about
//! who does what.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use thingpost_patience::patience;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::client::Client;

pub const CONNACK: u8 = 2;
pub const PUBLISH: u8 = 3;
pub const PUBACK: u8 = 4;
pub const SUBACK: u8 = 9;
pub const UNSUBACK: u8 = 11;
pub const PINGRESP: u8 = 13;
pub const DISCONNECT: u8 = 14;

/// What a CONNECT says.
#[derive(Clone)]
pub struct Hello {
    pub level: u8,
    pub clean: bool,
    pub keep_alive: u16,
    pub client_id: String,
    pub user_name: Option<String>,
    pub password: Option<String>,
    pub will: Option<(&'static str, &'static str)>,
    /// Of version 5.
    pub properties: Vec<u8>,
}

impl Hello {
    pub fn new(client_id: &str) -> Self {
        Self {
            level: 4,
            clean: true,
            keep_alive: 60,
            client_id: client_id.to_owned(),
            user_name: None,
            password: None,
            will: None,
            properties: Vec::new(),
        }
    }

    pub fn v5(client_id: &str) -> Self {
        Self { level: 5, ..Self::new(client_id) }
    }

    pub fn login(mut self, user_name: &str, password: &str) -> Self {
        self.user_name = Some(user_name.to_owned());
        self.password = Some(password.to_owned());
        self
    }

    pub fn persistent(mut self) -> Self {
        self.clean = false;
        if self.level == 5 {
            self.properties.extend([0x11, 0, 0, 0x0e, 0x10]);
        }
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        let protocol = if self.level == 3 { "MQIsdp" } else { "MQTT" };
        let mut body = text(protocol);
        body.push(self.level);
        body.push(
            flag(self.clean, 0x02)
                | flag(self.will.is_some(), 0x04)
                | flag(self.password.is_some(), 0x40)
                | flag(self.user_name.is_some(), 0x80),
        );
        body.extend(self.keep_alive.to_be_bytes());
        if self.level == 5 {
            body.push(self.properties.len() as u8);
            body.extend(&self.properties);
        }
        body.extend(text(&self.client_id));
        if let Some((topic, payload)) = self.will {
            if self.level == 5 {
                body.push(0);
            }
            body.extend(text(topic));
            body.extend(text(payload));
        }
        for field in [&self.user_name, &self.password].into_iter().flatten() {
            body.extend(text(field));
        }
        packet(0x10, &body)
    }
}

/// A packet from its first byte and its body.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    loop {
        let byte = (length % 128) as u8;
        length /= 128;
        bytes.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

/// One packet from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub first: u8,
    pub body: Vec<u8>,
}

impl Packet {
    pub fn kind(&self) -> u8 {
        self.first >> 4
    }

    /// Of a PUBLISH of version 3.1.1, or one of version 5 without properties.
    pub fn message(&self, level: u8) -> (String, Vec<u8>) {
        assert_eq!(self.kind(), PUBLISH);
        let length = usize::from(u16::from_be_bytes([self.body[0], self.body[1]]));
        let topic = String::from_utf8(self.body[2..2 + length].to_vec()).unwrap();
        let qos = (self.first >> 1) & 3;
        let rest = 2 + length + if qos > 0 { 2 } else { 0 } + usize::from(level == 5);
        (topic, self.body[rest..].to_vec())
    }
}

pub struct Mqtt {
    pub stream: TlsStream<TcpStream>,
    pub level: u8,
}

impl Mqtt {
    /// As far as the handshake.
    pub async fn open(client: &Client, address: SocketAddr, level: u8) -> io::Result<Self> {
        Ok(Self { stream: client.connect(address).await?.stream, level })
    }

    /// As far as the CONNACK, whose code it returns.
    pub async fn try_connect(client: &Client, address: SocketAddr, hello: &Hello) -> io::Result<(Self, u8)> {
        let mut mqtt = Self::open(client, address, hello.level).await?;
        mqtt.send(&hello.bytes()).await?;
        let connack = mqtt.read().await?;
        assert_eq!(connack.kind(), CONNACK);
        Ok((mqtt, connack.body[1]))
    }

    /// Connected.
    pub async fn connect(client: &Client, address: SocketAddr, hello: &Hello) -> Self {
        let (mqtt, code) = Self::try_connect(client, address, hello).await.unwrap();
        assert_eq!(code, 0);
        mqtt
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        in_time(async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await
    }

    pub async fn read(&mut self) -> io::Result<Packet> {
        in_time(async {
            let first = self.stream.read_u8().await?;
            let (mut length, mut shift) = (0_usize, 0);
            loop {
                let byte = self.stream.read_u8().await?;
                length |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await?;
            Ok(Packet { first, body })
        })
        .await
    }

    pub fn publish_bytes(&self, qos: u8, packet_id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
        let mut body = text(topic);
        if qos > 0 {
            body.extend(packet_id.to_be_bytes());
        }
        if self.level == 5 {
            body.push(0);
        }
        body.extend(payload);
        packet(0x30 | (qos << 1), &body)
    }

    pub async fn send_publish(&mut self, qos: u8, packet_id: u16, topic: &str, payload: &[u8]) -> io::Result<()> {
        let bytes = self.publish_bytes(qos, packet_id, topic, payload);
        self.send(&bytes).await
    }

    /// With QoS 1, as far as the PUBACK, whose reason it returns.
    pub async fn publish(&mut self, packet_id: u16, topic: &str, payload: &[u8]) -> io::Result<u8> {
        self.send_publish(1, packet_id, topic, payload).await?;
        let puback = self.read().await?;
        assert_eq!((puback.kind(), &puback.body[..2]), (PUBACK, &packet_id.to_be_bytes()[..]));
        Ok(puback.body.get(2).copied().unwrap_or(0))
    }

    /// With QoS 1.
    pub async fn send_subscribe(&mut self, packet_id: u16, filters: &[&str]) -> io::Result<()> {
        let mut body = packet_id.to_be_bytes().to_vec();
        if self.level == 5 {
            body.push(0);
        }
        for filter in filters {
            body.extend(text(filter));
            body.push(1);
        }
        self.send(&packet(0x82, &body)).await
    }

    /// With QoS 1, as far as the SUBACK, whose codes it returns.
    pub async fn subscribe(&mut self, packet_id: u16, filters: &[&str]) -> io::Result<Vec<u8>> {
        self.send_subscribe(packet_id, filters).await?;
        let suback = self.read().await?;
        assert_eq!((suback.kind(), &suback.body[..2]), (SUBACK, &packet_id.to_be_bytes()[..]));
        Ok(suback.body[if self.level == 5 { 3 } else { 2 }..].to_vec())
    }

    pub async fn unsubscribe(&mut self, packet_id: u16, filter: &str) {
        let mut body = packet_id.to_be_bytes().to_vec();
        body.extend(text(filter));
        self.send(&packet(0xa2, &body)).await.unwrap();
        assert_eq!(self.read().await.unwrap().kind(), UNSUBACK);
    }

    /// The next message, which is acknowledged.
    pub async fn message(&mut self) -> (String, Vec<u8>) {
        let packet = self.read().await.unwrap();
        let message = packet.message(self.level);
        if packet.first & 0x06 != 0 {
            let at = 2 + message.0.len();
            self.send(&[0x40, 2, packet.body[at], packet.body[at + 1]]).await.unwrap();
        }
        message
    }

    pub async fn disconnect(mut self) {
        self.send(&[0xe0, 0]).await.unwrap();
        self.is_closed().await;
    }

    /// Waits for the end of the connection, before which nothing must come, and says whether it was made in order.
    pub async fn is_closed(&mut self) -> bool {
        match in_time(self.stream.read_u8()).await {
            Ok(byte) => panic!("a packet that begins with {byte:#04x}"),
            Err(error) => error.kind() == io::ErrorKind::UnexpectedEof,
        }
    }

    /// Whether nothing arrives for a while, and the connection stays.
    pub async fn is_silent(&mut self) -> bool {
        timeout(Duration::from_millis(300), self.stream.read_u8()).await.is_err()
    }
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(patience(), work).await.expect("a test waits for nothing that long")
}
