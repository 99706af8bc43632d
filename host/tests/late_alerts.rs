//! A fatal alert in the place of an answer, as a proxy sends it that has passed the request on. In TLS 1.2 the server has
//! looked at the client's certificate before the handshake is over, so no alert after it says that nothing was done. In TLS 1.3 those
//! do that are about the certificate and about nothing else.

use rustls::crypto::cipher::{AeadKey, Iv, OutboundPlainMessage};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use rustls::{
    AlertDescription, CertificateError, ConnectionTrafficSecrets, ContentType, ProtocolVersion, SupportedCipherSuite,
    SupportedProtocolVersion,
};
use thingpost_host::{ConnectError, ExchangeError, LossError, Pool, Route, Transport, TransportError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::client::{config_at, means_not_sent, publish, within};
use crate::client_rule::ClientRule;
use crate::peer::Peer;
use crate::pki::Authority;
use crate::server::ServerTls;

const FATAL: u8 = 2;

/// Sends this alert, which no library of TLS does at will: in a record that is made by hand.
async fn send_alert(tls: TlsStream<TcpStream>, alert: AlertDescription) {
    let (mut tcp, connection) = tls.into_inner();
    let suite = connection.negotiated_cipher_suite().unwrap();
    let (sequence, secrets) = connection.dangerous_extract_secrets().unwrap().tx;
    let (key, iv): (AeadKey, Iv) = match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } | ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (key, iv),
        _ => panic!("another cipher"),
    };
    let text = [FATAL, u8::from(alert)];
    let message = OutboundPlainMessage {
        typ: ContentType::Alert,
        version: ProtocolVersion::TLSv1_2,
        payload: text.as_slice().into(),
    };
    let mut encrypter = match suite {
        SupportedCipherSuite::Tls12(suite) => {
            let (fixed, explicit) = iv.as_ref().split_at(suite.aead_alg.key_block_shape().fixed_iv_len);
            suite.aead_alg.encrypter(key, fixed, explicit)
        }
        SupportedCipherSuite::Tls13(suite) => suite.aead_alg.encrypter(key, iv),
    };
    let record = encrypter.encrypt(message, sequence).unwrap().encode();
    tcp.write_all(&record).await.unwrap();
    // A close with something unread, such as the client's own goodbye, would destroy the alert.
    let _ = tcp.read_to_end(&mut Vec::new()).await;
}

const REFUSALS: [AlertDescription; 4] = [
    AlertDescription::AccessDenied,
    AlertDescription::UnknownCA,
    AlertDescription::CertificateUnknown,
    AlertDescription::HandshakeFailure,
];

/// What is no verdict on the client's certificate in TLS 1.3, or not on that alone.
const OPEN_IN_TLS_1_3: [AlertDescription; 6] = [
    AlertDescription::AccessDenied,
    AlertDescription::HandshakeFailure,
    AlertDescription::UnrecognisedName,
    AlertDescription::ProtocolVersion,
    AlertDescription::NoApplicationProtocol,
    AlertDescription::InternalError,
];

async fn peer(ca: &Authority, version: &'static SupportedProtocolVersion, alert: AlertDescription) -> Peer {
    let mut tls = ServerTls::new(ca, "localhost");
    tls.versions = vec![version];
    Peer::start(&tls, move |mut tls| async move {
        // All of the request, as far as it goes.
        tls.read_exact(&mut [0; 16]).await.unwrap();
        send_alert(tls, alert).await;
    })
    .await
}

