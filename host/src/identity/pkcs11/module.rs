//! The libraries by which tokens are reached.
//!
//! A library is loaded once in a process and stays: a second `C_Initialize` fails, and a `C_Finalize` takes the
//! sessions of all others away. Many of them are not made for several threads, whatever they answer when they are asked, so all calls
//! to one take turns; a handshake makes one signature, and connections are kept.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{env, fs};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

use super::error::{Pkcs11Error, call_failed};
use super::pin::KnownPins;
use super::uri::Pkcs11Uri;

/// A library that is loaded.
pub(super) struct Module {
    file: PathBuf,
    library: Pkcs11,
    turn: Mutex<KnownPins>,
}

/// A turn with a library, the only one at that time.
pub(super) struct Turn<'a> {
    library: &'a Pkcs11,
    pub(super) pins: MutexGuard<'a, KnownPins>,
}

/// What p11-kit calls the library that has the tokens of all others behind it. In the folders where the system looks for libraries.
const P11_KIT: &[&str] = match cfg!(target_os = "macos") {
    true => &["p11-kit-proxy.dylib", "/opt/homebrew/lib/p11-kit-proxy.dylib", "/usr/local/lib/p11-kit-proxy.dylib"],
    false => &["p11-kit-proxy.so", "libp11-kit.so.0"],
};

/// Where distributions put libraries of tokens; those for one architecture alone are a folder deeper.
const FOLDERS: [&str; 5] =
    ["/usr/lib/pkcs11", "/usr/lib64/pkcs11", "/usr/local/lib/pkcs11", "/usr/lib/softhsm", "/usr/lib"];

impl Module {
    /// Loads the library that the URI names, or p11-kit.
    pub(super) fn load(uri: &Pkcs11Uri) -> Result<Arc<Self>, Pkcs11Error> {
        static LOADED: Mutex<Vec<Arc<Module>>> = Mutex::new(Vec::new());
        let candidates = candidates(uri);
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let mut first_fault = None;
        for file in &candidates {
            // A name alone is for the system to find.
            let is_name = file.components().count() == 1;
            if !is_name && !file.exists() {
                continue;
            }
            let file = fs::canonicalize(file).ok().filter(|_| !is_name).unwrap_or_else(|| file.clone());
            if let Some(module) = loaded.iter().find(|module| module.file == file) {
                let turn = module.turn();
                module.initialize()?;
                drop(turn);
                return Ok(Arc::clone(module));
            }
            match Self::load_file(&file) {
                Ok(module) => {
                    let module = Arc::new(module);
                    loaded.push(Arc::clone(&module));
                    return Ok(module);
                }
                Err(_) if is_name && candidates.len() > 1 => {}
                Err(fault) => first_fault = first_fault.or(Some(fault)),
            }
        }
        Err(first_fault.unwrap_or_else(|| Pkcs11Error::NoModule {
            tried: candidates.iter().map(|file| file.display().to_string()).collect(),
            is_default: uri.module_path().is_none() && uri.module_name().is_none(),
        }))
    }

    fn load_file(file: &Path) -> Result<Self, Pkcs11Error> {
        let fault = |why| Pkcs11Error::Module { module: file.display().to_string(), why };
        let library = Pkcs11::new(file).map_err(|error| match error {
            Error::MissingSymbol(name) => fault(format!("it has no {name}")),
            Error::LibraryLoading(error) => fault(error.to_string()),
            other => fault(call_failed(other).to_string()),
        })?;
        let module = Self { file: file.to_owned(), library, turn: Mutex::default() };
        module.initialize()?;
        Ok(module)
    }

    /// Once in a process, or once more after a fork, in which the library is loaded and knows of nothing.
    pub(super) fn initialize(&self) -> Result<(), Pkcs11Error> {
        let initialize = |flags| match self.library.initialize(CInitializeArgs::new(flags)) {
            Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
            other => other,
        };
        let initialized = match initialize(CInitializeFlags::OS_LOCKING_OK) {
            // There is one call at a time anyway.
            Err(Error::Pkcs11(RvError::CantLock, _)) => initialize(CInitializeFlags::empty()),
            other => other,
        };
        let module = || self.file.display().to_string();
        initialized.map_err(|error| match call_failed(error) {
            Pkcs11Error::Call { code, .. } => Pkcs11Error::NotStarted { module: module(), code },
            other => Pkcs11Error::Module { module: module(), why: other.to_string() },
        })
    }

    pub(super) fn turn(&self) -> Turn<'_> {
        let pins = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        Turn { library: &self.library, pins }
    }
}

impl Deref for Turn<'_> {
    type Target = Pkcs11;

    fn deref(&self) -> &Pkcs11 {
        self.library
    }
}

/// The files that the library may be, the likeliest first.
fn candidates(uri: &Pkcs11Uri) -> Vec<PathBuf> {
    match (uri.module_path(), uri.module_name()) {
        (Some(path), Some(name)) if path.is_dir() => files_of(name).iter().map(|file| path.join(file)).collect(),
        (Some(path), _) => vec![path.clone()],
        (None, Some(name)) => {
            let files = files_of(name);
            let in_folders =
                folders().into_iter().flat_map(|folder| files.clone().into_iter().map(move |f| folder.join(f)));
            in_folders.chain(files.iter().map(PathBuf::from)).collect()
        }
        (None, None) => P11_KIT.iter().map(PathBuf::from).collect(),
    }
}

/// What a library may be called whose name is given without what the system puts around names.
fn files_of(name: &str) -> Vec<String> {
    let suffix = env::consts::DLL_SUFFIX;
    vec![format!("lib{name}{suffix}"), format!("{name}{suffix}"), format!("{name}-pkcs11{suffix}"), name.to_owned()]
}

fn folders() -> Vec<PathBuf> {
    let gnu = format!("/usr/lib/{}-linux-gnu", env::consts::ARCH);
    let of_architecture = ["pkcs11", "softhsm", ""].map(|folder| Path::new(&gnu).join(folder));
    of_architecture.into_iter().chain(FOLDERS.map(PathBuf::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates_of(uri: &str) -> Vec<String> {
        candidates(&uri.parse().unwrap()).iter().map(|file| file.display().to_string()).collect()
    }

    #[test]
    fn the_library_is_the_named_one_or_that_of_p11_kit() {
        assert_eq!(candidates_of("pkcs11:?module-path=/opt/x.so"), ["/opt/x.so"]);
        assert!(candidates_of("pkcs11:token=a").iter().all(|file| file.contains("p11-kit")));
        let suffix = env::consts::DLL_SUFFIX;
        let by_name = candidates_of("pkcs11:?module-name=softhsm2");
        assert!(by_name.contains(&format!("/usr/lib/softhsm/libsofthsm2{suffix}")), "{by_name:?}");
        let folder = tempfile::tempdir().unwrap();
        let in_folder = candidates_of(&format!("pkcs11:?module-path={}&module-name=x", folder.path().display()));
        assert!(
            in_folder.contains(&folder.path().join(format!("libx{suffix}")).display().to_string()),
            "{in_folder:?}"
        );
    }

    #[test]
    fn what_is_no_library_for_tokens_is_called_so() {
        let fault = |uri: &str| Module::load(&uri.parse().unwrap()).err().unwrap().to_string();
        assert!(fault("pkcs11:?module-path=/nowhere/x.so").contains("/nowhere/x.so; check module-path"));
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text.so");
        fs::write(&text, "no library").unwrap();
        let told = fault(&format!("pkcs11:?module-path={}", text.display()));
        assert!(told.contains("text.so cannot be used as a library"), "{told}");
    }
}
