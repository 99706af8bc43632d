//! What a guest writes and reads over a dialed connection.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use wasmtime_wasi_io::streams::{DynOutputStream, StreamError};

use crate::client::within;
use crate::peer::streams_to;

const PERMIT: usize = 64 * 1024;

/// Bytes of which every one knows its place, so that none is lost or doubled unseen.
fn pattern(places: Range<usize>) -> Vec<u8> {
    places.map(|place| (place % 251) as u8 ^ (place >> 16) as u8).collect()
}

/// Writes until nothing more is taken at once, and returns how much was.
fn fill(output: &mut DynOutputStream) -> usize {
    let mut written = 0;
    loop {
        match output.check_write().unwrap() {
            0 => return written,
            permit => {
                output.write(pattern(written..written + permit).into()).unwrap();
                written += permit;
            }
        }
    }
}

#[tokio::test]
async fn a_small_message_leaves_in_the_call_that_writes_it() {
    within(async {
        let (heard, mut hears) = mpsc::unbounded_channel();
        let (_input, mut output, _peer) = streams_to(move |mut tls| {
            let heard = heard.clone();
            async move {
                let mut bytes = [0; 5];
                tls.read_exact(&mut bytes).await.unwrap();
                heard.send(bytes).unwrap();
            }
        })
        .await;
        assert_eq!(output.check_write().unwrap(), PERMIT);
        output.write(Bytes::from_static(b"hello")).unwrap();
        output.flush().unwrap();
        assert_eq!(output.check_write().unwrap(), PERMIT);
        // There is no wait for the stream, so nothing but the call can have sent it.
        assert_eq!(hears.recv().await.unwrap(), *b"hello");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_reads_slowly_gets_all_of_it_byte_for_byte() {
    within(async {
        let (tell, told) = watch::channel(0);
        let (heard, mut hears) = mpsc::unbounded_channel();
        let (_input, mut output, _peer) = streams_to(move |mut tls| {
            let (mut told, heard) = (told.clone(), heard.clone());
            async move {
                let count = *told.wait_for(|count| *count > 0).await.unwrap();
                let (mut bytes, mut piece) = (Vec::new(), [0; 999]);
                while bytes.len() < count {
                    let read = tls.read(&mut piece).await.unwrap();
                    bytes.extend_from_slice(&piece[..read]);
                    tokio::task::yield_now().await;
                }
                heard.send(bytes).unwrap();
            }
        })
        .await;
        let mut written = fill(&mut output);
        let all = written + (1 << 20);
        tell.send(all).unwrap();
        while written < all {
            output.ready().await;
            let permit = output.check_write().unwrap();
            assert!(0 < permit && permit <= PERMIT);
            let count = permit.min(all - written);
            output.write(pattern(written..written + count).into()).unwrap();
            written += count;
        }
        output.flush().unwrap();
        output.ready().await;
        assert_eq!(output.check_write().unwrap(), PERMIT);
        assert!(hears.recv().await.unwrap() == pattern(0..all));
    })
    .await;
}

/// The server reads when told to, then answers with how much it was.
#[tokio::test]
async fn whoever_waits_for_the_answer_sends_the_rest_of_the_question() {
    within(async {
        let (tell, told) = watch::channel(0);
        let (mut input, mut output, _peer) = streams_to(move |mut tls| {
            let mut told = told.clone();
            async move {
                let count = *told.wait_for(|count| *count > 0).await.unwrap();
                let mut bytes = vec![0; count];
                tls.read_exact(&mut bytes).await.unwrap();
                tls.write_all(if bytes == pattern(0..count) { b"yes" } else { b"no!" }).await.unwrap();
                let _ = tls.read(&mut [0]).await;
            }
        })
        .await;
        let written = fill(&mut output);
        output.flush().unwrap();
        tell.send(written).unwrap();
        assert_eq!(input.blocking_read(3).await.unwrap(), "yes");
        output.ready().await;
        assert_eq!(output.check_write().unwrap(), PERMIT);
    })
    .await;
}

#[tokio::test]
async fn a_flush_is_over_when_all_has_left_and_not_before() {
    within(async {
        let (tell, told) = watch::channel(0);
        let (_input, mut output, _peer) = streams_to(move |mut tls| {
            let mut told = told.clone();
            async move {
                let count = *told.wait_for(|count| *count > 0).await.unwrap();
                tls.read_exact(&mut vec![0; count]).await.unwrap();
                let _ = tls.read(&mut [0]).await;
            }
        })
        .await;
        let written = fill(&mut output);
        output.flush().unwrap();
        assert_eq!(output.check_write().unwrap(), 0);
        let mut waiting = Box::pin(output.ready());
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut waiting).await.is_err());
        tell.send(written).unwrap();
        waiting.await;
        assert_eq!(output.check_write().unwrap(), PERMIT);
    })
    .await;
}

#[tokio::test]
async fn reading_gives_what_is_there_and_no_more_than_was_asked_for() {
    within(async {
        let (mut input, _output, _peer) = streams_to(async |mut tls| {
            tls.write_all(&pattern(0..100_000)).await.unwrap();
            let _ = tls.read(&mut [0]).await;
        })
        .await;
        assert_eq!(input.blocking_read(10).await.unwrap(), pattern(0..10));
        let mut read = pattern(0..10);
        assert!(input.read(0).unwrap().is_empty());
        while read.len() < 100_000 {
            let piece = input.blocking_read(usize::MAX).await.unwrap();
            assert!(!piece.is_empty() && piece.len() <= PERMIT);
            read.extend(piece);
        }
        assert!(read == pattern(0..100_000));
        assert!(input.read(1).unwrap().is_empty(), "nothing more is there");
    })
    .await;
}

#[tokio::test]
async fn more_than_was_allowed_is_a_fault_of_the_guest() {
    within(async {
        let (_input, mut output, _peer) = streams_to(async |mut tls| drop(tls.read(&mut [0]).await)).await;
        let too_much = Bytes::from(vec![0; PERMIT + 1]);
        assert!(matches!(output.write(too_much), Err(StreamError::Trap(_))));
    })
    .await;
}
