//! One message, from the device to its answer.

use alloc::vec;

use thingpost::edge::{Refusal, answer};
use thingpost::http::Response;
use thingpost::{Exchange, Message, wasi};

use super::devices::{Found, Memory};
use super::keeping;

/// Publishes.
pub fn publish(found: Found<'_>, message: Message) -> Result<Response, Refusal> {
    let Found { device, bucket, memory } = found;
    let (platform, options) = (device.platform.clone(), device.options.clone());
    let exchange = Exchange::new(platform, options, memory.credential.take(), wasi::seed(), vec![message]);
    let exchange = exchange.map_err(|_| Refusal::NotConfigured)?;
    let exchange = exchange.answered_before(memory.has_been_answered);
    let mut exchange = exchange.with_clock_ahead_ms(memory.clock_ahead_ms);
    wasi::run(&mut exchange, &keeping::kept(device, bucket), device.scheme);
    *memory = Memory {
        credential: exchange.credential().cloned(),
        has_been_answered: exchange.has_been_answered(),
        clock_ahead_ms: exchange.clock_ahead_ms(),
    };
    match exchange.outcomes().next() {
        Some((_, Ok(receipt))) => Ok(answer::delivered(&receipt)),
        Some((context, Err(error))) => Ok(answer::failed(&error, &device.platform.explain(&error, context))),
        None => Err(Refusal::NotConfigured),
    }
}
