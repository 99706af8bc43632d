//! `thingpost register`: a device gets its secret, which goes into a file and nowhere else.

use std::path::Path;

use serde_json::json;
use thingpost::aliyun::RegistrationMessage;
use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::{Registered, Registration};

use super::{Destination, QueryError, QueryRunner, register_mqtt};
use crate::args::RegisterAliyun;
use crate::device::input_files;
use crate::device::secret::{self, SecretForm};
use crate::error::{CliError, one_line};
use crate::exit::Exit;
use crate::files::secret_file::{MisplacedSecret, SecretFile};
use crate::terminal::{answer, complain};

const SECRET_VARIABLE: &str = "THINGPOST_PRODUCT_SECRET";

pub(super) async fn run(arguments: &RegisterAliyun) -> Result<(), QueryError> {
    let to = Destination::new(arguments.endpoint(), arguments.port, &arguments.network)?;
    let product_secret = product_secret(arguments)?;
    if arguments.mqtt.mqtt {
        let mut registration = register_mqtt::Registration::prepare(arguments, &to, product_secret, random()?).await?;
        let place = place(arguments)?;
        let given = registration.ask(arguments).await?;
        let kept = keep(arguments, place, &given);
        registration.goodbye().await;
        return kept;
    }
    let registration = Registration {
        endpoint: to.host.clone(),
        port: to.port,
        product_key: arguments.product_key.clone(),
        device_name: arguments.device_name.clone(),
        method: arguments.sign_method.into(),
        random: random()?,
    };
    let mut runner = QueryRunner::open(&to, &arguments.network, DeviceSecrets::new(), arguments.json).await?;
    // All that can be wrong is found before the platform is asked.
    let place = place(arguments)?;
    let registered = runner
        .ask(async |provisioning, timeout_ms| provisioning.register(&registration, &product_secret, timeout_ms).await)
        .await?;
    let Registered { device_name, device_secret, .. } = registered;
    keep(arguments, place, &Given { device_name, secret: device_secret, client_id: None })
}

/// What a device was given.
pub(super) struct Given {
    device_name: String,
    /// Its secret, or its token.
    secret: String,
    /// The client id that goes with a token.
    client_id: Option<String>,
}

impl Given {
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

fn place(arguments: &RegisterAliyun) -> Result<SecretFile, CliError> {
    let inputs = input_files([
        ("--product-secret-file", arguments.product_secret_file.as_ref()),
        ("--ca", arguments.network.ca.as_ref()),
    ]);
    SecretFile::prepare("--secret-file", &arguments.secret_file, arguments.force, &inputs)
}

/// Where the secret is not where it was asked to be, the run has not done what it should, and a script must not go on as if
/// it had.
fn keep(arguments: &RegisterAliyun, place: SecretFile, given: &Given) -> Result<(), QueryError> {
    match place.fill(&given.secret) {
        Ok(()) => {
            say(arguments, given, &arguments.secret_file);
            Ok(())
        }
        Err(MisplacedSecret::Elsewhere { path, error }) => {
            if arguments.json {
                say(arguments, given, &path);
            }
            complain(one_line(&format!(
                "thingpost: --secret-file {} cannot be written: {error}; the {} of {} is in {}: move it from there",
                arguments.secret_file.display(),
                given.what(),
                given.device_name,
                path.display(),
            )));
            Err(QueryError::Said(Exit::Unknown))
        }
        Err(MisplacedSecret::Nowhere(error)) => {
            complain(one_line(&format!(
                "unknown: the platform has given out a {} of {}, and it could be written nowhere: {error}; register \
                 once more: until the device has used a secret, it is given another",
                given.what(),
                given.device_name,
            )));
            Err(QueryError::Said(Exit::Unknown))
        }
    }
}

fn say(arguments: &RegisterAliyun, given: &Given, place: &Path) {
    let (product_key, Given { device_name, client_id, .. }) = (&arguments.product_key, given);
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
        let (what, place) = (given.what(), place.display());
        answer(one_line(&format!("registered {device_name} of {product_key}; its {what} is in {place}{client_id}")));
    }
}

fn product_secret(arguments: &RegisterAliyun) -> Result<String, CliError> {
    const WHAT: &str = "product secret";
    match &arguments.product_secret_file {
        Some(file) => secret::from_file(WHAT, file, SecretForm::Word),
        None => secret::from_variable(WHAT, SECRET_VARIABLE, SecretForm::Word)?.ok_or_else(|| {
            CliError::sentence(format!("no product secret: give --product-secret-file, or set {SECRET_VARIABLE}"))
        }),
    }
}

/// 128 bits from the system, by way of the TLS library.
fn random() -> Result<String, CliError> {
    let mut bytes = [0; 16];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut bytes).map_err(|_| CliError::sentence("the system gives no random numbers"))?;
    Ok(hex::encode(bytes))
}
