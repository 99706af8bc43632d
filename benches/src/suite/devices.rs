//! A gateway speaks for a thousand devices, each with a certificate, a connection and an instance of its own.

use thingpost_host::{Pool, PoolLimits};

use super::{Bench, Bound, DEVICES, Figure, PAYLOAD, Section};
use crate::client::Client;
use crate::device::{Device, Way};
use crate::memory::resident;
use crate::rounds::Contender;
use crate::work::Load;

pub(super) async fn section(bench: &Bench) -> Section {
    let mut section = Section::new("Devices on one host: one message at a time, of the next device each time");
    let before = resident();
    let mut all = component(bench, DEVICES).await;
    all.run(1).await;
    if let (Some(before), Some(after)) = (before, resident()) {
        let value = after.saturating_sub(before) as f64 / 1024.0 / DEVICES as f64;
        let title = "memory of a device: identity, connection, instance".to_owned();
        section.figures.push(Figure { title, value, unit: "KiB", bound: None });
    }
    drop(all);
    for count in [10, 100, DEVICES] {
        let contenders = vec![
            Contender::new("native, 1 device", native(bench, 1)),
            Contender::new(format!("native, {count} devices"), native(bench, count)),
        ];
        section.cases.push(bench.case(format!("{count} devices without WebAssembly"), None, contenders).await);
        // One instance less at the same time than a runtime has room for.
        let count = count.min(DEVICES - 1);
        let contenders = vec![
            Contender::new("component, 1 device", component(bench, 1).await),
            Contender::new(format!("component, {count} devices"), component(bench, count).await),
        ];
        section.cases.push(bench.case(format!("{count} devices"), Some(Bound::AtMost(1.1)), contenders).await);
    }
    section
}

/// Room for a connection for each.
fn pool() -> Pool {
    Pool::new(PoolLimits { connections: DEVICES, ..PoolLimits::default() })
}

fn devices(bench: &Bench, count: usize) -> impl Iterator<Item = Device> {
    (0..count).map(|number| bench.cloud.device(Way::AwsCertificate, number))
}

fn native(bench: &Bench, count: usize) -> Load {
    let pool = pool();
    Load::in_turn(devices(bench, count).map(|device| Client::native(&device, &pool)).collect(), PAYLOAD)
}

async fn component(bench: &Bench, count: usize) -> Load {
    let pool = pool();
    let mut clients = Vec::new();
    for device in devices(bench, count) {
        clients.push(Client::reused(&bench.component, &device, &pool).await);
    }
    Load::in_turn(clients, PAYLOAD)
}
