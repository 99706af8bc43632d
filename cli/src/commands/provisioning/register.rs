//! `thingpost register`: a device gets its secret, which goes into a file and nowhere else.

use std::path::Path;

use serde_json::json;
use thingpost_host::runtime::DeviceSecrets;
use thingpost_host::runtime::types::{Registered, Registration};

use super::{Asker, Destination, Unanswered};
use crate::args::RegisterAliyun;
use crate::device::input_files;
use crate::device::secret::{self, Form};
use crate::error::{Problem, one_line};
use crate::exit::Exit;
use crate::files::secret_file::{Misplaced, SecretFile};
use crate::terminal::{answer, complain};

const SECRET_VARIABLE: &str = "THINGPOST_PRODUCT_SECRET";

pub(super) async fn run(arguments: &RegisterAliyun) -> Result<(), Unanswered> {
    let to = Destination::new(arguments.door.endpoint(), arguments.port, &arguments.reach)?;
    let product_secret = product_secret(arguments)?;
    let registration = Registration {
        endpoint: to.host.clone(),
        port: to.port,
        product_key: arguments.product_key.clone(),
        device_name: arguments.device_name.clone(),
        method: arguments.sign_method.into(),
        random: random()?,
    };
    let mut asker = Asker::open(&to, &arguments.reach, DeviceSecrets::new(), arguments.json).await?;
    let inputs = input_files([
        ("--product-secret-file", arguments.product_secret_file.as_ref()),
        ("--ca", arguments.reach.ca.as_ref()),
    ]);
    // All that can be wrong is found before the platform is asked.
    let place = SecretFile::prepare("--secret-file", &arguments.secret_file, arguments.force, &inputs)?;
    let registered = asker
        .ask(async |provisioning, timeout_ms| provisioning.register(&registration, &product_secret, timeout_ms).await)
        .await?;
    keep(arguments, place, &registered)
}

/// Where the secret is not where it was asked to be, the run has not done what it should, and a script must not go on as if
/// it had.
fn keep(arguments: &RegisterAliyun, place: SecretFile, registered: &Registered) -> Result<(), Unanswered> {
    match place.fill(&registered.device_secret) {
        Ok(()) => {
            say(arguments, registered, &arguments.secret_file);
            Ok(())
        }
        Err(Misplaced::Elsewhere { path, error }) => {
            if arguments.json {
                say(arguments, registered, &path);
            }
            complain(one_line(&format!(
                "thingpost: --secret-file {} cannot be written: {error}; the secret of {} is in {}: move it from there",
                arguments.secret_file.display(),
                registered.device_name,
                path.display(),
            )));
            Err(Unanswered::Said(Exit::Unknown))
        }
        Err(Misplaced::Nowhere(error)) => {
            complain(one_line(&format!(
                "unknown: the platform has given out a secret of {}, and it could be written nowhere: {error}; register \
                 once more: until the device has used a secret, it is given another",
                registered.device_name,
            )));
            Err(Unanswered::Said(Exit::Unknown))
        }
    }
}

fn say(arguments: &RegisterAliyun, registered: &Registered, place: &Path) {
    let Registered { product_key, device_name, .. } = registered;
    if arguments.json {
        answer(json!({
            "outcome": "registered",
            "product_key": product_key,
            "device_name": device_name,
            "secret_file": place.to_string_lossy(),
        }));
    } else {
        answer(one_line(&format!("registered {device_name} of {product_key}; its secret is in {}", place.display())));
    }
}

fn product_secret(arguments: &RegisterAliyun) -> Result<String, Problem> {
    const WHAT: &str = "product secret";
    match &arguments.product_secret_file {
        Some(file) => secret::from_file(WHAT, file, Form::Word),
        None => secret::from_variable(WHAT, SECRET_VARIABLE, Form::Word)?.ok_or_else(|| {
            Problem::sentence(format!("no product secret: give --product-secret-file, or set {SECRET_VARIABLE}"))
        }),
    }
}

/// 128 bits from the system, by way of the TLS library.
fn random() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut bytes).map_err(|_| Problem::sentence("the system gives no random numbers"))?;
    Ok(hex::encode(bytes))
}
