//! PINs, and which of them a token has refused.
//!
//! A token locks after a few wrong PINs, mostly three, and a locked one at the end of the world has to be visited. A service with a wrong
//! PIN in its settings is started again and again by whatever looks after it, and so a mistake in a file is enough. So a PIN that was
//! refused is not tried again by this process, and the last try that a token has left is never taken: the next start finds the
//! token as it was.

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

/// The PINs that tokens have refused, for as long as this process lives.
#[derive(Default)]
pub(super) struct RefusedPins(Vec<([u8; 32], String)>);

impl RefusedPins {
    fn has(&self, pin: &Pin, token: &TokenInfo) -> bool {
        self.0.iter().any(|(digest, serial)| *digest == pin.digest && serial == token.serial_number())
    }
}

/// Logs in, if the token wants that and there is a PIN or a keypad.
pub(super) fn login(
    session: &Session,
    token: &TokenInfo,
    pin: Option<&Pin>,
    refused: &mut RefusedPins,
) -> Result<(), Pkcs11Error> {
    let state = session.get_session_info().map_err(call_failed)?.session_state();
    // All sessions of a process share it.
    let is_logged_in = matches!(state, SessionState::RoUser | SessionState::RwUser);
    let has_keypad = token.protected_authentication_path();
    if is_logged_in || !token.login_required() || (pin.is_none() && !has_keypad) {
        return Ok(());
    }
    attempt(session, token, UserType::User, pin, refused)
}

/// Logs in for one signature, for a key that asks for the PIN each time.
pub(super) fn login_for_signature(
    session: &Session,
    token: &TokenInfo,
    pin: Option<&Pin>,
    refused: &mut RefusedPins,
) -> Result<(), Pkcs11Error> {
    attempt(session, token, UserType::ContextSpecific, pin, refused)
}

fn attempt(
    session: &Session,
    token: &TokenInfo,
    user: UserType,
    pin: Option<&Pin>,
    refused: &mut RefusedPins,
) -> Result<(), Pkcs11Error> {
    let fault = |error| Pkcs11Error::Pin { token: token.label().to_owned(), error };
    let is_refused = pin.is_some_and(|pin| refused.has(pin, token));
    if let Some(error) = untried(token.user_pin_locked(), token.user_pin_final_try(), is_refused) {
        return Err(fault(error));
    }
    let secret = pin.filter(|_| !token.protected_authentication_path()).map(Pin::secret);
    match session.login(user, secret) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
            if let Some(pin) = pin {
                refused.0.push((pin.digest, token.serial_number().to_owned()));
            }
            Err(fault(PinError::Wrong))
        }
        Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(fault(PinError::Locked)),
        Err(Error::Pkcs11(RvError::PinExpired, _)) => Err(fault(PinError::Expired)),
        Err(Error::Pkcs11(RvError::UserPinNotInitialized, _)) => Err(fault(PinError::NotSet)),
        Err(error) => Err(call_failed(error)),
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
