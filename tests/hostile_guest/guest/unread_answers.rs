//! Requests that are sent all at once, and answers that are left unread.

use wasip2::http::types::{Fields, RequestOptions};

use crate::requests::{outcome, send_empty, with_headers};

/// More than a host has under way for one guest.
const REQUESTS: usize = 100;

/// Says what came of the last of them.
pub fn attack(endpoint: &str) -> String {
    let mut futures = Vec::new();
    for _ in 0..REQUESTS {
        // As AWS wants it.
        let headers = Fields::from_list(&[("content-length".to_owned(), b"0".to_vec())]).unwrap();
        let options = RequestOptions::new();
        options.set_between_bytes_timeout(Some(u64::MAX)).unwrap();
        futures.push(send_empty(with_headers(endpoint, headers), options));
    }
    let last = futures.pop().map(|future| outcome(&future)).unwrap_or_default();
    // What is under way stays so, as far as it is for the guest to say.
    std::mem::forget(futures);
    last
}
