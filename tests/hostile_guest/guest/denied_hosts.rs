//! Asks for a host that no route names, again and again.

use crate::requests::{name, outcome, publication, send};

/// More requests than the host's table has places, by far.
const REQUESTS: u32 = 10_000;

/// Says how often which error came.
pub fn attack() -> String {
    let mut denied = 0;
    let mut other = String::new();
    for index in 0..REQUESTS {
        let answered = match send(publication(&format!("denied-{index}.example"))) {
            Ok(future) => outcome(&future),
            Err(code) => name(&code),
        };
        match answered.as_str() {
            "HttpRequestDenied" => denied += 1,
            _ => other = answered,
        }
    }
    format!("{denied} denied{other}")
}
