//! Publishes over HTTP with nothing but the standard library: the loop of an [`Exchange`] with one blocking socket for each request.
//!
//! What a real client adds stands at [`exchange_bytes`]: TLS with the certificate of the device, and a pool. A server of one answer
//! on loopback plays the platform, so that the example runs anywhere:
//!
//! ```sh
//! cargo run --package thingpost --example https
//! ```

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use thingpost::aws::{Authentication, Config};
use thingpost::exchange::{Exchange, Outgoing, Step};
use thingpost::http::{Response, TransportError, TransportErrorKind};
use thingpost::{Endpoint, Message, Moment, Options, Qos};

fn main() -> Result<(), Box<dyn Error>> {
    let server = TcpListener::bind(("127.0.0.1", 0))?;
    let port = server.local_addr()?.port();
    let serving = thread::spawn(move || serve(&server));

    let config = Config::new(Endpoint::new("127.0.0.1", port)?, Authentication::Certificate)?;
    let message = Message::new("plant/boiler/celsius", *b"21.5", Qos::AtLeastOnce);
    // Any number that differs between devices: it spreads their retries.
    let seed = u64::from(std::process::id());
    let mut exchange = Exchange::new(Arc::new(config), Options::default(), None, seed, vec![message])?;

    drive(&mut exchange);
    for (context, outcome) in exchange.outcomes() {
        match outcome {
            Ok(receipt) => println!("delivered, attempt {}, trace {:?}", receipt.attempts, receipt.trace_id),
            Err(error) => println!("{}", exchange.platform().explain(&error, context)),
        }
    }
    serving.join().map_err(|_| "the server has panicked")??;
    Ok(())
}

/// Runs an exchange until every message has its outcome, one request after the other.
fn drive(exchange: &mut Exchange) {
    let start = Instant::now();
    loop {
        match exchange.poll(moment(start)) {
            Step::Done => return,
            Step::Send(outgoing) => {
                let id = outgoing.id;
                let response = exchange_bytes(&outgoing);
                exchange.handle_response(moment(start), id, response);
            }
            // Only for a device whose secret is somewhere else.
            Step::Sign(_) => exchange.handle_signature(moment(start), Err("nothing signs here".to_owned().into())),
            Step::Wait(Some(until_ms)) => {
                thread::sleep(Duration::from_millis(until_ms.saturating_sub(moment(start).monotonic_ms)));
            }
            Step::Wait(None) => unreachable!("nothing is under way, so there is a time to wait for"),
        }
    }
}

fn moment(start: Instant) -> Moment {
    let ms = |elapsed: Duration| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment { monotonic_ms: ms(start.elapsed()), unix_ms: ms(unix) }
}

/// One request and its answer. Before the request has left, the message is *not sent*; from then on it is *unknown*.
fn exchange_bytes(outgoing: &Outgoing) -> Result<Response, TransportError> {
    let request = &outgoing.request;
    let connect = TcpStream::connect(&request.authority);
    let mut stream = connect.map_err(|error| failed(TransportErrorKind::ConnectionRefused, &error))?;
    let timeout = Some(Duration::from_millis(outgoing.timeout_ms.into()));
    stream.set_read_timeout(timeout).map_err(|error| failed(TransportErrorKind::Unreachable, &error))?;

    let mut head =
        format!("{} {} HTTP/1.1\r\nhost: {}\r\n", request.method, request.path_with_query, request.authority);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("connection: close\r\n\r\n");
    let mut answer = Vec::new();
    let limit = outgoing.max_answer_bytes as u64 + 4096;
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&request.body))
        .and_then(|()| stream.take(limit).read_to_end(&mut answer))
        .map_err(|error| failed(TransportErrorKind::AnswerTimeout, &error))?;
    read(&answer).ok_or_else(|| TransportErrorKind::AnswerIncomplete.into())
}

fn failed(kind: TransportErrorKind, error: &std::io::Error) -> TransportError {
    TransportError { kind, detail: Some(error.to_string()) }
}

/// Status, headers and body of an answer that ends with its connection.
fn read(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().into()));
    Some(Response { status, headers: lines.filter_map(header).collect(), body: answer.get(end + 4..)?.to_vec() })
}

/// Answers one request as the platform does.
fn serve(server: &TcpListener) -> std::io::Result<()> {
    let (mut stream, _) = server.accept()?;
    let mut request = Vec::new();
    while !request.ends_with(b"21.5") {
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece)?;
        request.extend_from_slice(&piece[..count]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"message\":\"OK\",\"traceId\":\"1\"}")
}
