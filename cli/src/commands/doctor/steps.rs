//! What all devices have in common that publish over HTTPS: what is made of the options, the message, and the way to an endpoint,
//! step by step. Each step needs the one before.

use std::time::Duration;

use thingpost_host::Route;
use thingpost_host::runtime::types::{Message, Platform};

use super::finding::{Check, Finding};
use super::network::answer::Clock;
use super::network::handshake::Handshake;
use super::network::{self, Destination, answer, tls};
use super::offline::inputs;
use super::report::{Reached, Report};
use super::run::{component, publication, rehearsal};
use crate::args::{PublishArguments, Reach, Source};
use crate::commands::publish;
use crate::component::publisher::Starter;
use crate::device::Device;
use crate::error::Problem;
use crate::exit::Exit;

/// All that a run makes before it begins.
pub struct Made {
    pub starter: Result<Starter, Problem>,
    pub payload: Vec<u8>,
    /// What was seen of the files.
    pub files: Finding,
}

impl Made {
    /// As `publish` makes it, and in that order.
    pub fn of(device: Device, mut files: Finding, reach: &Reach, source: &Source, how: &PublishArguments) -> Self {
        let mut starter = publish::starter(device, reach, how);
        let mut read = publish::inputs(source);
        if let Ok(starter) = &mut starter {
            if let Some(path) = &how.session.session_file {
                let opened = starter.keep_session(Some(path), &read);
                let is_used = starter.files().iter().any(|file| file.option == "--session-file");
                match opened {
                    Ok(()) if is_used => inputs::session(&mut files, path),
                    Ok(()) => files.see("--session-file is of no use to this device, which has no session"),
                    Err(problem) => files.fail_with(problem, inputs::GIVE_ANOTHER),
                }
            }
            read.extend(starter.files().iter().cloned());
        }
        inputs::lines(&mut files, source, how.report.failed.as_deref(), &read);
        let payload = inputs::payload(&mut files, source);
        Self { starter, payload, files }
    }
}

/// Without its files there is no device, and nothing to be looked at but those. What is not about them is wrong usage.
pub fn without_device(mut report: Report, broken: Option<Finding>, problem: Problem) -> Result<Exit, Problem> {
    let Some(broken) = broken else { return Err(problem) };
    report.add(Check::Files, broken);
    for check in [Check::Endpoint, Check::Component, Check::Request, Check::Name, Check::Tcp, Check::Tls] {
        report.skip_without(check, &[Check::Files]);
    }
    Ok(report.end(Reached::Door))
}

/// The component, and what it says of the message before there is a network.
pub async fn prepare(
    report: &mut Report,
    starter: Result<Starter, Problem>,
    message: &Message,
    look: impl FnOnce() -> Finding,
) -> Result<Option<Starter>, Problem> {
    let opened = match starter {
        Ok(mut starter) => starter.open().await.map(|_publisher| starter),
        Err(problem) => Err(problem),
    };
    let starter = component::started(report, opened);
    let mut request = look();
    if let Some(starter) = &starter
        && !request.has_failed()
        && let Some(error) = rehearsal::prepare(starter, message).await?
    {
        request.fail_with(error.explanation, "correct it where it comes from: an option or a file");
    }
    report.add(Check::Request, request);
    Ok(starter)
}

/// What must be well before anything is sent by the component.
const NEEDED: [Check; 4] = [Check::Component, Check::Request, Check::Tcp, Check::Tls];

/// Goes all the way, without the message.
pub async fn rehearse(
    report: &mut Report,
    starter: Option<Starter>,
    platform: &Platform,
    message: &Message,
) -> Result<(), Problem> {
    // Whoever was turned away at the door is not told that all else is well.
    if !report.skip_without(Check::Rehearsal, &NEEDED)
        && !report.skip_after(Check::Rehearsal, &[Check::Answer, Check::Provider])
        && let Some(mut starter) = starter
    {
        report.add(Check::Rehearsal, rehearsal::rehearse(&mut starter, platform, message).await?);
    }
    Ok(())
}

/// Goes all the way.
pub async fn publish(
    report: &mut Report,
    starter: Option<Starter>,
    message: &Message,
    was_shown: bool,
) -> Result<(), Problem> {
    if !report.skip_without(Check::Publish, &NEEDED)
        && !report.skip_after(Check::Publish, &[Check::Provider])
        && let Some(mut starter) = starter
    {
        report.add(Check::Publish, publication::publish(&mut starter, message, was_shown).await?);
    }
    Ok(())
}

/// What the platform expects of a device.
pub struct Expected {
    /// To show a certificate in the handshake.
    pub shows_certificate: bool,
    /// To know what time it is.
    pub clock: Option<Clock>,
}

/// Goes there. Returns whether a certificate was shown.
pub async fn go(report: &mut Report, to: &Destination, route: &Route, limit: Duration, expected: &Expected) -> bool {
    let handshake = reach(report, to, route, limit, expected.shows_certificate).await;
    let was_shown = handshake.as_ref().is_some_and(|handshake| handshake.has_sent);
    let answer = match handshake {
        Some(handshake) => {
            let (finding, answer) = answer::ask(to, handshake, was_shown, limit).await;
            report.add(Check::Answer, finding);
            answer
        }
        None => {
            report.skip_without(Check::Answer, &[Check::Tls]);
            None
        }
    };
    match answer {
        Some(answer) => report.add(Check::Clock, answer::compare_clocks(&answer, expected.clock.as_ref())),
        None => report.add(Check::Clock, Finding::skipped("there is no answer with a date in it")),
    }
    was_shown
}

/// As far as the end of the handshake.
pub async fn reach(
    report: &mut Report,
    to: &Destination,
    route: &Route,
    limit: Duration,
    shows_certificate: bool,
) -> Option<Handshake> {
    let (finding, addresses) = network::look_up(to, limit).await;
    report.add(Check::Name, finding);
    if report.skip_without(Check::Tcp, &[Check::Name]) {
        report.skip_without(Check::Tls, &[Check::Tcp]);
        return None;
    }
    let (finding, tcp) = network::dial(to, &addresses, limit).await;
    report.add(Check::Tcp, finding);
    let Some(tcp) = tcp else {
        report.skip_without(Check::Tls, &[Check::Tcp]);
        return None;
    };
    let (finding, handshake) = tls::look_at_any(to, route, tcp, &addresses, shows_certificate, limit).await;
    report.add(Check::Tls, finding);
    handshake
}

/// How long one step may take: all that a run has for a message, as there a slow handshake is given that too in the end.
pub fn limit(reach: &Reach) -> Duration {
    Duration::from_millis(reach.timeout.into())
}
