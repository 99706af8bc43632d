//! What instances and devices occupy. Each figure has a runtime of its own, whose slots are all unused.

use thingpost_host::runtime::{CompilationCache, Runtime};
use thingpost_host::{Pool, PoolLimits};

use super::{Bench, Bound, Figure, PAYLOAD};
use crate::Failure;
use crate::client::Client;
use crate::device::Way;
use crate::memory::resident;
use crate::work::Load;

/// Enough for the size of one to stand out.
const INSTANCES: usize = 500;

/// None where the system does not say what a process occupies.
pub(super) async fn figures(bench: &Bench) -> Result<Vec<Figure>, Failure> {
    let Some(at_first) = resident() else { return Ok(Vec::new()) };
    let each = |before: u64, count| resident().unwrap_or(before).saturating_sub(before) as f64 / 1024.0 / count as f64;

    let runtime = Runtime::new(&CompilationCache::System)?;
    let component = runtime.load(thingpost_artifacts::PUBLISHER.bytes)?;
    let device = bench.device();
    let transport = device.transport(&Pool::default());
    let mut idle = Vec::new();
    for _ in 0..INSTANCES {
        idle.push(component.builder(transport.clone(), &device.platform()).open().await?);
    }
    let instance = Figure {
        title: "memory of an instance before its first message".to_owned(),
        value: each(at_first, INSTANCES),
        unit: "KiB",
        bound: Some(Bound::AtMost(1024.0)),
    };

    // The first ones stay, so that none of their room is used again.
    let before = resident().unwrap_or(at_first);
    let runtime = Runtime::new(&CompilationCache::System)?;
    let component = runtime.load(thingpost_artifacts::PUBLISHER.bytes)?;
    let most = bench.most_devices();
    let pool = Pool::new(PoolLimits::default().connections(most).connections_per_workload(most));
    let mut clients = Vec::new();
    for number in 0..bench.most_devices() {
        clients.push(Client::reused(&component, &bench.cloud.device(Way::AwsCertificate, number), &pool).await?);
    }
    let mut all = Load::in_turn(clients, PAYLOAD);
    all.run(1).await?;
    let device = Figure {
        title: "memory of a device: identity, connection, instance that has published".to_owned(),
        value: each(before, bench.most_devices()),
        unit: "KiB",
        bound: None,
    };
    drop(idle);
    Ok(vec![instance, device])
}
