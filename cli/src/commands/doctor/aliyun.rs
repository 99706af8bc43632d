//! A device of Aliyun IoT Platform. Whatever is wrong with it, the platform says "auth check error" or "param error"; what can
//! be seen from here is the names, the endpoint, the clock, and the very text that is signed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use thingpost::aliyun::{Device as CoreDevice, publish_request, signing_content};
use thingpost::{Endpoint, RequestError};
use thingpost_host::runtime::types::{AliyunConfig, Message, Platform, SignMethod, TimestampPolicy};

use super::finding::{Check, Finding};
use super::network::answer::Clock;
use super::network::{Destination, Protocol};
use super::offline::{files, request};
use super::report::{Reached, Report};
use super::steps::{self, Expectations, PreparedRun, go, limit};
use crate::args::PublishAliyun;
use crate::args::doctor::DoctorAliyun;
use crate::component::publisher::PublisherFactory;
use crate::error::CliError;
use crate::exit::Exit;
use crate::message::thing_model;
use crate::{device, message};

/// How far off the clock may be where the request for a token says the time.
const TIMESTAMP: Clock = Clock {
    tolerance: Duration::from_secs(15 * 60),
    next_step: "set the clock, or send no time (--timestamp none): the platform takes timestamps that are at most 15 minutes off",
};

/// As the documentation has it for names of devices.
const DEVICE_NAME_LENGTH: std::ops::RangeInclusive<usize> = 4..=32;

pub async fn run(arguments: &DoctorAliyun) -> Result<Exit, CliError> {
    let PublishAliyun { device: who, source, publish: how, .. } = &arguments.publication;
    let mut report = Report::new(how.report.json);
    let device = match device::aliyun(who) {
        Ok(device) => device,
        Err(error) => return steps::without_device(report, files::broken(None, &who.network), error),
    };
    let network = device.network.clone();
    let (platform, routes) = (device.platform.clone(), device.routes.clone());
    let Platform::Aliyun(config) = &platform else {
        unreachable!("a device of Aliyun is made for Aliyun");
    };
    let mut seen = names(&config.product_key, &config.device_name, core_device(config).err());
    files::check_roots(&mut seen, &who.network);
    let PreparedRun { mut factory, payload, files } =
        PreparedRun::of(device, seen, &who.network, &source.source(), how);
    let mut message = Message { payload, ..with_topic(&arguments.publication, config) };
    report.add(Check::Files, files);
    report.add(Check::Endpoint, endpoint(config));
    let made = match &mut factory {
        Ok(factory) => of_thing_model(factory, &platform, &arguments.publication).await,
        Err(_) => Ok(None),
    };
    let mut unmade = Finding::new();
    match made {
        Ok(Some(made)) => message = made,
        Ok(None) => {}
        Err(error) => unmade.fail_with(error, "correct its value"),
    }
    let check_request = || if unmade.has_failed() { unmade } else { request(config, &message) };
    let factory = steps::prepare(&mut report, factory, &message, check_request).await?;

    let expected = Expectations {
        shows_certificate: false,
        clock: (config.timestamp == TimestampPolicy::Now).then_some(TIMESTAMP),
    };
    let to = Destination::new(&config.endpoint, config.port, &network, Protocol::Https);
    go(&mut report, &to, &routes[0], limit(&who.network), &expected).await;
    if arguments.publish {
        steps::publish(&mut report, factory, &message, false).await?;
        return Ok(report.end(Reached::Delivery));
    }
    steps::rehearse(&mut report, factory, &platform, &message).await?;
    report.leave_open(format!("whether the device may publish to {}", message.topic));
    let reached = if report.has_passed(Check::Rehearsal) { Reached::Admission } else { Reached::Endpoint };
    Ok(report.end(reached))
}

fn with_topic(publication: &PublishAliyun, config: &AliyunConfig) -> Message {
    let message = message::aliyun(publication);
    match publication.topic {
        None => Message { topic: default_topic(&config.product_key, &config.device_name), ..message },
        Some(_) => message,
    }
}

/// Every product has it.
pub fn default_topic(product_key: &str, device_name: &str) -> String {
    format!("/{product_key}/{device_name}/user/update")
}

/// The first message of properties or of an event, if there are any.
async fn of_thing_model(
    factory: &mut PublisherFactory,
    platform: &Platform,
    publication: &PublishAliyun,
) -> Result<Option<Message>, CliError> {
    if publication.source.property.is_empty() && publication.source.event.is_none() {
        return Ok(None);
    }
    // What keeps it from being opened is said by the check of the component.
    let Ok(mut publisher) = factory.open().await else { return Ok(None) };
    let messages = thing_model::messages(&mut publisher, platform, &publication.source).await?;
    Ok(messages.into_iter().next())
}

