//! The pure functions, for hosts that have an HTTP client of their own.

use super::{Bench, Bound, Section};
use crate::Failure;
use crate::codec::Codec;
use crate::rounds::Contender;
use crate::work::Work;

pub(super) async fn section(bench: &Bench) -> Result<Section, Failure> {
    let mut section = Section::new("Pure functions, called from the host");
    for Codec { name, native, component } in Codec::all() {
        let contenders = vec![
            Contender::new("native", Work::Function(native)),
            Contender::new("component", Work::Function(component)),
        ];
        section.cases.push(bench.case(name, Some(Bound::AtMost(2.0)), contenders).await?);
    }
    Ok(section)
}
