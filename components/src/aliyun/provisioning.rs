//! Interface `aliyun-provisioning`: each function is one request.

use alloc::string::{String, ToString};

use thingpost::exchange::Outgoing;
use thingpost::http::{Request, Response};
use thingpost::{ConfigError, Options, RequestError, Stage, aliyun, wasi};

use super::{config, registration};
use crate::Component;
use crate::bindings::exports::thingpost::iot::aliyun_provisioning::{
    Address, Config, Error, Guest, MqttCredentials, Registered, Registration,
};
use crate::publisher::signer;
use crate::values::{endpoint, outcome};

impl Guest for Component {
    fn register(
        registration: Registration,
        product_secret: String,
        timeout_ms: Option<u32>,
    ) -> Result<Registered, Error> {
        let registration = registration::registration(&registration).map_err(refused)?;
        let signature = registration.sign(&product_secret);
        let request = aliyun::registration_request(&registration, &signature);
        let read = |response: &Response| {
            let registered = aliyun::read_registration_response(response)?;
            match registration.is_of(&registered) {
                true => Ok(registered),
                false => Err(thingpost::Error::of_another_device()),
            }
        };
        exchange(request, timeout_ms, &[&product_secret, &signature], read).map(registration::registered)
    }

    fn bootstrap(
        endpoint: String,
        port: u16,
        product_key: String,
        device_name: String,
        timeout_ms: Option<u32>,
    ) -> Result<Address, Error> {
        let request = endpoint::endpoint(&endpoint, port)
            .and_then(|endpoint| aliyun::bootstrap_request(&endpoint, &product_key, &device_name))
            .map_err(refused)?;
        exchange(request, timeout_ms, &[], aliyun::read_bootstrap_response).map(registration::address)
    }

    fn get_mqtt_credentials(config: Config, timeout_ms: Option<u32>) -> Result<MqttCredentials, Error> {
        let config = config::config(config).map_err(refused)?;
        let (request, signature) =
            config.mqtt_auth_request(wasi::now().unix_ms, signer::signature).map_err(explained)?;
        exchange(request, timeout_ms, &[signature.reveal()], |response| {
            config.read_mqtt_auth_response(response, &signature)
        })
        .map(registration::mqtt_credentials)
    }
}

fn exchange<T>(
    request: Request,
    timeout_ms: Option<u32>,
    secrets: &[&str],
    read: impl FnOnce(&Response) -> Result<T, thingpost::Error>,
) -> Result<T, Error> {
    let timeout_ms = timeout_ms.unwrap_or(Options::default().timeout_ms).max(1);
    let read = match wasi::send(Outgoing::alone(request, timeout_ms)) {
        Ok(response) => read(&response).map_err(|error| error.at(wasi::now().unix_ms, &response)),
        Err(transport_error) => Err(thingpost::Error::transport(Stage::Authentication, transport_error)),
    };
    read.map_err(|error| explained(error.without(secrets.iter().copied())))
}

fn explained(error: thingpost::Error) -> Error {
    let explanation = aliyun::explain_provisioning(&error);
    outcome::error(error, explanation)
}

fn refused(problem: ConfigError) -> Error {
    outcome::error(RequestError::Unsupported.into(), problem.to_string())
}
