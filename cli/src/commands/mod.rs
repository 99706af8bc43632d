//! A verb and what it does: each has a file or a folder here. They share one runtime, and none of them may fail in it for want of
//! something that could have been seen before.

#[cfg(feature = "bench")]
mod bench;
mod doctor;
#[cfg(feature = "emulator")]
mod emulator;
mod mqtt;
mod operation;
mod provisioning;
mod publish;
#[cfg(feature = "serve")]
mod serve;

use std::fs::File;
use std::io;

use crate::args::{Command, PublishCommand};
use crate::device::reload::DeviceSource;
use crate::error::CliError;
use crate::exit::Exit;
use crate::{device, message};

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

/// Carries out a command, in a runtime of one thread unless it starts its own.
pub fn run(command: Command) -> Result<Exit, CliError> {
    #[cfg(feature = "bench")]
    if let Command::Bench(arguments) = &command {
        return bench::run(arguments);
    }
    #[cfg(feature = "bench")]
    if let Command::BenchServer = command {
        return bench::serve();
    }
    has_descriptors().map_err(|error| {
        CliError::new("cannot start", format!("{error}; raise the limit of open files (`ulimit -n`)"))
    })?;
    #[cfg(feature = "serve")]
    if let Command::Serve(arguments) = &command {
        return serve::run(arguments);
    }
    // One thread: an instance of the component uses no more than one, and to hand its connections to others makes a
    // message that is alone a third slower.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::new("cannot start", error))?;
    let exit = runtime.block_on(async {
        match command {
            Command::Publish(PublishCommand::Aws(arguments)) => {
                let make = || device::aws(&arguments.device);
                let device = DeviceSource { files: device::aws_files(&arguments.device), make: &make };
                let message = message::aws(&arguments);
                publish::run(device, &arguments.device.network, message, &arguments.source, &arguments.publish).await
            }
            Command::Publish(PublishCommand::Aliyun(arguments)) => {
                let make = || device::aliyun(&arguments.device);
                let device = DeviceSource { files: device::aliyun_files(&arguments.device), make: &make };
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
            #[cfg(feature = "emulator")]
            Command::Emulate(arguments) => emulator::emulate::run(&arguments).await,
            #[cfg(feature = "emulator")]
            Command::Demo => emulator::demo::run().await,
            #[cfg(feature = "serve")]
            Command::Serve(_) => unreachable!("it starts a runtime of its own, see above"),
            #[cfg(feature = "bench")]
            Command::Bench(_) | Command::BenchServer => unreachable!("they start runtimes of their own, see above"),
        }
    });
    // To drop it would be to wait for every thread of it, and nothing ends a name lookup that gets no answer.
    runtime.shutdown_background();
    exit
}
