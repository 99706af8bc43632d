//! Headers and request lines that would say more than one request, or speak to another host.

use wasip2::http::types::{Fields, Method, OutgoingRequest};

use crate::requests::{outcome, publication, send};

/// Names everything that the host has taken.
pub fn attack(endpoint: &str) -> String {
    let mut taken = Vec::new();
    let fields = Fields::new();
    for (name, value) in [
        ("x-a", "a\r\nhost: other.example"),
        ("x-a\r\nhost", "other.example"),
        ("x-a", "a\0b"),
        ("", "a"),
        ("host", "other.example"),
        ("Host", "other.example"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("transfer-encoding", "chunked"),
        ("content-length", "5, 6"),
        ("content-length", "+5"),
    ] {
        if fields.append(name, value.as_bytes()).is_ok() {
            taken.push(format!("{name:?}: {value:?}"));
        }
    }
    let request = OutgoingRequest::new(fields);
    for method in ["GET / HTTP/1.1\r\nhost: other.example\r\n\r\nPOST", "PO ST", ""] {
        if request.set_method(&Method::Other(method.to_owned())).is_ok() {
            taken.push(format!("{method:?}"));
        }
    }
    for path in ["/ HTTP/1.1\r\nhost: other.example\r\n\r\n", "http://other.example/", "*", "x"] {
        if request.set_path_with_query(Some(path)).is_ok() {
            taken.push(format!("{path:?}"));
        }
    }
    for authority in ["a\r\nb", "a b", "a/b"] {
        if request.set_authority(Some(authority)).is_ok() {
            taken.push(format!("{authority:?}"));
        }
    }
    // These are well-formed, and lead nowhere.
    let (host, port) = endpoint.split_once(':').unwrap();
    for authority in [
        format!("user@{endpoint}"),
        format!("{host}.other.example:{port}"),
        format!("other.example/{endpoint}"),
        format!("{host}:+{port}"),
        format!("{host}:{port}.other.example"),
        format!("{host}:99999"),
        format!("[{host}]"),
        "localhost:22".to_owned(),
    ] {
        let request = publication(endpoint);
        let outcome = match request.set_authority(Some(&authority)) {
            Ok(()) => send(request).map_or_else(|code| crate::requests::name(&code), |future| outcome(&future)),
            Err(()) => "refused".to_owned(),
        };
        if !["HttpRequestDenied", "HttpRequestUriInvalid", "refused"].contains(&outcome.as_str()) {
            taken.push(format!("{authority}: {outcome}"));
        }
    }
    match taken.is_empty() {
        true => "all refused".to_owned(),
        false => taken.join("; "),
    }
}