#[tokio::test]
async fn an_alert_in_place_of_an_answer_that_may_mean_something_else_leaves_the_outcome_unknown() {
    within(async {
        let ca = Authority::new("ca");
        let in_tls_1_2 = REFUSALS.map(|alert| (&TLS12, alert)).into_iter();
        for (version, alert) in in_tls_1_2.chain(OPEN_IN_TLS_1_3.map(|alert| (&TLS13, alert))) {
            let peer = peer(&ca, version, alert).await;
            let routes = vec![Route::new("localhost", ca.roots()).identity(ca.device("device"))];
            let transport = Transport::new(Pool::default(), config_at("w", routes, peer.address));
            let error = publish(&transport, "https://localhost/", "x").await.unwrap_err();
            assert!(
                matches!(&error, TransportError::Exchange { error: ExchangeError::Alert(sent), .. } if *sent == alert),
                "{error:?}"
            );
            assert!(!means_not_sent(&error.to_wasi()), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn such_an_alert_over_a_dialed_connection_is_a_loss_and_no_refusal() {
    within(async {
        let ca = Authority::new("ca");
        let in_tls_1_2 = REFUSALS.map(|alert| (&TLS12, alert)).into_iter();
        for (version, alert) in in_tls_1_2.chain(OPEN_IN_TLS_1_3.map(|alert| (&TLS13, alert))) {
            let peer = peer(&ca, version, alert).await;
            let mut connection = peer.dial(Route::new("localhost", ca.roots()).mqtt()).await;
            connection.write_all(&[0; 16]).await.unwrap();
            let error = connection.read(&mut [0]).await.unwrap_err();
            let error = error.get_ref().unwrap().downcast_ref::<TransportError>().unwrap();
            assert!(
                matches!(error, TransportError::Lost { error: LossError::Alert(sent), .. } if *sent == alert),
                "{error:?}"
            );

            let (mut input, mut output) = peer.dial(Route::new("localhost", ca.roots()).mqtt()).await.into_streams();
            output.write(vec![0; 16].into()).unwrap();
            let wasmtime_wasi_io::streams::StreamError::LastOperationFailed(error) =
                input.blocking_read(1).await.unwrap_err()
            else {
                panic!("no error")
            };
            let error = TransportError::from_stream(&error).unwrap();
            assert!(matches!(error, TransportError::Lost { error: LossError::Alert(_), .. }), "{error:?}");
        }
    })
    .await;
}

/// rustls as the server says the alert that goes with each reason, and `access_denied` where the reason is the application's own: the
/// one that is told apart from a proxy's by nothing.
#[tokio::test]
async fn in_tls_1_3_a_refusal_that_names_the_certificate_is_not_sent_and_one_that_does_not_is_unknown() {
    within(async {
        let ca = Authority::new("ca");
        for (reason, alert, is_proof) in [
            (CertificateError::Expired, AlertDescription::CertificateExpired, true),
            (CertificateError::Revoked, AlertDescription::CertificateRevoked, true),
            (CertificateError::UnknownIssuer, AlertDescription::UnknownCA, true),
            (CertificateError::BadSignature, AlertDescription::DecryptError, true),
            (CertificateError::BadEncoding, AlertDescription::BadCertificate, true),
            (CertificateError::ApplicationVerificationFailure, AlertDescription::AccessDenied, false),
        ] {
            let mut tls = ServerTls::new(&ca, "localhost");
            tls.versions = vec![&TLS13];
            tls.verifier = Some(Arc::new(ClientRule(move |_: &CertificateDer<'_>| Err(reason.clone()))));
            let peer = Peer::start(&tls, |_| async {}).await;
            let routes = vec![Route::new("localhost", ca.roots()).identity(ca.device("device"))];
            let transport = Transport::new(Pool::default(), config_at("w", routes, peer.address));
            let error = publish(&transport, "https://localhost/", "x").await.unwrap_err();
            let said = match &error {
                TransportError::Connect { error: ConnectError::Alert(said), .. } if is_proof => *said,
                TransportError::Exchange { error: ExchangeError::Alert(said), .. } if !is_proof => *said,
                other => panic!("{other:?}"),
            };
            assert_eq!(said, alert);
            assert_eq!(means_not_sent(&error.to_wasi()), is_proof, "{error}");
            assert!(error.to_string().contains("certificate"), "{error}");
        }
    })
    .await;
}
