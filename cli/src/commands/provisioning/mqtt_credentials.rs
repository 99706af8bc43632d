//! `thingpost mqtt-credentials`: what an MQTT client needs to connect as a device. The password is good for 7 days, so it
//! goes into a file, unless the user wants to see it and says so.

use serde_json::{Map, Value};
use thingpost_host::runtime::types::{Address, MqttCredentials};

use super::{Destination, QueryError, QueryRunner};
use crate::args::MqttCredentialsAliyun;
use crate::device::{aliyun_config, aliyun_secrets, input_files};
use crate::error::one_line;
use crate::exit::Exit;
use crate::files::secret_file::{MisplacedSecret, SecretFile};
use crate::terminal::{answer, complain};

pub(super) async fn run(arguments: &MqttCredentialsAliyun) -> Result<(), QueryError> {
    let MqttCredentialsAliyun { identity, network, .. } = arguments;
    let to = Destination::new(arguments.door.endpoint(), arguments.port, network)?;
    let config = aliyun_config(identity, &to.host, to.port);
    let mut runner = QueryRunner::open(
        &to,
        network,
        aliyun_secrets(&identity.product_key, &identity.device_name, &identity.secret)?,
        arguments.json,
    )
    .await?;
    let inputs = input_files([
        ("--device-secret-file", identity.secret.device_secret_file.as_ref()),
        ("--ca", network.ca.as_ref()),
    ]);
    let prepare = |path| SecretFile::prepare("--token-file", path, arguments.force, &inputs);
    let place = arguments.place.token_file.as_deref().map(prepare).transpose()?;
    let credentials =
        runner.ask(async |provisioning, timeout_ms| provisioning.mqtt_credentials(&config, timeout_ms).await).await?;
    if let Some(place) = place {
        place.fill(&credentials.iot_token).map_err(|misplaced| {
            // Another one is to be had at any time.
            let (MisplacedSecret::Elsewhere { error, .. } | MisplacedSecret::Nowhere(error)) = &misplaced;
            complain(one_line(&format!("thingpost: --token-file cannot be written: {error}; ask once more")));
            misplaced.discard();
            QueryError::Said(Exit::Unknown)
        })?;
    }
    say(arguments, &credentials);
    Ok(())
}

fn say(arguments: &MqttCredentialsAliyun, credentials: &MqttCredentials) {
    let MqttCredentials { iot_id, iot_token, address } = credentials;
    let mut facts = vec![("username", Value::from(iot_id.as_str()))];
    if arguments.place.show_token {
        facts.push(("password", iot_token.as_str().into()));
    }
    if let Some(Address { host, port }) = address {
        facts.extend([("host", host.as_str().into()), ("port", (*port).into())]);
    }
    if arguments.json {
        let object: Map<String, Value> = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        answer(Value::Object(object));
    } else {
        for (name, value) in facts {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            answer(one_line(&format!("{name} {text}")));
        }
    }
}
