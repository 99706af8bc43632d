//! How a dialed connection ends, and what the guest gets to know of it.

use std::io::ErrorKind;
use std::sync::Arc;

use bytes::Bytes;
use rustls::AlertDescription;
use rustls::version::{TLS12, TLS13};
use thingpost_host::{ConnectError, LossError, Pool, Route, Transport, TransportError};
use thingpost_patience::patience;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream, StreamError};

use crate::client::{Failures, config_at, within};
use crate::peer::{Peer, streams_to};
use crate::pki::Authority;
use crate::server::ServerTls;

/// What ends the reading, and all that came before.
async fn read_to_end(input: &mut DynInputStream) -> (Vec<u8>, StreamError) {
    let mut read = Vec::new();
    loop {
        match input.blocking_read(usize::MAX).await {
            Ok(bytes) => read.extend(bytes),
            Err(end) => return (read, end),
        }
    }
}

/// What ends the writing.
async fn write_to_end(output: &mut DynOutputStream) -> StreamError {
    loop {
        output.ready().await;
        match output.check_write() {
            Ok(permit) => output.write(vec![7; permit].into()).unwrap(),
            Err(end) => return end,
        }
        // The server's turn.
        tokio::task::yield_now().await;
    }
}

fn failure(end: &StreamError) -> &TransportError {
    match end {
        StreamError::LastOperationFailed(error) => {
            TransportError::from_stream(error).expect("an error of such a stream")
        }
        other => panic!("{other:?}"),
    }
}

fn is_closed(end: &StreamError) -> bool {
    matches!(end, StreamError::Closed)
}

#[tokio::test]
async fn a_goodbye_is_the_end_and_no_error() {
    within(async {
        let (mut input, _output, _peer) = streams_to(async |mut tls| {
            tls.write_all(b"last words").await.unwrap();
            tls.shutdown().await.unwrap();
        })
        .await;
        let (read, end) = read_to_end(&mut input).await;
        assert_eq!(read, b"last words");
        assert!(is_closed(&end), "{end:?}");
        assert!(is_closed(&input.read(1).unwrap_err()));
        input.ready().await;
    })
    .await;
}

#[tokio::test]
async fn an_end_without_a_goodbye_is_an_error_because_more_may_have_been_on_its_way() {
    within(async {
        let (mut input, _output, _peer) = streams_to(async |mut tls| {
            tls.write_all(b"last wo").await.unwrap();
            tls.get_mut().0.shutdown().await.unwrap();
            let _ = tls.get_mut().0.read(&mut [0]).await;
        })
        .await;
        let (read, end) = read_to_end(&mut input).await;
        assert_eq!(read, b"last wo");
        let TransportError::Lost { error: LossError::Closed(error), .. } = failure(&end) else { panic!("{end:?}") };
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        // It is told once.
        assert!(is_closed(&input.read(1).unwrap_err()));
    })
    .await;
}

#[tokio::test]
async fn a_reset_is_an_error_for_both_directions() {
    within(async {
        let (mut input, mut output, _peer) = streams_to(async |tls| {
            tls.get_ref().0.set_zero_linger().unwrap();
        })
        .await;
        let (_, end) = read_to_end(&mut input).await;
        assert!(matches!(failure(&end), TransportError::Lost { error: LossError::Closed(_), .. }), "{end:?}");
        let end = write_to_end(&mut output).await;
        assert!(matches!(failure(&end), TransportError::Lost { error: LossError::Closed(_), .. }), "{end:?}");
        assert!(is_closed(&output.check_write().unwrap_err()));
        assert!(is_closed(&output.write(Bytes::new()).unwrap_err()));
        assert!(is_closed(&output.flush().unwrap_err()));
    })
    .await;
}

#[tokio::test]
async fn whoever_only_writes_learns_of_a_reset_too() {
    within(async {
        let (_input, mut output, _peer) = streams_to(async |mut tls| {
            tls.read_exact(&mut [0; 1000]).await.unwrap();
            tls.get_ref().0.set_zero_linger().unwrap();
        })
        .await;
        let end = write_to_end(&mut output).await;
        assert!(matches!(failure(&end), TransportError::Lost { error: LossError::Closed(_), .. }), "{end:?}");
    })
    .await;
}

