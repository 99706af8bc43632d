//! Our server, in a process of its own and with a configuration as `thingpost serve` has it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;
use thingpost_measure::Failure;
use thingpost_serve::{Config, Loader, Server};

use super::Contender;
use super::cloud::{NAME, SlowCloud};
use super::load::Child;

/// Starts it, with a way to the slow cloud if there is one.
pub fn start(
    name: &'static str,
    component: &Path,
    requests_per_instance: u64,
    cloud: Option<&SlowCloud>,
) -> Result<Contender, Failure> {
    let mut config = format!(
        "component = {component:?}\nlisten.http = \"127.0.0.1:0\"\nlimits.requests_per_instance = {requests_per_instance}\n"
    );
    if let Some(SlowCloud { tls, ca, .. }) = cloud {
        write!(config, "[[route]]\nendpoint = \"{NAME}\"\nconnect_to = \"{tls}\"\nca = {:?}\n", ca.path())?;
    }
    let file = NamedTempFile::new()?;
    std::fs::write(file.path(), config)?;
    let mut serve = Command::new(std::env::current_exe()?);
    let serve = serve.arg("serve").arg(file.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = Child(serve.spawn()?);
    let stdout = process.0.stdout.take().ok_or("the server has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.trim().parse().map_err(|_| "the server does not say where it listens")?;
    Ok(Contender { name, address, _process: process })
}

/// The process itself: serves until its standard input ends.
pub fn run(config: &str) -> Result<(), Failure> {
    let loaded = Loader::default().load(Config::read(Path::new(config))?)?;
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    tokio.block_on(async {
        let server = Server::start(loaded, None).await?;
        println!("{}", server.local_addr());
        tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])).await??;
        server.shutdown().await;
        Ok(())
    })
}
