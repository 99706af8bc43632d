//! Every error that people read is a sentence. Here all of them are made, of what libraries and servers come up with, and none
//! may show how it looks in the source.

use std::io;
use std::time::Duration;

use rustls::pki_types::{AlgorithmIdentifier, ServerName, UnixTime, alg_id};
use rustls::{
    AlertDescription, CertificateError, ContentType, Error, ExtendedKeyPurpose, HandshakeType, InconsistentKeys,
    InvalidMessage, OtherError, PeerIncompatible, PeerMisbehaved,
};
use thingpost_host::{
    Attempt, CertificateFormatError, ConnectError, ConnectTo, Denial, Endpoint, Identity, LossError, NoProxy, PemError,
    Phase, PrivateKeyError, Proxy, ProxyError, ProxyProtocol, ProxyRefusal, Route, RouteTable, TransportError,
    TrustRoots,
};

use crate::identities::fixture;

/// What a server or a file may have in it.
const HOSTILE: &str = "a\"b\\c{d}[e]";

/// That it does not look like source.
#[track_caller]
fn is_a_sentence(text: &str) {
    let own = text.replace(HOSTILE, "");
    for artefact in ["Some(", "None", "Err(", "Ok(", "[\"", "\\u{", "\\n", "\\\"", " { ", "{ ..", "[4", "[1", "\")"] {
        assert!(!own.contains(artefact), "{artefact:?} is in: {text}");
    }
    let paths = own.match_indices("::").filter(|(at, _)| own[..*at].ends_with(char::is_alphabetic));
    assert_eq!(paths.count(), 0, "the path of a type is in: {text}");
    for word in own.split(|character: char| !character.is_alphanumeric()) {
        let humps =
            word.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
        let is_name = ["OpenSSL", "PuTTY"].contains(&word);
        assert!(humps.count() == 0 || is_name, "{word:?} is in: {text}");
    }
    assert!(text.len() < 600, "{} characters: {text}", text.len());
}

fn certificate_errors() -> Vec<CertificateError> {
    use CertificateError as E;
    let time = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let (now, limit) = (time(1_800_000_000), time(1_700_000_000));
    let algorithms: Vec<AlgorithmIdentifier> = vec![alg_id::ECDSA_SHA256, alg_id::ED25519];
    vec![
        E::BadEncoding,
        E::Expired,
        E::ExpiredContext { time: now, not_after: limit },
        E::NotValidYet,
        E::NotValidYetContext { time: limit, not_before: now },
        E::Revoked,
        E::UnhandledCriticalExtension,
        E::UnknownIssuer,
        E::UnknownRevocationStatus,
        E::ExpiredRevocationList,
        E::ExpiredRevocationListContext { time: now, next_update: limit },
        E::BadSignature,
        E::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: alg_id::ECDSA_SHA512.as_ref().to_vec(),
            supported_algorithms: algorithms,
        },
        E::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: vec![1, 2, 3],
            public_key_algorithm_id: alg_id::ECDSA_P521.as_ref().to_vec(),
        },
        E::NotValidForName,
        E::NotValidForNameContext {
            expected: ServerName::try_from("a.example").unwrap(),
            presented: vec!["DnsName(\"*.b.example\")".to_owned(), "IpAddress(127.0.0.1)".to_owned()],
        },
        E::InvalidPurpose,
        E::InvalidPurposeContext {
            required: ExtendedKeyPurpose::ServerAuth,
            presented: vec![ExtendedKeyPurpose::Other(vec![1, 2])],
        },
        E::InvalidOcspResponse,
        E::ApplicationVerificationFailure,
        E::Other(other()),
    ]
}

fn other() -> OtherError {
    OtherError(std::sync::Arc::new(io::Error::other(format!("CaUsedAsEndEntity {HOSTILE}"))))
}

