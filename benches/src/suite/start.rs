//! What it takes until there is an instance, and what it occupies.

use std::time::{Duration, Instant};

use tempfile::NamedTempFile;
use thingpost_host::Pool;
use thingpost_host::runtime::{CompilationCache, DEFAULT_OPTIONS, Publisher, PublisherPre, Runtime};

use super::{Bench, Bound, Figure, Section};
use crate::client::Client;
use crate::memory::resident;

/// Enough for the size of one to stand out.
const IDLE_INSTANCES: usize = 500;

pub(super) async fn section(bench: &Bench) -> Section {
    let mut section = Section::new("Start and memory");
    let mut figure = |title: &str, value: f64, unit, bound| {
        section.figures.push(Figure { title: title.to_owned(), value, unit, bound });
    };
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;

    let precompiled = precompiled(&bench.runtime);
    let loading = median(bench, || drop(load(&bench.runtime, &precompiled)));
    figure("load the precompiled component", milliseconds(loading), "ms", Some(Bound::AtMost(1.0)));
    let starting = median(bench, || drop(Runtime::new(&CompilationCache::Off).expect("it has started before")));
    figure("make a runtime", milliseconds(starting), "ms", None);

    let device = bench.device();
    let transport = device.transport(&Pool::default());
    let open = || async {
        let opened = bench.component.open(transport.clone(), &device.platform(), &DEFAULT_OPTIONS, None).await;
        opened.expect("the configuration is constant and valid")
    };
    figure(
        "start an instance, open a client and end both",
        start(open).await.as_secs_f64() * 1e6,
        "µs",
        Some(Bound::AtMost(30.0)),
    );

    let before = resident();
    let mut idle: Vec<Publisher> = Vec::new();
    for _ in 0..IDLE_INSTANCES {
        idle.push(open().await);
    }
    if let (Some(before), Some(after)) = (before, resident()) {
        let each = after.saturating_sub(before) as f64 / IDLE_INSTANCES as f64;
        figure("memory of an idle instance", each / 1024.0, "KiB", Some(Bound::AtMost(1024.0)));
    }
    drop(idle);

    // The connection is new for both, the runtime and the component for the second.
    let first = |begin: Instant| milliseconds(begin.elapsed());
    let begin = Instant::now();
    bench.native().publish(1, super::PAYLOAD).await;
    figure("first message, native", first(begin), "ms", None);
    let begin = Instant::now();
    let runtime = Runtime::new(&CompilationCache::Off).expect("it has started before");
    let component = load(&runtime, &precompiled);
    Client::fresh(&component, &device, &Pool::default()).publish(1, super::PAYLOAD).await;
    figure("first message, component, from the precompiled file on", first(begin), "ms", None);
    section
}

fn precompiled(runtime: &Runtime) -> NamedTempFile {
    let file = NamedTempFile::new().expect("there is room for a file of half a megabyte");
    let compiled = runtime.precompile(thingpost_artifacts::PUBLISHER.bytes).expect("our own component compiles");
    std::fs::write(file.path(), compiled).expect("there is room for a file of half a megabyte");
    file
}

#[expect(unsafe_code, reason = "the file is our own")]
fn load(runtime: &Runtime, file: &NamedTempFile) -> PublisherPre {
    // SAFETY: the file comes from `precompile` and only this user can write to it.
    unsafe { runtime.load_precompiled(file.path()) }.expect("the same runtime has made it")
}

fn median(bench: &Bench, mut function: impl FnMut()) -> Duration {
    let mut taken: Vec<Duration> = (0..bench.effort.rounds.rounds * 4)
        .map(|_| {
            let begin = Instant::now();
            function();
            begin.elapsed()
        })
        .collect();
    taken.sort();
    taken[taken.len() / 2]
}

async fn start(open: impl AsyncFn() -> Publisher) -> Duration {
    const TIMES: u32 = 1000;
    let begin = Instant::now();
    for _ in 0..TIMES {
        drop(open().await);
    }
    begin.elapsed() / TIMES
}
