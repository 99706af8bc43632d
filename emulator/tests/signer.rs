//! A signer that knows nothing but HMAC. What is signed, the canonical request, is written out by hand in each test, so
//! no code here can make the mistake that the emulator makes.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use thingpost_emulator::{AccessKey, Authority, AwsEmulator, AwsOptions};

use crate::client::{Client, Connection};

pub const ID: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const REGION: &str = "us-east-1";
pub const TIME_STAMP: &str = "20150830T123600Z";
const TIME_STAMP_MS: u64 = 1_440_938_160_000;

/// An endpoint that knows [`ID`], at the time of [`TIME_STAMP`].
pub struct World {
    pub emulator: AwsEmulator,
    pub connection: Connection,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(|options| options, None).await
    }

    pub async fn start_with(change: impl FnOnce(AwsOptions) -> AwsOptions, session_token: Option<&str>) -> Self {
        let authority = Authority::new();
        let options = change(AwsOptions::new(&authority, "a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com"));
        let emulator = AwsEmulator::start(options).await.unwrap();
        emulator.add_access_key(key(SECRET, session_token));
        let client = Client::new(&authority, emulator.server_name());
        let connection = client.connect(emulator.addr_alpn()).await.unwrap();
        let world = Self { emulator, connection };
        world.seconds_later(0);
        world
    }

    /// Sets the emulator's clock to that long after the time stamp.
    pub fn seconds_later(&self, seconds: i64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        self.emulator.shift_clock_ms(TIME_STAMP_MS.cast_signed() - now.cast_signed() + seconds * 1000);
    }
}

pub fn key(secret: &str, session_token: Option<&str>) -> AccessKey {
    AccessKey {
        access_key_id: ID.to_owned(),
        secret_access_key: secret.to_owned(),
        session_token: session_token.map(str::to_owned),
    }
}

/// Everything about a signature that is not in the canonical request.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    pub id: &'a str,
    pub secret: &'a str,
    pub day: &'a str,
    pub region: &'a str,
    pub service: &'a str,
    pub terminator: &'a str,
    pub time_stamp: &'a str,
}

/// What every test begins with: all of it is right.
pub const SIGNER: Signer<'static> = Signer {
    id: ID,
    secret: SECRET,
    day: "20150830",
    region: REGION,
    service: "iotdata",
    terminator: "aws4_request",
    time_stamp: TIME_STAMP,
};

impl Signer<'_> {
    /// The header for a canonical request, which names the headers that it has in its last line but one.
    pub fn authorization(&self, canonical: &str) -> String {
        let Self { id, secret, day, region, service, terminator, time_stamp } = self;
        let scope = format!("{day}/{region}/{service}/{terminator}");
        let to_sign = format!("AWS4-HMAC-SHA256\n{time_stamp}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let key = hmac(format!("AWS4{secret}").as_bytes(), day);
        let key = hmac(&hmac(&hmac(&key, region), service), terminator);
        let signature = hex::encode(hmac(&key, &to_sign));
        let signed = canonical.rsplit('\n').nth(1).unwrap();
        format!(
            "Authorization: AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}\r\n"
        )
    }

    /// The headers for `POST /topics/t` with a body and nothing else.
    pub fn headers(&self, body: &str) -> String {
        let time_stamp = self.time_stamp;
        let canonical = canonical("/topics/t", "", time_stamp, body);
        format!("X-Amz-Date: {time_stamp}\r\n{}", self.authorization(&canonical))
    }
}

/// With the path and the query as they are signed, and the two headers that every signature has.
pub fn canonical(path: &str, query: &str, time_stamp: &str, body: &str) -> String {
    canonical_of("POST", path, query, time_stamp, body)
}

/// A signature with any method.
pub fn canonical_of(method: &str, path: &str, query: &str, time_stamp: &str, body: &str) -> String {
    let hash = sha256(body.as_bytes());
    format!("{method}\n{path}\n{query}\nhost:emulator\nx-amz-date:{time_stamp}\n\nhost;x-amz-date\n{hash}")
}

pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
