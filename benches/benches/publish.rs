//! One message at a time, and a thousand in one call.

use std::process::Command;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thingpost_host::Pool;
use thingpost_host::runtime::{CompilationCache, Runtime};
use thingpost_host::wasmtime::{Config, Engine};
use thingpost_measure::{Client, Cloud, Load, Way, leave_the_last_core};

const BATCH: usize = 1000;
const PAYLOAD: usize = 200;
const TAKEN: &str = "the server takes every message";

fn publish(criterion: &mut Criterion) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_thingpost-benches"));
    server.arg("server");
    let cloud = Cloud::start(server).expect("the server starts");
    leave_the_last_core();
    let device = cloud.device(Way::AwsCertificate, 0);
    let runtime = Runtime::new(&CompilationCache::System).expect("a runtime starts");
    let component = runtime.load(thingpost_artifacts::PUBLISHER.bytes).expect("our own component loads");
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let reused = || {
        let client = tokio.block_on(Client::reused(&component, &device, &Pool::default()));
        client.expect("the configuration is constant and valid")
    };

    // What it costs that a guest can be interrupted: the same, without an epoch to look at.
    let uninterrupted = Engine::new(&Config::new()).and_then(Runtime::with_engine).expect("a runtime starts");
    let uninterrupted = uninterrupted.load(thingpost_artifacts::PUBLISHER.bytes).expect("our own component loads");
    let uninterrupted = tokio.block_on(Client::reused(&uninterrupted, &device, &Pool::default()));

    let mut group = criterion.benchmark_group("publish");
    for (title, client) in [
        ("native", Client::native(&device, &Pool::default())),
        ("component", reused()),
        ("component that cannot be interrupted", uninterrupted.expect("the configuration is constant and valid")),
        ("an instance per message", Client::fresh(&component, &device, &Pool::default())),
    ] {
        let mut load = Load::one(client, PAYLOAD);
        group.bench_function(title, |bencher| {
            bencher.iter_custom(|times| {
                let times = u32::try_from(times).unwrap_or(u32::MAX);
                tokio.block_on(load.run(times)).expect(TAKEN).total
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("publish-all of 1,000");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (title, client) in [("native", Client::native(&device, &Pool::default())), ("component", reused())] {
        let mut load = Load::batches(client, BATCH, PAYLOAD);
        group.bench_function(title, |bencher| {
            bencher.iter_custom(|times| {
                let times = u32::try_from(times).unwrap_or(u32::MAX);
                tokio.block_on(load.run(times)).expect(TAKEN).total
            });
        });
    }
    group.finish();
}

criterion_group!(benches, publish);
criterion_main!(benches);
