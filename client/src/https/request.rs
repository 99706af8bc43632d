//! One request of an exchange, and its answer.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use thingpost::exchange::{Outgoing, RequestId};
use thingpost::http::{Request, Response, TransportError, TransportErrorKind};
use thingpost_host::{AnswerBody, RequestTimeouts, Transport};
use tokio::time::timeout;

use crate::transport_error::transport_error;

/// The transport's own timeouts say more (was there a connection at all?), so they get the chance to strike first.
const GRACE: Duration = Duration::from_millis(250);

/// Sends it and reads the answer.
pub(super) async fn send(transport: &Transport, outgoing: Outgoing) -> (RequestId, Result<Response, TransportError>) {
    let Outgoing { id, request, connect_timeout_ms, timeout_ms, max_answer_bytes, body_needed } = outgoing;
    let whole = Duration::from_millis(timeout_ms.into());
    let timeouts = RequestTimeouts {
        connect: Some(Duration::from_millis(connect_timeout_ms.into())),
        first_byte: Some(whole),
        between_bytes: Some(whole),
    };
    let answered = async {
        let request = http_request(request)?;
        let answer = transport.send_within(request, timeouts).await.map_err(|error| transport_error(&error))?;
        read(answer, max_answer_bytes, body_needed).await
    };
    let answered = timeout(whole + GRACE, answered).await;
    (id, answered.unwrap_or_else(|_| Err(TransportErrorKind::AnswerTimeout.into())))
}

fn http_request(request: Request) -> Result<http::Request<Full<Bytes>>, TransportError> {
    let url = format!("https://{}{}", request.authority, request.path_with_query);
    let mut head = http::Request::builder().method(request.method).uri(url);
    for (name, value) in &request.headers {
        head = head.header(name.as_ref(), value.as_str());
    }
    head.body(Full::new(Bytes::from_owner(request.body)))
        .map_err(|error| TransportError { kind: TransportErrorKind::RequestRejected, detail: Some(error.to_string()) })
}

async fn read(
    answer: http::Response<AnswerBody>,
    max_bytes: usize,
    body_needed: bool,
) -> Result<Response, TransportError> {
    let (head, mut body) = answer.into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let mut response = Response { status: head.status.as_u16(), headers, body: Vec::new() };
    // Status and headers are there, and what is too long is a page that some gateway has added.
    while response.body.len() <= max_bytes {
        match body.frame().await {
            None => break,
            Some(Ok(frame)) => {
                let piece = frame.into_data().unwrap_or_default();
                let room = (max_bytes + 1 - response.body.len()).min(piece.len());
                response.body.extend_from_slice(&piece[..room]);
            }
            Some(Err(_)) if response.decides_though_cut_short(body_needed) => break,
            Some(Err(error)) => return Err(transport_error(&error)),
        }
    }
    Ok(response)
}
