//! PINs, and which of them a token has taken or refused.
//!
//! A token locks after a few wrong PINs, mostly three, and a locked one at the end of the world has to be visited. A service with a wrong
//! PIN in its settings is started again and again by whatever looks after it, and so a mistake in a file is enough. So a PIN that was
//! refused is not tried again by this process, and the last try that a token has left is never taken: the next start finds the
//! token as it was.
//!
//! A login is good for all of a process, and one on top of it is not looked at by the token: a wrong PIN that is
//! loaded while the right one serves would be found out in the night in which the session is lost. So another PIN than the one that
//! has logged in is tried by itself, and the keys that were there log in again with theirs when they sign next.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::TokenInfo;
use cryptoki::types::AuthPin;
use sha2::{Digest, Sha256};

use super::error::{PinError, Pkcs11Error, call_failed};
use crate::files::encoding::Encoding;

/// Where a PIN comes from.
#[derive(Clone)]
pub(super) enum PinSource {
    Value(Pin),
    File(PathBuf),
}

/// A PIN. Its memory is overwritten when it is dropped.
#[derive(Clone)]
pub(super) struct Pin {
    secret: AuthPin,
    /// By which it is known again.
    digest: [u8; 32],
}

impl Pin {
    pub(super) fn new(pin: &str) -> Self {
        Self { secret: AuthPin::from(pin), digest: Sha256::digest(pin).into() }
    }

    fn secret(&self) -> &AuthPin {
        &self.secret
    }
}

impl PinSource {
    pub(super) fn read(&self) -> Result<Pin, Pkcs11Error> {
        match self {
            Self::Value(pin) => Ok(pin.clone()),
            Self::File(file) => from_file(file).map_err(|error| Pkcs11Error::PinFile { file: file.clone(), error }),
        }
    }
}

/// No token takes more.
const LONGEST: u64 = 4096;

/// The only line of a file. What an editor puts at its end is no part of a PIN.
fn from_file(file: &Path) -> io::Result<Pin> {
    let invalid = |text| io::Error::new(io::ErrorKind::InvalidData, text);
    let mut content = Vec::new();
    File::open(file)?.take(LONGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LONGEST {
        return Err(invalid("it is longer than any PIN"));
    }
    let decoded = Encoding::decode(&content);
    let text = str::from_utf8(&decoded).map_err(|_| invalid("it is no text"))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(invalid("it is empty")),
        pin if pin.contains(['\r', '\n', '\0']) => Err(invalid("it has more than one line")),
        pin => Ok(Pin::new(pin)),
    }
}

/// What tokens have said to PINs, for as long as this process lives.
#[derive(Default)]
pub(super) struct KnownPins {
    refused: Vec<([u8; 32], String)>,
    /// The one that has logged in last, by token.
    accepted: Vec<([u8; 32], String)>,
}

impl KnownPins {
    fn has_refused(&self, pin: &Pin, token: &TokenInfo) -> bool {
        self.refused.iter().any(|(digest, serial)| *digest == pin.digest && serial == token.serial_number())
    }

    /// Whether another PIN than this one has logged in.
    fn has_accepted_another(&self, pin: &Pin, token: &TokenInfo) -> bool {
        self.accepted.iter().any(|(digest, serial)| *digest != pin.digest && serial == token.serial_number())
    }

    fn refuse(&mut self, pin: &Pin, token: &TokenInfo) {
        self.refused.push((pin.digest, token.serial_number().to_owned()));
    }

    fn accept(&mut self, pin: &Pin, token: &TokenInfo) {
        self.accepted.retain(|(_, serial)| serial != token.serial_number());
        self.accepted.push((pin.digest, token.serial_number().to_owned()));
    }
}

/// Why there is to be a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// A key or a certificate is loaded: its PIN has to be the right one.
    Loading,
    /// One that was loaded has lost its session. Whoever is logged in will do.
    Reopening,
}

