//! Connections in a loop, of which none is read and none is closed.

use std::mem;

use crate::bindings::thingpost::iot::dialer::{Dialing, dial};

/// More than a host has on their way, and more than its table has places, by far.
const DIALS: usize = 10_000;

/// Keeps all that it gets, refusals as well. Says how many there were, if it comes to that.
pub fn keep_all(destination: &str) -> String {
    for _ in 0..DIALS {
        mem::forget(dial(destination, u32::MAX));
    }
    format!("{DIALS} kept")
}

/// Lets go of what is refused at once, and asks again; waits for a connection when there is nothing else to be had, and keeps it without a
/// word. Says how many were refused and how many it has.
pub fn drop_refusals(destination: &str) -> String {
    let mut on_their_way: Vec<Dialing> = Vec::new();
    let (mut refused, mut connected) = (0, 0);
    for _ in 0..DIALS {
        let dialing = dial(destination, u32::MAX);
        match dialing.finish() {
            Some(Err(_)) => refused += 1,
            Some(Ok(streams)) => {
                mem::forget(streams);
                connected += 1;
            }
            None => on_their_way.push(dialing),
        }
        let mut index = 0;
        while index < on_their_way.len() {
            match on_their_way[index].finish() {
                None => index += 1,
                Some(ended) => {
                    if ended.is_ok() {
                        mem::forget(ended);
                        connected += 1;
                    }
                    on_their_way.swap_remove(index);
                }
            }
        }
    }
    let waiting = on_their_way.len();
    mem::forget(on_their_way);
    let dialed = refused + connected + waiting;
    format!(
        "{dialed} dialed, {} refused, {} had or on their way",
        if refused > 0 { "most" } else { "none" },
        connected + waiting
    )
}
