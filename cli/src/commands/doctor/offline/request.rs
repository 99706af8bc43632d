//! The request as it would be sent, made by the very code that the component makes it by, and not sent. Most refusals of a
//! signature come from one character in the path, and to see it one needs the bytes; so they are shown, without the secrets.

use std::time::{SystemTime, UNIX_EPOCH};

use thingpost::aws::sigv4::{Credentials, canonical_request};
use thingpost::aws::{self, Authentication, Config, publish_request, scope};
use thingpost::http::Request;
use thingpost::{ConfigError, Endpoint, Message, PayloadFormat, Properties, Qos, RequestError, Secret};
use thingpost_host::runtime::types::{self, AwsAuthentication, AwsConfig, Placement, Scope};

use super::topic;
use crate::commands::doctor::finding::Finding;

/// Stands for what is not to be read.
const HIDDEN: &str = "hidden";

/// As much of a message as anybody reads.
const MAX_SHOWN: usize = 200;

/// Shows the request for this message.
pub fn check(config: &AwsConfig, message: &types::Message) -> Finding {
    let message = core_message(message);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    // The one is checked, the other is shown: its token may stand in the path.
    let made = core_config(config, Secrets::Real).and_then(|_| core_config(config, Secrets::Hidden));
    let core = match made {
        Ok(core) => core,
        Err(problem) => {
            return Finding::failed(
                problem.to_string(),
                "correct it where it comes from: an option, a file or a variable",
            );
        }
    };
    let request = match publish_request(&core, &message, now) {
        Ok(request) => request,
        Err(problem) => return explain(problem, &message.topic),
    };
    let mut finding = Finding::new();
    finding.see(format!("{} https://{}{}", request.method, request.authority, request.path_with_query));
    for (name, value) in &request.headers {
        finding.see(format!("{name}: {}", shown(name, value)));
    }
    finding.see(body(&request.body));
    topic::check(&mut finding, &message.topic);
    match &config.authentication {
        AwsAuthentication::SigV4(_) => see_canonical(&mut finding, &request),
        AwsAuthentication::CredentialsProvider(_) => {
            finding
                .see("to this comes a signature by the temporary key, which is asked for when something is published");
        }
        AwsAuthentication::Certificate | AwsAuthentication::CustomAuthorizer(_) => {}
    }
    finding
}

/// The message as the core has it.
pub fn core_message(message: &types::Message) -> Message {
    Message {
        topic: message.topic.clone(),
        payload: message.payload.as_slice().into(),
        qos: match message.qos {
            types::Qos::AtMostOnce => Qos::AtMostOnce,
            types::Qos::AtLeastOnce => Qos::AtLeastOnce,
        },
        retain: message.retain,
        rule: message.rule.clone(),
        properties: message.properties.as_ref().map(core_properties),
    }
}

fn core_properties(properties: &types::Properties) -> Properties {
    Properties {
        content_type: properties.content_type.clone(),
        response_topic: properties.response_topic.clone(),
        message_expiry_s: properties.message_expiry_s,
        payload_format: properties.payload_format.map(|format| match format {
            types::PayloadFormat::UnspecifiedBytes => PayloadFormat::UnspecifiedBytes,
            types::PayloadFormat::Utf8Data => PayloadFormat::Utf8Data,
        }),
        correlation_data: properties.correlation_data.clone(),
        user_properties: properties.user_properties.clone(),
    }
}

/// `a body of 4 bytes: 21.5`
pub fn body(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(MAX_SHOWN)];
    let more = if bytes.len() > MAX_SHOWN { ".." } else { "" };
    format!("a body of {} bytes: {}{more}", bytes.len(), String::from_utf8_lossy(shown))
}

/// Whether the secrets go in, or something in their place.
#[derive(Clone, Copy)]
enum Secrets {
    Real,
    Hidden,
}

impl Secrets {
    fn of(self, secret: &str) -> Secret {
        match self {
            Self::Real => Secret::new(secret),
            Self::Hidden => Secret::new(HIDDEN),
        }
    }
}

/// The configuration as the core has it. Without a temporary key there is no signature by it, so that request is shown as it
/// is before.
fn core_config(config: &AwsConfig, secrets: Secrets) -> Result<Config, ConfigError> {
    let endpoint = Endpoint::new(&config.endpoint, config.port).map_err(ConfigError::Endpoint)?;
    let signed_for = |it: &Scope| scope(&endpoint, it.region.clone(), it.service.clone());
    let authentication = match &config.authentication {
        AwsAuthentication::Certificate => Authentication::Certificate,
        AwsAuthentication::CredentialsProvider(provider) => {
            let provider = aws::CredentialsProvider {
                endpoint: Endpoint::new(&provider.endpoint, provider.port).map_err(ConfigError::Endpoint)?,
                role_alias: provider.role_alias.clone(),
                thing_name: provider.thing_name.clone(),
                scope: signed_for(&provider.scope)?,
            };
            Config::new(endpoint.clone(), Authentication::CredentialsProvider(provider))?;
            Authentication::Certificate
        }
        AwsAuthentication::SigV4(key) => Authentication::SigV4 {
            credentials: Credentials {
                access_key_id: key.access_key_id.clone(),
                secret_access_key: secrets.of(&key.secret_access_key),
                session_token: key.session_token.as_deref().map(|token| secrets.of(token)),
            },
            scope: signed_for(&key.scope)?,
        },
        AwsAuthentication::CustomAuthorizer(authorizer) => Authentication::CustomAuthorizer(aws::CustomAuthorizer {
            name: authorizer.name.clone(),
            token: authorizer.token.as_ref().map(|(name, token)| (name.clone(), secrets.of(token))),
            signature: authorizer.signature.as_deref().map(|signature| secrets.of(signature)),
            placement: match authorizer.placement {
                Placement::Headers => aws::Placement::Headers,
                Placement::Query => aws::Placement::Query,
            },
        }),
    };
    Config::new(endpoint, authentication)
}

/// Made with something in the secret's place, a signature is not worth its line.
fn shown<'a>(name: &str, value: &'a str) -> std::borrow::Cow<'a, str> {
    match value.split_once("Signature=") {
        Some((before, _)) if name == "authorization" => format!("{before}Signature={HIDDEN}").into(),
        _ => value.into(),
    }
}

fn see_canonical(finding: &mut Finding, request: &Request) {
    finding.see("signed is this, in which AWS's word on a refused signature can be found again:");
    for line in canonical_request(request).lines() {
        finding.see(format!("| {line}"));
    }
}

fn explain(problem: RequestError, topic: &str) -> Finding {
    match problem {
        RequestError::InvalidTopic(problem) => {
            Finding::failed(format!("{problem} (\"{topic}\")"), "give another topic with --topic")
        }
        RequestError::InvalidField(field) => Finding::failed(field.text(), "correct it"),
        // The component says it better.
        RequestError::PayloadTooLarge | RequestError::Unsupported => Finding::new(),
    }
}
