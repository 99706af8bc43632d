//! Measures everything and writes docs/performance.md: the tables between the marks, and the picture beside it.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use thingpost_benches::suite::{DEVICES, Section};
use thingpost_benches::{Rounds, report, server, suite};

const BEGIN: &str = "<!-- measured: written by `cargo xtask bench` -->\n";
const END: &str = "<!-- end of what was measured -->";

fn main() -> ExitCode {
    let done = match env::args().nth(1).as_deref() {
        Some("server") => server::run(DEVICES).map_err(Into::into),
        _ => measure(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the benchmarks end here: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Box<dyn Error>> {
    let mut program = Command::new(env::current_exe()?);
    program.arg("server");
    let rounds = Rounds { rounds: 21, turn: Duration::from_millis(80) };
    let mut sections: Vec<Section> = Vec::new();
    suite::run(program, rounds, |section| {
        println!("{}", report::text(section));
        sections.push(section.clone());
    })?;

    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let page = fs::read_to_string(docs.join("performance.md"))?;
    let (before, rest) = page.split_once(BEGIN).ok_or("docs/performance.md has no place for the tables")?;
    let (_, after) = rest.split_once(END).ok_or("docs/performance.md has no end of the tables")?;
    let tables: String = sections.iter().map(report::markdown).collect();
    fs::write(docs.join("performance.md"), format!("{before}{BEGIN}\n{tables}{END}{after}"))?;
    fs::write(docs.join("performance.svg"), report::svg(&sections))?;
    Ok(())
}
