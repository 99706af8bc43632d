//! Against what people use today.

use super::{Bench, Bound, Case, PAYLOAD, Section};
use crate::peer::Peer;
use crate::rounds::{Contender, Rounds, compare};
use crate::work::{Load, Work};

pub(super) async fn section(bench: &Bench) -> Section {
    let mut section =
        Section::new("What people use today, against the component with one instance and its connection kept");
    for (name, peer) in Peer::all(bench.cloud.greeting()).expect("there is room for four small files") {
        let Some(peer) = peer else {
            section.missing.push(name);
            continue;
        };
        let contenders = vec![
            Contender::new("component", Load::one(bench.reused().await, PAYLOAD)),
            Contender::new(name, Work::Peer(peer)),
        ];
        let bound = Bound::AtLeast(if name.contains("kept") { 2.0 } else { 20.0 });
        // A process takes long to start, so a few rounds are enough.
        let Rounds { rounds, turn } = bench.effort.rounds;
        let rounds = Rounds { rounds: rounds.min(7), turn: turn * 2 };
        section.cases.push(Case {
            title: name.to_owned(),
            measured: compare(rounds, contenders).await,
            bound: Some(bound),
        });
    }
    section
}
