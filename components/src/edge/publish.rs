//! One message, from the device to its answer.

use alloc::vec;

use thingpost::edge::{Device, Refusal, answer};
use thingpost::http::Response;
use thingpost::wasi::{self, NoSigner};
use thingpost::{Exchange, Message};

use super::devices::Memory;

/// Publishes.
pub fn publish((device, memory): (&Device, &mut Memory), message: Message) -> Result<Response, Refusal> {
    let (platform, options) = (device.platform.clone(), device.options.clone());
    let exchange = Exchange::new(platform, options, memory.credential.take(), wasi::seed(), vec![message]);
    let exchange = exchange.map_err(|_| Refusal::NotConfigured)?;
    let exchange = exchange.answered_before(memory.has_been_answered);
    let mut exchange = exchange.with_clock_ahead_ms(memory.clock_ahead_ms);
    wasi::run(&mut exchange, &NoSigner, device.scheme);
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
