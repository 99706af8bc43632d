//! Against what people use today. None of it has more than one message under way at a time; the component has, so its
//! throughput is that of a batch.

use super::publishing::BATCH;
use super::{Bench, Bound, Case, PAYLOAD, Section};
use crate::Failure;
use crate::peer::Peer;
use crate::rounds::Contender;
use crate::work::{Load, Work};

pub(super) async fn section(bench: &Bench) -> Result<Section, Failure> {
    let mut section = Section::new("What people use today, against one instance of the component and its connections");
    for (name, peer) in Peer::all(bench.cloud.greeting(), &bench.folder)? {
        match measure(bench, name, peer).await {
            Ok(case) => section.cases.push(case),
            Err(error) => section.missing.push(format!("{name} ({error})")),
        }
    }
    Ok(section)
}

async fn measure(bench: &Bench, name: &str, peer: Result<Peer, Failure>) -> Result<Case, Failure> {
    let contenders = vec![
        Contender::new("component, publish-all of 1,000", Load::batches(bench.reused().await?, BATCH, PAYLOAD)),
        Contender::new("component, one in flight", Load::one(bench.reused().await?, PAYLOAD)),
        Contender::new(name, Work::Peer(peer?)),
    ];
    let bound = Bound::AtLeast(if name.contains("kept") { 2.0 } else { 20.0 });
    bench.case_with_a_process(name, Some(bound), contenders).await
}
