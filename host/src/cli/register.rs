//! `thingpost register`: a device gets its secret, which goes into a file and nowhere else.

use std::sync::Arc;

use serde_json::{Value, json};
use thingpost_host::runtime::types::{Registered, Registration};
use thingpost_host::{Pool, Profile, Route, RouteTable, Transport};

use super::Exit;
use super::arguments::{RegisterAliyun, RegisterCommand};
use super::device::{roots, secret};
use super::interrupt::Interruptions;
use super::problem::{Problem, one_line};
use super::report::{self, LastFailure};
use super::secret_file::SecretFile;
use super::starter::load;
use super::terminal::{complain, print};

const SECRET_VARIABLE: &str = "THINGPOST_PRODUCT_SECRET";

pub async fn run(command: &RegisterCommand) -> Result<Exit, Problem> {
    match command {
        RegisterCommand::Aliyun(arguments) => aliyun(arguments).await,
    }
}

async fn aliyun(arguments: &RegisterAliyun) -> Result<Exit, Problem> {
    let product_secret = product_secret(arguments)?;
    let endpoint = arguments.door.endpoint();
    let port = endpoint.port("--port", arguments.port, 443)?;
    let route = Route::new(&endpoint.host, roots(&arguments.reach)?).port(port);
    let routes = RouteTable::new(vec![route]).map_err(|error| Problem::new("--endpoint", error))?;
    let profile = Profile { workload: "thingpost".to_owned(), routes, connect_to: arguments.reach.connect_to.clone() };
    let last_failure = LastFailure::default();
    let noted = last_failure.clone();
    let transport = Transport::new(Pool::default(), profile).on_failure(Arc::new(move |error| noted.note(error)));
    let registration = Registration {
        endpoint: endpoint.host,
        port,
        product_key: arguments.product_key.clone(),
        device_name: arguments.device_name.clone(),
        method: arguments.sign_method.into(),
        random: random()?,
    };
    let provisioning = load()?.provisioning(transport, Arc::default()).await;
    let mut provisioning =
        provisioning.map_err(|error| Problem::new("the component cannot be started", format!("{error:#}")))?;

    // All that can be wrong is found before the platform is asked.
    let place = SecretFile::create("--secret-file", &arguments.secret_file)?;
    let interruptions = Interruptions::count();
    let registered = tokio::select! {
        registered = provisioning.register(&registration, &product_secret, Some(arguments.reach.timeout)) => registered,
        () = interruptions.reached(1) => {
            complain("unknown: interrupted before the answer came; the platform may have given out a secret");
            return Ok(Exit::Unknown);
        }
    };
    match registered {
        Err(trap) => {
            complain(one_line(&format!("unknown: the component failed: {trap:#}")));
            Ok(Exit::Unknown)
        }
        Ok(Err(error)) => {
            if arguments.json {
                let mut object = report::failure_json(&error);
                last_failure.add_to(&mut object, &error);
                print(Value::Object(object));
            } else {
                complain(one_line(&report::failure_text(&error, &last_failure)));
            }
            Ok(report::exit_of_failure(&error))
        }
        Ok(Ok(registered)) => Ok(keep(arguments, place, &registered)),
    }
}

fn keep(arguments: &RegisterAliyun, place: SecretFile, registered: &Registered) -> Exit {
    let path = arguments.secret_file.display();
    if let Err(error) = place.fill(&registered.device_secret) {
        complain(one_line(&format!(
            "unknown: the platform has given out the secret of {}, and it could not be written to {path}: {error}; \
             register once more, or reset the device in the console",
            registered.device_name
        )));
        return Exit::Unknown;
    }
    let Registered { product_key, device_name, .. } = registered;
    if arguments.json {
        let file = arguments.secret_file.to_string_lossy();
        print(json!({
            "outcome": "registered",
            "product_key": product_key,
            "device_name": device_name,
            "secret_file": file,
        }));
    } else {
        print(one_line(&format!("registered {device_name} of {product_key}; its secret is in {path}")));
    }
    Exit::Delivered
}

fn product_secret(arguments: &RegisterAliyun) -> Result<String, Problem> {
    let secret = match &arguments.product_secret_file {
        Some(file) => secret::from_file("product secret", file)?,
        None => secret::from_variable(SECRET_VARIABLE)?.ok_or_else(|| {
            Problem::sentence(format!("no product secret: give --product-secret-file, or set {SECRET_VARIABLE}"))
        })?,
    };
    secret::checked("product secret", secret)
}

/// 128 bits from the system, by way of the TLS library.
fn random() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut bytes).map_err(|_| Problem::sentence("the system gives no random numbers"))?;
    Ok(hex::encode(bytes))
}