/// Looks at what was copied from the console. `problem` is what the core says of it.
pub fn names(product_key: &str, device_name: &str, error: Option<String>) -> Finding {
    let mut finding = Finding::new();
    finding.see(format!("device {device_name} of product {product_key}, and a device secret"));
    if let Some(error) = error {
        finding.fail(error, "copy it once more from the console, without anything around it");
    }
    if !DEVICE_NAME_LENGTH.contains(&device_name.chars().count()) {
        finding.warn(
            format!("the device name {device_name} has not the usual 4 to 32 characters"),
            "check it against the console",
        );
    }
    if product_key == device_name {
        finding.warn("product key and device name are the same", "check both against the console");
    }
    finding
}

/// Looks at the endpoint's name.
fn endpoint(config: &AliyunConfig) -> Finding {
    let host = config.endpoint.to_ascii_lowercase();
    let mut finding = Finding::new();
    let (what, takes_messages) = if host.ends_with(".http.iothub.aliyuncs.com") {
        ("the HTTP endpoint of an instance of its own", true)
    } else if host.starts_with("iot-as-http.") {
        ("the HTTP endpoint of a public instance from before 2021-07-30", true)
    } else if host.contains("iot-as-mqtt.") || host.ends_with(".mqtt.iothub.aliyuncs.com") {
        ("an endpoint for MQTT", false)
    } else if host.starts_with("iot-auth") {
        ("the endpoint where devices register", false)
    } else {
        ("not a name that Aliyun gives", true)
    };
    let line = format!("{} is {what}", config.endpoint);
    match takes_messages {
        true => finding.see(line),
        false => finding.fail(
            format!("{line}, and takes no messages over HTTPS"),
            "give the region or the instance with --region or --instance, or the HTTP endpoint from the console",
        ),
    }
    match config.port {
        443 => {}
        port @ (1883 | 8883) => finding.warn(
            format!("port {port} is one for MQTT"),
            "leave --port out for 443, or see `thingpost mqtt publish --help`",
        ),
        port => finding.warn(format!("port {port}"), "the platform is known on port 443 alone"),
    }
    finding
}

/// Shows what would be signed and sent, without secret, signature and token.
fn request(config: &AliyunConfig, message: &Message) -> Finding {
    let device = match core_device(config) {
        Ok(device) => device,
        Err(error) => return Finding::failed(error, "correct it where it comes from"),
    };
    let request = match publish_request(&device, "hidden", &request::core_message(message)) {
        Ok(request) => request,
        Err(RequestError::InvalidTopic(error)) => {
            return Finding::failed(
                format!("{} (\"{}\")", error.text(), message.topic),
                "give the full topic with --topic, such as /PRODUCT_KEY/DEVICE_NAME/user/update",
            );
        }
        // The component says it better.
        Err(_) => return Finding::new(),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let timestamp_ms = match config.timestamp {
        TimestampPolicy::None => None,
        TimestampPolicy::Now | TimestampPolicy::Corrected => u64::try_from(now.as_millis()).ok(),
    };
    let client_id = config.client_id.clone().unwrap_or_else(|| {
        // As the component does it.
        format!("{}.{}", config.product_key, config.device_name).chars().take(64).collect()
    });
    let method = match config.sign_method {
        SignMethod::HmacMd5 => "hmacmd5",
        SignMethod::HmacSha1 => "hmacsha1",
        SignMethod::HmacSha256 => "hmacsha256",
    };
    let mut finding = Finding::new();
    finding.see(format!("POST https://{}/auth first, signed with {method}; signed is this text:", request.authority));
    let content = signing_content(&client_id, &config.device_name, &config.product_key, timestamp_ms);
    finding.see(format!("| {content}"));
    finding.see(format!("then {} https://{}{}", request.method, request.authority, request.path_with_query));
    for (name, value) in &request.headers {
        finding.see(format!("{name}: {value}"));
    }
    finding.see(request::body(&request.body));
    finding
}

fn core_device(config: &AliyunConfig) -> Result<CoreDevice, String> {
    let endpoint = Endpoint::new(&config.endpoint, config.port).map_err(|error| error.to_string())?;
    CoreDevice::new(endpoint, &config.product_key, &config.device_name, config.client_id.as_deref())
        .map_err(|error| error.to_string())
}
