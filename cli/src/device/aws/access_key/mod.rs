//! An access key from where all tools of AWS look for it: a user of `aws` should have nothing to set up here.
//!
//! A key by option is no way: others see it in the list of processes.

mod container;
mod plain_http;
mod profile;
mod settings;

use std::env::{self, VarError};

use thingpost_host::runtime::types::SigV4;

use super::scope;
use crate::args::SignatureArgs;
use crate::device::secret::{self, SecretForm};
use crate::error::CliError;
use crate::files::input_file::InputFile;
use container::Container;
use profile::{Profile, ProfileError};

/// What `aws` has in ways that are not known here, it hands over.
const EXPORT: &str = "run `eval \"$(aws configure export-credentials --format env)\"`";

/// A key that is not bound to a service yet.
struct AccessKey {
    id: String,
    secret: String,
    session_token: Option<String>,
}

/// A key, and who gives out the next one if it has an end.
pub(super) struct Found {
    pub key: SigV4,
    pub renewal: Option<Renewal>,
}

/// Where a key with an end comes from.
pub struct Renewal(Container);

impl Renewal {
    /// Whether the key will soon be of no use.
    pub fn is_due(&self) -> bool {
        self.0.is_due()
    }

    /// The key that came last is of no use: another one is asked for later.
    pub fn put_off(&mut self) {
        self.0.put_off();
    }

    /// Puts a fresh key in the place of the old one.
    pub fn renew(&mut self, key: &mut SigV4) -> Result<(), CliError> {
        let AccessKey { id, secret, session_token } = self.0.key()?;
        (key.access_key_id, key.secret_access_key, key.session_token) = (id, secret, session_token);
        Ok(())
    }
}

/// From the variables, or else from the profile, or else from the server that gives out keys in a container. Like `aws`, a
/// profile that was asked for by option goes before variables, and one that was asked for in either way before a container.
///
/// The endpoint's own name is asked for the region before variables and profiles are: those are about other services too,
/// and a signature for another region is refused.
pub(super) fn find(arguments: &SignatureArgs, endpoint: &str) -> Result<Found, CliError> {
    let from_variables = match arguments.profile {
        Some(_) => None,
        None => from_variables()?,
    };
    let named = arguments.profile.clone().map_or_else(|| variable("AWS_PROFILE"), |name| Ok(Some(name)))?;
    let names_its_region = thingpost::aws::region(endpoint).is_some();
    let region = match &arguments.region {
        Some(region) => Some(region.clone()),
        None if names_its_region => None,
        None => variable("AWS_REGION")?.map_or_else(|| variable("AWS_DEFAULT_REGION"), |region| Ok(Some(region)))?,
    };
    let mut renewal = None;
    let (key, region) = match from_variables {
        // Where all is known, the files are not looked at, and so they cannot be wrong.
        Some(key) if region.is_some() || names_its_region => (key, region),
        Some(key) => match Profile::read(named.as_deref()) {
            Ok(profile) => (key, profile.region()),
            Err(ProfileError::NoHome) => (key, None),
            Err(error) => return Err(CliError::sentence(error)),
        },
        None => {
            let profile = Profile::read(named.as_deref());
            let of_profile = profile.as_ref().ok().and_then(Profile::region).filter(|_| !names_its_region);
            let key = match profile.and_then(|profile| profile.access_key()) {
                Ok(key) => key,
                Err(error) if named.is_none() && error.is_absence() => {
                    let mut container = container(&error)?;
                    let key = container.key()?;
                    renewal = Some(Renewal(container));
                    key
                }
                Err(error) => return Err(CliError::sentence(error)),
            };
            (key, region.or(of_profile))
        }
    };
    let key = SigV4 {
        access_key_id: key.id,
        secret_access_key: key.secret,
        session_token: key.session_token,
        scope: scope(arguments, region),
    };
    Ok(Found { key, renewal })
}

/// The files that the key comes from, unless it comes from variables.
pub(super) fn files(arguments: &SignatureArgs) -> Vec<InputFile> {
    let is_set = |name| matches!(variable(name), Ok(Some(_)));
    let is_in_variables = arguments.profile.is_none() && is_set(ID) && is_set(SECRET);
    if is_in_variables { Vec::new() } else { profile::files() }
}

/// The server of keys that the variables of a container name. Without one, the error says which way to a key there is that is not
/// supported, or else why there is no key.
fn container(absence: &ProfileError) -> Result<Container, CliError> {
    const WEB_IDENTITY: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
    if let Some(container) = Container::of_variables()? {
        return Ok(container);
    }
    Err(match variable(WEB_IDENTITY)? {
        Some(_) => CliError::new(
            format!("no access key, and {WEB_IDENTITY} is set"),
            format!("the key of a web identity is got by `aws` alone; {EXPORT}"),
        ),
        None => CliError::sentence(format!(
            "{absence}; where `aws` has another way, such as the role of a machine: {EXPORT}"
        )),
    })
}

const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";

fn from_variables() -> Result<Option<AccessKey>, CliError> {
    let half = |is, missing| Err(CliError::sentence(format!("{is} is set and {missing} is not: set both, or none")));
    match (part("access key id", ID)?, part("secret access key", SECRET)?) {
        (Some(id), Some(secret)) => {
            Ok(Some(AccessKey { id, secret, session_token: part("session token", "AWS_SESSION_TOKEN")? }))
        }
        (Some(_), None) => half(ID, SECRET),
        (None, Some(_)) => half(SECRET, ID),
        (None, None) => Ok(None),
    }
}

/// A part of the key. What `docker --env-file` or a file of Windows has put around it would make it another key.
fn part(what: &str, name: &str) -> Result<Option<String>, CliError> {
    match variable(name)? {
        Some(_) => secret::from_variable(what, name, SecretForm::IssuedWord),
        None => Ok(None),
    }
}

/// One that is set to nothing is not set; so all tools of AWS have it.
fn variable(name: &str) -> Result<Option<String>, CliError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(CliError::new(name, "it is not text in UTF-8; set it anew")),
    }
}
