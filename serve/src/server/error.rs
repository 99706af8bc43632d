//! Why a server does not start, or does not take up what is new.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thingpost_host::runtime::LoadHandlerError;

use crate::config::ConfigError;
use crate::front::ClientRootsError;
use crate::store::StoreError;
use crate::telemetry::MetricsError;

/// The reason why a server does not start, or goes on as it was. It shows in one line, without secrets.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration, or something that it names, cannot be used.
    Config(ConfigError),
    /// No component is named, and none is built in.
    NoComponent,
    /// wasmtime cannot be set up on this machine.
    Runtime(wasmtime::Error),
    /// The component cannot be served.
    Component {
        /// Its file. None: the one that is built in.
        file: Option<PathBuf>,
        /// Why.
        error: LoadHandlerError,
    },
    /// The store cannot be opened.
    Store(StoreError),
    /// No client could get in.
    ClientRoots(ClientRootsError),
    /// Nothing can be counted.
    Metrics(MetricsError),
    /// An address cannot be listened on.
    Listen {
        /// The key of the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// What is new keeps no stranger out, and the address that is listened on until a restart is open to them.
    OpenUntilRestart {
        /// The address.
        address: SocketAddr,
    },
    /// The process is about to end.
    Ended,
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ClientRootsError> for StartError {
    fn from(error: ClientRootsError) -> Self {
        Self::ClientRoots(error)
    }
}

impl From<MetricsError> for StartError {
    fn from(error: MetricsError) -> Self {
        Self::Metrics(error)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::NoComponent => {
                f.write_str("no component is named: write component = \"FILE.wasm\", or give it as an argument")
            }
            Self::Runtime(error) => write!(f, "components cannot be run on this machine: {error:#}"),
            Self::Component { file, error } => {
                match file {
                    Some(file) => write!(f, "{}: ", file.display())?,
                    None => f.write_str("the component that is built in: ")?,
                }
                // What wasmtime says of bytes has several lines.
                f.write_str(&error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))?;
                match error.not_offered().and_then(section_of) {
                    Some(section) => write!(f, "; the configuration grants it by {section}"),
                    None => Ok(()),
                }
            }
            Self::Store(error) => error.fmt(f),
            Self::ClientRoots(error) => error.fmt(f),
            Self::Metrics(error) => error.fmt(f),
            Self::Listen { key, address, error } => {
                write!(f, "{key}: cannot listen on {address}: {error}")?;
                match error.kind() {
                    io::ErrorKind::AddrInUse => {
                        f.write_str("; another program does, or another one of this; give another port")
                    }
                    io::ErrorKind::AddrNotAvailable => f.write_str("; this machine has no such address"),
                    io::ErrorKind::PermissionDenied => f.write_str("; ports below 1024 are for privileged users"),
                    _ => Ok(()),
                }
            }
            Self::OpenUntilRestart { address } => write!(
                f,
                "listen.http stays {address} without TLS until a restart, and with what is new everybody who reaches it could publish: \
                 leave the tokens of callers in place until then, or restart now"
            ),
            Self::Ended => f.write_str("the process is about to end"),
        }
    }
}

impl std::error::Error for StartError {}

/// What grants an interface, in whatever version it is wanted.
fn section_of(interface: &str) -> Option<&'static str> {
    let sections = [
        ("wasi:config/", "a section [config]"),
        ("wasi:keyvalue/", "a section [store]"),
        ("wasi:logging/", "[log] guest = true"),
    ];
    sections.into_iter().find(|(package, _)| interface.starts_with(package)).map(|(_, section)| section)
}
