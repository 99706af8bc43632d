//! A device on a broker. Over MQTT the port and the ALPN protocol belong to the method in which a device shows who it is, and a
//! broker answers every mix-up of these by closing the connection.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use thingpost_host::runtime::types::Message;
use thingpost_host::runtime::types::mqtt::{
    AliyunBroker, AwsBroker, Broker, GenericBroker, MqttAuthentication, MqttAuthorizer, MqttConfig, SessionConfig,
    Version,
};
use thingpost_host::{AWS_MQTT_WITH_AUTHORIZER, AWS_MQTT_WITH_CERTIFICATE, Alpn, Route};

use super::aliyun_mqtt::authentication;
use super::aws::auth_method::{BY_AUTHORIZER, CertificateAndKey, authorizer_option, refuse_strays, the_only_one};
use super::aws::authorizer::Token;
use super::secret::{self, SecretForm};
use super::{Device, Network, identity, input_files, roots};
use crate::args::{MqttAuthorizerArgs, MqttDevice, MqttVersion, QosLevel, SessionOptions};
use crate::error::CliError;
use crate::files::input_file::InputFile;
use crate::message;

const CHOICES: &str = "for AWS give --cert and --key, or --authorizer NAME (or --authorizer-default); for Aliyun give \
                       --product-key and --device-name; for any other broker give --generic";

/// What has user name and password.
const BY_PASSWORD: &str = "--authorizer, --authorizer-default or --generic";

