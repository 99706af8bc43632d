//! Requests with endless methods, authorities and paths, which a host keeps.

use wasip2::http::types::{Fields, Method, OutgoingRequest};

/// Counts what was taken; ends with a trap.
pub fn attack() -> String {
    let long = "A".repeat(1024 * 1024);
    let path = format!("/{}", "a".repeat(60 * 1024));
    let mut taken = 0;
    // Fewer than a host gives, so that the guest can say what was taken.
    for _ in 0..300 {
        let request = OutgoingRequest::new(Fields::new());
        taken += u32::from(request.set_method(&Method::Other(long.clone())).is_ok());
        taken += u32::from(request.set_authority(Some(&long)).is_ok());
        taken += u32::from(request.set_path_with_query(Some(&path)).is_ok());
        std::mem::forget(request);
    }
    format!("{taken} taken")
}
