//! All that is measured, and what each ratio should be.

mod devices;
mod functions;
mod memory;
mod mqtt;
mod peers;
mod publishing;
mod start;

use std::panic::resume_unwind;
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use thingpost_host::Pool;
use thingpost_host::runtime::{CompilationCache, PublisherPre, Runtime};

use crate::Failure;
use crate::affinity::leave_the_last_core;
use crate::client::Client;
use crate::cloud::Cloud;
use crate::device::{Device, Way};
use crate::limits::{connections, raise_open_files};
use crate::rounds::{Contender, Measured, Rounds, compare, compare_with_processor};
use crate::scratch::Scratch;
use crate::work::Load;

/// As many as the server is to know.
pub const DEVICES: usize = 1000;

/// How thoroughly to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    rounds: Rounds,
    /// How many devices at most.
    devices: usize,
}

impl Effort {
    /// Two minutes.
    pub const THOROUGH: Self =
        Self { rounds: Rounds { rounds: 21, turn: Duration::from_millis(80) }, devices: DEVICES };
    /// For a first look.
    pub const QUICK: Self = Self { rounds: Rounds { rounds: 5, turn: Duration::from_millis(20) }, devices: 100 };
}

/// A payload as sensors send it.
const PAYLOAD: usize = 200;

/// Several contenders for the same work, the first of which the others are compared with.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is done.
    pub title: String,
    /// The clients, each with the time that it took.
    pub measured: Vec<Measured>,
    /// What the ratio of the last should be.
    pub bound: Option<Bound>,
}

/// What a number should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// A number that is no ratio.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it is.
    pub title: String,
    /// How much of it.
    pub value: f64,
    /// In what unit.
    pub unit: &'static str,
    /// What it should be.
    pub bound: Option<Bound>,
}

/// Cases, or figures, that belong together.
#[derive(Clone, Debug)]
pub struct Section {
    /// What they have in common.
    pub title: &'static str,
    /// The cases.
    pub cases: Vec<Case>,
    /// The figures.
    pub figures: Vec<Figure>,
    /// What could not be measured, and why.
    pub missing: Vec<String>,
}

/// What all of them need.
struct Bench {
    effort: Effort,
    // Before the folder: fields are dropped in their order, and the broker has files in there.
    cloud: Cloud,
    folder: Arc<Scratch>,
    runtime: Runtime,
    component: PublisherPre,
}

impl Case {
    /// Whether the bound is kept, if there is one.
    pub fn holds(&self) -> Option<bool> {
        let last = self.measured.last()?;
        self.bound.map(|bound| bound.holds(last.ratio[1]))
    }
}

impl Figure {
    /// Whether the bound is kept, if there is one.
    pub fn holds(&self) -> Option<bool> {
        self.bound.map(|bound| bound.holds(self.value))
    }
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }
}

/// Measures everything, section by section. `server` is a program that calls [`server::run`](crate::server::run) with
/// [`DEVICES`].
pub fn run(mut server: Command, effort: Effort, mut done: impl FnMut(&Section)) -> Result<(), Failure> {
    raise_open_files();
    let folder = Arc::new(Scratch::new()?);
    // The broker's folder is in there, and so goes with it when all of this is interrupted.
    server.env("TMPDIR", folder.path());
    let cloud = Cloud::start(server)?;
    let runtime = Runtime::new(&CompilationCache::System)?;
    let component = runtime.load(thingpost_artifacts::PUBLISHER.bytes)?;
    let bench = Bench { effort, cloud, folder, runtime, component };
    let (sender, sections) = mpsc::channel();
    thread::scope(|scope| {
        // A thread of its own, so that the caller keeps its cores; with a name, by which it is seen from outside.
        let measuring = thread::Builder::new().name("measuring".to_owned()).spawn_scoped(scope, || {
            leave_the_last_core();
            let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            tokio.block_on(one_core(&bench, sender))
        })?;
        sections.iter().for_each(|section| done(&section));
        measuring.join().unwrap_or_else(|panic| resume_unwind(panic))
    })?;
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    done(&tokio.block_on(publishing::all_cores(&bench))?);
    Ok(())
}

async fn one_core(bench: &Bench, sections: mpsc::Sender<Section>) -> Result<(), Failure> {
    // First of all: later this process has room that it does not use.
    let memory = memory::figures(bench).await?;
    let done = |section| sections.send(section).expect("whoever wants to know is waiting");
    done(publishing::one_core(bench).await?);
    done(publishing::payloads(bench).await?);
    done(publishing::ways(bench).await?);
    done(functions::section(bench).await?);
    done(start::section(bench, memory).await?);
    done(devices::section(bench).await?);
    done(peers::section(bench).await?);
    done(mqtt::section(bench).await?);
    Ok(())
}

impl Bench {
    /// As many as are wanted and there is room for.
    fn most_devices(&self) -> usize {
        self.effort.devices.min(connections())
    }

    fn device(&self) -> Device {
        self.cloud.device(Way::AwsCertificate, 0)
    }

    /// With connections of their own, like everybody here.
    fn native(&self) -> Client {
        Client::native(&self.device(), &Pool::default())
    }

    async fn reused(&self) -> Result<Client, Failure> {
        Client::reused(&self.component, &self.device(), &Pool::default()).await
    }

    async fn case(
        &self,
        title: impl Into<String>,
        bound: Option<Bound>,
        contenders: Vec<Contender>,
    ) -> Result<Case, Failure> {
        Ok(Case { title: title.into(), measured: compare(self.effort.rounds, contenders).await?, bound })
    }

    /// A case of contenders that start a process for each turn, which takes long: a few rounds are enough.
    async fn case_with_a_process(
        &self,
        title: impl Into<String>,
        bound: Option<Bound>,
        contenders: Vec<Contender>,
    ) -> Result<Case, Failure> {
        let Rounds { rounds, turn } = self.effort.rounds;
        let rounds = Rounds { rounds: rounds.min(7), turn };
        Ok(Case { title: title.into(), measured: compare(rounds, contenders).await?, bound })
    }

    /// A case twice: by the time that passes, and by the time that this process keeps a processor busy, where the
    /// system tells that.
    async fn case_and_processor(
        &self,
        title: &str,
        bound: Option<Bound>,
        contenders: Vec<Contender>,
    ) -> Result<Vec<Case>, Failure> {
        let (time, busy) = compare_with_processor(self.effort.rounds, contenders).await?;
        let time = Case { title: title.to_owned(), measured: time, bound };
        let busy = busy.map(|measured| Case { title: format!("{title}, processor time"), measured, bound: None });
        Ok([time].into_iter().chain(busy).collect())
    }

    /// The core without WebAssembly against one instance of the component.
    async fn native_and_component(&self, title: &str, device: &Device, payload: usize) -> Result<Case, Failure> {
        let native = Load::one(Client::native(device, &Pool::default()), payload);
        let reused = Client::reused(&self.component, device, &Pool::default()).await?;
        let contenders =
            vec![Contender::new("native", native), Contender::new("component", Load::one(reused, payload))];
        self.case(title, None, contenders).await
    }
}

impl Section {
    fn new(title: &'static str) -> Self {
        Self { title, cases: Vec::new(), figures: Vec::new(), missing: Vec::new() }
    }
}
