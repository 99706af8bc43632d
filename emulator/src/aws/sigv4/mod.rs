//! A signed request that is refused says 403 to its sender, and little more; a wrong region, a clock that is off by six
//! minutes and an escape too few look alike. This checks a signature as AWS documents it, by code of its own, and names
//! the reason as AWS does.
//!
//! | Where | What |
//! |---|---|
//! | `authorization.rs` | the header: who, when, where, what for |
//! | `canonical.rs` | the bytes that are signed |

mod authorization;
mod canonical;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::access_key::AccessKey;
use super::answer::Refusal;
use super::date;
use crate::http1::Request;
use authorization::ALGORITHM;
pub(super) use authorization::Authorization;

/// How far a time stamp may be from the emulator's clock, in seconds.
const WINDOW: u64 = 5 * 60;

/// What a signature is checked against.
pub(super) struct Verifier<'a> {
    /// Of the id in the request. Nothing for an unknown id.
    pub(super) key: Option<KnownKey<'a>>,
    /// Where the endpoint is. Without one no region is right.
    pub(super) region: Option<&'a str>,
    /// Seconds since 1970.
    pub(super) now: u64,
}

/// An access key that is not revoked.
#[derive(Clone, Copy)]
pub(super) struct KnownKey<'a> {
    pub(super) key: &'a AccessKey,
    /// When it ends, in seconds since 1970. Nothing for a key that does not.
    pub(super) expires: Option<u64>,
}

impl Verifier<'_> {
    /// Whether the holder of the access key has sent this request, now, and to this endpoint.
    pub(super) fn verify(&self, request: &Request, authorization: &Authorization<'_>) -> Result<(), Refusal> {
        let time_stamp = request.header("x-amz-date").ok_or(Refusal::DATE_REQUIRED)?;
        authorization.check_scope(self.region, time_stamp)?;
        let KnownKey { key, expires } = self.key.ok_or(Refusal::INVALID_TOKEN)?;
        if request.header("x-amz-security-token") != key.session_token.as_deref() {
            return Err(Refusal::INVALID_TOKEN);
        }
        if expires.is_some_and(|expires| self.now >= expires) {
            return Err(Refusal::EXPIRED_TOKEN);
        }
        self.check_time(time_stamp)?;
        check_coverage(request, authorization)?;

        let payload_hash = hex::encode(Sha256::digest(&request.body));
        if request.header("x-amz-content-sha256").is_some_and(|claimed| claimed != payload_hash) {
            return Err(Refusal::SIGNATURE);
        }
        let canonical = canonical::canonical_request(request, &authorization.signed_headers, &payload_hash)
            .ok_or(Refusal::SIGNATURE)?;
        let expected = signature(&key.secret_access_key, authorization, time_stamp, &canonical);
        // AWS writes and expects lower case.
        if authorization.signature == expected { Ok(()) } else { Err(Refusal::SIGNATURE) }
    }

    fn check_time(&self, time_stamp: &str) -> Result<(), Refusal> {
        let signed = date::parse(time_stamp).ok_or_else(|| {
            Refusal::forbidden(format!(
                "Date must be in ISO-8601 'basic format'. Got '{time_stamp}'. See http://en.wikipedia.org/wiki/ISO_8601"
            ))
        })?;
        let now = date::format(self.now);
        let (earliest, latest) = (self.now.saturating_sub(WINDOW), self.now.saturating_add(WINDOW));
        if signed < earliest {
            let earliest = date::format(earliest);
            return Err(Refusal::forbidden(format!(
                "Signature expired: {time_stamp} is now earlier than {earliest} ({now} - 5 min.)"
            )));
        }
        if signed > latest {
            let latest = date::format(latest);
            return Err(Refusal::forbidden(format!(
                "Signature not yet current: {time_stamp} is still later than {latest} ({now} + 5 min.)"
            )));
        }
        Ok(())
    }
}

/// Whether everything is signed that must be.
fn check_coverage(request: &Request, authorization: &Authorization<'_>) -> Result<(), Refusal> {
    if !authorization.signs("host") {
        return Err(Refusal::HOST_NOT_SIGNED);
    }
    let must_be_signed = |name: &str| name.to_ascii_lowercase().starts_with("x-amz-");
    if request.headers.iter().any(|(name, _)| must_be_signed(name) && !authorization.signs(name)) {
        return Err(Refusal::HEADERS_NOT_SIGNED);
    }
    Ok(())
}

fn signature(secret: &str, authorization: &Authorization<'_>, time_stamp: &str, canonical: &str) -> String {
    let scope = authorization.scope();
    let hash = hex::encode(Sha256::digest(canonical));
    let string_to_sign = format!("{ALGORITHM}\n{time_stamp}\n{scope}\n{hash}");
    let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
    hex::encode(hmac(&key, &string_to_sign))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // The fully qualified path names the trait: Mac inherits a constructor of the same name.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("an HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::Framing;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// The signature of a request of aws-c-auth's suite, which is signed for a service that this endpoint is not.
    fn suite(method: &str, target: &str, headers: &[(&str, &str)], signed: &str, body: &str) -> String {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers.iter().map(owned).collect(),
            body: body.into(),
            framing: Framing::Complete,
            persistent: true,
        };
        let time_stamp = "20150830T123600Z";
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, \
             Signature=-"
        );
        request.headers.push(("X-Amz-Date".to_owned(), time_stamp.to_owned()));
        request.headers.push(("Authorization".to_owned(), authorization));
        let authorization = Authorization::of(&request).unwrap().unwrap();
        let hash = hex::encode(Sha256::digest(&request.body));
        let canonical = canonical::canonical_request(&request, &authorization.signed_headers, &hash).unwrap();
        signature(SECRET, &authorization, time_stamp, &canonical)
    }

    #[test]
    fn requests_of_the_published_suite_have_their_signatures() {
        let host = ("Host", "example.amazonaws.com");
        let token = ("X-Amz-Security-Token", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267");
        assert_eq!(
            suite("GET", "/", &[host, token], "host;x-amz-date;x-amz-security-token", ""),
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"
        );
        assert_eq!(
            suite("GET", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", &[host], "host;x-amz-date", ""),
            "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"
        );
        let blanks = [host, ("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")];
        assert_eq!(
            suite("GET", "/", &blanks, "host;my-header1;my-header2;x-amz-date", ""),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
        );
        let thrice = [host, ("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")];
        assert_eq!(
            suite("GET", "/", &thrice, "host;my-header1;x-amz-date", ""),
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"
        );
        let form = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            host,
            ("Content-Length", "13"),
            ("X-Amz-Content-Sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
        ];
        let signed = "content-length;content-type;host;x-amz-content-sha256;x-amz-date";
        assert_eq!(
            suite("POST", "/", &form, signed, "Param1=value1"),
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"
        );
    }
}