fn tls_errors() -> Vec<Error> {
    let mut errors = vec![
        Error::InappropriateMessage { expect_types: vec![ContentType::Handshake], got_type: ContentType::Unknown(9) },
        Error::InappropriateHandshakeMessage {
            expect_types: vec![HandshakeType::ServerHello],
            got_type: HandshakeType::Finished,
        },
        Error::InvalidMessage(InvalidMessage::InvalidContentType),
        Error::InvalidMessage(InvalidMessage::MissingData("ServerHelloPayload")),
        Error::InvalidMessage(InvalidMessage::DuplicateExtension(7)),
        Error::NoCertificatesPresented,
        Error::UnsupportedNameType,
        Error::DecryptError,
        Error::EncryptError,
        Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
        Error::PeerIncompatible(PeerIncompatible::Tls12NotOfferedOrEnabled),
        Error::PeerMisbehaved(PeerMisbehaved::IllegalHelloRetryRequestWithUnofferedCipherSuite),
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch),
        Error::General(HOSTILE.to_owned()),
        Error::FailedToGetCurrentTime,
        Error::HandshakeNotComplete,
        Error::PeerSentOversizedRecord,
        Error::NoApplicationProtocol,
        Error::Other(other()),
    ];
    errors.extend((0..=255).map(|alert| Error::AlertReceived(AlertDescription::from(alert))));
    errors.extend(certificate_errors().into_iter().map(Error::InvalidCertificate));
    errors
}

fn proxy_errors() -> Vec<ProxyError> {
    let after = Duration::from_millis(1500);
    let mut errors = vec![
        ProxyError::Unreachable(Box::new(ConnectError::Dns(io::Error::other("no such host")))),
        ProxyError::Unreachable(Box::new(ConnectError::Timeout { phase: Phase::Tcp, addresses: Vec::new(), after })),
        ProxyError::Timeout { after },
        ProxyError::Credentials { given: true, status: Some(407), schemes: None },
        ProxyError::Credentials { given: false, status: None, schemes: None },
        ProxyError::Credentials { given: true, status: Some(401), schemes: Some(HOSTILE.to_owned()) },
        ProxyError::Closed(io::ErrorKind::UnexpectedEof.into()),
        ProxyError::Malformed(ProxyProtocol::Http),
        ProxyError::Malformed(ProxyProtocol::Socks5),
        ProxyError::TooLarge,
        ProxyError::Destination,
        ProxyError::NoTls(Box::new(ConnectError::Closed(Box::new(io::Error::from(io::ErrorKind::UnexpectedEof))))),
        ProxyError::NoTls(Box::new(ConnectError::Timeout { phase: Phase::Tls, addresses: Vec::new(), after })),
    ];
    let text = || HOSTILE.to_owned();
    errors.extend((300..=599).map(|status| ProxyError::Refused(ProxyRefusal::Http { status, text: text() })));
    errors.extend((1..=255).map(|code| ProxyError::Refused(ProxyRefusal::Socks5(code))));
    errors
}

#[test]
fn what_is_wrong_with_a_proxy_is_a_sentence() {
    for url in ["", "a b", HOSTILE, "https://p:1", "ftp://p", "p:0", "a%:b@p:1", "m%3Ae:x@p:1", "socks5://a@p:1"] {
        is_a_sentence(&url.parse::<Proxy>().unwrap_err().to_string());
    }
    for list in ["a:0", "10.0.0.0/99", "a/b"] {
        is_a_sentence(&list.parse::<NoProxy>().unwrap_err().to_string());
    }
}

