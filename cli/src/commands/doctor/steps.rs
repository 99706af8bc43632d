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
use crate::args::{NetworkArgs, PublishArgs, Source};
use crate::commands::publish;
use crate::component::publisher::PublisherFactory;
use crate::device::Device;
use crate::error::CliError;
use crate::exit::Exit;

/// All that a run makes before it begins.
pub struct PreparedRun {
    pub factory: Result<PublisherFactory, CliError>,
    pub payload: Vec<u8>,
    /// What was seen of the files.
    pub files: Finding,
}

impl PreparedRun {
    /// As `publish` makes it, and in that order.
    pub fn of(device: Device, mut files: Finding, network: &NetworkArgs, source: &Source, how: &PublishArgs) -> Self {
        let mut factory = publish::factory(device, network, how);
        let mut read = publish::inputs(source);
        if let Ok(factory) = &mut factory {
            if let Some(path) = &how.session.session_file {
                let opened = factory.keep_credential(Some(path), &read);
                let is_used = factory.files().iter().any(|file| file.option == "--session-file");
                match opened {
                    Ok(()) if is_used => inputs::session(&mut files, path),
                    Ok(()) => files.see("--session-file is of no use to this device, which has no session"),
                    Err(error) => files.fail_with(error, inputs::GIVE_ANOTHER),
                }
            }
            read.extend(factory.files().iter().cloned());
        }
        inputs::lines(&mut files, source, how.report.failed.as_deref(), &read);
        let payload = inputs::payload(&mut files, source);
        Self { factory, payload, files }
    }
}

/// Without its files there is no device, and nothing to be looked at but those. What is not about them is wrong usage.
pub fn without_device(mut report: Report, broken: Option<Finding>, error: CliError) -> Result<Exit, CliError> {
    let Some(broken) = broken else { return Err(error) };
    report.add(Check::Files, broken);
    for check in [Check::Endpoint, Check::Component, Check::Request, Check::Name, Check::Tcp, Check::Tls] {
        report.skip_without(check, &[Check::Files]);
    }
    Ok(report.end(Reached::Endpoint))
}

/// The component, and what it says of the message before there is a network.
pub async fn prepare(
    report: &mut Report,
    factory: Result<PublisherFactory, CliError>,
    message: &Message,
    check_request: impl FnOnce() -> Finding,
) -> Result<Option<PublisherFactory>, CliError> {
    let opened = match factory {
        Ok(mut factory) => factory.open().await.map(|_publisher| factory),
        Err(error) => Err(error),
    };
    let factory = component::started(report, opened);
    let mut request = check_request();
    if let Some(factory) = &factory
        && !request.has_failed()
        && let Some(error) = rehearsal::prepare(factory, message).await?
    {
        request.fail_with(error.explanation, "correct it where it comes from: an option or a file");
    }
    report.add(Check::Request, request);
    Ok(factory)
}

/// What must be well before anything is sent by the component.
const NEEDED: [Check; 4] = [Check::Component, Check::Request, Check::Tcp, Check::Tls];

/// Goes all the way, without the message.
pub async fn rehearse(
    report: &mut Report,
    factory: Option<PublisherFactory>,
    platform: &Platform,
    message: &Message,
) -> Result<(), CliError> {
    // A device that was turned away at the door is not told that all else is well.
    if !report.skip_without(Check::Rehearsal, &NEEDED)
        && !report.skip_after(Check::Rehearsal, &[Check::Answer, Check::Provider])
        && let Some(mut factory) = factory
    {
        report.add(Check::Rehearsal, rehearsal::rehearse(&mut factory, platform, message).await?);
    }
    Ok(())
}

/// Goes all the way.
pub async fn publish(
    report: &mut Report,
    factory: Option<PublisherFactory>,
    message: &Message,
    was_shown: bool,
) -> Result<(), CliError> {
    if !report.skip_without(Check::Publish, &NEEDED)
        && !report.skip_after(Check::Publish, &[Check::Provider])
        && let Some(mut factory) = factory
    {
        report.add(Check::Publish, publication::publish(&mut factory, message, was_shown).await?);
    }
    Ok(())
}

/// What the platform expects of a device.
pub struct Expectations {
    /// To show a certificate in the handshake.
    pub shows_certificate: bool,
    /// To know what time it is.
    pub clock: Option<Clock>,
}

/// Goes there. Returns whether a certificate was shown.
pub async fn go(
    report: &mut Report,
    to: &Destination,
    route: &Route,
    limit: Duration,
    expected: &Expectations,
) -> bool {
    let handshake = connect(report, to, route, limit, expected.shows_certificate).await;
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
pub async fn connect(
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
    let (finding, handshake) = tls::shake_hands_with_any(to, route, tcp, &addresses, shows_certificate, limit).await;
    report.add(Check::Tls, finding);
    handshake
}

/// How long one step may take: all that a run has for a message, as there a slow handshake is given that too in the end.
pub fn limit(network: &NetworkArgs) -> Duration {
    Duration::from_millis(network.timeout.into())
}
