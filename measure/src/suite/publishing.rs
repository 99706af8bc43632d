//! What a publish costs, one at a time and many at once.

use thingpost_host::{Pool, PoolLimits};

use super::{Bench, Bound, Case, PAYLOAD, Section};
use crate::Failure;
use crate::client::Client;
use crate::device::Way;
use crate::rounds::Contender;
use crate::work::Load;

const IN_FLIGHT: usize = 32;
pub(super) const BATCH: usize = 1000;

/// Three quarters of the throughput.
pub(super) const THROUGHPUT: Bound = Bound::AtMost(1.0 / 0.75);

pub(super) async fn one_core(bench: &Bench) -> Result<Section, Failure> {
    let mut section = Section::new("A publish: 200 bytes, AWS with a client certificate, one core");
    section.cases = many_at_once(bench).await?;
    section.cases.push(instance_per_message(bench).await?);
    section.cases.push(connection_per_message(bench).await?);
    Ok(section)
}

/// Publishing on a runtime that moves work between cores.
pub(super) async fn all_cores(bench: &Bench) -> Result<Section, Failure> {
    let mut section = Section::new("The same on a work-stealing runtime, which shares the cores with the server");
    section.cases = many_at_once(bench).await?;
    Ok(section)
}

async fn many_at_once(bench: &Bench) -> Result<Vec<Case>, Failure> {
    let one = vec![
        Contender::new("native", Load::one(bench.native(), PAYLOAD)),
        Contender::new("component", Load::one(bench.reused().await?, PAYLOAD)),
    ];
    let batch = vec![
        Contender::new("native", Load::batches(bench.native(), BATCH, PAYLOAD)),
        Contender::new("component", Load::batches(bench.reused().await?, BATCH, PAYLOAD)),
    ];
    Ok(vec![
        bench.case("one in flight", Some(Bound::AtMost(1.4)), one).await?,
        bench.case("32 in flight", Some(THROUGHPUT), in_flight(bench).await?).await?,
        bench.case("publish-all of 1,000", Some(THROUGHPUT), batch).await?,
    ])
}

/// As many publishers as messages in flight, and one pool.
async fn in_flight(bench: &Bench) -> Result<Vec<Contender>, Failure> {
    let device = bench.device();
    let pool = Pool::default();
    let native = (0..IN_FLIGHT).map(|_| Client::native(&device, &pool)).collect();
    let pool = Pool::default();
    let mut reused = Vec::new();
    for _ in 0..IN_FLIGHT {
        reused.push(Client::reused(&bench.component, &device, &pool).await?);
    }
    Ok(vec![
        Contender::new("native", Load::side_by_side(native, PAYLOAD)),
        Contender::new("component", Load::side_by_side(reused, PAYLOAD)),
    ])
}

async fn instance_per_message(bench: &Bench) -> Result<Case, Failure> {
    let fresh = Client::fresh(&bench.component, &bench.device(), &Pool::default());
    let contenders = vec![
        Contender::new("one instance", Load::one(bench.reused().await?, PAYLOAD)),
        Contender::new("an instance per message", Load::one(fresh, PAYLOAD)),
    ];
    bench.case("an instance per message", Some(Bound::AtMost(1.25)), contenders).await
}

/// What wasmtime's own transport does.
async fn connection_per_message(bench: &Bench) -> Result<Case, Failure> {
    let keeps_none = || Pool::new(PoolLimits::default().idle_per_key(0));
    let device = bench.device();
    let native = Client::native(&device, &keeps_none());
    let reused = Client::reused(&bench.component, &device, &keeps_none()).await?;
    let contenders = vec![
        Contender::new("component, connection kept", Load::one(bench.reused().await?, PAYLOAD)),
        Contender::new("native, a connection per message", Load::one(native, PAYLOAD)),
        Contender::new("component, a connection per message", Load::one(reused, PAYLOAD)),
    ];
    bench.case("a connection per message", None, contenders).await
}

pub(super) async fn payloads(bench: &Bench) -> Result<Section, Failure> {
    let mut section = Section::new("Payloads: one in flight, AWS with a client certificate");
    for (title, bytes) in [("0 B", 0), ("200 B", 200), ("4 KB", 4096), ("128 KB", 128 * 1024)] {
        section.cases.push(bench.native_and_component(title, &bench.device(), bytes).await?);
    }
    Ok(section)
}

pub(super) async fn ways(bench: &Bench) -> Result<Section, Failure> {
    let mut section = Section::new("Ways to authenticate: one in flight, 200 bytes");
    for (title, way) in [
        ("AWS, client certificate", Way::AwsCertificate),
        ("AWS, SigV4", Way::AwsSigV4),
        ("Aliyun, token", Way::Aliyun),
    ] {
        section.cases.push(bench.native_and_component(title, &bench.cloud.device(way, 0), PAYLOAD).await?);
    }
    Ok(section)
}