#[tokio::test]
async fn a_write_that_fails_leaves_the_last_words_of_the_server_to_be_read() {
    within(async {
        let (mut input, mut output, _peer) = streams_to(async |mut tls| {
            tls.read_exact(&mut [0; 1000]).await.unwrap();
            tls.write_all(b"reason").await.unwrap();
            tls.shutdown().await.unwrap();
            // With bytes unread, so that the connection is reset.
        })
        .await;
        let end = write_to_end(&mut output).await;
        let (read, read_end) = read_to_end(&mut input).await;
        assert_eq!(read, b"reason");
        assert!(is_closed(&end) && is_closed(&read_end), "{end:?}, {read_end:?}");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_talks_too_long_to_be_heard_out_is_read_to_its_end_all_the_same() {
    within(async {
        const WORDS: usize = 100_000;
        let (mut input, mut output, _peer) = streams_to(async |mut tls| {
            tls.read_exact(&mut [0; 1000]).await.unwrap();
            tls.write_all(&[7; WORDS]).await.unwrap();
            tls.shutdown().await.unwrap();
        })
        .await;
        let end = write_to_end(&mut output).await;
        assert!(matches!(failure(&end), TransportError::Lost { error: LossError::Closed(_), .. }), "{end:?}");
        let (read, end) = read_to_end(&mut input).await;
        assert_eq!(read.len(), WORDS);
        assert!(is_closed(&end), "{end:?}");
    })
    .await;
}

/// A server that wants a certificate, and a client that has none that it would take.
async fn refused(versions: &[&'static rustls::SupportedProtocolVersion]) -> (Transport, Peer, Arc<Failures>) {
    let ca = Authority::new("ca");
    let tls = ServerTls {
        clients: Some(Authority::new("devices").pem),
        versions: versions.to_vec(),
        ..ServerTls::new(&ca, "localhost")
    };
    let peer = Peer::start(&tls, async |_| unreachable!("the handshake fails")).await;
    let route = Route::new("localhost", ca.roots()).identity(ca.device("stranger")).mqtt();
    let (transport, failures) =
        Failures::of(Transport::new(Pool::default(), config_at("w", vec![route], peer.address)));
    (transport, peer, failures)
}

fn is_refusal(error: &TransportError) -> bool {
    matches!(
        error,
        TransportError::Connect {
            error: ConnectError::Alert(AlertDescription::UnknownCA | AlertDescription::DecryptError),
            ..
        }
    )
}

#[tokio::test]
async fn with_tls_1_3_the_refusal_of_a_certificate_comes_with_the_first_read() {
    within(async {
        let (transport, _peer, failures) = refused(&[&TLS13]).await;
        let (mut input, mut output) = transport.dial("localhost:8883", patience()).await.unwrap().into_streams();
        output.write(Bytes::from_static(b"CONNECT")).unwrap();
        let (read, end) = read_to_end(&mut input).await;
        assert!(read.is_empty() && is_refusal(failure(&end)), "{end:?}");
        // Both directions have it, the observer once.
        let end = output.check_write().unwrap_err();
        assert!(is_refusal(failure(&end)), "{end:?}");
        assert_eq!(failures.told(), [failure(&end).to_string()]);
    })
    .await;
}

#[tokio::test]
async fn with_tls_1_3_whoever_only_writes_learns_of_the_refusal_and_not_of_a_broken_pipe() {
    within(async {
        for _ in 0..10 {
            let (transport, _peer, _) = refused(&[&TLS13]).await;
            let (_input, mut output) = transport.dial("localhost:8883", patience()).await.unwrap().into_streams();
            let end = write_to_end(&mut output).await;
            assert!(is_refusal(failure(&end)), "{end:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn with_tls_1_2_the_refusal_of_a_certificate_is_a_failed_dial() {
    within(async {
        let (transport, _peer, _) = refused(&[&TLS12]).await;
        let error = transport.dial("localhost:8883", patience()).await.unwrap_err();
        assert!(is_refusal(&error), "{error:?}");
    })
    .await;
}

/// How the server sees connections end: none is a goodbye.
async fn ending_of(use_it: impl AsyncFnOnce(DynInputStream, DynOutputStream)) -> (Vec<u8>, Option<ErrorKind>) {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let (input, output, _peer) = streams_to(move |mut tls| {
        let ended = ended.clone();
        async move {
            tls.write_all(&[7; 5000]).await.unwrap();
            let mut read = Vec::new();
            let end = tls.read_to_end(&mut read).await.err().map(|error| error.kind());
            ended.send((read, end)).unwrap();
        }
    })
    .await;
    use_it(input, output).await;
    ends.recv().await.unwrap()
}

#[tokio::test]
async fn dropping_both_directions_says_goodbye() {
    within(async {
        let ending = ending_of(async |input, mut output| {
            output.write(Bytes::from_static(b"DISCONNECT")).unwrap();
            drop((input, output));
        })
        .await;
        assert_eq!(ending, (b"DISCONNECT".to_vec(), None));
    })
    .await;
}

#[tokio::test]
async fn a_goodbye_arrives_even_if_something_is_left_unread() {
    within(async {
        for _ in 0..10 {
            let ending = ending_of(async |mut input, mut output| {
                input.ready().await;
                output.write(Bytes::from_static(b"DISCONNECT")).unwrap();
                drop((output, input));
            })
            .await;
            assert_eq!(ending, (b"DISCONNECT".to_vec(), None));
        }
    })
    .await;
}

#[tokio::test]
async fn dropping_one_direction_leaves_the_other() {
    within(async {
        let ending = ending_of(async |mut input, output| {
            drop(output);
            assert_eq!(input.blocking_read(1).await.unwrap(), [7][..]);
        })
        .await;
        assert_eq!(ending, (Vec::new(), None));
        let ending = ending_of(async |input, mut output| {
            drop(input);
            output.write(Bytes::from_static(b"still here")).unwrap();
        })
        .await;
        assert_eq!(ending, (b"still here".to_vec(), None));
    })
    .await;
}
