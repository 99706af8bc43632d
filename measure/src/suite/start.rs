//! What it takes until there is an instance.

use std::path::Path;
use std::time::{Duration, Instant};

use thingpost_host::Pool;
use thingpost_host::runtime::{CompilationCache, PublisherPre, Runtime};

use super::{Bench, Bound, Figure, PAYLOAD, Section};
use crate::Failure;
use crate::client::Client;

pub(super) async fn section(bench: &Bench, memory: Vec<Figure>) -> Result<Section, Failure> {
    let mut section = Section::new("Start and memory");
    let mut figure = |title: &str, value: f64, unit, bound| {
        section.figures.push(Figure { title: title.to_owned(), value, unit, bound });
    };
    let times = bench.effort.rounds.rounds * 4;

    let precompiled = bench.folder.path().join("publisher.cwasm");
    std::fs::write(&precompiled, bench.runtime.precompile(thingpost_artifacts::PUBLISHER.bytes)?)?;
    let loading = median(times, async || load(&bench.runtime, &precompiled).map(drop)).await?;
    figure("load the precompiled component", milliseconds(loading), "ms", Some(Bound::AtMost(1.0)));
    let starting = median(times, async || Ok(Runtime::new(&CompilationCache::Off).map(drop)?)).await?;
    figure("make a runtime", milliseconds(starting), "ms", None);

    let device = bench.device();
    let (transport, platform) = (device.transport(&Pool::default()), device.platform());
    let opening = median(times * 20, async || {
        let opened = bench.component.builder(transport.clone(), &platform).open().await;
        Ok(opened.map(drop)?)
    });
    let bound = Some(Bound::AtMost(30.0));
    figure("start an instance, open a client and end both", opening.await?.as_secs_f64() * 1e6, "µs", bound);

    // The connection is new for both, runtime and component for the second.
    let native = median(times, async || Client::native(&device, &Pool::default()).publish(1, PAYLOAD).await);
    figure("first message, native", milliseconds(native.await?), "ms", None);
    let component = median(times, async || {
        let runtime = Runtime::new(&CompilationCache::Off)?;
        let component = load(&runtime, &precompiled)?;
        Client::fresh(&component, &device, &Pool::default()).publish(1, PAYLOAD).await
    });
    let component = milliseconds(component.await?);
    figure("first message, component, from the precompiled file on", component, "ms", None);
    section.figures.extend(memory);
    Ok(section)
}

#[expect(unsafe_code, reason = "the file is our own")]
fn load(runtime: &Runtime, file: &Path) -> Result<PublisherPre, Failure> {
    // SAFETY: the file comes from `precompile` and stands in a folder that only this user can write to.
    Ok(unsafe { runtime.load_precompiled(file) }?)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

async fn median(times: usize, mut function: impl AsyncFnMut() -> Result<(), Failure>) -> Result<Duration, Failure> {
    let mut taken = Vec::new();
    for _ in 0..times {
        let begin = Instant::now();
        function().await?;
        taken.push(begin.elapsed());
    }
    taken.sort();
    Ok(taken[taken.len() / 2])
}
