//! Rules that are written by hand are wrong after the next commit. The tables in `docs/retries.md` are made here, from what
//! the code does, and compared with what stands there.

use std::fmt::Write as _;
use std::fs;

use super::{aliyun_platform, aws_platform};
use crate::aliyun::TimestampPolicy;
use crate::error::{Error, Stage};
use crate::exchange::Options;
use crate::exchange::kind::Kind;
use crate::http::{Response, TransportErrorKind};
use crate::outcome::Delivery;
use crate::platform::Platform;

const BEGIN: &str = "<!-- https: written by `THINGPOST_WRITE_DOCS=1 cargo test --package thingpost tables` -->\n";
const END: &str = "<!-- end of https -->";

const KINDS: [Kind; 5] = [Kind::NotSent, Kind::RefusedForNow, Kind::TokenRejected, Kind::Unknown, Kind::Final];

/// All that a client of HTTP can say.
const FAILURES: [TransportErrorKind; 16] = [
    TransportErrorKind::NameResolution,
    TransportErrorKind::ConnectionRefused,
    TransportErrorKind::Unreachable,
    TransportErrorKind::ConnectTimeout,
    TransportErrorKind::ConnectionLimit,
    TransportErrorKind::TlsCertificate,
    TransportErrorKind::TlsAlert,
    TransportErrorKind::TlsProtocol,
    TransportErrorKind::Denied,
    TransportErrorKind::RequestRejected,
    TransportErrorKind::ConnectionClosed,
    TransportErrorKind::AnswerTimeout,
    TransportErrorKind::AnswerIncomplete,
    TransportErrorKind::AnswerTooLarge,
    TransportErrorKind::Protocol,
    TransportErrorKind::Other,
];

/// The documented codes of Aliyun, and one that is not.
const CODES: [u64; 10] = [10000, 10001, 20000, 20001, 20002, 20003, 20004, 30001, 40000, 99999];

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::NotSent => "not sent",
        Kind::RefusedForNow => "refused for now",
        Kind::TokenRejected => "token rejected",
        Kind::Unknown => "unknown",
        Kind::Final => "for good",
    }
}

fn rule(kind: Kind) -> [String; 5] {
    let Options { max_attempts, backoff_base_ms, backoff_max_ms, timeout_ms, .. } = Options::default();
    let until = format!("its time is over ({} s)", timeout_ms / 1_000);
    let pauses = format!("{backoff_base_ms} ms, doubled each time up to {backoff_max_ms}");
    let cells = match kind {
        Kind::NotSent => ["yes", &until, &format!("{pauses}; for all messages together"), "no", "*not sent*"],
        Kind::RefusedForNow => [
            "yes",
            &until,
            &format!("{pauses}; 1 s and more after *too many requests*; what `Retry-After` says"),
            "no",
            "*refused*",
        ],
        Kind::TokenRejected => ["with another token", &until, "until there is one", "no", "*refused*"],
        Kind::Unknown => [
            "if it is at least once",
            &format!("its time is over, or {max_attempts} such attempts were made"),
            &pauses,
            "yes",
            "*unknown*",
        ],
        Kind::Final => ["no", "–", "–", "–", "*refused*, *not sent* or *unknown*, as it was"],
    };
    cells.map(str::to_owned)
}

fn kind_of_answer(platform: &dyn Platform, status: u16, body: &str) -> Option<(Kind, Delivery)> {
    let response = Response { status, headers: vec![], body: body.as_bytes().to_vec() };
    let error = platform.read_receipt(&response).err()?;
    Some((Kind::of(&error), error.delivery))
}

/// Statuses as ranges: `400–407, 409`.
fn statuses(platform: &dyn Platform, body: &str, kind: Kind, delivery: Option<Delivery>) -> String {
    let is_of_it = |status: &u16| {
        kind_of_answer(platform, *status, body).is_some_and(|(of, was)| of == kind && delivery.is_none_or(|d| d == was))
    };
    let mut ranges: Vec<(u16, u16)> = vec![];
    for status in (200..600).filter(is_of_it) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == status => *last = status,
            _ => ranges.push((status, status)),
        }
    }
    let range =
        |(first, last): &(u16, u16)| if first == last { first.to_string() } else { format!("{first}–{last}") };
    ranges.iter().map(range).collect::<Vec<_>>().join(", ")
}

/// For good: refused, or unknown.
fn with_deliveries(of: impl Fn(Option<Delivery>) -> String, kind: Kind) -> String {
    if kind != Kind::Final {
        return of(None);
    }
    let parts = [Delivery::NotSent, Delivery::Refused, Delivery::Unknown];
    let parts = parts.map(|delivery| (delivery, of(Some(delivery))));
    let parts = parts.iter().filter(|(_, text)| !text.is_empty());
    parts.map(|(delivery, text)| format!("*{delivery}*: {text}")).collect::<Vec<_>>().join("; ")
}

fn tables() -> String {
    let (aws, aliyun) = (aws_platform(), aliyun_platform(TimestampPolicy::None));
    let mut text = String::from(
        "| kind | tried again | until | pause | counts against the maximum of attempts | ends as |\n|---|---|---|---|---|---|\n",
    );
    for kind in KINDS {
        writeln!(text, "| {} | {} |", name(kind), rule(kind).join(" | ")).unwrap();
    }
    text.push_str("\n| kind | without an answer | AWS: status | Aliyun: result code | Aliyun: status without a code |\n|---|---|---|---|---|\n");
    for kind in KINDS {
        let failures = |delivery: Option<Delivery>| {
            let error = |failure: &TransportErrorKind| Error::transport(Stage::Publication, (*failure).into());
            let is_of_it = |failure: &&TransportErrorKind| {
                let error = error(failure);
                Kind::of(&error) == kind && delivery.is_none_or(|delivery| delivery == error.delivery)
            };
            FAILURES.iter().filter(is_of_it).map(|failure| failure.text()).collect::<Vec<_>>().join(", ")
        };
        let codes = |delivery: Option<Delivery>| {
            let is_of_it = |code: &&u64| {
                kind_of_answer(&*aliyun, 200, &format!("{{\"code\":{code}}}"))
                    .is_some_and(|(of, was)| of == kind && delivery.is_none_or(|delivery| delivery == was))
            };
            let shown = |code: &u64| if *code == 99999 { "any other".to_owned() } else { code.to_string() };
            CODES.iter().filter(is_of_it).map(shown).collect::<Vec<_>>().join(", ")
        };
        let mut aws_statuses = with_deliveries(|delivery| statuses(&*aws, "{}", kind, delivery), kind);
        if kind == Kind::TokenRejected {
            aws_statuses.push_str("403 to a temporary key that has ended");
        }
        writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            name(kind),
            with_deliveries(failures, kind),
            aws_statuses,
            with_deliveries(codes, kind),
            with_deliveries(|delivery| statuses(&*aliyun, "{}", kind, delivery), kind),
        )
        .unwrap();
    }
    text
}

#[test]
fn the_tables_of_the_documentation_are_what_the_code_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/retries.md");
    let document = fs::read_to_string(path).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("docs/retries.md has a place for the tables");
    let (written, after) = rest.split_once(END).expect("docs/retries.md has an end of the tables");
    let made = tables();
    if std::env::var_os("THINGPOST_WRITE_DOCS").is_some() {
        fs::write(path, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(written, made, "docs/retries.md is out of date");
}
