//! The command line: the component, the host library and the emulators put together.
//!
//! Whoever types a wrong path at three in the morning should read one line that names it, not a backtrace: every
//! problem here ends as a [`Problem`], and every message as one of the exit codes.

mod arguments;
mod bench;
mod closed_output;
mod clouds;
mod demo;
mod device;
mod doctor;
mod emulate;
mod failed;
mod first_line;
mod input;
mod input_file;
mod interrupt;
mod keys;
mod lines;
mod lock;
mod long_line;
mod lost_variable;
mod message;
mod mqtt;
mod names;
mod numbers;
mod operation;
mod outage;
mod patient;
mod payload;
mod private_file;
mod problem;
mod property_value;
mod provisioning;
mod publish;
mod report;
mod say;
mod secret_file;
mod session_file;
mod source;
mod starter;
mod still_trying;
mod summary;
mod tally;
mod terminal;
mod thing_model;

use std::env;
use std::fs::File;
use std::io;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use arguments::{Arguments, Command, PublishCommand};
use problem::Problem;

/// How a run ends. The numbers are documented in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Delivered = 0,
    Refused = 1,
    Usage = 2,
    NotSent = 3,
    Unknown = 4,
}

fn main() -> ExitCode {
    let exit = match Arguments::try_parse() {
        Ok(arguments) => {
            lost_variable::look_at(&arguments.command);
            dispatch(arguments.command)
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
        Err(error) => Err(Problem::of_words(error, env::args_os().skip(1))),
    };
    let exit = exit.unwrap_or_else(|problem| {
        terminal::complain(format_args!("thingpost: {problem}"));
        Exit::Usage
    });
    // Whoever waits for a record that could not be written does not know what became of the message.
    let exit = if terminal::is_incomplete() { Exit::Unknown } else { exit };
    ExitCode::from(exit as u8)
}

/// Whether files and sockets enough may be open to begin with. The runtime panics where they are not.
fn has_descriptors() -> io::Result<()> {
    const FOR_THE_RUNTIME: usize = 6;
    let open = || if cfg!(unix) { File::open("/dev/null").map(Some) } else { Ok(None) };
    let files: io::Result<Vec<_>> = (0..FOR_THE_RUNTIME).map(|_| open()).collect();
    match files {
        // Where there is no such file, that says nothing.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn dispatch(command: Command) -> Result<Exit, Problem> {
    if let Command::Bench(arguments) = &command {
        return bench::run(arguments);
    }
    if let Command::BenchServer = command {
        return bench::serve();
    }
    has_descriptors().map_err(|error| {
        Problem::new("cannot start", format!("{error}; raise the limit of open files (`ulimit -n`)"))
    })?;
    // One thread: an instance of the component uses no more than one, and to hand its connections to others makes a
    // message that is alone a third slower.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new("cannot start", error))?;
    let exit = runtime.block_on(async {
        match command {
            Command::Publish(PublishCommand::Aws(arguments)) => {
                let device = device::aws(&arguments.device)?;
                let message = message::aws(&arguments);
                publish::run(device, &arguments.device.reach, message, &arguments.source, &arguments.publish).await
            }
            Command::Publish(PublishCommand::Aliyun(arguments)) => {
                let device = device::aliyun(&arguments.device)?;
                publish::aliyun(device, &arguments).await
            }
            Command::Register(command) => provisioning::register(&command).await,
            Command::Bootstrap(command) => provisioning::bootstrap(&command).await,
            Command::MqttCredentials(command) => provisioning::mqtt_credentials(&command).await,
            Command::Mqtt(command) => mqtt::run(&command).await,
            Command::Shadow(command) => operation::shadow(&command).await,
            Command::Retained(command) => operation::retained(&command).await,
            Command::Direct(command) => operation::direct(&command).await,
            Command::Connection(command) => operation::connection(&command).await,
            Command::Doctor(command) => doctor::run(&command).await,
            Command::Emulate(arguments) => emulate::run(&arguments).await,
            Command::Demo => demo::run().await,
            Command::Bench(_) | Command::BenchServer => unreachable!("they start runtimes of their own, see above"),
        }
    });
    // To drop it would be to wait for every thread of it, and nothing ends a name lookup that gets no answer.
    runtime.shutdown_background();
    exit
}
