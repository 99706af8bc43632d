//! The rare paths of the exchange, on a clock that costs nothing: a server that fails after it took the message, a
//! token that ends while a thousand messages are under way, a pause that would end too late. [`cloud`] plays the
//! platform and keeps the books, [`driver`] plays the HTTP client and the clock.

use std::sync::Arc;

mod clock;
mod cloud;
mod delivery;
mod driver;
mod keys;
mod order;
mod outage;
mod properties;
mod recall;
mod renewal;
mod sharing;
mod signing;
mod table;
mod takeover;
mod throttling;
mod tokens;

use crate::aliyun::{self, IssuedToken, SignMethod, Signer, TimestampPolicy, Token};
use crate::aws;
use crate::aws::sigv4::Credentials;
use crate::credential::Credential;
use crate::endpoint::Endpoint;
use crate::message::{Message, Qos};
use crate::platform::Platform;
use crate::secret::Secret;

use cloud::Cloud;
use driver::{Drive, UNIX_START_MS};

use super::{Exchange, Options};

const SECRET: &str = "hunter2hunter2";
const SEED: u64 = 7;
/// Says that it ended in 2017. On a device whose clock is years ahead every token seems to have ended.
const ENDED_TOKEN: &str = "eyJ0IjoxfQ.eyJleHBpcmUiOjE1MDI1MzE1MDc0NzcsInRva2VuIjoiODA0ZiJ9.c2ln";

fn aws_platform() -> Arc<dyn Platform> {
    let endpoint = Endpoint::new("a-ats.iot.example", 8443).unwrap();
    Arc::new(aws::Config::new(endpoint, aws::Authentication::Certificate).unwrap())
}

/// With an access key, which signs each message by the clock.
fn signing_platform() -> Arc<dyn Platform> {
    let endpoint = Endpoint::new("a-ats.iot.eu-west-1.amazonaws.com", 443).unwrap();
    let credentials =
        Credentials { access_key_id: "AKID".into(), secret_access_key: Secret::new(SECRET), session_token: None };
    let scope = aws::scope(&endpoint, None, None).unwrap();
    Arc::new(aws::Config::new(endpoint, aws::Authentication::SigV4 { credentials, scope }).unwrap())
}

fn aliyun_platform(timestamp: TimestampPolicy) -> Arc<dyn Platform> {
    aliyun_platform_signed_by(Signer::Secret(Secret::new(SECRET)), timestamp)
}

fn aliyun_platform_signed_by(signer: Signer, timestamp: TimestampPolicy) -> Arc<dyn Platform> {
    let endpoint = Endpoint::new("iot.example", 443).unwrap();
    let device = aliyun::Device::new(endpoint, "pk", "dn", None).unwrap();
    Arc::new(aliyun::Config::new(device, signer, SignMethod::HmacSha256, timestamp).unwrap())
}

/// A message that both platforms take. Its payload is its name in the ledger.
fn message(number: usize, qos: Qos) -> Message {
    Message::new(format!("/pk/dn/user/m{number}"), payload(number), qos)
}

fn payload(number: usize) -> Vec<u8> {
    format!("payload {number}").into_bytes()
}

fn messages(count: usize) -> Vec<Message> {
    (0..count).map(|number| message(number, Qos::AtLeastOnce)).collect()
}

fn on_aws(cloud: Cloud, options: Options, messages: Vec<Message>) -> Drive {
    Drive::new(cloud, Exchange::new(aws_platform(), options, None, SEED, messages).unwrap())
}

fn on_aliyun(cloud: Cloud, options: Options, session: Option<Credential>, messages: Vec<Message>) -> Drive {
    Drive::new(cloud, Exchange::new(aliyun_platform(TimestampPolicy::None), options, session, SEED, messages).unwrap())
}

/// The token that an exchange has in the end.
fn token(exchange: &Exchange) -> Option<&str> {
    exchange.credential()?.secrets().first().copied()
}

/// A session of a few minutes ago.
fn fresh_session(token: &str) -> Credential {
    Credential::new(IssuedToken::new(Token::new(token), UNIX_START_MS - 300_000))
}

/// A session whose last tenth begins so many milliseconds after the start.
fn session_near_its_end_in(wait_ms: u64, token: &str) -> Credential {
    const LIFE_MS: u64 = 7 * 24 * 60 * 60 * 1000;
    Credential::new(IssuedToken::new(Token::new(token), UNIX_START_MS + wait_ms - LIFE_MS / 10 * 9))
}

/// A session at the end of its seven days.
fn old_session(token: &str) -> Credential {
    Credential::new(IssuedToken::new(Token::new(token), UNIX_START_MS - 7 * 24 * 60 * 60 * 1000 + 60_000))
}
