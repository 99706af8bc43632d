//! The token that a URI means, of all that a library has.

use cryptoki::context::Pkcs11;
use cryptoki::slot::{Slot, TokenInfo};

use super::error::{Pkcs11Error, call_failed};
use super::percent::encode;
use super::uri::{PathAttribute as P, Pkcs11Uri};

/// A token in its slot.
pub(super) struct Token {
    pub(super) slot: Slot,
    pub(super) info: TokenInfo,
}

/// The certificates of the system, which p11-kit shows as if they were on a token.
const TRUST_STORE: &str = "p11-kit-trust";

impl Token {
    /// The only one that fits.
    pub(super) fn find(library: &Pkcs11, uri: &Pkcs11Uri) -> Result<Self, Pkcs11Error> {
        let mut there = Vec::new();
        // Whether a library has any is asked even if it is the wrong one: what is there is what helps.
        for slot in library.get_slots_with_token().map_err(call_failed)? {
            // One that cannot be asked is none that could be used.
            let Ok(info) = library.get_token_info(slot) else { continue };
            if info.token_initialized() && info.model() != TRUST_STORE {
                there.push(Self { slot, info });
            }
        }
        let written = |tokens: &[Self]| tokens.iter().map(|token| token.uri(uri.slot_id().is_some())).collect();
        let is_library = fits_library(library, uri)?;
        let all = written(&there);
        there.retain(|token| is_library && token.fits(library, uri));
        match there.len() {
            0 => Err(Pkcs11Error::NoToken { uri: uri.to_string(), tokens: all }),
            1 => Ok(there.remove(0)),
            _ => Err(Pkcs11Error::SeveralTokens { uri: uri.to_string(), tokens: written(&there) }),
        }
    }

    fn fits(&self, library: &Pkcs11, uri: &Pkcs11Uri) -> bool {
        let fits = |attribute, text: &str| uri.get(attribute).is_none_or(|wanted| wanted == text.as_bytes());
        let of_token = fits(P::Token, self.info.label())
            && fits(P::Manufacturer, self.info.manufacturer_id())
            && fits(P::Model, self.info.model())
            && fits(P::Serial, self.info.serial_number())
            && uri.slot_id().is_none_or(|wanted| wanted == self.slot.id());
        let names_slot =
            [P::SlotDescription, P::SlotManufacturer].iter().any(|attribute| uri.get(*attribute).is_some());
        of_token
            && (!names_slot
                || library.get_slot_info(self.slot).is_ok_and(|slot| {
                    fits(P::SlotDescription, slot.slot_description())
                        && fits(P::SlotManufacturer, slot.manufacturer_id())
                }))
    }

    /// By which it can be named; with the number of its slot, which changes from one start to the next with some, if that was asked for.
    fn uri(&self, with_slot: bool) -> String {
        let (label, serial) = (self.info.label(), self.info.serial_number());
        let slot = if with_slot { format!(";slot-id={}", self.slot.id()) } else { String::new() };
        format!("pkcs11:token={};serial={}{slot}", encode(label.as_bytes()), encode(serial.as_bytes()))
    }
}

fn fits_library(library: &Pkcs11, uri: &Pkcs11Uri) -> Result<bool, Pkcs11Error> {
    let wanted = [P::LibraryManufacturer, P::LibraryDescription, P::LibraryVersion];
    if wanted.iter().all(|attribute| uri.get(*attribute).is_none()) {
        return Ok(true);
    }
    let info = library.get_library_info().map_err(call_failed)?;
    let version = info.library_version();
    let fits = |attribute, text: &str| uri.get(attribute).is_none_or(|wanted| wanted == text.as_bytes());
    // A version without a point is that of the first number alone.
    let fits_version = fits(P::LibraryVersion, &version.to_string())
        || (version.minor() == 0 && fits(P::LibraryVersion, &version.major().to_string()));
    Ok(fits(P::LibraryManufacturer, info.manufacturer_id())
        && fits(P::LibraryDescription, info.library_description())
        && fits_version)
}