#[test]
fn what_keeps_from_connecting_is_a_sentence() {
    let after = Duration::from_millis(1500);
    let attempt = |error| Attempt { address: ([192, 0, 2, 1], 443).into(), error };
    let mut errors = vec![
        ConnectError::LimitReached { after },
        ConnectError::RateLimited { after },
        ConnectError::DnsTimeout { after },
        ConnectError::Dns(io::Error::other("no such host")),
        ConnectError::Unreachable(vec![attempt(None), attempt(Some(io::ErrorKind::ConnectionRefused.into()))]),
        ConnectError::Unreachable(vec![attempt(Some(io::Error::from_raw_os_error(111)))]),
        ConnectError::OutOfDescriptors,
        ConnectError::Timeout { phase: Phase::Tcp, addresses: vec![attempt(None).address; 2], after },
        ConnectError::Timeout { phase: Phase::Tcp, addresses: Vec::new(), after },
        ConnectError::Timeout {
            phase: Phase::Tls,
            addresses: vec![attempt(None).address],
            after: Duration::from_nanos(1_500_000_001),
        },
        ConnectError::Closed(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
    ];
    errors.extend(proxy_errors().into_iter().map(|error| ConnectError::Proxy {
        proxy: Proxy::http("proxy.example", 3128).credentials("me", "hunter2").unwrap(),
        error,
    }));
    errors.extend((0..=255).map(|alert| ConnectError::Alert(AlertDescription::from(alert))));
    errors.extend(certificate_errors().into_iter().map(ConnectError::Certificate));
    errors.extend(tls_errors().into_iter().map(ConnectError::Tls));
    errors.extend(tls_errors().into_iter().map(|error| ConnectError::from_handshake(io::Error::other(error))));
    for error in errors {
        is_a_sentence(
            &TransportError::Connect { to: Endpoint { host: "a.example".to_owned(), port: 443 }, error }.to_string(),
        );
    }
}

#[test]
fn what_ends_a_connection_or_denies_one_is_a_sentence() {
    let to = || Endpoint { host: "::1".to_owned(), port: 443 };
    let errors = tls_errors().into_iter().map(LossError::Tls);
    let closed =
        [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset].map(|kind| LossError::Closed(kind.into()));
    for error in errors.chain(closed).chain([LossError::Alert(AlertDescription::AccessDenied)]) {
        is_a_sentence(&TransportError::Lost { to: to(), error }.to_string());
    }
    for denial in [
        Denial::NoRoute(to()),
        Denial::NotForMqtt(to()),
        Denial::Scheme(HOSTILE.to_owned()),
        Denial::Url,
        Denial::Authority,
        Denial::Method,
    ] {
        is_a_sentence(&TransportError::Denied(denial).to_string());
    }
}

#[test]
fn what_is_wrong_with_a_file_is_a_sentence() {
    let names = std::fs::read_dir(fixture("")).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = names.chain(["/nowhere/a.pem".into(), "/".into(), HOSTILE.into(), "~/a.pem".into()]).collect();
    for file in &files {
        if let Err(error) = TrustRoots::from_pem_file(file) {
            is_a_sentence(&error.to_string());
        }
        for other in &files {
            if let Err(error) = Identity::from_pem_files(file, other) {
                is_a_sentence(&error.to_string());
            }
        }
    }
    let label = || HOSTILE.to_owned();
    for fault in [
        PemError::CutBegin { line: 1 },
        PemError::MissingEnd { label: label(), line: 1 },
        PemError::OtherEnd { label: label(), line: 1 },
        PemError::NotBase64 { label: label(), line: 1 },
    ] {
        is_a_sentence(&fault.to_string());
    }
    for problem in [PrivateKeyError::Unsupported(label()), PrivateKeyError::ExplicitCurve, PrivateKeyError::Damaged] {
        is_a_sentence(&problem.to_string());
    }
    is_a_sentence(&CertificateFormatError::Damaged.to_string());
    is_a_sentence(&CertificateFormatError::Version1.to_string());
}

#[test]
fn what_is_wrong_with_a_route_is_a_sentence() {
    for text in ["", "a", HOSTILE, "a:b:c:d", "a:1:b:99999", "::1", "[::1:1:a:1"] {
        if let Err(error) = text.parse::<ConnectTo>() {
            is_a_sentence(&error.to_string());
        }
    }
    for host in ["", "a b", HOSTILE, "a.example:443"] {
        let routes = vec![Route::new(host, TrustRoots::from_pem_file(&fixture("ec.cert.pem")).unwrap())];
        if let Err(error) = RouteTable::new(routes) {
            is_a_sentence(&error.to_string());
        }
    }
}
