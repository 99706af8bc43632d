//! From a file to a client that could publish.

use criterion::{Criterion, criterion_group, criterion_main};
use tempfile::NamedTempFile;
use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, Platform};
use thingpost_host::runtime::{CompilationCache, Runtime};
use thingpost_host::{Pool, RouteTable, Transport, WorkloadConfig};

fn start(criterion: &mut Criterion) {
    let runtime = Runtime::new(&CompilationCache::System).expect("a runtime starts");
    let compiled = runtime.precompile(thingpost_artifacts::PUBLISHER.bytes).expect("our own component compiles");
    let file = NamedTempFile::new().expect("there is room for a file of half a megabyte");
    std::fs::write(file.path(), compiled).expect("there is room for a file of half a megabyte");
    // SAFETY: the file comes from `precompile` and only this user can write to it.
    let load = || unsafe { runtime.load_precompiled(file.path()) }.expect("the same runtime has made it");
    criterion.bench_function("load the precompiled component", |bencher| bencher.iter(load));

    let component = load();
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let routes = RouteTable::new(Vec::new()).expect("no routes are no contradiction");
    let workload = WorkloadConfig::new("bench", routes);
    let transport = Transport::new(Pool::default(), workload);
    let authentication = AwsAuthentication::Certificate;
    let platform = Platform::Aws(AwsConfig { endpoint: "iot.example".to_owned(), port: 8443, authentication });
    criterion.bench_function("start an instance, open a client and end both", |bencher| {
        bencher.iter(|| {
            let open = component.builder(transport.clone(), &platform).open();
            tokio.block_on(open).expect("the configuration is constant and valid")
        });
    });
}

criterion_group!(benches, start);
criterion_main!(benches);
