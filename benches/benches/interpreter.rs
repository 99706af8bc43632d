//! What it costs where components are interpreted, because the machine forbids memory that is made executable.

use criterion::{Criterion, criterion_group, criterion_main};
use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, Message, Platform, Qos};
use thingpost_host::runtime::{CompilationCache, Runtime};
use thingpost_host::{Pool, RouteTable, Transport, WorkloadConfig};

fn interpreter(criterion: &mut Criterion) {
    let compiled = Runtime::new(&CompilationCache::System).expect("a runtime starts");
    let interpreted = Runtime::interpreted(&CompilationCache::System).expect("a runtime starts");
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let routes = RouteTable::new(Vec::new()).expect("no routes are no contradiction");
    let transport = Transport::new(Pool::default(), WorkloadConfig::new("bench", routes));
    let authentication = AwsAuthentication::Certificate;
    let platform = Platform::Aws(AwsConfig { endpoint: "iot.example".to_owned(), port: 8443, authentication });
    // There is no route, so a message comes back from the host: all of the component's work, and nothing of a network.
    let message = Message::new("sensors/kitchen/temperature", *b"21.5", Qos::AtMostOnce);
    for (name, runtime) in [("compiled", compiled), ("interpreted", interpreted)] {
        let component = runtime.load(thingpost_artifacts::PUBLISHER.bytes).expect("our own component compiles");
        let open = || {
            let open = component.builder(transport.clone(), &platform).open();
            tokio.block_on(open).expect("the configuration is constant and valid")
        };
        let mut group = criterion.benchmark_group(name);
        group.bench_function("start an instance and open a client", |bencher| bencher.iter(open));
        let mut publisher = open();
        group.bench_function("publish as far as the host", |bencher| {
            bencher.iter(|| tokio.block_on(publisher.publish(&message)).expect("the component does not trap"));
        });
        group.finish();
    }
}

criterion_group!(benches, interpreter);
criterion_main!(benches);
