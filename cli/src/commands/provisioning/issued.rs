//! Whichever way a device registers, it gets its secret once: so the place for it is made before it is asked for, and where it
//! went is said whatever happens.

use std::path::Path;

use serde_json::json;
use thingpost::aliyun::RegistrationMessage;

use super::QueryError;
use crate::args::RegisterAliyun;
use crate::device::input_files;
use crate::error::{CliError, one_line};
use crate::exit::Exit;
use crate::files::secret_file::{MisplacedSecret, SecretFile};
use crate::terminal::{answer, complain};

/// What a platform has issued to a device.
pub(super) struct Issued {
    pub device_name: String,
    /// Its secret, or its token.
    pub secret: String,
    /// The client id that goes with a token.
    pub client_id: Option<String>,
}

impl Issued {
    /// What came over MQTT, if it is for the device that has asked.
    pub(super) fn of(arguments: &RegisterAliyun, message: RegistrationMessage) -> Result<Self, QueryError> {
        let (product_key, device_name, secret, client_id) = match message {
            RegistrationMessage::Secret(it) => (it.product_key, it.device_name, it.device_secret, None),
            RegistrationMessage::Token { product_key, device_name, client_id, device_token } => {
                (product_key, device_name, device_token, Some(client_id))
            }
        };
        if product_key != arguments.product_key || device_name != arguments.device_name {
            complain(one_line(&format!(
                "unknown: what came is for {device_name} of {product_key}; register once more"
            )));
            return Err(QueryError::Said(Exit::Unknown));
        }
        Ok(Self { device_name, secret: secret.reveal().to_owned(), client_id })
    }

    fn what(&self) -> &'static str {
        if self.client_id.is_some() { "device token" } else { "secret" }
    }
}

/// The place for the secret, which is made before the secret is asked for.
pub(super) fn place(arguments: &RegisterAliyun) -> Result<SecretFile, CliError> {
    let inputs = input_files([
        ("--product-secret-file", arguments.product_secret_file.as_ref()),
        ("--ca", arguments.network.ca.as_ref()),
    ]);
    SecretFile::prepare("--secret-file", &arguments.secret_file, arguments.force, &inputs)
}

/// Where the secret is not where it was asked to be, the run has not done what it should, and a script must not go on as if
/// it had.
pub(super) fn keep(arguments: &RegisterAliyun, place: SecretFile, issued: &Issued) -> Result<(), QueryError> {
    match place.fill(&issued.secret) {
        Ok(()) => {
            announce(arguments, issued, &arguments.secret_file);
            Ok(())
        }
        Err(MisplacedSecret::Elsewhere { path, error }) => {
            if arguments.json {
                announce(arguments, issued, &path);
            }
            complain(one_line(&format!(
                "thingpost: --secret-file {} cannot be written: {error}; the {} of {} is in {}: move it from there",
                arguments.secret_file.display(),
                issued.what(),
                issued.device_name,
                path.display(),
            )));
            Err(QueryError::Said(Exit::Unknown))
        }
        Err(MisplacedSecret::Nowhere(error)) => {
            complain(one_line(&format!(
                "unknown: the platform has given out a {} of {}, and it could be written nowhere: {error}; register \
                 once more: until the device has used a secret, it is given another",
                issued.what(),
                issued.device_name,
            )));
            Err(QueryError::Said(Exit::Unknown))
        }
    }
}

fn announce(arguments: &RegisterAliyun, issued: &Issued, place: &Path) {
    let (product_key, Issued { device_name, client_id, .. }) = (&arguments.product_key, issued);
    if arguments.json {
        let mut object = json!({
            "outcome": "registered",
            "product_key": product_key,
            "device_name": device_name,
            "secret_file": place.to_string_lossy(),
        });
        if let Some(client_id) = client_id {
            object["client_id"] = client_id.as_str().into();
        }
        answer(object);
    } else {
        let client_id = client_id.as_ref().map(|id| format!(", and its client id is {id}")).unwrap_or_default();
        let (what, place) = (issued.what(), place.display());
        answer(one_line(&format!("registered {device_name} of {product_key}; its {what} is in {place}{client_id}")));
    }
}
