//! A profile is spread over two files, and most of the ways by which it can come to a key need a browser, a subprocess or
//! another service of AWS. `aws` knows them all and can hand out what it gets by them, so here are the profiles with a key in
//! them, and for the others a pointer to that.

use std::env;
use std::fmt;
use std::path::PathBuf;

use super::AccessKey;
use super::settings::{Settings, SettingsError};
use crate::files::input_file::InputFile;

/// What AWS's tools go for before a key in the profile, and what they go for after it.
const BEFORE_KEYS: [&str; 3] = ["role_arn", "sso_account_id", "sso_role_name"];
const AFTER_KEYS: [&str; 5] =
    ["credential_process", "sso_session", "sso_start_url", "login_session", "web_identity_token_file"];

/// The settings of a profile in both files.
pub(super) struct Profile {
    name: String,
    credentials: Settings,
    config: Settings,
}

/// Why there is no key to be had from a profile.
#[derive(Debug)]
pub(super) enum ProfileError {
    File(SettingsError),
    /// It is not known where the files are.
    NoHome,
    Unknown {
        name: String,
        files: [PathBuf; 2],
    },
    NoKey {
        name: String,
        files: [PathBuf; 2],
    },
    /// It has an id and no secret, or the other way round.
    HalfKey {
        name: String,
        missing: &'static str,
    },
    /// It comes to its key in this way.
    Unsupported {
        name: String,
        setting: &'static str,
    },
}

impl Profile {
    /// Reads what there is of it, which may be nothing.
    pub(super) fn read(name: Option<&str>) -> Result<Self, ProfileError> {
        let name = name.unwrap_or("default").to_owned();
        let credentials = Settings::read(&file(CREDENTIALS.0, CREDENTIALS.1)?, |section| section == name)?;
        let config = Settings::read(&file(CONFIG.0, CONFIG.1)?, |section| is_of(section, &name))?;
        Ok(Self { name, credentials, config })
    }

    pub(super) fn region(&self) -> Option<String> {
        self.get("region").map(str::to_owned)
    }

    pub(super) fn access_key(&self) -> Result<AccessKey, ProfileError> {
        let name = || self.name.clone();
        let files = || [self.credentials.path.clone(), self.config.path.clone()];
        if !self.credentials.exists() && !self.config.exists() {
            return Err(ProfileError::Unknown { name: name(), files: files() });
        }
        let of = |settings: &[&'static str]| settings.iter().copied().find(|setting| self.get(setting).is_some());
        if let Some(setting) = of(&BEFORE_KEYS) {
            return Err(ProfileError::Unsupported { name: name(), setting });
        }
        for settings in [&self.credentials, &self.config] {
            let half = |missing| Err(ProfileError::HalfKey { name: name(), missing });
            match (settings.get("aws_access_key_id"), settings.get("aws_secret_access_key")) {
                (Some(id), Some(secret)) => {
                    let session_token = settings.get("aws_session_token").map(str::to_owned);
                    return Ok(AccessKey { id: id.to_owned(), secret: secret.to_owned(), session_token });
                }
                (Some(_), None) => return half("aws_secret_access_key"),
                (None, Some(_)) => return half("aws_access_key_id"),
                (None, None) => {}
            }
        }
        match of(&AFTER_KEYS) {
            Some(setting) => Err(ProfileError::Unsupported { name: name(), setting }),
            None => Err(ProfileError::NoKey { name: name(), files: files() }),
        }
    }

    fn get(&self, setting: &str) -> Option<&str> {
        self.credentials.get(setting).or_else(|| self.config.get(setting))
    }
}

impl ProfileError {
    /// There is no key here, and nothing that is meant to be one.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::NoHome | Self::Unknown { .. } | Self::NoKey { .. })
    }
}

/// Whether a section of the config file is that of a profile: the default one has two names, the others a word before
/// theirs, and quotes around a name with blanks.
fn is_of(section: &str, profile: &str) -> bool {
    match section.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t'])) {
        Some(rest) => rest.trim_matches([' ', '\t']).trim_matches(['"', '\'']) == profile,
        None => section == profile && profile == "default",
    }
}

/// Both files, by the variables that can name others.
pub(super) fn files() -> Vec<InputFile> {
    let files = [CREDENTIALS, CONFIG].into_iter();
    files.filter_map(|(option, name)| Some(InputFile { option, path: file(option, name).ok()? })).collect()
}

/// The variable that names a file in place of the one of this name.
const CREDENTIALS: (&str, &str) = ("AWS_SHARED_CREDENTIALS_FILE", "credentials");
const CONFIG: (&str, &str) = ("AWS_CONFIG_FILE", "config");

/// Where a file is: a variable says so, or it is in the folder that AWS has for it.
fn file(variable: &str, name: &str) -> Result<PathBuf, ProfileError> {
    let home = || env::home_dir().filter(|home| !home.as_os_str().is_empty()).ok_or(ProfileError::NoHome);
    match env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from) {
        Some(path) => match path.strip_prefix("~") {
            Ok(below_home) => Ok(home()?.join(below_home)),
            Err(_) => Ok(path),
        },
        None => Ok(home()?.join(".aws").join(name)),
    }
}

impl From<SettingsError> for ProfileError {
    fn from(error: SettingsError) -> Self {
        Self::File(error)
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const VARIABLES: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
        match self {
            Self::File(error) => error.fmt(f),
            Self::NoHome => write!(f, "no access key, and no home folder with a profile in it: {VARIABLES}"),
            Self::Unknown { name, files: [credentials, config] } => write!(
                f,
                "no access key: there is no profile {name} in {} and {}; {VARIABLES}, or give another --profile",
                credentials.display(),
                config.display()
            ),
            Self::NoKey { name, files: [credentials, config] } => write!(
                f,
                "the profile {name} in {} and {} has no access key; {VARIABLES}, or give another --profile",
                credentials.display(),
                config.display()
            ),
            Self::HalfKey { name, missing } => write!(f, "the profile {name} has half an access key: add {missing}"),
            Self::Unsupported { name, setting } => write!(
                f,
                "the profile {name} gets its key by {}, which is done by `aws` alone: run `eval \"$(aws configure \
                 export-credentials --profile {name} --format env)\"`, and leave --profile out",
                way(setting)
            ),
        }
    }
}

/// What a setting means to its owner.
fn way(setting: &str) -> String {
    let way = match setting {
        "role_arn" => "assuming a role",
        "credential_process" => "running a program",
        "web_identity_token_file" => "a web identity",
        "login_session" => "signing in",
        _ => "single sign-on",
    };
    format!("{way} ({setting})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_of_the_config_file_has_the_word_before_its_name() {
        for (section, profile) in [
            ("default", "default"),
            ("profile default", "default"),
            ("profile dev", "dev"),
            ("profile\t dev ", "dev"),
            ("profile \"my dev\"", "my dev"),
        ] {
            assert!(is_of(section, profile), "{section}");
        }
        for (section, profile) in [("dev", "dev"), ("profiledev", "dev"), ("sso-session dev", "dev")] {
            assert!(!is_of(section, profile), "{section}");
        }
    }
}
