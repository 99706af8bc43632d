//! A device of AWS IoT Core over HTTPS.

use std::time::Duration;

use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, Message, Platform};

use super::TOPIC;
use super::finding::Check;
use super::network::answer::Clock;
use super::network::{Destination, Protocol, endpoint, provider};
use super::offline::{files, request};
use super::report::{Reached, Report};
use super::steps::{self, Expectations, PreparedRun, go, limit};
use crate::args::PublishAws;
use crate::args::doctor::DoctorAws;
use crate::device::{self, Device};
use crate::error::CliError;
use crate::exit::Exit;
use crate::message;

/// How far off the clock may be where requests are signed.
const SIGNATURE: Clock = Clock {
    tolerance: Duration::from_secs(5 * 60),
    next_step: "set the clock: AWS takes signatures that are at most 5 minutes old or new",
};

pub async fn run(arguments: &DoctorAws) -> Result<Exit, CliError> {
    let PublishAws { device: who, source, publish: how, .. } = &arguments.publication;
    let mut report = Report::new(how.report.json);
    // Before the device is made: a PIN that a token refuses is asked of it once.
    let broken = files::broken(Some(&who.certificate), &who.network);
    let device = match device::aws(who) {
        // The checks say it better.
        Ok(device) => Device { warnings: Vec::new(), ..device },
        // A file that is broken is what this is for; all else is wrong usage.
        Err(error) => return steps::without_device(report, broken, error),
    };
    let network = device.network.clone();
    let (platform, routes) = (device.platform.clone(), device.routes.clone());
    let Platform::Aws(config) = &platform else {
        unreachable!("a device of AWS is made for AWS");
    };
    let files = files::check(config, &routes, who);
    let PreparedRun { factory, payload, files } = PreparedRun::of(device, files, &who.network, source, how);
    let message = Message { payload, ..with_topic(&arguments.publication) };
    report.add(Check::Files, files);
    report.add(Check::Endpoint, endpoint::check(config));
    let factory = steps::prepare(&mut report, factory, &message, || request::check(config, &message)).await?;

    let authentication = &config.authentication;
    let signs = matches!(authentication, AwsAuthentication::SigV4(_) | AwsAuthentication::CredentialsProvider(_));
    let expected = Expectations {
        shows_certificate: matches!(authentication, AwsAuthentication::Certificate),
        clock: signs.then_some(SIGNATURE),
    };
    let to = Destination::new(&config.endpoint, config.port, &network, Protocol::Https);
    let was_shown = go(&mut report, &to, &routes[0], limit(&who.network), &expected).await;
    if let AwsAuthentication::CredentialsProvider(it) = authentication
        && let Some(route) = routes.get(1)
    {
        let to = Destination::new(&it.endpoint, it.port, &network, Protocol::Https);
        report.add(Check::Provider, provider::check(&to, route, limit(&who.network)).await);
    }
    if arguments.publish {
        steps::publish(&mut report, factory, &message, was_shown).await?;
        return Ok(report.end(Reached::Delivery));
    }
    steps::rehearse(&mut report, factory, &platform, &message).await?;
    report.leave_open(left_open(config, &message));
    let is_admitted = match authentication {
        AwsAuthentication::Certificate => was_shown && report.has_passed(Check::Answer),
        AwsAuthentication::SigV4(_) | AwsAuthentication::CredentialsProvider(_) => report.has_passed(Check::Rehearsal),
        // It is asked about messages and nothing else.
        AwsAuthentication::CustomAuthorizer(_) => false,
    };
    Ok(report.end(if is_admitted { Reached::Admission } else { Reached::Endpoint }))
}

fn with_topic(publication: &PublishAws) -> Message {
    let message = message::aws(publication);
    match (&publication.topic, &message.rule) {
        (None, None) => Message { topic: TOPIC.to_owned(), ..message },
        _ => message,
    }
}

/// What only a publication can show.
fn left_open(config: &AwsConfig, message: &Message) -> String {
    let whose = match &config.authentication {
        AwsAuthentication::Certificate => "whether the policy of the certificate allows",
        AwsAuthentication::SigV4(_) => "whether the IAM policy of the access key allows",
        AwsAuthentication::CredentialsProvider(_) => "whether the policies of the role and of the role alias allow",
        AwsAuthentication::CustomAuthorizer(_) => {
            "whether the authorizer takes the token, as AWS asks it about messages alone, and whether its policy allows"
        }
    };
    format!("{whose} {}", permission(message))
}

/// As a policy has it.
pub fn permission(message: &Message) -> String {
    let action = if message.retain { "iot:Publish and iot:RetainPublish" } else { "iot:Publish" };
    match &message.rule {
        None => format!("{action} on topic/{}", message.topic),
        Some(rule) if message.topic.is_empty() => format!("{action} on topic/$aws/rules/{rule}"),
        Some(rule) => format!("{action} on topic/$aws/rules/{rule}/{}", message.topic),
    }
}
