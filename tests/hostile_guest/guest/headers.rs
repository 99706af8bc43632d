//! Headers, nearly as many as the host takes, and copies of them.

use wasip2::http::types::Fields;

/// Ends with a trap.
pub fn attack() -> String {
    // Many small ones: a map of them takes more than what stands in it. One more than the host takes would be a trap already.
    let value = [b'a'; 8];
    loop {
        let fields = Fields::new();
        for index in 0..600_u32 {
            fields.append(&format!("x-{index}"), &value).unwrap();
        }
        // A copy shares what it has until it is changed.
        let copy = fields.clone();
        let _ = copy.delete("x-0");
        std::mem::forget((fields, copy));
    }
}
