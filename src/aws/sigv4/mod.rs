//! Signature Version 4: publishing to AWS without a client certificate, from any WASI host.
//!
//! The signature covers a canonical form of the request, and every SDK issue about it is the same one: the topic is
//! encoded once too often or too rarely. The rule: the path on the wire is encoded once (`a%2Fb`), and the canonical
//! form encodes that again (`a%252Fb`). `aws-sigv4`, the SDK's crate, is the oracle of the tests.

mod canonical;

use alloc::borrow::ToOwned;
use alloc::string::String;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::calendar::DateTime;
use crate::http::Request;
use crate::secret::Secret;
use canonical::CanonicalRequest;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Names the key. Not a secret.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret,
    /// Comes with temporary keys.
    pub session_token: Option<Secret>,
}

impl Credentials {
    /// What an answer must not give away.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        [Some(&self.secret_access_key), self.session_token.as_ref()].into_iter().flatten().map(Secret::reveal)
    }
}

/// What the signature is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Such as `eu-central-1`.
    pub region: String,
    /// `iotdata`, or `iotdevicegateway` as the documentation has it. AWS takes both.
    pub service: String,
}

/// Signs a request: adds `x-amz-date`, `x-amz-security-token` where there is one, and `authorization`.
///
/// Signed are the host, all `x-amz-*` headers, method, path, query and body.
pub fn sign(request: &mut Request, credentials: &Credentials, scope: &Scope, unix_ms: u64) {
    sign_headers(request, credentials, scope, unix_ms, is_signed);
}

/// The canonical form of a signed request, to compare with the one that AWS has made of it. The session token in it is
/// hidden.
pub fn canonical_request(request: &Request) -> String {
    let mut request = request.clone();
    for (name, value) in &mut request.headers {
        if name == "x-amz-security-token" {
            *value = "(hidden)".to_owned();
        }
    }
    CanonicalRequest::new(&request, is_signed).text
}

fn is_signed(name: &str) -> bool {
    name.starts_with("x-amz-")
}

fn sign_headers(
    request: &mut Request,
    credentials: &Credentials,
    scope: &Scope,
    unix_ms: u64,
    is_signed: fn(&str) -> bool,
) {
    let at = DateTime::new(unix_ms / 1000);
    request.headers.push(("x-amz-date".into(), at.timestamp()));
    if let Some(token) = &credentials.session_token {
        request.headers.push(("x-amz-security-token".into(), token.reveal().to_owned()));
    }
    let canonical = CanonicalRequest::new(request, is_signed);
    let scope_text = [&at.date(), "/", &scope.region, "/", &scope.service, "/aws4_request"].concat();
    let digest = hex::encode(Sha256::digest(canonical.text.as_bytes()));
    let to_sign = [ALGORITHM, "\n", &at.timestamp(), "\n", &scope_text, "\n", &digest].concat();
    let key = signing_key(credentials.secret_access_key.reveal(), &at.date(), scope);
    let authorization = [
        ALGORITHM,
        " Credential=",
        &credentials.access_key_id,
        "/",
        &scope_text,
        ", SignedHeaders=",
        &canonical.signed_headers,
        ", Signature=",
        &hex::encode(mac(&key, &to_sign)),
    ];
    request.headers.push(("authorization".into(), authorization.concat()));
}

/// Good for one day, one region and one service.
fn signing_key(secret: &str, date: &str, scope: &Scope) -> [u8; 32] {
    let key = mac(["AWS4", secret].concat().as_bytes(), date);
    let key = mac(&key, &scope.region);
    let key = mac(&key, &scope.service);
    mac(&key, "aws4_request")
}

fn mac(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
