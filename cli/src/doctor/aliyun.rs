//! A device of Aliyun IoT Platform. Whatever is wrong with it, the platform says "auth check error" or "param error"; what can
//! be seen from here is the names, the endpoint, the clock, and the very text that is signed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use thingpost::aliyun::{Device as CoreDevice, publish_request, signing_content};
use thingpost::{Endpoint, Message, Qos, RequestProblem};
use thingpost_host::TrustRoots;
use thingpost_host::runtime::types::{AliyunConfig, Platform, SignMethod, TimestampPolicy};

use super::arguments::DoctorAliyun;
use super::finding::{Check, Finding};
use super::network::Destination;
use super::report::Report;
use super::steps::{Clock, Expected, go, limit};
use super::{PAYLOAD, publication};
use crate::Exit;
use crate::device;
use crate::problem::Problem;

/// How far off the clock may be where the request for a token says the time.
const TIMESTAMP: Clock = Clock {
    tolerance: Duration::from_secs(15 * 60),
    next_step: "set the clock, or send no time (--timestamp none): the platform takes timestamps that are at most 15 minutes off",
};

/// As the documentation has it for names of devices.
const DEVICE_NAME_LENGTH: std::ops::RangeInclusive<usize> = 4..=32;

pub async fn run(arguments: &DoctorAliyun) -> Result<Exit, Problem> {
    let mut report = Report::new(arguments.json);
    let device = match device::aliyun(&arguments.device) {
        Ok(device) => device,
        Err(problem) => return without_device(arguments, problem, report),
    };
    let Platform::Aliyun(config) = &device.platform else {
        unreachable!("a device of Aliyun is made for Aliyun");
    };
    let reach = &arguments.device.reach;
    report.add(Check::Files, names(config));
    report.add(Check::Endpoint, endpoint(config));
    let expected =
        Expected { shows_certificate: false, clock: (config.timestamp == TimestampPolicy::Now).then_some(TIMESTAMP) };
    let to = Destination::new(&config.endpoint, config.port, &reach.connect_to);
    go(&mut report, &to, &device.routes[0], limit(reach), &expected).await;
    let topic = match &arguments.topic {
        Some(topic) => topic.clone(),
        None => format!("/{}/{}/user/update", config.product_key, config.device_name),
    };
    report.add(Check::Request, request(config, &topic));
    if arguments.publish && !report.skip_without(Check::Publish, &[Check::Tcp, Check::Tls, Check::Request]) {
        let finding = publication::publish(device, reach, (&topic, PAYLOAD), false).await?;
        report.add(Check::Publish, finding);
    }
    Ok(report.end(arguments.publish))
}

/// Without trusted roots there is no device, and nothing to be looked at but those.
fn without_device(arguments: &DoctorAliyun, problem: Problem, mut report: Report) -> Result<Exit, Problem> {
    let broken = arguments.device.reach.ca.as_ref().and_then(|file| TrustRoots::from_pem_file(file).err());
    let Some(error) = broken else { return Err(problem) };
    report.add(Check::Files, Finding::failed(error.to_string(), "give another file with --ca"));
    for check in [Check::Endpoint, Check::Name, Check::Tcp, Check::Tls, Check::Answer, Check::Clock, Check::Request] {
        report.skip_without(check, &[Check::Files]);
    }
    Ok(report.end(false))
}

/// Looks at what was copied from the console.
fn names(config: &AliyunConfig) -> Finding {
    let mut finding = Finding::new();
    finding.see(format!("device {} of product {}, and a device secret", config.device_name, config.product_key));
    if let Err(problem) = core_device(config) {
        finding.fail(problem, "copy it once more from the console, without anything around it");
    }
    if !DEVICE_NAME_LENGTH.contains(&config.device_name.chars().count()) {
        finding.warn(
            format!("the device name {} has not the usual 4 to 32 characters", config.device_name),
            "check it against the console",
        );
    }
    if config.product_key == config.device_name {
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
    if config.port != 443 {
        finding.warn(format!("port {}", config.port), "the platform is known on port 443 alone");
    }
    finding
}

/// Shows what would be signed and sent, without secret, signature and token.
fn request(config: &AliyunConfig, topic: &str) -> Finding {
    let device = match core_device(config) {
        Ok(device) => device,
        Err(problem) => return Finding::failed(problem, "correct it where it comes from"),
    };
    let message = Message::new(topic, PAYLOAD, Qos::AtLeastOnce);
    let request = match publish_request(&device, "hidden", &message) {
        Ok(request) => request,
        Err(RequestProblem::InvalidTopic(problem)) => {
            return Finding::failed(
                format!("{} (\"{topic}\")", problem.text()),
                "give the full topic with --topic, such as /PRODUCT_KEY/DEVICE_NAME/user/update",
            );
        }
        Err(_) => return Finding::failed("no request can be made of this", "see `thingpost publish aliyun --help`"),
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
    finding
}

fn core_device(config: &AliyunConfig) -> Result<CoreDevice, String> {
    let endpoint = Endpoint::new(&config.endpoint, config.port).map_err(|problem| problem.text())?;
    CoreDevice::new(endpoint, &config.product_key, &config.device_name, config.client_id.as_deref())
        .map_err(|problem| problem.text())
}
