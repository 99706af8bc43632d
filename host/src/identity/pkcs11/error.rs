//! What stands between a device and its key on a token: in one line what, the likeliest cause, and the way out.
//!
//! Libraries of tokens answer with a number. Between a library that is not there, a token that is in another slot, a label that is spelled
//! otherwise and a PIN that is wrong, the number is of little help; what helps is what is there instead.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cryptoki::error::{Error, RvError};

use crate::files::path;

/// The reason why a key or a certificate on a token cannot be used. Never has anything of a PIN.
#[derive(Debug)]
#[non_exhaustive]
pub enum Pkcs11Error {
    /// There is no library to talk to the token with.
    NoModule {
        /// Those that were looked for.
        tried: Vec<String>,
        /// Whether the URI names none.
        is_default: bool,
    },
    /// The library cannot be loaded, or is none for tokens.
    Module {
        /// The library.
        module: String,
        /// What the system or the library says.
        why: String,
    },
    /// The library is there and does not start.
    NotStarted {
        /// The library.
        module: String,
        /// The name of the standard for what it has returned, such as `CKR_GENERAL_ERROR`.
        code: String,
    },
    /// No token fits the URI.
    NoToken {
        /// The URI, without a PIN.
        uri: String,
        /// URIs of those that are there.
        tokens: Vec<String>,
    },
    /// Several tokens fit the URI. A PIN is not tried at each of them.
    SeveralTokens {
        /// The URI, without a PIN.
        uri: String,
        /// URIs of those that fit.
        tokens: Vec<String>,
    },
    /// A file with a PIN cannot be read.
    PinFile {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// The token does not take the PIN.
    Pin {
        /// The label of the token.
        token: String,
        /// What is wrong.
        error: PinError,
    },
    /// The URI says that it is of another type.
    Type {
        /// The URI, without a PIN.
        uri: String,
        /// What it is used as.
        wanted: ObjectKind,
    },
    /// Nothing on the token fits the URI.
    NoObject {
        /// The URI, without a PIN.
        uri: String,
        /// What was looked for.
        wanted: ObjectKind,
        /// URIs of those of its kind that are there.
        objects: Vec<String>,
        /// Whether the token was asked without a PIN, and shows some things with it only.
        is_without_pin: bool,
    },
    /// Several objects fit the URI.
    SeveralObjects {
        /// The URI, without a PIN.
        uri: String,
        /// What was looked for.
        wanted: ObjectKind,
        /// URIs of those that fit.
        objects: Vec<String>,
    },
    /// The key is of a kind that TLS, or this crate, cannot use.
    UnsupportedKey {
        /// The URI, without a PIN.
        uri: String,
        /// What it is.
        what: String,
    },
    /// The key is one that must not sign.
    MayNotSign {
        /// The URI, without a PIN.
        uri: String,
    },
    /// The token has no mechanism by which this key could sign.
    NoMechanism {
        /// The URI, without a PIN.
        uri: String,
        /// Those that would do.
        wanted: &'static str,
        /// Whether the key wants its PIN for each signature, which leaves fewer.
        is_always_authenticated: bool,
    },
    /// The token is another one than before, or has another key under the name of the one that was there.
    AnotherKey {
        /// The URI, without a PIN.
        uri: String,
    },
    /// The token has made something that is no signature.
    BadSignature {
        /// The URI, without a PIN.
        uri: String,
    },
    /// A call to the library has failed.
    Call {
        /// The function of the standard, such as `C_Sign`.
        function: String,
        /// The name of the standard for what it has returned, such as `CKR_DEVICE_ERROR`.
        code: String,
    },
}

/// What is the matter with a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinError {
    /// The token has refused it.
    Wrong,
    /// The token has refused it before, and it is not tried again.
    RefusedBefore,
    /// The token would be locked by one more wrong PIN, and so none is tried.
    LastTry,
    /// The token is locked.
    Locked,
    /// It has to be changed before it can be used.
    Expired,
    /// The token has none yet.
    NotSet,
}

/// What a URI is to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// A private key.
    PrivateKey,
    /// A certificate.
    Certificate,
}

