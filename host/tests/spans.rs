//! Spans of `tracing`: what is in them, and when they end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Once;

use thingpost_host::{Pool, Route, Transport};
use thingpost_patience::patience;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Event, Metadata, Subscriber};

use crate::client::{config, post, publish, transport, within};
use crate::pki::Authority;
use crate::server::{Do, Script};

#[derive(Debug, Default)]
struct Recorded {
    name: &'static str,
    fields: BTreeMap<&'static str, String>,
    handles: usize,
}

impl Recorded {
    fn is_over(&self) -> bool {
        self.handles == 0
    }

    #[track_caller]
    fn assert_has(&self, fields: &[(&str, &str)]) {
        for (name, value) in fields {
            assert_eq!(self.fields.get(name).map(String::as_str), Some(*value), "{name}: {self:?}");
        }
    }
}

impl Visit for Recorded {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

thread_local! {
    static SPANS: RefCell<Option<Vec<Recorded>>> = const { RefCell::new(None) };
}

/// For all threads: `tracing` asks once for each place whether anybody listens.
struct Recorder;

fn span(id: &Id, change: impl FnOnce(&mut Recorded)) {
    SPANS.with_borrow_mut(|spans| {
        let index = usize::try_from(id.into_u64()).unwrap() - 1;
        if let Some(span) = spans.as_mut().and_then(|spans| spans.get_mut(index)) {
            change(span);
        }
    });
}

impl Subscriber for Recorder {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("thingpost_host") && SPANS.with_borrow(Option::is_some)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut recorded = Recorded { name: attributes.metadata().name(), handles: 1, ..Recorded::default() };
        attributes.record(&mut recorded);
        SPANS.with_borrow_mut(|spans| {
            let spans = spans.as_mut().expect("it is asked before");
            spans.push(recorded);
            Id::from_u64(spans.len() as u64)
        })
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        span(id, |span| values.record(span));
    }

    fn clone_span(&self, id: &Id) -> Id {
        span(id, |span| span.handles += 1);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut is_over = false;
        span(&id, |span| {
            span.handles -= 1;
            is_over = span.is_over();
        });
        is_over
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The spans of this thread since then.
struct Spans;

impl Spans {
    fn record() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| set_global_default(Recorder).unwrap());
        SPANS.set(Some(Vec::new()));
        Self
    }

    fn take(&self) -> Vec<Recorded> {
        SPANS.with_borrow_mut(|spans| spans.replace(Vec::new())).unwrap_or_default()
    }
}

impl Drop for Spans {
    fn drop(&mut self) {
        SPANS.set(None);
    }
}

#[tokio::test]
async fn a_request_and_its_connection_are_spans_that_are_over_while_the_connection_is_kept() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let pool = Pool::default();
        let transport = Transport::new(pool.clone(), config("w", vec![Route::new("localhost", ca.roots())], &server));
        let spans = Spans::record();
        for _ in 0..2 {
            publish(&transport, "https://localhost:8443/topics/h7sh?token=s3cret", "x").await.unwrap();
        }
        assert_eq!((pool.statistics().open, pool.statistics().idle), (1, 1));
        let spans = spans.take();
        let names: Vec<_> = spans.iter().map(|span| span.name).collect();
        assert_eq!(names, ["request", "connect", "request"]);
        assert!(spans.iter().all(Recorded::is_over), "{spans:?}");
        for request in [&spans[0], &spans[2]] {
            request.assert_has(&[
                ("otel.kind", "client"),
                ("http.request.method", "POST"),
                ("http.response.status_code", "200"),
                ("server.address", "localhost"),
                ("server.port", "8443"),
                ("network.protocol.name", "http"),
            ]);
            assert!(!request.fields.contains_key("error.type"), "{request:?}");
        }
        spans[1].assert_has(&[
            ("network.peer.address", "127.0.0.1"),
            ("network.peer.port", &server.address.port().to_string()),
            ("tls.protocol.version", "1.3"),
            ("tls.resumed", "false"),
        ]);
        let shown = format!("{spans:?}");
        assert!(!shown.contains("h7sh") && !shown.contains("s3cret") && !shown.contains("topics"), "{shown}");
    })
    .await;
}

#[tokio::test]
async fn a_failure_has_its_kind_in_the_span_and_so_has_a_refusal() {
    within(async {
        let ca = Authority::new("ca");
        let script = Script::new(&ca).on_request(|_, request| match request {
            0 => Do::Answer("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"),
            _ => Do::Close,
        });
        let server = script.start();
        let transport = transport(Route::new("localhost", ca.roots()), &server);
        let spans = Spans::record();
        publish(&transport, "https://localhost/", "refused").await.unwrap();
        publish(&transport, "https://localhost/", "unknown").await.unwrap_err();
        publish(&transport, "https://elsewhere.example/", "denied").await.unwrap_err();
        transport.send(post("https://h7sh:s3cret@localhost/", "denied")).await.unwrap_err();
        let spans = spans.take();
        let kinds: Vec<_> = spans.iter().filter_map(|span| span.fields.get("error.type")).collect();
        assert_eq!(kinds, ["403", "closed_without_answer", "denied_no_route", "denied_url"]);
        assert!(spans.iter().all(Recorded::is_over) && !format!("{spans:?}").contains("h7sh"), "{spans:?}");
    })
    .await;
}

#[tokio::test]
async fn a_dialing_is_a_span_that_ends_with_the_connection_at_hand() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script { on_handshake: Do::Stall, ..Script::new(&ca) }.start();
        let transport = transport(Route::new("localhost", ca.roots()).mqtt(), &server);
        let spans = Spans::record();
        let connection = transport.dial("localhost:8883", patience()).await.unwrap();
        transport.dial("h7sh@localhost:8883", patience()).await.unwrap_err();
        let spans = spans.take();
        drop(connection);
        let names: Vec<_> = spans.iter().map(|span| span.name).collect();
        assert_eq!(names, ["dial", "connect", "dial"]);
        spans[0].assert_has(&[
            ("server.address", "localhost"),
            ("server.port", "8883"),
            ("network.protocol.name", "mqtt"),
        ]);
        spans[2].assert_has(&[("error.type", "denied_authority"), ("otel.status_code", "ERROR")]);
        assert!(spans.iter().all(Recorded::is_over) && !format!("{spans:?}").contains("h7sh"), "{spans:?}");
    })
    .await;
}
