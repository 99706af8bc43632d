//! `wasmtime serve`, in the version that the tests have.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;
use thingpost_measure::Failure;

use super::Contender;
use super::load::Child;

/// What lets it keep an instance for many requests.
pub const REUSED: [&str; 4] = ["--max-instance-reuse-count", "1000", "--idle-instance-timeout", "60s"];

/// Where `cargo xtask hosts` has put it.
pub fn program() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/hosts/bin/wasmtime");
    program.exists().then_some(program)
}

/// The component, as a file.
pub fn component() -> Result<NamedTempFile, Failure> {
    let mut file = NamedTempFile::new()?;
    file.write_all(thingpost_edge_artifacts::EDGE_MIN.bytes)?;
    Ok(file)
}

pub fn start(name: &'static str, program: &Path, component: &Path, options: &[&str]) -> Result<Contender, Failure> {
    // It says nothing that could be relied on about a port that it has chosen itself.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let mut serve = Command::new(program);
    serve.args(["serve", "--addr", &address.to_string()]).args(options).arg(component);
    let mut process = Child(serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?);
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        if process.0.try_wait()?.is_some() || begun.elapsed() > Duration::from_secs(60) {
            let said = process.0.stderr.take().map(|stderr| BufReader::new(stderr).lines().map_while(Result::ok));
            let said: Vec<String> = said.into_iter().flatten().collect();
            return Err(format!("wasmtime serve does not start: {}", said.join(" ")).into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    // What it goes on to say is of no use, and must not fill a pipe.
    if let Some(stderr) = process.0.stderr.take() {
        std::thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).for_each(drop));
    }
    Ok(Contender { name, address, _process: process })
}
