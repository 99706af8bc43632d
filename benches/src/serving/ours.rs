//! Our server, in a process of its own: the front and the guests that `thingpost serve` has.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use thingpost_host::runtime::{CompilationCache, Runtime};
use thingpost_host::{Pool, Route, RouteTable, Transport, TrustRoots, WorkloadConfig};
use thingpost_measure::Failure;
use thingpost_serve::{Front, GuestSettings, Guests, StopHandle, Workload};

use super::Contender;
use super::cloud::{NAME, SlowCloud};
use super::load::Child;

/// Starts it, with a way to the slow cloud if there is one.
pub fn start(name: &'static str, requests_per_instance: u64, cloud: Option<&SlowCloud>) -> Result<Contender, Failure> {
    let mut serve = Command::new(std::env::current_exe()?);
    serve.args(["serve", &requests_per_instance.to_string()]);
    if let Some(cloud) = cloud {
        serve.arg(cloud.tls.to_string()).arg(cloud.ca.path());
    }
    let mut process = Child(serve.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?);
    let stdout = process.0.stdout.take().ok_or("the server has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.trim().parse().map_err(|_| "the server does not say where it listens")?;
    Ok(Contender { name, address, _process: process })
}

/// The process itself: serves until its standard input ends.
pub fn run(requests_per_instance: &str, cloud: Option<(&str, &str)>) -> Result<(), Failure> {
    let settings = GuestSettings { requests_per_instance: requests_per_instance.parse()?, ..GuestSettings::default() };
    let runtime = Runtime::for_handlers(&CompilationCache::System, settings.instances.try_into()?)?;
    let linker = runtime.handler_linker::<()>()?;
    let component = runtime.load_handler(thingpost_edge_artifacts::EDGE_MIN.bytes, &linker)?;
    let mut workload = WorkloadConfig::new("bench", RouteTable::new(Vec::new())?);
    if let Some((address, ca)) = cloud {
        let route = Route::new(NAME, TrustRoots::from_pem_file(Path::new(ca))?);
        workload = WorkloadConfig::new("bench", RouteTable::new(vec![route])?)
            .connect_to([format!("{NAME}:443:{address}").parse()?]);
    }
    let transport = Transport::new(Pool::default(), workload);
    let guests = Guests::new(Workload { component, transport, data: Arc::new(|| ()) }, settings);
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    tokio.block_on(async {
        let front = Front::bind("127.0.0.1:0".parse()?).await?;
        println!("{}", front.local_addr()?);
        let (stop, asked) = StopHandle::new();
        std::thread::spawn(move || {
            let _ = std::io::stdin().read(&mut [0]);
            stop.stop();
        });
        front.serve(Arc::new(guests), asked).await;
        Ok(())
    })
}
