//! Keys that this process never has: on a smart card, a TPM, a secure element or an HSM, behind PKCS#11.
//!
//! A private key in a file is copied with the file. On a token it signs and never
//! leaves. TLS wants one signature for each handshake and nothing else, so the key of a device has no need to be anywhere in this
//! process.
//!
//! What makes this hard is that a token may go away and come back, forgets who has logged in, and locks itself after a few wrong PINs
//! for good. So a signature that fails for a session that is lost is made once more in a new one, and [`pin`] sees to the PINs. A fork
//! of the process has to open its keys itself.

mod error;
mod hash;
mod mechanism;
mod module;
mod object;
mod percent;
mod pin;
mod signature;
mod token;
mod uri;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::error::{Error, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::sign::{Signer, SigningKey};
use rustls::{OtherError, SignatureAlgorithm, SignatureScheme};

use crate::connect::tls::provider;
use error::call_failed;
use mechanism::{Input, Plan};
use module::{Module, Turn};
use object::{KeyKind, PrivateKey};
use pin::{Occasion, Pin};
use token::Token;

pub use error::{ObjectKind, PinError, Pkcs11Error};
pub use uri::{Pkcs11Uri, Pkcs11UriError};

/// The length from which on servers take a key of RSA: ring, OpenSSL at its default level and the platforms refuse shorter ones, in
/// a handshake, with an alert that names no reason.
const LEAST_RSA_BITS: usize = 2048;

/// A private key on a token. Cheap to clone; all clones share one session.
///
/// Each signature is made inline, as rustls asks for it, and takes as long as the token does: a software token a millisecond, a
/// smart card up to a second.
#[derive(Clone)]
pub struct Pkcs11Key(Arc<Inner>);

struct Inner {
    uri: Pkcs11Uri,
    module: Arc<Module>,
    pin: Option<Pin>,
    token: String,
    kind: KeyKind,
    public_key: Option<Vec<u8>>,
    is_always_authenticated: bool,
    plans: Vec<Plan>,
    open: Mutex<Option<Open>>,
}

/// The key in a session.
struct Open {
    session: Session,
    key: ObjectHandle,
}

/// A certificate on a token.
///
/// # Errors
///
/// The library, the token or the certificate is not there, or the PIN is wrong. The [`Pkcs11Error`] says what is there instead.
pub(super) fn certificate(uri: &Pkcs11Uri) -> Result<CertificateDer<'static>, Pkcs11Error> {
    let module = Module::load(uri)?;
    let pin = uri.pin().map(pin::PinSource::read).transpose()?;
    let mut turn = module.turn();
    let (_, session) = log_in(&mut turn, uri, pin.as_ref(), Occasion::Loading)?;
    object::certificate(&session, uri, pin.is_none())
}

fn log_in(
    turn: &mut Turn<'_>,
    uri: &Pkcs11Uri,
    pin: Option<&Pin>,
    occasion: Occasion,
) -> Result<(Token, Session), Pkcs11Error> {
    let token = Token::find(turn, uri)?;
    let session = turn.open_ro_session(token.slot).map_err(call_failed)?;
    pin::login(&session, &token.info, pin, occasion, &mut turn.pins)?;
    Ok((token, session))
}

