//! The authorities that this machine trusts. Where it has a store, that is what its owner has decided: a store that cannot be
//! read is no reason to trust the list of somebody else. Only a machine without any, which is a bare container, gets one.

use std::env;
#[cfg(all(unix, not(target_os = "macos")))]
use std::{fs, path::PathBuf};

use rustls::RootCertStore;
use rustls_native_certs::{CertificateResult, load_native_certs};

use super::{Gathered, RootsError, TrustRoots, is_authority};

pub(super) fn roots() -> Result<TrustRoots, RootsError> {
    let found = match env::var_os("SSL_CERT_FILE") {
        None => load_native_certs(),
        Some(_) => beside_the_environment(),
    };
    roots_of(found, is_there())
}

/// Whether this machine has a store, were it one without anything in it: somebody may have emptied it on purpose.
#[cfg(all(unix, not(target_os = "macos")))]
fn is_there() -> bool {
    let places = openssl_probe::probe();
    // A folder is there on machines without a store as well; then nothing is in it.
    let has_entries = |folder: &PathBuf| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    places.cert_file.is_some() || places.cert_dir.iter().any(has_entries)
}

/// Such systems are never without.
#[cfg(not(all(unix, not(target_os = "macos"))))]
fn is_there() -> bool {
    true
}

fn roots_of(found: CertificateResult, is_there: bool) -> Result<TrustRoots, RootsError> {
    for error in &found.errors {
        tracing::warn!("the system's trust store is only partly readable: {error}");
    }
    if found.certs.is_empty() && found.errors.is_empty() && !is_there {
        tracing::debug!("the system has no trust store; using the compiled-in list");
        let store = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect::<RootCertStore>();
        return Ok(TrustRoots::new(store, Vec::new()));
    }
    let mut gathered = Gathered::default();
    // Stores of systems hold oddities (old encodings, private extensions); one of them must not take away the rest.
    for certificate in found.certs {
        let taken =
            is_authority(&certificate).and_then(|is_one| if is_one { gathered.take(&certificate) } else { Ok(()) });
        if let Err(error) = taken {
            tracing::debug!("a certificate of the system's trust store is passed over: {error}");
        }
    }
    match gathered.store {
        Some(store) => Ok(TrustRoots::new(store, Vec::new())),
        None => Err(RootsError::System { error: found.errors.into_iter().next().map(Into::into) }),
    }
}

/// The store of the system where `SSL_CERT_FILE` is set to nothing, which the library takes for a file without a name.
#[cfg(all(unix, not(target_os = "macos")))]
fn beside_the_environment() -> CertificateResult {
    use rustls_native_certs::load_certs_from_paths;

    let places = openssl_probe::probe();
    let mut found = load_certs_from_paths(places.cert_file.as_deref(), None);
    for folder in &places.cert_dir {
        let in_folder = load_certs_from_paths(None, Some(folder));
        found.certs.extend(in_folder.certs);
        found.errors.extend(in_folder.errors);
    }
    found.certs.sort_unstable_by(|one, other| one.as_ref().cmp(other.as_ref()));
    found.certs.dedup();
    found
}

/// Elsewhere nothing but the library gets at the store: it says that there is no such file.
#[cfg(not(all(unix, not(target_os = "macos"))))]
fn beside_the_environment() -> CertificateResult {
    load_native_certs()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rustls_native_certs::load_certs_from_paths;

    use super::*;

    fn fixture(name: &str) -> CertificateResult {
        load_certs_from_paths(Some(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)), None)
    }

    #[test]
    fn a_machine_without_a_store_trusts_the_compiled_in_list() {
        assert_eq!(
            roots_of(CertificateResult::default(), false).unwrap().authorities().len(),
            webpki_roots::TLS_SERVER_ROOTS.len()
        );
    }

    #[test]
    fn a_store_that_cannot_be_read_is_an_error_and_nobody_elses_list_takes_its_place() {
        let said = roots_of(fixture("nowhere.pem"), true).unwrap_err().to_string();
        assert!(said.contains("certificate authorities of this system") && said.contains("nowhere.pem"), "{said}");
        assert!(said.contains("SSL_CERT_FILE"), "{said}");
    }

    #[test]
    fn a_store_without_authorities_is_an_error_too() {
        for file in ["ec-explicit.key.pem", "v1-leaf.cert.pem", "sha512.server.pem"] {
            let said = roots_of(fixture(file), true);
            assert!(matches!(said, Err(RootsError::System { .. })), "{file}");
        }
        let emptied = roots_of(CertificateResult::default(), true);
        assert!(matches!(emptied, Err(RootsError::System { .. })));
    }

    #[test]
    fn what_cannot_be_used_takes_nothing_away_from_the_rest() {
        let mut found = fixture("rsa.cert.pem");
        found.certs.extend(fixture("v1-leaf.cert.pem").certs);
        found.certs.push(b"nonsense".to_vec().into());
        found.errors.extend(fixture("nowhere.pem").errors);
        let roots = roots_of(found, true).unwrap();
        assert_eq!((roots.authorities().len(), roots.named.len()), (1, 0));
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn a_variable_that_is_set_to_nothing_leaves_the_store_as_it_is() {
        let set_to_nothing = beside_the_environment();
        let unset = load_native_certs();
        assert_eq!(set_to_nothing.certs.len(), unset.certs.len());
    }
}
