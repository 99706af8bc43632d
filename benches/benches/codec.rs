//! The pure functions, in the component and without one.

use criterion::{Criterion, criterion_group, criterion_main};
use thingpost_measure::Codec;

fn codec(criterion: &mut Criterion) {
    for Codec { name, mut native, mut component } in Codec::all() {
        let mut group = criterion.benchmark_group(name);
        group.bench_function("native", |bencher| bencher.iter(&mut native));
        group.bench_function("component", |bencher| bencher.iter(&mut component));
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
