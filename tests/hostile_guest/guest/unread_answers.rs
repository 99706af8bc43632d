//! Requests that are sent all at once, and whose answers nobody reads.

use crate::requests::{outcome, publication, send};

/// More than a host has under way for one guest.
const REQUESTS: usize = 100;

/// Says what came of the last of them.
pub fn attack(endpoint: &str) -> String {
    let mut futures = Vec::new();
    for _ in 0..REQUESTS {
        let request = publication(endpoint);
        let body = request.body().unwrap();
        futures.push(send(request).unwrap());
        wasip2::http::types::OutgoingBody::finish(body, None).unwrap();
    }
    let last = futures.pop().map(|future| outcome(&future)).unwrap_or_default();
    // What is under way stays so, as far as it is for the guest to say.
    std::mem::forget(futures);
    last
}
