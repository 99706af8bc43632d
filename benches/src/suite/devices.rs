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
    let most = bench.effort.devices;
    section.figures.extend(memory(bench, most).await);
    for count in [10, 100, DEVICES].into_iter().filter(|count| *count <= most) {
        let contenders = |one, all| {
            vec![
                Contender::new("1 device", Load::in_turn(one, PAYLOAD)),
                Contender::new(format!("{count} devices"), Load::in_turn(all, PAYLOAD)),
            ]
        };
        let bound = Some(Bound::AtMost(1.1));
        let native = contenders(native(bench, 1), native(bench, count));
        section.cases.push(bench.case("no WebAssembly", None, native).await);
        let fresh = contenders(fresh(bench, 1), fresh(bench, count));
        section.cases.push(bench.case("an instance per message", bound, fresh).await);
        // One instance less, where there would be more at the same time than a runtime has room for.
        let reused = contenders(reused(bench, 1).await, reused(bench, count.min(DEVICES - 1)).await);
        section.cases.push(bench.case("an instance for each device", bound, reused).await);
    }
    section
}

async fn memory(bench: &Bench, count: usize) -> Option<Figure> {
    let before = resident()?;
    let mut all = Load::in_turn(reused(bench, count).await, PAYLOAD);
    all.run(1).await;
    let value = resident()?.saturating_sub(before) as f64 / 1024.0 / count as f64;
    let title = "memory of a device: identity, connection, instance".to_owned();
    Some(Figure { title, value, unit: "KiB", bound: None })
}

/// Room for a connection for each.
fn pool() -> Pool {
    Pool::new(PoolLimits { connections: DEVICES, ..PoolLimits::default() })
}

fn devices(bench: &Bench, count: usize) -> impl Iterator<Item = Device> {
    (0..count).map(|number| bench.cloud.device(Way::AwsCertificate, number))
}

fn native(bench: &Bench, count: usize) -> Vec<Client> {
    let pool = pool();
    devices(bench, count).map(|device| Client::native(&device, &pool)).collect()
}

fn fresh(bench: &Bench, count: usize) -> Vec<Client> {
    let pool = pool();
    devices(bench, count).map(|device| Client::fresh(&bench.component, &device, &pool)).collect()
}

async fn reused(bench: &Bench, count: usize) -> Vec<Client> {
    let pool = pool();
    let mut clients = Vec::new();
    for device in devices(bench, count) {
        clients.push(Client::reused(&bench.component, &device, &pool).await);
    }
    clients
}
