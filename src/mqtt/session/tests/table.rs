//! Rules that stand in a document are true on the day they are written. These are made by asking the session: each happening is
//! played to it, and the table says what it did.

use std::fmt::Write;

use super::world::World;
use super::{at_least_once, config, prompt};
use crate::error::Error;
use crate::http::TransportErrorKind;
use crate::message::Qos;
use crate::mqtt::{Event, Options, Subscription, Version};
use crate::outcome::Delivery;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/retries.md");
const BEGIN: &str = "<!-- made by the core's test `mqtt::session::tests::table` -->\n";
const END: &str = "<!-- end of what is made -->\n";

/// Set to anything, it has the table written anew.
const WRITE: &str = "THINGPOST_WRITE_DOCS";

const TIMEOUT_MS: u32 = 30_000;

const FAILURES: [TransportErrorKind; 18] = [
    TransportErrorKind::Denied,
    TransportErrorKind::RequestRejected,
    TransportErrorKind::NameResolution,
    TransportErrorKind::ConnectionRefused,
    TransportErrorKind::Unreachable,
    TransportErrorKind::ConnectTimeout,
    TransportErrorKind::ConnectionLimit,
    TransportErrorKind::TlsCertificate,
    TransportErrorKind::TlsAlert,
    TransportErrorKind::TlsProtocol,
    TransportErrorKind::ConnectionClosed,
    TransportErrorKind::ConnectionReset,
    TransportErrorKind::AnswerTimeout,
    TransportErrorKind::AnswerIncomplete,
    TransportErrorKind::AnswerTooLarge,
    TransportErrorKind::Protocol,
    TransportErrorKind::KeepAliveTimeout,
    TransportErrorKind::Other,
];

fn world(version: Version) -> World {
    World::new(config(version), Options { message_timeout_ms: TIMEOUT_MS, ..prompt() })
}

fn online(version: Version) -> World {
    let mut world = world(version);
    world.connect();
    world
}

fn named(error: &Error) -> String {
    let answer = error.answer.as_ref().unwrap();
    match &answer.code {
        Some(name) => format!("{name} ({:#04x})", answer.status),
        None => format!("{:#04x}", answer.status),
    }
}

/// What of these was done with, in the order in which it was seen first, and of which it was.
#[derive(Default)]
struct Rows(Vec<(String, Vec<String>)>);

impl Rows {
    fn add(&mut self, what: &str, example: String) {
        match self.0.iter_mut().find(|(known, _)| known == what) {
            Some((_, examples)) => examples.push(example),
            None => self.0.push((what.to_owned(), vec![example])),
        }
    }

    fn write(self, happening: &str, out: &mut String) {
        for (what, examples) in self.0 {
            writeln!(out, "| {happening} | {} | {what} |", examples.join(", ")).unwrap();
        }
    }
}

fn connections(out: &mut String) {
    let mut rows = Rows::default();
    for failure in &FAILURES[..12] {
        let mut world = world(Version::V5);
        (world.broker.is_up, world.away) = (false, *failure);
        world.session.keep_connecting();
        world.publish(at_least_once("t", "1"));
        world.pass(600_000);
        assert_eq!((world.session.outstanding(), world.not_published().len()), (1, 0));
        rows.add(
            match world.dials.len() {
                1 => "over at once; messages wait for what their holder does with them",
                _ => "tried again with growing pauses, for as long as a connection is wanted; messages wait",
            },
            failure.text().to_owned(),
        );
    }
    rows.write("no connection comes", out);
    let mut rows = Rows::default();
    for (version, codes) in [(Version::V3, 1..=5_u8), (Version::V5, 0x80..=0x9f)] {
        for code in codes {
            let mut world = world(version);
            world.broker.connack = code;
            world.session.keep_connecting();
            world.pass(600_000);
            let lost = world.disconnections();
            if lost[0].error.answer.is_none() {
                continue;
            }
            let what = match lost.len() {
                1 => "over at once",
                _ => "tried again likewise: whoever holds the session sees the reason, and may end it",
            };
            rows.add(what, named(&lost[0].error));
        }
    }
    rows.write("CONNACK refuses", out);
}

