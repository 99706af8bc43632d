//! From a request to its answer.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame};
use thingpost_patience::within;

use super::*;

/// A body that never comes.
struct Never;

impl Body for Never {
    type Data = Bytes;
    type Error = WasiError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, WasiError>>> {
        Poll::Pending
    }
}

/// A body that breaks off after its beginning.
struct Broken(Option<Bytes>);

impl Body for Broken {
    type Data = Bytes;
    type Error = WasiError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, WasiError>>> {
        Poll::Ready(Some(self.0.take().map(Frame::data).ok_or(WasiError::ConnectionTerminated)))
    }
}

#[tokio::test]
async fn a_body_goes_through_byte_for_byte() {
    within(async {
        let (guests, _) = guests(patient());
        let body: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        let request = Request::post("/echo").header("host", "a").body(Full::from(body.clone())).unwrap();
        let answer = guests.answer(request).await.into_body().collect().await.unwrap().to_bytes();
        assert!(answer == body, "{} of {} bytes", answer.len(), body.len());
    })
    .await;
}

#[tokio::test]
async fn a_guest_may_answer_before_the_body_has_come() {
    within(async {
        let (guests, _) = guests(patient());
        let answer = guests.answer(Request::post("/early").header("host", "a").body(Never).unwrap()).await;
        assert_eq!(read(answer).await, (200, "early".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_none_that_ends() {
    within(async {
        let (guests, _) = guests(patient());
        let body = Broken(Some("half".into()));
        let answer = guests.answer(Request::post("/echo").header("host", "a").body(body).unwrap()).await;
        assert_eq!(read(answer).await, (200, "half(broken off)".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn the_beginning_of_an_answer_comes_while_the_guest_goes_on() {
    within(async {
        let (guests, gate) = guests(patient());
        let mut body = guests.answer(post("/piecewise")).await.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, "first,");
        gate.open(1);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "second");
    })
    .await;
}

#[tokio::test]
async fn a_request_that_says_for_whom_it_is_is_for_that_one_and_any_other_for_this_machine() {
    within(async {
        let (guests, _) = guests(patient());
        assert_eq!(ask(&guests, "/for").await.1, "edge.example");
        for request in [Request::get("/for"), Request::get("/for").header("host", "\u{e9}")] {
            let answer = guests.answer(request.body(Full::<Bytes>::default()).unwrap()).await;
            assert_eq!(read(answer).await, (200, "localhost".to_owned()));
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_a_body_is_whole() {
    within(async {
        let (guests, _) = guests(patient());
        assert_eq!(ask(&guests, "/nothing/there").await, (404, String::new()));
    })
    .await;
}

#[tokio::test]
async fn what_a_guest_prints_is_in_the_log_within_bounds_and_without_control_characters() {
    within(async {
        let log = Log::default();
        let _logged = log.capture();
        let (guests, _) = guests(patient());
        ask(&guests, "/print?hello").await;
        ask(&guests, &format!("/print?{}", "x".repeat(10_000))).await;
        guests.drained().await;
        let log = log.text();
        for line in ["hello out stream=\"stdout\"", "hello [31m err stream=\"stderr\"", "the rest is left out"] {
            assert!(log.contains(line), "{line} is not in {log}");
        }
        assert!(!log.contains('\x1b') && log.len() < 30_000, "{} bytes", log.len());
    })
    .await;
}
