//! The command line: the component, the host library and the emulators put together.
//!
//! A user who types a wrong path at three in the morning should read one line that names it, not a backtrace: every
//! problem here ends as a [`CliError`](error::CliError), and every message as one of the exit codes.
//!
//! The shelves point one way: `commands` use all the others, and none of those knows a command. `args` is what can be typed; `device`,
//! `message` and `lines` are what is made of it; `component` puts a device into the sandbox; `files` keeps what outlives a run;
//! `output` says what became of it, on the streams of `terminal`.

mod args;
mod commands;
mod component;
mod device;
mod error;
mod exit;
mod files;
mod lines;
mod message;
mod output;
mod terminal;

use std::env;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Cli, lost_variable, usage};
use exit::Exit;

fn main() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(arguments) => {
            lost_variable::warn(&arguments.command);
            commands::run(arguments.command)
        }
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            // Nothing is left to be done where even that cannot be printed.
            let _ = error.print();
            Ok(Exit::Delivered)
        }
        // A command that is not complete yet: its help is the answer, but a script must not take it for success.
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Ok(Exit::Usage)
        }
        Err(error) => Err(usage::explain(error, env::args_os().skip(1))),
    };
    let exit = exit.unwrap_or_else(|error| {
        terminal::complain(format_args!("thingpost: {error}"));
        Exit::Usage
    });
    // A program that waits for a record that could not be written does not know what became of the message.
    let exit = if terminal::is_incomplete() { Exit::Unknown } else { exit };
    ExitCode::from(exit as u8)
}
