//! `thingpost register`: a device gets its secret, which goes into a file and nowhere else.

use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::{Registered, Registration};

use super::issued::{Issued, keep, place};
use super::{Destination, QueryError, QueryRunner, register_mqtt};
use crate::args::RegisterAliyun;
use crate::device::secret::{self, SecretForm};
use crate::error::CliError;

const SECRET_VARIABLE: &str = "THINGPOST_PRODUCT_SECRET";

pub(super) async fn run(arguments: &RegisterAliyun) -> Result<(), QueryError> {
    let to = Destination::new(arguments.endpoint(), arguments.port, &arguments.network)?;
    let product_secret = product_secret(arguments)?;
    if arguments.mqtt.mqtt {
        let mut registration = register_mqtt::Registration::prepare(arguments, &to, product_secret, random()?).await?;
        let place = place(arguments)?;
        let issued = registration.ask(arguments).await?;
        let kept = keep(arguments, place, &issued);
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
    keep(arguments, place, &Issued { device_name, secret: device_secret, client_id: None })
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