/// Logs in, if the token wants that and there is a PIN or a keypad.
pub(super) fn login(
    session: &Session,
    token: &TokenInfo,
    pin: Option<&Pin>,
    occasion: Occasion,
    pins: &mut KnownPins,
) -> Result<(), Pkcs11Error> {
    let state = session.get_session_info().map_err(call_failed)?.session_state();
    // All sessions of a process share it.
    let is_logged_in = matches!(state, SessionState::RoUser | SessionState::RwUser);
    let has_keypad = token.protected_authentication_path();
    if !token.login_required() || (pin.is_none() && !has_keypad) {
        return Ok(());
    }
    if is_logged_in {
        let is_another = pin.is_some_and(|pin| pins.has_accepted_another(pin, token));
        if has_keypad || !is_another || occasion == Occasion::Reopening {
            return Ok(());
        }
        refuse_untried(token, pin, pins)?;
        session.logout().map_err(call_failed)?;
    }
    attempt(session, token, UserType::User, pin, pins)
}

/// Logs in for one signature, for a key that asks for the PIN each time.
pub(super) fn login_for_signature(
    session: &Session,
    token: &TokenInfo,
    pin: Option<&Pin>,
    pins: &mut KnownPins,
) -> Result<(), Pkcs11Error> {
    attempt(session, token, UserType::ContextSpecific, pin, pins)
}

fn attempt(
    session: &Session,
    token: &TokenInfo,
    user: UserType,
    pin: Option<&Pin>,
    pins: &mut KnownPins,
) -> Result<(), Pkcs11Error> {
    refuse_untried(token, pin, pins)?;
    let fault = |error| fault(token, error);
    let secret = pin.filter(|_| !token.protected_authentication_path()).map(Pin::secret);
    match session.login(user, secret) {
        Ok(()) => {
            if let Some(pin) = pin.filter(|_| secret.is_some()) {
                pins.accept(pin, token);
            }
            Ok(())
        }
        Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
            if let Some(pin) = pin {
                pins.refuse(pin, token);
            }
            Err(fault(PinError::Wrong))
        }
        Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(fault(PinError::Locked)),
        Err(Error::Pkcs11(RvError::PinExpired, _)) => Err(fault(PinError::Expired)),
        Err(Error::Pkcs11(RvError::UserPinNotInitialized, _)) => Err(fault(PinError::NotSet)),
        Err(error) => Err(call_failed(error)),
    }
}

fn fault(token: &TokenInfo, error: PinError) -> Pkcs11Error {
    Pkcs11Error::Pin { token: token.label().to_owned(), error }
}

/// Refuses a PIN that is not even to be tried.
fn refuse_untried(token: &TokenInfo, pin: Option<&Pin>, pins: &KnownPins) -> Result<(), Pkcs11Error> {
    let is_refused = pin.is_some_and(|pin| pins.has_refused(pin, token));
    match untried(token.user_pin_locked(), token.user_pin_final_try(), is_refused) {
        Some(error) => Err(fault(token, error)),
        None => Ok(()),
    }
}

/// Why a PIN is not even tried.
fn untried(is_locked: bool, has_one_try_left: bool, is_refused: bool) -> Option<PinError> {
    match (is_locked, is_refused, has_one_try_left) {
        (true, _, _) => Some(PinError::Locked),
        (false, true, _) => Some(PinError::RefusedBefore),
        (false, false, true) => Some(PinError::LastTry),
        (false, false, false) => None,
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_try_of_a_token_is_never_taken() {
        assert_eq!(untried(false, true, false), Some(PinError::LastTry));
        assert_eq!(untried(false, true, true), Some(PinError::RefusedBefore));
        assert_eq!(untried(true, true, true), Some(PinError::Locked));
        assert_eq!(untried(false, false, true), Some(PinError::RefusedBefore));
        assert_eq!(untried(false, false, false), None);
    }

    #[test]
    fn a_pin_is_the_only_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pin");
        for content in
            [&b"12 34"[..], b"12 34\n", b"12 34\r\n", b"\xef\xbb\xbf12 34\n", b"\xff\xfe1\x002\x00 \x003\x004\x00"]
        {
            std::fs::write(&file, content).unwrap();
            assert_eq!(from_file(&file).unwrap().digest, Pin::new("12 34").digest, "{content:?}");
        }
        for content in [&b""[..], b"\n", b"1234\n5678\n", b"1\x004", b"\xc3\x28", &[b'1'; 5000]] {
            std::fs::write(&file, content).unwrap();
            assert_eq!(from_file(&file).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn a_pin_does_not_show_itself() {
        assert_eq!(format!("{:?}", Pin::new("1234")), "Pin(..)");
    }
}
