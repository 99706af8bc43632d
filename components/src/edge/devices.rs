//! The devices of the settings, and what was learned while messages of theirs were sent.

use alloc::string::String;
use alloc::vec::Vec;

use thingpost::Credential;
use thingpost::edge::{Device, Head, Publication, Refusal, Settings, SettingsError, check_caller};

use super::source::{self, Given};

/// Devices, and the settings that they are of.
pub struct Devices {
    given: Given,
    settings: Settings,
    memories: Vec<(Option<String>, Memory)>,
}

/// A device that a message is for.
pub struct Found<'a> {
    pub device: &'a Device,
    /// Where its credential is kept for other instances, if anywhere.
    pub bucket: &'a str,
    pub memory: &'a mut Memory,
}

/// What one exchange of a device leaves for the next. Of no use to another device: a credential least of all.
#[derive(Default)]
pub struct Memory {
    pub credential: Option<Credential>,
    pub has_been_answered: bool,
    pub clock_ahead_ms: i64,
}

impl Devices {
    /// Reads the settings.
    pub fn new(given: Given) -> Result<Self, SettingsError> {
        Ok(Self { settings: source::read(&given)?, given, memories: Vec::new() })
    }

    /// Whether they are of these settings. Whatever is different makes other devices of them, which know nothing yet.
    pub fn are_of(&self, given: &Given) -> bool {
        self.given == *given
    }

    /// The device of a publication, and what is known of it, for a caller that may publish as this device.
    pub fn find(&mut self, publication: &Publication, head: &Head<'_>) -> Result<Found<'_>, Refusal> {
        let device = self.settings.device(publication)?;
        if let Some(token) = &device.token {
            check_caller(head, token)?;
        }
        let known = self.memories.iter().position(|(name, _)| *name == device.name);
        let index = known.unwrap_or_else(|| {
            self.memories.push((device.name.clone(), Memory::default()));
            self.memories.len() - 1
        });
        Ok(Found { device, bucket: self.settings.bucket(), memory: &mut self.memories[index].1 })
    }
}
