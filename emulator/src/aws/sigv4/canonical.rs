//! Both sides must sign the same bytes, although proxies and libraries rewrite a request on its way. The canonical form
//! is what is left when everything they may change is taken out; its traps are a path that is encoded a second time and
//! a query that is not.

use std::fmt::Write;

use crate::http1::Request;
use crate::percent;

/// `None` when a header that should be signed was not sent.
pub(super) fn canonical_request(request: &Request, signed_headers: &[&str], payload_hash: &str) -> Option<String> {
    let mut names: Vec<String> = signed_headers.iter().map(|name| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();

    let mut headers = String::new();
    for name in &names {
        let _infallible = writeln!(headers, "{name}:{}", header(request, name)?);
    }
    let (method, path, query) = (&request.method, path(request.path()), query(request.query()));
    Some(format!("{method}\n{path}\n{query}\n{headers}\n{}\n{payload_hash}", names.join(";")))
}

/// The path as it was on the wire, encoded once more: `%2F` becomes `%252F`.
fn path(path: &str) -> String {
    if path.is_empty() { "/".to_owned() } else { encode(path, "/") }
}

/// Sorted by what was sent. Escapes in lower case and escapes that were not needed do not count.
fn query(query: Option<&str>) -> String {
    let once = |text: &str| encode(&percent::decode(text).unwrap_or_else(|| text.to_owned()), "");
    let parameters = query.unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty());
    let mut pairs: Vec<(String, String)> = parameters
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| (once(name), once(value)))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// All values of one header in their order, each without the blanks that proxies add or remove.
fn header(request: &Request, name: &str) -> Option<String> {
    let values: Vec<String> = request
        .headers
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn encode(text: &str, kept: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        if character.is_ascii_alphanumeric() || "-_.~".contains(character) || kept.contains(character) {
            encoded.push(character);
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_encoded_again_and_keeps_its_slashes() {
        assert_eq!(path("/topics/a%2Fb"), "/topics/a%252Fb");
        assert_eq!(path("/topics/a/b"), "/topics/a/b");
        // As in aws-c-auth's suite.
        let (sent, canonical) = ("/test/@connections/JBDvjfGEIAMCERw%3D", "/test/%40connections/JBDvjfGEIAMCERw%253D");
        assert_eq!(path(sent), canonical);
        assert_eq!(path(""), "/");
    }

    #[test]
    fn a_query_is_sorted_by_name_and_then_by_value() {
        assert_eq!(query(Some("retain=true&qos=1")), "qos=1&retain=true");
        assert_eq!(query(Some("b=2&a&b=1&&c=")), "a=&b=1&b=2&c=");
        let (sent, canonical) =
            ("Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "%E1%88%B4=Value1&Param=Value2&Param-3=Value3");
        assert_eq!(query(Some(sent)), canonical);
        assert_eq!(query(None), "");
    }

    #[test]
    fn a_query_is_encoded_exactly_once() {
        assert_eq!(query(Some("responseTopic=a%2Fb")), "responseTopic=a%2Fb");
        assert_eq!(query(Some("responseTopic=a/b")), "responseTopic=a%2Fb");
        assert_eq!(query(Some("responseTopic=a%2fb")), "responseTopic=a%2Fb");
        assert_eq!(query(Some("contentType=%41+")), "contentType=A%2B");
        assert_eq!(query(Some("contentType=%zz")), "contentType=%25zz");
    }
}