/// How the device shows who it is.
enum MqttAuthMethod<'a> {
    Certificate(CertificateAndKey<'a>),
    CustomAuthorizer,
    Aliyun {
        product_key: &'a str,
        device_name: &'a str,
    },
    /// On a broker of no cloud.
    Generic(Option<CertificateAndKey<'a>>),
}

pub fn mqtt(arguments: &MqttDevice) -> Result<Device<MqttConfig>, CliError> {
    let method = MqttAuthMethod::of(arguments)?;
    let default_port =
        if matches!(method, MqttAuthMethod::Certificate(_) | MqttAuthMethod::Generic(_)) { 8883 } else { 443 };
    let endpoint = &arguments.endpoint.host;
    let port = arguments.endpoint.port("--port", arguments.port, default_port)?;
    let route = Route::new(endpoint, roots(&arguments.network)?).port(port);
    let (mut secrets, mut warnings) = (Arc::default(), Vec::new());
    let (broker, route) = match method {
        MqttAuthMethod::Certificate(pair) => {
            let identity = pair.identity()?;
            warnings = pair.warnings(&identity);
            let route = route.identity(identity).mqtt_alpn(alpn(port, AWS_MQTT_WITH_CERTIFICATE));
            (aws(arguments, port, MqttAuthentication::Certificate), route)
        }
        MqttAuthMethod::CustomAuthorizer => {
            let authentication = MqttAuthentication::CustomAuthorizer(authorizer(arguments)?);
            (aws(arguments, port, authentication), route.mqtt_alpn(alpn(port, AWS_MQTT_WITH_AUTHORIZER)))
        }
        MqttAuthMethod::Aliyun { product_key, device_name } => {
            let client_id = arguments.session.client_id.as_deref();
            let (authentication, given) = authentication((product_key, device_name), &arguments.aliyun, client_id)?;
            secrets = given.into();
            let broker = AliyunBroker {
                endpoint: endpoint.clone(),
                port,
                product_key: product_key.to_owned(),
                device_name: device_name.to_owned(),
                authentication,
                client_id: arguments.session.client_id.clone(),
                client_id_parameters: arguments.aliyun.client_id_parameter.clone(),
                unchecked: arguments.aliyun.unchecked,
            };
            (Broker::Aliyun(broker), route.mqtt_alpn(Alpn::Offer(Vec::new())))
        }
        MqttAuthMethod::Generic(pair) => {
            let route = route.mqtt_alpn(Alpn::Offer(Vec::new()));
            let route = match pair {
                Some(pair) => {
                    let identity = pair.identity()?;
                    warnings = pair.warnings(&identity);
                    route.identity(identity)
                }
                None => route,
            };
            (generic(arguments, port)?, route)
        }
    };
    Ok(Device {
        platform: config(broker, &arguments.session),
        routes: vec![route],
        secrets,
        network: Network::of(&arguments.network)?,
        files: files(arguments),
        renewal: None,
        warnings,
    })
}

/// What the device is made from.
pub fn files(arguments: &MqttDevice) -> Vec<InputFile> {
    let others = input_files([
        ("--ca", arguments.network.ca.as_ref()),
        ("--proxy-user-file", arguments.network.proxy_user_file.as_ref()),
        ("--token-file", arguments.authorizer.token.token_file.as_ref()),
        ("--token-signature-file", arguments.authorizer.token.token_signature_file.as_ref()),
        ("--password-file", arguments.authorizer.password_file.as_ref()),
        ("--device-secret-file", arguments.aliyun.secret.device_secret_file.as_ref()),
        ("--device-token-file", arguments.aliyun.device_token_file.as_ref()),
        ("--iot-token-file", arguments.aliyun.iot_token_file.as_ref()),
    ]);
    identity::files(&arguments.certificate).into_iter().chain(others).collect()
}

impl<'a> MqttAuthMethod<'a> {
    fn of(arguments: &'a MqttDevice) -> Result<Self, CliError> {
        let MqttDevice { certificate, authorizer, aliyun, session, .. } = arguments;
        let pair = CertificateAndKey::of(certificate);
        let (by_certificate, by_name) = match arguments.generic {
            true => (None, Some(("--generic", Self::Generic(pair)))),
            false => (pair.map(|pair| ("--cert", Self::Certificate(pair))), None),
        };
        let by_authorizer = authorizer_option(&authorizer.token).map(|option| (option, Self::CustomAuthorizer));
        let by_secret = match (&aliyun.product_key, &aliyun.device_name) {
            (Some(product_key), Some(device_name)) => {
                Some(("--product-key", Self::Aliyun { product_key, device_name }))
            }
            // Clap has refused one without the other.
            _ => None,
        };
        let method = the_only_one([by_name, by_certificate, by_authorizer, by_secret], CHOICES)?;
        let is_aliyun = matches!(method, Self::Aliyun { .. });
        let shows_token = matches!(method, Self::CustomAuthorizer);
        let has_password = shows_token || matches!(method, Self::Generic(_));
        refuse_strays([
            ("--token-name", authorizer.token.token_name.is_some(), shows_token, BY_AUTHORIZER),
            ("--user-name", authorizer.user_name.is_some(), has_password, BY_PASSWORD),
            ("--password-file", authorizer.password_file.is_some(), has_password, BY_PASSWORD),
            (
                "--will-topic",
                session.will_topic.is_some(),
                !is_aliyun || aliyun.unchecked,
                "AWS and other brokers, as Aliyun has no last wills (where an instance has them, give --unchecked)",
            ),
            (
                "--mqtt 5",
                session.mqtt == Some(MqttVersion::V5),
                !is_aliyun || aliyun.unchecked,
                "AWS and other brokers, as Aliyun has MQTT 3.1.1 alone (where an instance has version 5, give --unchecked)",
            ),
        ])?;
        if !is_aliyun && session.session_expiry > 0 && session.client_id.is_none() {
            return Err(CliError::sentence(
                "--session-expiry needs --client-id: by it the broker finds the session again",
            ));
        }
        Ok(method)
    }
}

/// Port 443 is the one with ALPN, whatever the domain is called.
fn alpn(port: u16, protocol: &[u8]) -> Alpn {
    Alpn::Offer(if port == 443 { vec![protocol.to_vec()] } else { Vec::new() })
}

fn aws(arguments: &MqttDevice, port: u16, authentication: MqttAuthentication) -> Broker {
    let client_id = arguments.session.client_id.clone().unwrap_or_else(random_client_id);
    Broker::Aws(AwsBroker { endpoint: arguments.endpoint.host.clone(), port, client_id, authentication })
}

fn generic(arguments: &MqttDevice, port: u16) -> Result<Broker, CliError> {
    let MqttAuthorizerArgs { user_name, password_file, .. } = &arguments.authorizer;
    let password = password_file.as_ref();
    Ok(Broker::Generic(GenericBroker {
        endpoint: arguments.endpoint.host.clone(),
        port,
        client_id: arguments.session.client_id.clone().unwrap_or_else(random_client_id),
        user_name: user_name.clone(),
        password: password.map(|file| secret::from_file("password", file, SecretForm::Password)).transpose()?,
    }))
}

/// Two runs at the same time must not throw each other out.
fn random_client_id() -> String {
    // The standard library's hash maps are seeded with randomness of the system.
    format!("thingpost-{:016x}", RandomState::new().build_hasher().finish())
}

fn authorizer(arguments: &MqttDevice) -> Result<MqttAuthorizer, CliError> {
    let authorizer = &arguments.authorizer;
    let Token { token, signature } = Token::read(&authorizer.token)?;
    let password = authorizer.password_file.as_ref();
    Ok(MqttAuthorizer {
        name: authorizer.token.authorizer.clone(),
        token,
        signature,
        user_name: authorizer.user_name.clone(),
        password: password.map(|file| secret::from_file("password", file, SecretForm::Password)).transpose()?,
    })
}

fn config(broker: Broker, options: &SessionOptions) -> MqttConfig {
    let default_version = match broker {
        Broker::Aws(_) | Broker::Generic(_) => MqttVersion::V5,
        Broker::Aliyun(_) => MqttVersion::V3,
    };
    let session = SessionConfig {
        version: match options.mqtt.unwrap_or(default_version) {
            MqttVersion::V3 => Version::V311,
            MqttVersion::V5 => Version::V5,
        },
        session_expiry_s: options.session_expiry,
        clean_start: options.clean_start.then_some(true),
        keep_alive_s: options.keep_alive,
        will: options.will_topic.as_ref().map(|topic| {
            let qos = message::qos(options.will_qos.unwrap_or(QosLevel::AtMostOnce));
            let text = options.will_message.clone().unwrap_or_default();
            Message { retain: options.will_retain, ..Message::new(topic, text, qos) }
        }),
        will_delay_s: options.will_delay,
    };
    MqttConfig { broker, session }
}
