//! A device of AWS IoT Core.

use std::time::Duration;

use thingpost_host::runtime::types::{AwsAuthentication, Platform};

use super::arguments::DoctorAws;
use super::finding::Check;
use super::network::Destination;
use super::report::Report;
use super::steps::{Clock, Expected, go, limit};
use super::{PAYLOAD, endpoint, files, provider, publication, request};
use crate::Exit;
use crate::device::{self, Device};
use crate::problem::Problem;

/// How far off the clock may be where requests are signed.
const SIGNATURE: Clock = Clock {
    tolerance: Duration::from_secs(5 * 60),
    next_step: "set the clock: AWS takes signatures that are at most 5 minutes old or new",
};

pub async fn run(arguments: &DoctorAws) -> Result<Exit, Problem> {
    let mut report = Report::new(arguments.json);
    let device = match device::aws(&arguments.device) {
        Ok(device) => device,
        // A file that is broken is what this is for; all else is wrong usage.
        Err(problem) => return without_device(arguments, problem, report),
    };
    let Platform::Aws(config) = &device.platform else {
        unreachable!("a device of AWS is made for AWS");
    };
    report.add(Check::Files, files::look(&arguments.device, config));
    report.add(Check::Endpoint, endpoint::look(config));
    let expected = Expected {
        shows_certificate: matches!(config.authentication, AwsAuthentication::Certificate),
        clock: signs(&config.authentication).then_some(SIGNATURE),
    };
    let to = Destination::new(&config.endpoint, config.port, &arguments.device.reach.connect_to);
    let was_shown = go(&mut report, &to, &device.routes[0], limit(&arguments.device.reach), &expected).await;
    if let AwsAuthentication::CredentialsProvider(it) = &config.authentication
        && let Some(route) = device.routes.get(1)
    {
        let reach = &arguments.device.reach;
        report
            .add(Check::Provider, provider::look(&it.endpoint, it.port, route, &reach.connect_to, limit(reach)).await);
    }
    report.add(Check::Request, request::look(config, &arguments.topic, PAYLOAD));
    if arguments.publish {
        publish(&mut report, device, arguments, was_shown).await?;
    }
    Ok(report.end(arguments.publish))
}

/// Without its files there is no device, and nothing to be looked at but those.
fn without_device(arguments: &DoctorAws, problem: Problem, mut report: Report) -> Result<Exit, Problem> {
    let Some(broken) = files::broken(&arguments.device) else { return Err(problem) };
    report.add(Check::Files, broken);
    for check in [Check::Endpoint, Check::Name, Check::Tcp, Check::Tls, Check::Answer, Check::Clock, Check::Request] {
        report.skip_without(check, &[Check::Files]);
    }
    if arguments.publish {
        report.skip_without(Check::Publish, &[Check::Files]);
    }
    Ok(report.end(false))
}

async fn publish(report: &mut Report, device: Device, arguments: &DoctorAws, was_shown: bool) -> Result<(), Problem> {
    if !report.skip_without(Check::Publish, &[Check::Tcp, Check::Tls, Check::Request]) {
        let message = (arguments.topic.as_str(), PAYLOAD);
        let finding = publication::publish(device, &arguments.device.reach, message, was_shown).await?;
        report.add(Check::Publish, finding);
    }
    Ok(())
}

/// Whether requests carry the time.
fn signs(authentication: &AwsAuthentication) -> bool {
    matches!(authentication, AwsAuthentication::SigV4(_) | AwsAuthentication::CredentialsProvider(_))
}
