//! An access key from where all tools of AWS look for it: somebody who can use `aws` should have nothing to set up here.
//!
//! A key by option is no way: others see it in the list of processes.

mod profile;
mod settings;

use std::env::{self, VarError};

use thingpost_host::runtime::types::SigV4;

use super::scope;
use crate::arguments::SignatureArguments;
use crate::problem::Problem;
use profile::Profile;

/// A key that is not bound to a service yet.
struct AccessKey {
    id: String,
    secret: String,
    session_token: Option<String>,
}

/// From the variables, or else from the profile. Like `aws`, a profile that was asked for by option goes before variables.
///
/// The endpoint's own name is asked for the region before variables and profiles are: those are about other services too,
/// and a signature for another region is refused.
pub(super) fn find(arguments: &SignatureArguments, endpoint: &str) -> Result<SigV4, Problem> {
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
    let (key, region) = match from_variables {
        // Where all is known, nobody looks at the files, and so they cannot be wrong.
        Some(key) if region.is_some() || names_its_region => (key, region),
        Some(key) => {
            let profile = Profile::read(named.as_deref()).map_err(Problem::sentence)?;
            (key, profile.region())
        }
        None => {
            let profile = Profile::read(named.as_deref()).map_err(Problem::sentence)?;
            let key = profile.access_key().map_err(Problem::sentence)?;
            (key, region.or_else(|| profile.region().filter(|_| !names_its_region)))
        }
    };
    Ok(SigV4 {
        access_key_id: key.id,
        secret_access_key: key.secret,
        session_token: key.session_token,
        scope: scope(arguments, region),
    })
}

fn from_variables() -> Result<Option<AccessKey>, Problem> {
    const ID: &str = "AWS_ACCESS_KEY_ID";
    const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
    let half = |is, missing| Err(Problem::sentence(format!("{is} is set and {missing} is not: set both, or none")));
    match (variable(ID)?, variable(SECRET)?) {
        (Some(id), Some(secret)) => Ok(Some(AccessKey { id, secret, session_token: variable("AWS_SESSION_TOKEN")? })),
        (Some(_), None) => half(ID, SECRET),
        (None, Some(_)) => half(SECRET, ID),
        (None, None) => Ok(None),
    }
}

/// One that is set to nothing is not set; so all tools of AWS have it.
fn variable(name: &str) -> Result<Option<String>, Problem> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Problem::new(name, "it is not text")),
    }
}
