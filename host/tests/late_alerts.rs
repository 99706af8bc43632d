//! A fatal alert in the place of an answer, as a proxy sends it that has passed the request on. In TLS 1.2 the server has
//! looked at the client's certificate before the handshake is over, so no alert after it says that nothing was done.

use rustls::crypto::cipher::{AeadKey, Iv, OutboundPlainMessage};
use rustls::version::TLS12;
use rustls::{AlertDescription, ConnectionTrafficSecrets, ContentType, ProtocolVersion, SupportedCipherSuite};
use thingpost_host::{ExchangeError, LossError, Pool, Route, Transport, TransportError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::client::{config_at, means_not_sent, publish, within};
use crate::peer::Peer;
use crate::pki::Authority;
use crate::server::ServerTls;

const FATAL: u8 = 2;

/// Sends this alert, which no library of TLS does at will: in a record that is made by hand.
async fn send_alert(tls: TlsStream<TcpStream>, alert: AlertDescription) {
    let (mut tcp, connection) = tls.into_inner();
    let Some(SupportedCipherSuite::Tls12(suite)) = connection.negotiated_cipher_suite() else { panic!("not TLS 1.2") };
    let (sequence, secrets) = connection.dangerous_extract_secrets().unwrap().tx;
    let (key, iv): (AeadKey, Iv) = match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } | ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (key, iv),
        _ => panic!("another cipher"),
    };
    let (fixed, explicit) = iv.as_ref().split_at(suite.aead_alg.key_block_shape().fixed_iv_len);
    let text = [FATAL, u8::from(alert)];
    let message = OutboundPlainMessage {
        typ: ContentType::Alert,
        version: ProtocolVersion::TLSv1_2,
        payload: text.as_slice().into(),
    };
    let record = suite.aead_alg.encrypter(key, fixed, explicit).encrypt(message, sequence).unwrap().encode();
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

async fn peer(ca: &Authority, alert: AlertDescription) -> Peer {
    let mut tls = ServerTls::new(ca, "localhost");
    tls.versions = vec![&TLS12];
    Peer::start(&tls, move |mut tls| async move {
        // All of the request, as far as it goes.
        tls.read_exact(&mut [0; 16]).await.unwrap();
        send_alert(tls, alert).await;
    })
    .await
}

#[tokio::test]
async fn in_tls_1_2_an_alert_in_place_of_an_answer_leaves_the_outcome_unknown() {
    within(async {
        let ca = Authority::new("ca");
        for alert in REFUSALS {
            let peer = peer(&ca, alert).await;
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
async fn in_tls_1_2_an_alert_over_a_dialed_connection_is_a_loss_and_no_refusal() {
    within(async {
        let ca = Authority::new("ca");
        for alert in REFUSALS {
            let peer = peer(&ca, alert).await;
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