/// What becomes of a message upon which, alone, the connection ends each time.
fn ends(out: &mut String) {
    const AGAIN: &str = "the message goes again over the next connection, and that counts against nothing";
    let verdict = |end: &dyn Fn(&mut World)| {
        let mut world = online(Version::V5);
        world.broker.holds_acks = true;
        world.publish(at_least_once("t", "1"));
        for round in 1..=8 {
            end(&mut world);
            world.settle();
            if let [(_, error)] = &world.not_published()[..] {
                assert_eq!((round, error.delivery), (4, Delivery::Unknown));
                return "the message goes again, alone; after `max-attempts` such ends, if it was alone and this came \
                        right after it, it is *unknown*";
            }
            world.session.keep_connecting();
            world.pass(1000);
        }
        AGAIN
    };
    let mut rows = Rows::default();
    for failure in &FAILURES[10..] {
        rows.add(verdict(&|world| world.cut(*failure)), failure.text().to_owned());
    }
    for code in 0x80..=0xa2_u8 {
        let mut world = online(Version::V5);
        world.hear(&[0xe0, 1, code]);
        if let Some(error) = world.disconnections().first().map(|lost| &lost.error)
            && error.answer.is_some()
        {
            rows.add(verdict(&|world| world.hear(&[0xe0, 1, code])), format!("DISCONNECT: {}", named(error)));
        }
    }
    rows.write("the connection ends", out);
}

fn pubacks(out: &mut String) {
    let mut rows = Rows::default();
    for code in 0x80..=0x9f_u8 {
        let mut world = online(Version::V5);
        world.broker.puback = code;
        let start_ms = world.now_ms;
        world.publish(at_least_once("t", "1"));
        while world.not_published().is_empty() {
            world.pass(100);
        }
        let (_, error) = &world.not_published()[0];
        assert_eq!(error.delivery, Delivery::Refused);
        if error.answer.as_ref().unwrap().code.is_none() {
            continue;
        }
        let what = match world.now_ms - start_ms {
            ..1000 => "*refused* at once",
            took_ms if took_ms >= TIMEOUT_MS.into() => {
                "sent again after 200 ms to 2 s, as a new message, until its time is over; then *refused*. Counts against nothing"
            }
            took_ms => panic!("{took_ms} ms"),
        };
        rows.add(what, named(error));
    }
    rows.write("PUBACK refuses (MQTT 5)", out);
}

fn subacks(out: &mut String) {
    for (version, label) in [(Version::V5, "SUBACK refuses (MQTT 5)"), (Version::V3, "SUBACK refuses (MQTT 3.1.1)")] {
        let mut rows = Rows::default();
        for code in [0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2] {
            let mut world = online(version);
            (world.broker.refuses_filter, world.broker.suback) = (Some("a".to_owned()), code);
            world.session.subscribe(Subscription::new("a", Qos::AtLeastOnce)).unwrap();
            world.pass(TIMEOUT_MS.into());
            let [Event::Subscribed { granted: Err((error, _)), .. }] = &world.events[..] else { panic!() };
            let asked = world.broker.log.iter().filter(|entry| *entry == "subscribe a").count();
            let what = match asked {
                1 => "told at once, and not asked for again",
                _ => {
                    "asked for again after 200 ms to 2 s, for as long as a message is tried (60 s where that has no end)"
                }
            };
            rows.add(what, named(error));
            if version == Version::V3 {
                break;
            }
        }
        rows.write(label, out);
    }
}

#[test]
fn the_table_in_the_documentation_is_what_the_session_does() {
    let mut made = "| happening | which | what becomes of it |\n|---|---|---|\n".to_owned();
    connections(&mut made);
    ends(&mut made);
    pubacks(&mut made);
    subacks(&mut made);
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("the table has its begin");
    let (written, after) = rest.split_once(END).expect("the table has its end");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(DOCUMENT, [before, BEGIN, &made, END, after].concat()).unwrap();
    } else {
        assert!(written == made, "{DOCUMENT} is stale: run this test with {WRITE}=1");
    }
}