impl ObjectKind {
    /// What a URI calls it.
    pub(super) fn in_uri(self) -> &'static str {
        match self {
            Self::PrivateKey => "private",
            Self::Certificate => "cert",
        }
    }
}

/// Of a call to the library.
pub(super) fn call_failed(error: Error) -> Pkcs11Error {
    match error {
        Error::Pkcs11(code, function) => {
            // Both are called in the library as in the standard, but for the beginning and the underscores.
            let function = format!("C_{}", function.to_string().trim_start_matches("Function::"));
            Pkcs11Error::Call { function, code: name_of(code) }
        }
        Error::NullFunctionPointer => {
            Pkcs11Error::Call { function: "a function".to_owned(), code: "CKR_FUNCTION_NOT_SUPPORTED".to_owned() }
        }
        other => Pkcs11Error::Call { function: "a function".to_owned(), code: other.to_string() },
    }
}

/// `CKR_DEVICE_ERROR` of `DeviceError`.
fn name_of(variant: RvError) -> String {
    match variant {
        RvError::VendorDefined(number) => return format!("the error {number:#x} of its vendor"),
        RvError::UnknownErrorCode(number) => return format!("the unknown error {number:#x}"),
        _ => {}
    }
    // The library calls its variants as the standard calls the codes, and has the names in no other form.
    let name = format!("{variant:?}");
    let mut standard = "CKR".to_owned();
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            standard.push('_');
        }
        standard.push(character.to_ascii_uppercase());
    }
    standard
}

/// Whether this is rather a PIN than the name of a file.
fn is_pin(file: &Path) -> bool {
    file.to_str().is_some_and(|name| name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_digit()))
}

/// As many as a line has place for.
const MOST_NAMED: usize = 5;

/// `a, b and 3 more`
fn named(names: &[String]) -> String {
    let (first, rest) = names.split_at(names.len().min(MOST_NAMED));
    match rest.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

impl fmt::Display for Pkcs11Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoModule { is_default: true, .. } => f.write_str(
                "there is no library for PKCS#11 tokens: the URI names none, and p11-kit, which knows them all, is not installed; add \
                 ?module-path= with the library that came with the token, or install p11-kit (on Debian p11-kit-modules)",
            ),
            Self::NoModule { tried, is_default: false } => {
                write!(f, "there is no library for PKCS#11 tokens at {}; check module-path and module-name", named(tried))
            }
            Self::Module { module, why } => {
                write!(f, "{module} cannot be used as a library for PKCS#11 tokens ({why}); give the one that came with the token")
            }
            Self::NotStarted { module, code } => write!(
                f,
                "{module}, the library of the token, does not start (C_Initialize says {code}); check its settings, and that this user may use \
                 it (with SoftHSM: SOFTHSM2_CONF, and the rights of its folder of tokens)"
            ),
            Self::NoToken { uri, tokens } if tokens.is_empty() => {
                write!(f, "no token for {uri}: there is none at all; plug it in, and check that this user may use it (with SoftHSM: \
                           SOFTHSM2_CONF, and the rights of its folder of tokens)")
            }
            Self::NoToken { uri, tokens } => {
                write!(f, "no token fits {uri}; there is {}: give one of these, or plug the right one in", named(tokens))
            }
            Self::SeveralTokens { uri, tokens } => {
                write!(f, "several tokens fit {uri}: {}; give one of these, so that the PIN is tried at no other", named(tokens))
            }
            Self::PinFile { file, error } if error.kind() == ErrorKind::NotFound && is_pin(file) => {
                f.write_str("pin-source names no file, and looks like the PIN itself; give a file that has the PIN in it")
            }
            Self::PinFile { file, error } => {
                write!(f, "cannot read the PIN in {}: {error}; {}", file.display(), path::file_hint(file, error))
            }
            Self::Pin { token, error } => write!(f, "the token {token} {error}"),
            Self::Type { uri, wanted } => {
                write!(f, "{uri} names no {wanted}; give type={}, or leave type out", wanted.in_uri())
            }
            Self::NoObject { uri, wanted, is_without_pin: true, .. } => write!(
                f,
                "no {wanted} for {uri} can be seen without a PIN; add ?pin-source= with a file that has the PIN in it"
            ),
            Self::NoObject { uri, wanted, objects, .. } if objects.is_empty() => {
                write!(f, "no {wanted} for {uri}: the token has none at all; check which token it is")
            }
            Self::NoObject { uri, wanted, objects, .. } => write!(
                f,
                "no {wanted} for {uri}; there is {}: check object, and id, whose bytes are written %01%02",
                named(objects)
            ),
            Self::SeveralObjects { uri, wanted, objects } => {
                write!(f, "{uri} fits more than one {wanted}: {}; give id as well as object", named(objects))
            }
            Self::UnsupportedKey { uri, what } => {
                write!(f, "the private key {uri} cannot be used: {what} is not supported; give RSA of 2048 bits or more, ECDSA P-256 or P-384")
            }
            Self::MayNotSign { uri } => {
                write!(f, "the private key {uri} may not sign (CKA_SIGN is false), and TLS needs a signature; give one that may")
            }
            Self::NoMechanism { uri, wanted, is_always_authenticated } => {
                let condition = match is_always_authenticated {
                    true => ", and for a key that wants its PIN each time the token has to do the hashing",
                    false => "",
                };
                write!(
                    f,
                    "the token cannot sign with the private key {uri}: it needs one of {wanted}{condition}; give a key of another kind, or \
                     another library for this token"
                )
            }
            Self::AnotherKey { uri } => write!(
                f,
                "the token has another key as {uri} than it had at the start; plug the right one in, or start again with its certificate"
            ),
            Self::BadSignature { uri } => {
                write!(f, "what the token has made with {uri} is no signature; look for a newer version of its library")
            }
            Self::Call { function, code } => {
                write!(f, "the library of the token has failed: {function} says {code}; {}", hint_of(code))
            }
        }
    }
}

