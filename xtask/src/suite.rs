//! All tests, whatever fails: who runs them on a slow machine wants to know everything that is wrong there, and not to
//! start anew after each failure.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::process::{Command, ExitStatus};

use crate::verdicts::Verdicts;

/// Runs them, passes on what they say while they say it, and says at the end what failed.
///
/// `cargo` is the program with what belongs before its subcommand.
pub fn run(mut cargo: Command, arguments: &[OsString]) -> Result<ExitStatus, String> {
    cargo.args(["test", "--workspace"]);
    let of_cargo = arguments.iter().take_while(|argument| *argument != "--");
    if !of_cargo.clone().any(|argument| argument == "--no-fail-fast") {
        cargo.arg("--no-fail-fast");
    }
    cargo.args(arguments);
    if io::stdout().is_terminal() && std::env::var_os("CARGO_TERM_COLOR").is_none() {
        cargo.env("CARGO_TERM_COLOR", "always");
    }
    run_and_read(cargo).map_err(|error| format!("cannot run the tests: {error}"))
}

fn run_and_read(mut cargo: Command) -> io::Result<ExitStatus> {
    // One pipe for both: which program runs stands on standard error, and what it says on standard output.
    let (mut output, stdout) = io::pipe()?;
    let stderr = stdout.try_clone()?;
    let mut child = cargo.stdout(stdout).stderr(stderr).spawn()?;
    // It holds the other end, and what is read here would never end.
    drop(cargo);

    let mut verdicts = Verdicts::default();
    let mut buffer = [0; 4096];
    while let count @ 1.. = output.read(&mut buffer)? {
        verdicts.read(&buffer[..count]);
        // The reader may be gone, and the tests have to come to their end all the same.
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(&buffer[..count]).and_then(|()| stdout.flush());
    }
    let status = child.wait()?;
    let _ = writeln!(io::stdout(), "\n{verdicts}");
    Ok(status)
}
