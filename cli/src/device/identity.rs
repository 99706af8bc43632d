//! The certificate and the key of a device, from PEM files or from a PKCS#11 token.
//!
//! Where either is a URI that begins with `pkcs11:`, it is on a token. A file of such a name is given as `./pkcs11:..`.

use std::path::Path;

use thingpost_host::Identity;

use super::input_files;
use crate::args::CertificateArgs;
use crate::error::CliError;
use crate::files::input_file::InputFile;

/// Loads what `--cert` and `--key` name.
pub fn identity(cert: &Path, key: &Path) -> Result<Identity, CliError> {
    match (is_uri(cert), is_uri(key)) {
        (false, false) => Identity::from_pem_files(cert, key).map_err(CliError::sentence),
        (true, false) => Err(CliError::sentence(
            "--cert is on a token and --key is not: give the key on the token too, or both in files",
        )),
        (is_cert_on_token, true) => token::identity(cert, is_cert_on_token, key),
    }
}

/// Those of the two that are files, and the file with the PIN.
pub fn files(arguments: &CertificateArgs) -> Vec<InputFile> {
    let options = [("--cert", &arguments.cert), ("--key", &arguments.key)];
    let given = options.map(|(option, path)| (option, path.as_ref().filter(|path| !is_uri(path))));
    let of_pins = options
        .into_iter()
        .filter_map(|(option, path)| Some(InputFile { option, path: token::pin_file(path.as_ref()?)? }));
    input_files(given).into_iter().chain(of_pins).collect()
}

/// What is to be said of the token that the key is on, if it is on one.
pub fn on_token(arguments: &CertificateArgs) -> Option<Result<TokenFacts, CliError>> {
    let facts = |(what, is_limited_to_tls12)| TokenFacts { what, is_limited_to_tls12 };
    arguments.key.as_deref().filter(|key| is_uri(key)).map(|key| token::facts(key).map(facts))
}

/// A key on a token.
pub struct TokenFacts {
    /// What it is and where.
    pub what: String,
    /// Whether it signs in TLS 1.2 alone.
    pub is_limited_to_tls12: bool,
}

/// Also one that is spelled wrong: what is taken for the name of a file is shown, and a PIN with it.
fn is_uri(path: &Path) -> bool {
    const SCHEME: &str = "pkcs11";
    path.to_str()
        .and_then(|text| text.trim_start().split_at_checked(SCHEME.len()))
        .is_some_and(|(scheme, rest)| scheme.eq_ignore_ascii_case(SCHEME) && rest.starts_with([':', ';']))
}

#[cfg(feature = "pkcs11")]
mod token {
    use std::path::{Path, PathBuf};

    use rustls::SignatureScheme;
    use thingpost_host::{Identity, Pkcs11Key, Pkcs11Uri};

    use crate::error::CliError;

    pub(super) fn identity(cert: &Path, is_cert_on_token: bool, key: &Path) -> Result<Identity, CliError> {
        let key = uri("--key", key)?;
        let loaded = match is_cert_on_token {
            true => Identity::from_token(&uri("--cert", cert)?, &key),
            false => Identity::from_pem_file_and_token(cert, &key),
        };
        loaded.map_err(CliError::sentence)
    }

    pub(super) fn pin_file(given: &Path) -> Option<PathBuf> {
        uri("", given).ok()?.pin_file().map(Path::to_owned)
    }

    /// What it is and where, and whether it signs in TLS 1.2 alone.
    pub(super) fn facts(key: &Path) -> Result<(String, bool), CliError> {
        let key = Pkcs11Key::open(&uri("--key", key)?).map_err(CliError::sentence)?;
        let of_tls12 =
            [SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme::RSA_PKCS1_SHA384, SignatureScheme::RSA_PKCS1_SHA512];
        let is_limited_to_tls12 = key.schemes().all(|scheme| of_tls12.contains(&scheme));
        Ok((format!("private key {} on the token {}", key.kind(), key.token()), is_limited_to_tls12))
    }

    /// Never shows what was given: there may be a PIN in it.
    fn uri(option: &str, given: &Path) -> Result<Pkcs11Uri, CliError> {
        let text = given.to_str().unwrap_or_default();
        let uri: Pkcs11Uri =
            text.parse().map_err(|error| CliError::new(format!("{option} is no PKCS#11 URI"), error))?;
        if uri.has_pin_value() {
            return Err(CliError::sentence(format!(
                "{option} has a PIN in it (pin-value), which everybody on this machine sees in the list of processes: write the PIN to a \
                 file, and give pin-source=file:PATH in its place"
            )));
        }
        Ok(uri)
    }
}

#[cfg(not(feature = "pkcs11"))]
mod token {
    use std::path::{Path, PathBuf};

    use thingpost_host::Identity;

    use crate::error::CliError;

    pub(super) fn identity(_: &Path, _: bool, _: &Path) -> Result<Identity, CliError> {
        Err(without())
    }

    pub(super) fn pin_file(_: &Path) -> Option<PathBuf> {
        None
    }

    pub(super) fn facts(_: &Path) -> Result<(String, bool), CliError> {
        Err(without())
    }

    fn without() -> CliError {
        CliError::sentence(
            "this thingpost is built without PKCS#11: build it with the cargo feature pkcs11, or give the key in a file",
        )
    }
}
