//! The roots that the environment names. A library for that exists, and what it does where nothing is to be found is to report
//! no certificate, with a list of errors that most callers have no place for: a typing error in `SSL_CERT_FILE` would have the
//! whole web trusted in place of the one authority that was meant.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Gathered, OddCertificates, RootsError, TrustRoots};
use crate::files::pem::{self, PemSource, PemText};

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

pub(super) fn roots() -> Result<Option<TrustRoots>, RootsError> {
    let set = |name| env::var_os(name).filter(|value: &OsString| !value.is_empty());
    roots_of(set(FILE).map(PathBuf::from).as_deref(), set(FOLDERS))
}

fn roots_of(file: Option<&Path>, folders: Option<OsString>) -> Result<Option<TrustRoots>, RootsError> {
    let of_file = file.map(|file| format!("{FILE}={}", file.display()));
    let of_folders = folders.as_ref().map(|folders| format!("{FOLDERS}={}", Path::new(folders).display()));
    let settings: Vec<_> = of_file.into_iter().chain(of_folders).collect();
    let roots = gather(file, folders)?;
    Ok(roots.map(|roots| TrustRoots { setting: Some(settings.join(" and ").into()), ..roots }))
}

fn gather(file: Option<&Path>, folders: Option<OsString>) -> Result<Option<TrustRoots>, RootsError> {
    let mut found = Gathered::default();
    if let Some(file) = file {
        let in_file = read(file, &mut found);
        in_file.map_err(|error| RootsError::Environment {
            setting: format!("{FILE}={}", file.display()),
            error: Some(Box::new(error)),
        })?;
    }
    let Some(folders) = folders else {
        return Ok(file.map(|_| found.into()));
    };
    let (mut first_error, mut is_any_there) = (None, false);
    for folder in env::split_paths(&folders).filter(|folder| !folder.as_os_str().is_empty()) {
        match read_folder(&folder, &mut found) {
            Ok(()) => is_any_there = true,
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    // A list may name folders of other machines too. Where none of it is there, it is a typing error, whatever the file has.
    if found.named.is_empty() || !is_any_there {
        let setting = format!("{FOLDERS}={}", Path::new(&folders).display());
        return Err(RootsError::Environment { setting, error: first_error.map(Box::new) });
    }
    Ok(Some(found.into()))
}

/// All certificates of a file, which must have some.
fn read(file: &Path, found: &mut Gathered) -> Result<(), RootsError> {
    let content = pem::read(file).map_err(|error| RootsError::Unreadable { file: file.to_owned(), error })?;
    let source = PemSource::from(file);
    let before = found.named.len();
    found.add(&content, &source, OddCertificates::PassedOver)?;
    if found.named.len() > before {
        return Ok(());
    }
    let text = PemText::of(&content);
    let blocks = text.blocks().unwrap_or_default();
    let left_out = found.left_out.first().cloned();
    Err(RootsError::NoCertificate { roots: source, found: text.contents(&blocks), left_out })
}

/// The certificates of a folder. It holds whatever it holds, and most of it several times: what is no certificate is passed over.
fn read_folder(folder: &Path, found: &mut Gathered) -> Result<(), RootsError> {
    let entries = fs::read_dir(folder).map_err(|error| RootsError::Unreadable { file: folder.to_owned(), error })?;
    for file in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        if let Err(error) = read(&file, found) {
            tracing::debug!("{error}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
    }

    fn trusted(file: Option<&Path>, folders: Option<&Path>) -> Option<usize> {
        let roots = roots_of(file, folders.map(|folder| folder.as_os_str().to_owned())).unwrap();
        roots.map(|roots| roots.named.len())
    }

    #[test]
    fn what_is_named_is_trusted_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(fixture("rsa.cert.pem"), folder.path().join("a.pem")).unwrap();
        fs::write(folder.path().join("README"), "no certificate").unwrap();
        let file = fixture("ec.cert.pem");
        assert_eq!(trusted(None, None), None);
        assert_eq!(trusted(Some(&file), None), Some(1));
        assert_eq!(trusted(None, Some(folder.path())), Some(1));
        assert_eq!(trusted(Some(&file), Some(folder.path())), Some(2));
        let one_is_missing = env::join_paths([Path::new("/nowhere"), folder.path()]).unwrap();
        assert_eq!(trusted(Some(&file), Some(Path::new(&one_is_missing))), Some(2));
        let hollow = tempfile::tempdir().unwrap();
        assert_eq!(trusted(Some(&file), Some(hollow.path())), Some(1));
        let setting = roots_of(Some(&file), Some(folder.path().into())).unwrap().unwrap().setting().unwrap();
        let named = format!("SSL_CERT_FILE={} and SSL_CERT_DIR={}", file.display(), folder.path().display());
        assert_eq!(&*setting, named);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named_although_there_is_a_file() {
        let said = roots_of(Some(&fixture("ec.cert.pem")), Some("/nowhere".into())).unwrap_err().to_string();
        assert!(said.starts_with("SSL_CERT_DIR=/nowhere is set in the environment: "), "{said}");
        assert!(said.contains("No such file") && said.ends_with("or unset it"), "{said}");
    }

    #[test]
    fn what_is_left_out_has_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let mut content = fs::read(fixture("rsa.cert.pem")).unwrap();
        content.extend_from_slice(b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
        fs::write(&file, content).unwrap();
        let folders = folder.path().as_os_str().to_owned();
        for roots in [roots_of(Some(&file), None), roots_of(None, Some(folders))] {
            let roots = roots.unwrap().unwrap();
            let [left_out] = roots.left_out() else { panic!("{:?}", roots.left_out()) };
            assert_eq!(left_out.source(), &PemSource::from(file.as_path()));
            assert!(left_out.to_string().starts_with("the X509 CRL of line "), "{left_out}");
        }
    }

    #[test]
    fn where_there_is_nothing_nobody_is_trusted_and_the_variable_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        fs::write(&empty, "").unwrap();
        for (file, what) in [
            (Path::new("/nowhere/ca.pem").to_owned(), "No such file"),
            (empty, "it is empty"),
            (fixture("rsa.public.pem"), "it holds: PUBLIC KEY"),
        ] {
            let said = roots_of(Some(&file), None).unwrap_err().to_string();
            assert!(said.starts_with(&format!("SSL_CERT_FILE={} is set", file.display())), "{said}");
            assert!(said.contains(what) && said.ends_with("or unset it"), "{said}");
        }
        let hollow = tempfile::tempdir().unwrap();
        for (folder, what) in [(Path::new("/nowhere"), "No such file"), (hollow.path(), "there is no certificate")] {
            let said = roots_of(None, Some(folder.as_os_str().to_owned())).unwrap_err().to_string();
            assert!(said.starts_with("SSL_CERT_DIR=") && said.contains(what), "{said}");
        }
    }
}