impl Pkcs11Key {
    /// Finds the key that the URI names, and logs in with the PIN that it has, if it has one.
    ///
    /// # Errors
    ///
    /// The library, the token or the key is not there, the PIN is wrong, or the key cannot be used for TLS. The [`Pkcs11Error`] says
    /// which, and what is there instead.
    pub fn open(uri: &Pkcs11Uri) -> Result<Self, Pkcs11Error> {
        let module = Module::load(uri)?;
        let pin = uri.pin().map(pin::PinSource::read).transpose()?;
        let mut turn = module.turn();
        let (token, session) = log_in(&mut turn, uri, pin.as_ref(), Occasion::Loading)?;
        let key = PrivateKey::find(&session, uri, pin.is_none())?;
        if let KeyKind::Rsa(Some(bits)) = key.kind
            && bits < LEAST_RSA_BITS
        {
            return Err(Pkcs11Error::UnsupportedKey { uri: uri.to_string(), what: format!("RSA of {bits} bits") });
        }
        let known = turn.get_mechanism_list(token.slot).map_err(call_failed)?;
        let plans = mechanism::plans(key.kind, key.is_always_authenticated, |mechanism| {
            known.contains(&mechanism)
                && (key.allowed.is_empty() || key.allowed.contains(&mechanism))
                && turn.get_mechanism_info(token.slot, mechanism).is_ok_and(|info| info.sign())
        });
        if plans.is_empty() {
            return Err(Pkcs11Error::NoMechanism {
                uri: uri.to_string(),
                wanted: mechanism::wanted(key.kind, key.is_always_authenticated),
                is_always_authenticated: key.is_always_authenticated,
            });
        }
        drop(turn);
        Ok(Self(Arc::new(Inner {
            uri: uri.clone(),
            module,
            pin,
            token: format!("{} ({}, serial {})", token.info.label(), token.info.model(), token.info.serial_number()),
            kind: key.kind,
            public_key: key.public_key,
            is_always_authenticated: key.is_always_authenticated,
            plans,
            open: Mutex::new(Some(Open { session, key: key.handle })),
        })))
    }

    /// The label, the model and the serial number of its token.
    pub fn token(&self) -> &str {
        &self.0.token
    }

    /// What it is: `RSA 2048`, `ECDSA P-256`.
    pub fn kind(&self) -> String {
        self.0.kind.to_string()
    }

    /// The schemes of TLS that its token can sign by, the preferred one first.
    pub fn schemes(&self) -> impl Iterator<Item = SignatureScheme> {
        self.0.plans.iter().map(|plan| plan.scheme)
    }
}

impl SigningKey for Pkcs11Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let plan = *self.0.plans.iter().find(|plan| offered.contains(&plan.scheme))?;
        Some(Box::new(TokenSigner { key: Arc::clone(&self.0), plan }))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.0.public_key.as_deref().map(SubjectPublicKeyInfoDer::from)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.0.kind {
            KeyKind::Rsa(_) => SignatureAlgorithm::RSA,
            KeyKind::Ec(_) => SignatureAlgorithm::ECDSA,
        }
    }
}

struct TokenSigner {
    key: Arc<Inner>,
    plan: Plan,
}

impl Signer for TokenSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        self.key.sign(&self.plan, message).map_err(|error| rustls::Error::Other(OtherError(Arc::new(error))))
    }

    fn scheme(&self) -> SignatureScheme {
        self.plan.scheme
    }
}

impl Inner {
    fn sign(&self, plan: &Plan, message: &[u8]) -> Result<Vec<u8>, Pkcs11Error> {
        let bad_signature = || Pkcs11Error::BadSignature { uri: self.uri.to_string() };
        let bits = match self.kind {
            KeyKind::Rsa(bits) => bits,
            KeyKind::Ec(_) => None,
        };
        let input = match plan.input {
            Input::Message => message.to_vec(),
            Input::Hash => plan.hash.of(&[message]),
            Input::DigestInfo => plan.hash.digest_info(message),
            Input::PaddedPkcs1 => bits.and_then(|bits| plan.hash.pad_pkcs1(message, bits)).ok_or_else(bad_signature)?,
            Input::PaddedPss => {
                let random = provider().secure_random;
                bits.and_then(|bits| plan.hash.pad_pss(message, bits, random)).ok_or_else(bad_signature)?
            }
        };
        let made = self.made_by_token(plan, &input)?;
        let signature = match self.kind {
            KeyKind::Rsa(bits) => signature::rsa(&made, bits),
            KeyKind::Ec(curve) => signature::ecdsa(&made, curve.size()),
        };
        signature.ok_or_else(bad_signature)
    }

