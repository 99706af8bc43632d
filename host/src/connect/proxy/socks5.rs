//! SOCKS5: two or three questions of a few bytes, each of whose answers says how long it is. The destination goes as a name, so
//! that the proxy looks it up.
//!
//! Why not `tokio-socks`: it calls reply codes that it does not know an unknown method of authentication, refuses proxies that set
//! the reserved byte or whose own address is not text, and its errors name no codes. What it would save is the eighty lines below.

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{Credentials, ProxyError, ProxyProtocol, ProxyRefusal};
use crate::route::Endpoint;

const VERSION: u8 = 5;
const VERSION_OF_PASSWORDS: u8 = 1;

const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_ACCEPTED: u8 = 0xff;

const CONNECT: u8 = 1;

const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks for a way to `to`, of which the host is no longer than 255 bytes.
pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    to: &Endpoint,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    authenticate(stream, credentials).await?;
    send(stream, &request(to)).await?;
    let [version, reply, _reserved, kind] = receive(stream).await?;
    if version != VERSION {
        return Err(MALFORMED);
    }
    if reply != 0 {
        return Err(ProxyError::Refused(ProxyRefusal::Socks5(reply)));
    }
    // Its own address, which is of no use here, and the port of it.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(receive::<1>(stream).await?[0]),
        _ => return Err(MALFORMED),
    };
    let mut address = vec![0; length + 2];
    stream.read_exact(&mut address).await.map_err(ProxyError::Closed)?;
    Ok(())
}

const MALFORMED: ProxyError = ProxyError::Malformed(ProxyProtocol::Socks5);

async fn authenticate<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    let refused = ProxyError::Credentials { given: credentials.is_some(), status: None, schemes: None };
    let methods: &[u8] = match credentials {
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
        None => &[VERSION, 1, NO_AUTHENTICATION],
    };
    send(stream, methods).await?;
    let [version, method] = receive(stream).await?;
    match (version, method, credentials) {
        (VERSION, NO_AUTHENTICATION, _) => Ok(()),
        (VERSION, USER_AND_PASSWORD, Some(Credentials { user, password })) => {
            let mut message = vec![VERSION_OF_PASSWORDS];
            for text in [user, password] {
                message.push(u8::try_from(text.len()).expect("credentials of SOCKS5 are no longer than 255 bytes"));
                message.extend_from_slice(text.as_bytes());
            }
            send(stream, &message).await?;
            // Of the version in this answer proxies have different ideas, and only the status counts.
            let [_version, status] = receive(stream).await?;
            if status == 0 { Ok(()) } else { Err(refused) }
        }
        (VERSION, USER_AND_PASSWORD | NONE_ACCEPTED, _) => Err(refused),
        _ => Err(MALFORMED),
    }
}

fn request(to: &Endpoint) -> Vec<u8> {
    let mut request = vec![VERSION, CONNECT, 0];
    match to.host.parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.octets());
        }
        Err(_) => {
            request.extend([NAME, u8::try_from(to.host.len()).unwrap_or(u8::MAX)]);
            request.extend(to.host.bytes().take(usize::from(u8::MAX)));
        }
    }
    request.extend(to.port.to_be_bytes());
    request
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), ProxyError> {
    stream.write_all(bytes).await.map_err(ProxyError::Closed)
}

async fn receive<const N: usize>(stream: &mut (impl AsyncRead + Unpin)) -> Result<[u8; N], ProxyError> {
    let mut bytes = [0; N];
    match stream.read_exact(&mut bytes).await {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(ProxyError::Closed(io::ErrorKind::UnexpectedEof.into()))
        }
        Err(error) => Err(ProxyError::Closed(error)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    fn to(host: &str) -> Endpoint {
        Endpoint { host: host.to_owned(), port: 8883 }
    }

    fn credentials() -> Credentials {
        Credentials { user: "me".to_owned(), password: "pw".to_owned() }
    }

    /// What becomes of a conversation in which the proxy says this, and what it was told.
    async fn told(said: &[u8], credentials: Option<&Credentials>) -> (Result<(), ProxyError>, Vec<u8>) {
        let (mut here, mut there) = duplex(4096);
        there.write_all(said).await.unwrap();
        there.shutdown().await.unwrap();
        let outcome = ask(&mut here, &to("a.example"), credentials).await;
        drop(here);
        let mut heard = Vec::new();
        there.read_to_end(&mut heard).await.unwrap();
        (outcome, heard)
    }

    #[tokio::test]
    async fn a_name_is_left_to_the_proxy_and_an_address_goes_as_one() {
        assert_eq!(request(&to("a.example")), b"\x05\x01\x00\x03\x09a.example\x22\xb3");
        assert_eq!(request(&to("127.0.0.1")), b"\x05\x01\x00\x01\x7f\0\0\x01\x22\xb3");
        assert_eq!(request(&to("::1"))[..5], [5, 1, 0, 4, 0]);
    }

    #[tokio::test]
    async fn user_and_password_go_only_to_a_proxy_that_asks_for_them() {
        let (outcome, heard) = told(b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0", Some(&credentials())).await;
        outcome.unwrap();
        assert_eq!(heard[..4], [5, 2, 0, 2]);
        assert!(!heard.windows(2).any(|two| two == b"pw"));
        // The reserved byte and the version of the answer are as some proxies have them, and the address is not text.
        let (outcome, heard) = told(b"\x05\x02\x05\x00\x05\x00\xff\x03\x02\xff\xfe\0\0", Some(&credentials())).await;
        outcome.unwrap();
        assert_eq!(heard[4..11], *b"\x01\x02me\x02pw");
    }

    #[tokio::test]
    async fn credentials_that_are_missing_or_wrong_are_told_apart() {
        for (said, with, expected) in [
            (&b"\x05\xff"[..], false, false),
            (b"\x05\x02", false, false),
            (b"\x05\xff", true, true),
            (b"\x05\x02\x01\x01", true, true),
        ] {
            let credentials = credentials();
            let (outcome, _) = told(said, with.then_some(&credentials)).await;
            let Err(ProxyError::Credentials { given, status: None, schemes: None }) = outcome else {
                panic!("{outcome:?}")
            };
            assert_eq!(given, expected, "{said:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_keeps_its_code_and_what_is_no_proxy_is_none() {
        for code in [1, 2, 5, 8, 9, 255] {
            let (outcome, _) = told(&[5, 0, 5, code, 0, 1], None).await;
            assert!(matches!(outcome, Err(ProxyError::Refused(ProxyRefusal::Socks5(told))) if told == code));
        }
        for malformed in
            [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\x05\x01", b"\x05\x00\x04\x00\x00\x01", b"\x05\0\x05\0\0\x09"]
        {
            let (outcome, _) = told(malformed, None).await;
            assert!(matches!(outcome, Err(ProxyError::Malformed(ProxyProtocol::Socks5))), "{outcome:?}");
        }
        for cut in [&b""[..], b"\x05", b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0"] {
            let (outcome, _) = told(cut, None).await;
            assert!(matches!(outcome, Err(ProxyError::Closed(_))), "{outcome:?}");
        }
    }
}
