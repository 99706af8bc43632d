//! The form of a request that both sides sign: the same bytes, however the request was written.
//!
//! Lists are kept in order by insertion and texts are split as bytes: with the library's sorts and string patterns each
//! component had 9 KB more.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use percent_encoding::percent_decode;
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
        let target = request.path_with_query.as_bytes();
        let question_mark = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
        let (path, query) = (&target[..question_mark], target.get(question_mark + 1..).unwrap_or_default());
        let mut text = [request.method, "\n"].concat();
        push_path(&mut text, path);
        text.push('\n');
        push_query(&mut text, query);
        text.push('\n');
        let mut signed_headers = String::new();
        for (name, value) in headers(request, is_signed) {
            if !signed_headers.is_empty() {
                signed_headers.push(';');
            }
            signed_headers.push_str(&name);
            for part in [&name, ":", &value, "\n"] {
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
fn push_path(text: &mut String, path: &[u8]) {
    let mut segments: Vec<&[u8]> = Vec::new();
    // A directory keeps its slash.
    let mut is_directory = true;
    for segment in path.split(|byte| *byte == b'/') {
        is_directory = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    for segment in &segments {
        text.push('/');
        push_segment(text, segment, SEGMENT);
    }
    if segments.is_empty() || is_directory {
        text.push('/');
    }
}

/// Sorted by name, then by value; every name with its `=`.
fn push_query(text: &mut String, query: &[u8]) {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for parameter in query.split(|byte| *byte == b'&') {
        let mut parts = parameter.splitn(2, |byte| *byte == b'=').map(recoded);
        let parameter = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if !parameter.0.is_empty() {
            let place = parameters.partition_point(|other| *other <= parameter);
            parameters.insert(place, parameter);
        }
    }
    for (index, (name, value)) in parameters.iter().enumerate() {
        let separator = if index == 0 { "" } else { "&" };
        for part in [separator, name, "=", value] {
            text.push_str(part);
        }
    }
}

/// Decoded and encoded again, so that it does not matter how it was encoded.
fn recoded(part: &[u8]) -> String {
    let decoded: Vec<u8> = percent_decode(part).collect();
    let mut encoded = String::new();
    push_segment(&mut encoded, &decoded, SEGMENT);
    encoded
}

/// By name; values without superfluous white space; those of one name together.
fn headers(request: &Request, is_signed: fn(&str) -> bool) -> Vec<(String, String)> {
    let mut headers = Vec::from([("host".to_owned(), request.authority.clone())]);
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        if !is_signed(&name) {
            continue;
        }
        let value = without_superfluous_space(value);
        let place = headers.partition_point(|(other, _)| *other < name);
        match headers.get_mut(place) {
            Some((other, values)) if *other == name => {
                values.push(',');
                values.push_str(&value);
            }
            _ => headers.insert(place, (name, value)),
        }
    }
    headers
}

fn without_superfluous_space(value: &str) -> String {
    let mut kept = String::with_capacity(value.len());
    for character in value.chars() {
        if !character.is_ascii_whitespace() {
            kept.push(character);
        } else if !kept.is_empty() && !kept.ends_with(' ') {
            kept.push(' ');
        }
    }
    if kept.ends_with(' ') {
        kept.pop();
    }
    kept
}
