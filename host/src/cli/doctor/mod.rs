//! `thingpost doctor`: why a device cannot publish.
//!
//! AWS answers almost every mistake with a 403 without a word, or by closing the connection, and what people then do is to
//! change one thing after the other: the policy, the port, the certificate. Nine of ten causes can be told apart from this
//! side, if one looks at each step by itself and in order. That is what is done here; nothing is published unless asked for.

mod answer;
mod arguments;
mod certificate;
mod endpoint;
mod files;
mod finding;
mod handshake;
mod look;
mod network;
mod provider;
mod publication;
mod report;
mod request;
mod tls;

use std::time::Duration;

use thingpost_host::Route;
use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, Platform};

pub use arguments::DoctorCommand;

use super::Exit;
use super::arguments::Reach;
use super::device::{self, Device};
use super::problem::Problem;
use arguments::DoctorAws;
use finding::{Check, Finding};
use network::Destination;
use report::Report;

/// How long one step on the network may take, unless less is asked for.
const STEP: Duration = Duration::from_secs(10);

/// What is published, if that is asked for.
const PAYLOAD: &[u8] = br#"{"from":"thingpost doctor"}"#;

pub async fn run(command: &DoctorCommand) -> Result<Exit, Problem> {
    let DoctorCommand::Aws(arguments) = command;
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
    let was_shown = network(&mut report, config, &device.routes[0], &arguments.device.reach).await;
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

/// The way to the data endpoint, step by step. Returns whether a certificate was shown there.
async fn network(report: &mut Report, config: &AwsConfig, route: &Route, reach: &Reach) -> bool {
    let limit = limit(reach);
    let to = Destination::new(&config.endpoint, config.port, &reach.connect_to);
    let (finding, addresses) = network::look_up(&to, limit).await;
    report.add(Check::Name, finding);
    let tcp = match report.skip_without(Check::Tcp, &[Check::Name]) {
        true => None,
        false => {
            let (finding, tcp) = network::dial(&to, &addresses, limit).await;
            report.add(Check::Tcp, finding);
            tcp
        }
    };
    let shows_certificate = matches!(config.authentication, AwsAuthentication::Certificate);
    let handshake = match tcp {
        Some(tcp) => {
            let (finding, handshake) = tls::look_at(&to, route, tcp, shows_certificate, limit).await;
            report.add(Check::Tls, finding);
            handshake
        }
        None => {
            report.skip_without(Check::Tls, &[Check::Tcp]);
            None
        }
    };
    let was_shown = handshake.as_ref().is_some_and(|handshake| handshake.has_sent);
    let answer = match handshake {
        Some(handshake) => {
            let (finding, answer) = answer::ask(&to, handshake, was_shown, limit).await;
            report.add(Check::Answer, finding);
            answer
        }
        None => {
            report.skip_without(Check::Answer, &[Check::Tls]);
            None
        }
    };
    match answer {
        Some(answer) => {
            let signs = matches!(
                config.authentication,
                AwsAuthentication::SigV4(_) | AwsAuthentication::CredentialsProvider(_)
            );
            report.add(Check::Clock, answer::compare_clocks(&answer, signs));
        }
        None => report.add(Check::Clock, Finding::skipped("there is no answer with a date in it")),
    }
    was_shown
}

async fn publish(report: &mut Report, device: Device, arguments: &DoctorAws, was_shown: bool) -> Result<(), Problem> {
    if !report.skip_without(Check::Publish, &[Check::Tcp, Check::Tls, Check::Request]) {
        let message = (arguments.topic.as_str(), PAYLOAD);
        let finding = publication::publish(device, &arguments.device.reach, message, was_shown).await?;
        report.add(Check::Publish, finding);
    }
    Ok(())
}

fn limit(reach: &Reach) -> Duration {
    Duration::from_millis(reach.timeout.into()).min(STEP)
}
