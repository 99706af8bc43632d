//! MQTT with 20 messages in flight, in calls of a thousand.

use std::process::Command;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thingpost::Qos;
use thingpost_host::runtime::{CompilationCache, Runtime};
use thingpost_measure::{Client, Cloud, Load, leave_the_last_core};

const BATCH: usize = 1000;
const PAYLOAD: usize = 200;

fn mqtt(criterion: &mut Criterion) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_thingpost-benches"));
    server.arg("server");
    let cloud = Cloud::start(server).expect("the server starts");
    leave_the_last_core();
    let device = match cloud.mqtt_device() {
        Ok(device) => device,
        Err(problem) => return eprintln!("MQTT is not measured: {problem}"),
    };
    let runtime = Runtime::new(&CompilationCache::System).expect("a runtime starts");
    let component = runtime.load_mqtt(thingpost_artifacts::MQTT.bytes).expect("our own component loads");
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");

    let native = tokio.block_on(Client::mqtt_native(&device, Qos::AtLeastOnce));
    let reused = tokio.block_on(Client::mqtt_component(&component, &device, Qos::AtLeastOnce));
    let mut group = criterion.benchmark_group("MQTT, 20 in flight");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (title, client) in [("native", native), ("component", reused)] {
        let mut load = Load::batches(client.expect("the broker admits its device"), BATCH, PAYLOAD);
        group.bench_function(title, |bencher| {
            bencher.iter_custom(|times| {
                let times = u32::try_from(times).unwrap_or(u32::MAX);
                tokio.block_on(load.run(times)).expect("the broker takes every message").total
            });
        });
    }
    group.finish();
}

criterion_group!(benches, mqtt);
criterion_main!(benches);
