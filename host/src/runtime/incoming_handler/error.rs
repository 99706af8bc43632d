//! Why a component cannot serve HTTP here.

use std::fmt;

/// The reason why a component was not taken as one that serves HTTP.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadHandlerError {
    /// The bytes are no component, or none that the engine takes.
    Component(wasmtime::Error),
    /// The component does not export `wasi:http/incoming-handler@0.2`.
    NoHandler {
        /// What it exports.
        exports: Vec<String>,
    },
    /// The component imports what is not offered.
    NotOffered {
        /// What it imports.
        interface: String,
        /// The versions of that interface that are offered.
        offered: Vec<String>,
    },
    /// What the component imports is offered, in another shape.
    Shape(wasmtime::Error),
}

impl LoadHandlerError {
    /// The interface that is not offered, for embedders who know how to grant it.
    pub fn not_offered(&self) -> Option<&str> {
        match self {
            Self::NotOffered { interface, .. } => Some(interface),
            _ => None,
        }
    }
}

/// What a component for the next version of WASI exports.
const NEXT: &str = "wasi:http/handler@0.3";
/// What a program exports.
const PROGRAM: &str = "wasi:cli/run@";

impl fmt::Display for LoadHandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(error) => write!(f, "this is no component that can be run here: {error:#}"),
            Self::NoHandler { exports } => {
                f.write_str("the component does not serve HTTP: it has no export wasi:http/incoming-handler@0.2")?;
                let has = |name: &str| exports.iter().any(|export| export.starts_with(name));
                match (has(NEXT), has(PROGRAM), exports.is_empty()) {
                    (true, ..) => {
                        write!(f, "; it was built for WASI 0.3, and has to be built for WASI 0.2 (wasi:http/proxy)")
                    }
                    (_, true, _) => write!(f, "; it is a program for the command line, as `wasmtime run` takes it"),
                    (.., true) => write!(f, "; it exports nothing"),
                    _ => write!(f, "; it exports {}", exports.join(", ")),
                }
            }
            Self::NotOffered { interface, offered } if offered.is_empty() => {
                write!(
                    f,
                    "the component wants {interface}, which is not offered here: grant it, or build the component without it"
                )
            }
            Self::NotOffered { interface, offered } => {
                let offered = offered.join(" and ");
                write!(f, "the component wants {interface}, and here is {offered}: build it for that version")
            }
            Self::Shape(error) => {
                write!(
                    f,
                    "the component wants an interface that differs from the one here, perhaps by its version: {error:#}"
                )
            }
        }
    }
}

impl std::error::Error for LoadHandlerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}