impl std::error::Error for Pkcs11Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::PinFile { error, .. } => Some(error),
            _ => None,
        }
    }
}

fn hint_of(code: &str) -> &'static str {
    match code {
        "CKR_DEVICE_REMOVED" | "CKR_TOKEN_NOT_PRESENT" => "plug the token in",
        "CKR_SESSION_COUNT" => "close other programs that use the token",
        "CKR_USER_NOT_LOGGED_IN" => "add ?pin-source= with a file that has the PIN in it",
        _ => "check that the token is there, and that tools of its maker can sign with it",
    }
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wrong => {
                "has refused the PIN; it is not tried again, as a few wrong ones lock a token: check the PIN, and that this is the token it \
                 belongs to"
            }
            Self::RefusedBefore => "has refused this PIN before, and so it is not tried again; put the right one in its file",
            Self::LastTry => {
                "would be locked by one more wrong PIN, and so none is tried; log in once by hand with the right one (pkcs11-tool \
                 --login --test), which gives it back its tries"
            }
            Self::Locked => "is locked after too many wrong PINs; have its PIN set anew by who has its PUK or its SO PIN",
            Self::Expired => "wants another PIN before it can be used; change it with the tools of its maker",
            Self::NotSet => "has no PIN yet; set one with the tools of its maker",
        })
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrivateKey => "private key",
            Self::Certificate => "certificate",
        })
    }
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    #[test]
    fn a_call_that_fails_is_told_in_the_words_of_the_standard() {
        for (code, function, sentence) in [
            (RvError::DeviceError, Function::Sign, "C_Sign says CKR_DEVICE_ERROR;"),
            (RvError::TokenNotPresent, Function::OpenSession, "C_OpenSession says CKR_TOKEN_NOT_PRESENT; plug"),
            (RvError::UserPinNotInitialized, Function::Login, "C_Login says CKR_USER_PIN_NOT_INITIALIZED;"),
            (RvError::VendorDefined(0x11), Function::Login, "C_Login says the error 0x11 of its vendor;"),
        ] {
            let told = call_failed(Error::Pkcs11(code, function)).to_string();
            assert!(told.contains(sentence), "{told}");
        }
    }

    #[test]
    fn of_many_only_some_are_named() {
        let names: Vec<String> = (0..8).map(|number| number.to_string()).collect();
        assert_eq!(named(&names), "0, 1, 2, 3, 4 and 3 more");
        assert_eq!(named(&names[..2]), "0, 1");
    }
}
