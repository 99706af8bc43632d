//! A gateway speaks for a thousand devices, each with a certificate, a connection and an instance of its own.

use thingpost_host::runtime::{CompilationCache, Runtime};
use thingpost_host::{Pool, PoolLimits};

use super::{Bench, Bound, DEVICES, PAYLOAD, Section};
use crate::Failure;
use crate::client::Client;
use crate::device::{Device, Way};
use crate::rounds::Contender;
use crate::work::Load;

pub(super) async fn section(bench: &Bench) -> Result<Section, Failure> {
    let mut section = Section::new("Devices on one host: one message at a time, of the next device each time");
    for count in [10, 100, DEVICES].into_iter().filter(|count| *count <= bench.effort.devices) {
        if count > bench.most_devices() {
            section.missing.push(format!("{count} devices (this system does not allow a process so many open files)"));
            continue;
        }
        let contenders = |one, all| {
            vec![
                Contender::new("1 device", Load::in_turn(one, PAYLOAD)),
                Contender::new(format!("{count} devices"), Load::in_turn(all, PAYLOAD)),
            ]
        };
        let bound = Some(Bound::AtMost(1.1));
        let native = contenders(native(bench, 1), native(bench, count));
        section.cases.push(bench.case("no WebAssembly", None, native).await?);
        let fresh = contenders(fresh(bench, 1), fresh(bench, count));
        section.cases.push(bench.case("an instance per message", bound, fresh).await?);
        let contenders = contenders(reused(bench, 1).await?, reused(bench, count).await?);
        section.cases.push(bench.case("an instance for each device", bound, contenders).await?);
    }
    Ok(section)
}

/// Room for a connection for each.
fn pool() -> Pool {
    Pool::new(PoolLimits::default().connections(DEVICES).connections_per_workload(DEVICES))
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

/// In a runtime of their own, which has room for that many instances.
async fn reused(bench: &Bench, count: usize) -> Result<Vec<Client>, Failure> {
    let component = Runtime::new(&CompilationCache::System)?.load(thingpost_artifacts::PUBLISHER.bytes)?;
    let pool = pool();
    let mut clients = Vec::new();
    for device in devices(bench, count) {
        clients.push(Client::reused(&component, &device, &pool).await?);
    }
    Ok(clients)
}
