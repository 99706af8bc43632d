//! The form of a request that both sides sign: the same bytes, however the request was written.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use crate::http::Request;
use crate::topic::{SEGMENT, push_segment};

/// A request in canonical form.
pub(super) struct CanonicalRequest {
    pub text: String,
    /// The names of the headers in it.
    pub signed_headers: String,
}

impl CanonicalRequest {
    /// The host is always signed; of the other headers, those of which `is_signed` says so.
    pub fn new(request: &Request, is_signed: fn(&str) -> bool) -> Self {
        let (path, query) = request.path_with_query.split_once('?').unwrap_or((&request.path_with_query, ""));
        let headers = headers(request, is_signed);
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let signed_headers = names.join(";");
        let mut text = [request.method, "\n", &canonical_path(path), "\n", &canonical_query(query), "\n"].concat();
        for (name, value) in &headers {
            for part in [name, ":", value, "\n"] {
                text.push_str(part);
            }
        }
        let body = hex::encode(Sha256::digest(&request.body));
        for part in ["\n", &signed_headers, "\n", &body] {
            text.push_str(part);
        }
        Self { text, signed_headers }
    }
}

/// Steps resolved, then each segment encoded once more.
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut canonical = String::new();
    for segment in &segments {
        canonical.push('/');
        push_segment(&mut canonical, segment.as_bytes(), SEGMENT);
    }
    // A directory keeps its slash.
    if segments.is_empty() || path.ends_with(['/']) || path.ends_with("/.") || path.ends_with("/..") {
        canonical.push('/');
    }
    canonical
}

/// Sorted by name, then by value; every name with its `=`.
fn canonical_query(query: &str) -> String {
    let recoded = |text: &str| {
        let decoded: Vec<u8> = percent_decode_str(text).collect();
        let mut encoded = String::new();
        push_segment(&mut encoded, &decoded, SEGMENT);
        encoded
    };
    let mut parameters: Vec<(String, String)> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| (recoded(name), recoded(value)))
        .collect();
    parameters.sort();
    let parameters: Vec<String> = parameters.iter().map(|(name, value)| [name, "=", value].concat()).collect();
    parameters.join("&")
}

/// By name; values without superfluous white space; those of one name together.
fn headers(request: &Request, is_signed: fn(&str) -> bool) -> Vec<(String, String)> {
    let mut headers = Vec::from([("host".to_owned(), request.authority.clone())]);
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        if is_signed(&name) {
            let words: Vec<&str> = value.split_ascii_whitespace().collect();
            headers.push((name, words.join(" ")));
        }
    }
    headers.sort_by(|(name, _), (other, _)| name.cmp(other));
    headers.dedup_by(|(name, value), (kept_name, kept_value)| {
        let is_same = name == kept_name;
        if is_same {
            kept_value.push(',');
            kept_value.push_str(value);
        }
        is_same
    });
    headers
}
