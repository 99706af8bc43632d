//! The baseline: the same exchange, the same pool, the same TLS, and no WebAssembly.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt, Full};
use thingpost::exchange::{Outgoing, RequestId, Step};
use thingpost::http::{Response, TransportError, TransportErrorKind};
use thingpost::{Credential, Error, Exchange, Message, Moment, Options, Platform, Receipt};
use thingpost_host::{AnswerBody, RequestTimeouts, Transport};

/// Publishes as the component does.
pub struct Publisher {
    transport: Transport,
    platform: Arc<dyn Platform>,
    options: Options,
    credential: Option<Credential>,
}

impl Publisher {
    /// A publisher without a credential.
    pub fn new(transport: Transport, platform: Arc<dyn Platform>) -> Self {
        Self { transport, platform, options: Options::default(), credential: None }
    }

    /// Runs an exchange until every message has its outcome.
    pub async fn publish_all(&mut self, messages: Vec<Message>) -> Vec<Result<Receipt, Error>> {
        let credential = self.credential.take();
        let exchange = Exchange::new(self.platform.clone(), self.options.clone(), credential, 0, messages);
        let mut exchange = exchange.expect("the default options are good");
        let mut under_way = FuturesUnordered::new();
        loop {
            match exchange.poll(now()) {
                Step::Done => break,
                Step::Sign(_) => unreachable!("the devices here sign themselves"),
                Step::Send(outgoing) => under_way.push(send(&self.transport, outgoing)),
                Step::Wait(until_ms) => {
                    let pause = until_ms.map(|until| Duration::from_millis(until.saturating_sub(now().monotonic_ms)));
                    let pause = async {
                        match pause {
                            Some(pause) => tokio::time::sleep(pause).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        Some((id, answered)) = under_way.next() => exchange.handle_response(now(), id, answered),
                        () = pause => {}
                    }
                }
            }
        }
        self.credential = exchange.credential().cloned();
        exchange.outcomes().map(|(_, outcome)| outcome.clone()).collect()
    }
}

fn now() -> Moment {
    static ZERO: LazyLock<Instant> = LazyLock::new(Instant::now);
    let since = |elapsed: Duration| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment { monotonic_ms: since(ZERO.elapsed()), unix_ms: since(unix) }
}

async fn send(transport: &Transport, outgoing: Outgoing) -> (RequestId, Result<Response, TransportError>) {
    let Outgoing { id, request, connect_timeout_ms, timeout_ms, max_answer_bytes, .. } = outgoing;
    let url = format!("https://{}{}", request.authority, request.path_with_query);
    let mut head = http::Request::builder().method(request.method).uri(url);
    for (name, value) in &request.headers {
        head = head.header(name.as_ref(), value.as_str());
    }
    let body = Full::new(bytes::Bytes::from_owner(request.body));
    let timeout = Some(Duration::from_millis(timeout_ms.into()));
    let timeouts = RequestTimeouts {
        connect: Some(Duration::from_millis(connect_timeout_ms.into())),
        first_byte: timeout,
        between_bytes: timeout,
    };
    let request = head.body(body).expect("the core makes valid requests");
    (
        id,
        read(transport.send_within(request, timeouts).await.ok(), max_answer_bytes)
            .await
            .ok_or(TransportErrorKind::Other.into()),
    )
}

async fn read(answer: Option<http::Response<AnswerBody>>, max_bytes: usize) -> Option<Response> {
    let (head, mut body) = answer?.into_parts();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame.ok()?.into_data() {
            bytes.extend_from_slice(&piece);
        }
        if bytes.len() > max_bytes {
            return None;
        }
    }
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    Some(Response { status: head.status.as_u16(), headers, body: bytes })
}
