//! `thingpost bench`: what the sandbox costs on the user's machine.

use std::env;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::process::Command;

use thingpost_measure::suite::Effort;
use thingpost_measure::{CAVEAT, report, server, suite};

use crate::args::BenchArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::terminal::{complain, print};

/// Measures, prints each section when it is done, and writes the page at the end.
pub fn run(arguments: &BenchArgs) -> Result<Exit, CliError> {
    if let Some(file) = &arguments.html {
        check_writable(file).map_err(|why| cannot_write(file, why))?;
    }
    if let Some(caveat) = CAVEAT {
        complain(format_args!("thingpost: {caveat}"));
    }
    let mut server = Command::new(env::current_exe().map_err(|error| CliError::new("cannot find myself", error))?);
    server.arg("bench-server");
    let effort = if arguments.quick { Effort::QUICK } else { Effort::THOROUGH };
    let mut sections = Vec::new();
    let measured = suite::run(server, effort, |section| {
        print(report::text(section));
        sections.push(section.clone());
    });
    measured.map_err(|error| CliError::new("cannot measure", error))?;
    if let Some(file) = &arguments.html {
        fs::write(file, report::html(&sections)).map_err(|why| cannot_write(file, why))?;
    }
    Ok(Exit::Delivered)
}

/// The other side. Ends with its standard input.
pub fn serve() -> Result<Exit, CliError> {
    server::run(suite::DEVICES).map_err(|error| CliError::new("the server for the benchmarks cannot start", error))?;
    Ok(Exit::Delivered)
}

/// Now, and not when two minutes have been spent. Leaves things as they were.
fn check_writable(file: &Path) -> io::Result<()> {
    let is_new = !file.try_exists()?;
    OpenOptions::new().write(true).create(true).truncate(false).open(file)?;
    if is_new { fs::remove_file(file) } else { Ok(()) }
}

fn cannot_write(file: &Path, why: impl std::fmt::Display) -> CliError {
    CliError::new(format!("cannot write --html {}", file.display()), why)
}
