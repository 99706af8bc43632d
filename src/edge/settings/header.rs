//! Settings in a header of the request, for hosts that have no other way to hand them over.
//!
//! What comes in a request comes from a caller, unless the host sees to it. A host that replaces the header leaves one; of
//! two, one at least is not the host's.

use super::super::head::Head;
use super::error::{SettingsError, SettingsErrorKind};

/// The name of the header.
const NAME: &str = "thingpost-settings";

impl<'a> Head<'a> {
    /// The settings in the header `thingpost-settings`, for [`Settings::from_json`](super::Settings::from_json).
    ///
    /// # Errors
    ///
    /// There is no such header, there are two, or it is no text.
    pub fn settings(&self) -> Result<&'a str, SettingsError> {
        let error = |kind| SettingsError::new(None, kind);
        let mut values = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(NAME));
        match (values.next(), values.next()) {
            (None, _) => Err(error(SettingsErrorKind::NoHeader)),
            (Some(_), Some(_)) => Err(error(SettingsErrorKind::TwoHeaders)),
            (Some((_, value)), None) => core::str::from_utf8(value).map_err(|_| error(SettingsErrorKind::NotAnObject)),
        }
    }
}
