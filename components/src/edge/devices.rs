//! The devices of the settings, and what was learned while messages of theirs were sent.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use thingpost::Credential;
use thingpost::edge::{Device, Head, Publication, Refusal, Settings, SettingsError, check_caller};

/// Devices, and the settings that they are of.
pub struct Devices {
    text: String,
    settings: Settings,
    memories: Vec<(Option<String>, Memory)>,
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
    pub fn new(text: &str) -> Result<Self, SettingsError> {
        Ok(Self { settings: Settings::from_json(text)?, text: text.to_owned(), memories: Vec::new() })
    }

    /// Whether they are of these settings. Whatever is different makes other devices of them, which know nothing yet.
    pub fn are_of(&self, text: &str) -> bool {
        self.text == text
    }

    /// The device of a publication, and what is known of it, for a caller that may publish as this device.
    pub fn find(&mut self, publication: &Publication, head: &Head<'_>) -> Result<(&Device, &mut Memory), Refusal> {
        let device = self.settings.device(publication)?;
        if let Some(token) = &device.token {
            check_caller(head, token)?;
        }
        let known = self.memories.iter().position(|(name, _)| *name == device.name);
        let index = known.unwrap_or_else(|| {
            self.memories.push((device.name.clone(), Memory::default()));
            self.memories.len() - 1
        });
        Ok((device, &mut self.memories[index].1))
    }
}