    /// Once more in a new session if the old one is lost.
    fn made_by_token(&self, plan: &Plan, input: &[u8]) -> Result<Vec<u8>, Pkcs11Error> {
        let mut turn = self.module.turn();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = &*open {
            match self.sign_in(&mut turn, current, plan, input) {
                Err(SignFault::Call(error)) if is_lost(&error) => {
                    // Another program that uses the card may have taken the login away, of which the library knows nothing.
                    if matches!(error, Error::Pkcs11(RvError::UserNotLoggedIn, _)) {
                        let _ = current.session.logout();
                    }
                    *open = None;
                }
                Err(fault) => {
                    // It may be in the middle of a signature.
                    if self.is_always_authenticated {
                        *open = None;
                    }
                    return Err(fault.into());
                }
                Ok(made) => return Ok(made),
            }
        }
        let current = open.insert(self.reopen(&mut turn)?);
        let made = self.sign_in(&mut turn, current, plan, input);
        if made.is_err() {
            *open = None;
        }
        made.map_err(Pkcs11Error::from)
    }

    fn sign_in(&self, turn: &mut Turn<'_>, open: &Open, plan: &Plan, input: &[u8]) -> Result<Vec<u8>, SignFault> {
        let Open { session, key } = open;
        if !self.is_always_authenticated {
            return Ok(session.sign(&plan.mechanism(), *key, input)?);
        }
        session.sign_init(&plan.mechanism(), *key)?;
        // Asked anew, as it counts the tries that are left.
        let token = turn.get_token_info(session.get_session_info()?.slot_id())?;
        pin::login_for_signature(session, &token, self.pin.as_ref(), &mut turn.pins).map_err(SignFault::Pin)?;
        session.sign_update(input)?;
        Ok(session.sign_final()?)
    }

    /// Finds the key again, in a new session. The token may be in another slot by now, or be another one.
    fn reopen(&self, turn: &mut Turn<'_>) -> Result<Open, Pkcs11Error> {
        self.module.initialize()?;
        let (_, session) = log_in(turn, &self.uri, self.pin.as_ref(), Occasion::Reopening)?;
        let key = PrivateKey::find(&session, &self.uri, self.pin.is_none())?;
        match key.kind == self.kind && key.public_key == self.public_key {
            true => Ok(Open { session, key: key.handle }),
            false => Err(Pkcs11Error::AnotherKey { uri: self.uri.to_string() }),
        }
    }
}

/// Why there is no signature: a session that is lost can be opened again, and a PIN that is refused must not be tried again.
enum SignFault {
    Call(Error),
    Pin(Pkcs11Error),
}

impl From<Error> for SignFault {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<SignFault> for Pkcs11Error {
    fn from(fault: SignFault) -> Self {
        match fault {
            SignFault::Call(error) => call_failed(error),
            SignFault::Pin(error) => error,
        }
    }
}

/// A session that is closed tells the library so, and takes its turn for that.
impl Drop for Inner {
    fn drop(&mut self) {
        let _turn = self.module.turn();
        self.open.get_mut().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Whether a new session could do what this one could not. Libraries that reach their tokens over a network say one of the last three
/// when the connection is gone.
fn is_lost(error: &Error) -> bool {
    use RvError as E;
    let Error::Pkcs11(code, _) = error else { return false };
    matches!(
        code,
        E::SessionHandleInvalid
            | E::SessionClosed
            | E::UserNotLoggedIn
            | E::KeyHandleInvalid
            | E::ObjectHandleInvalid
            | E::CryptokiNotInitialized
            | E::DeviceRemoved
            | E::TokenNotPresent
            | E::SlotIdInvalid
            | E::OperationActive
            | E::DeviceError
            | E::GeneralError
            | E::FunctionFailed
    )
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::identity::key::Curve;
        match self {
            Self::Rsa(Some(bits)) => write!(f, "RSA {bits}"),
            Self::Rsa(None) => f.write_str("RSA"),
            Self::Ec(Curve::P256) => f.write_str("ECDSA P-256"),
            Self::Ec(Curve::P384) => f.write_str("ECDSA P-384"),
        }
    }
}

/// Never the PIN.
impl fmt::Debug for Pkcs11Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Key").field("uri", &self.0.uri).finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSigner").field("scheme", &self.plan.scheme).finish_non_exhaustive()
    }
}
