//! The file that says what is served, where, and for whom.
//!
//! A server that runs for months is configured by those who are there that day, and the first thing they see of it is what it says when
//! they got something wrong. So nothing is passed over: a key that is not known is refused, with the one that may be meant, and every
//! error names file, line and key. The file may be read by many; secrets are not in it, but in files and variables that it names.
//!
//! Reading is in two steps. [`Config::read`] takes what is written, and looks at nothing else. [`Loader::load`] takes what the files
//! hold that it names. In between, a follower of the files [looks at them](Config::files) for the first time, so that
//! nothing is missed that is replaced meanwhile.

mod document;
mod error;
mod limits;
mod listen;
mod load;
mod log;
mod route;
mod setting;
mod store;
#[cfg(test)]
mod tests;
mod units;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use thingpost_host::Encoding;

use document::Section;
use error::ConfigProblem;

pub use document::{Place, Placed};
pub use error::ConfigError;
pub use listen::{Listen, ListenTls};
pub use load::{Loaded, Loader};
pub use log::{LogLevel, LogSettings};
pub use route::{KeySource, RouteSettings, Source};
pub use setting::Setting;

use crate::front::FrontLimits;
use crate::guests::GuestSettings;
use crate::store::StoreSettings;

/// The configuration of a server, as it is written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The file that it was read from.
    pub file: PathBuf,
    /// The component that answers. None: the one that the server has built in.
    pub component: Option<PathBuf>,
    /// Where it listens, and how.
    pub listen: Listen,
    /// What clients may take of the server before a guest sees anything of it.
    pub front: FrontLimits,
    /// What guests may take.
    pub guests: GuestSettings,
    /// What guests see by `wasi:config`. None: they have no such interface.
    pub settings: Option<BTreeMap<String, Setting>>,
    /// Where guests keep values by `wasi:keyvalue`. None: they have no such interface.
    pub store: Option<StoreSettings>,
    /// Where the requests of guests may go, and as whom.
    pub routes: Vec<RouteSettings>,
    /// What operators read.
    pub log: LogSettings,
}

/// More than any configuration has.
const LARGEST: u64 = 1024 * 1024;

impl Config {
    /// Reads a file, and nothing that it names.
    ///
    /// # Errors
    ///
    /// It cannot be read, is not TOML, or says something that there is not.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error| ConfigError::of_file(file, ConfigProblem::Unreadable(error));
        if fs::metadata(file).map_err(unreadable)?.len() > LARGEST {
            return Err(ConfigError::of_file(file, ConfigProblem::NotText));
        }
        let content = fs::read(file).map_err(unreadable)?;
        let text = String::from_utf8(Encoding::decode(&content).into_owned())
            .map_err(|_| ConfigError::of_file(file, ConfigProblem::NotText))?;
        Self::from_text(file, &text)
    }

    /// Reads a text as if it stood in this file.
    ///
    /// # Errors
    ///
    /// It is not TOML, or says something that there is not.
    pub fn from_text(file: &Path, text: &str) -> Result<Self, ConfigError> {
        document::read(file, text, |top| Self::of(file, top))
    }

    fn of(file: &Path, top: &mut Section<'_>) -> Result<Self, ConfigError> {
        let component = top.get::<String>("component")?;
        let listen = top.section("listen", Listen::of)?.unwrap_or_default();
        let (front, guests) = top.section("limits", limits::of)?.unwrap_or_default();
        let settings = top.section("config", setting::all_of)?;
        let store = top.section("store", store::of)?;
        let routes = top.sections("route", RouteSettings::of)?;
        let log = top.section("log", LogSettings::of)?.unwrap_or_default();
        Ok(Self {
            component: component.map(|component| component.place.path(&component.value)),
            file: file.to_owned(),
            listen,
            front,
            guests,
            settings,
            store,
            routes,
            log,
        })
    }

    /// The file itself, and all files that it names and that may be replaced while the server runs.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.file.clone()];
        files.extend(self.component.clone());
        files.extend(self.listen.tls.iter().flat_map(ListenTls::files));
        files.extend(self.settings.iter().flat_map(BTreeMap::values).flat_map(Setting::files));
        files.extend(self.routes.iter().flat_map(RouteSettings::files));
        files.sort();
        files.dedup();
        files
    }

    /// Refuses to serve everybody, unless that is said.
    ///
    /// `is_guarded` says whether the component that is served asks its callers for tokens.
    ///
    /// # Errors
    ///
    /// The address is not one of loopback, and there is neither TLS, nor tokens, nor `insecure`.
    pub fn refuse_open(&self, is_guarded: bool) -> Result<(), ConfigError> {
        let listen = &self.listen;
        let is_fine = listen.http.value.ip().is_loopback() || listen.tls.is_some() || listen.insecure || is_guarded;
        if is_fine { Ok(()) } else { Err(listen.http.place.error(ConfigProblem::Open)) }
    }
}

/// The place of what is a default.
fn nowhere() -> Place {
    Place::top(Path::new(""))
}
