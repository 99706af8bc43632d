//! What can be asked for by a text. The help of the command, the table in the documentation and the test of each item
//! are made from this one, so none of them can be behind.

use std::fmt;
use std::time::Duration;

use super::plan::{Chaos, Excess, Late, RetryAfter};
use super::rate::Rate;
use super::share::Share;
use crate::aliyun::{AliyunChaos, AliyunStrike};

/// One row of the table of what can be asked for.
pub struct ChaosItem {
    /// What stands in front of the equals sign. `STATUS` stands for any status of HTTP from 400 to 599.
    pub name: &'static str,
    /// Where it strikes.
    pub over: ChaosOver,
    /// What happens, in a sentence.
    pub what: &'static str,
    /// As it could be typed, with whatever it needs beside it.
    pub example: &'static str,
    pub(super) sets: Sets,
}

/// Where something strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChaosOver {
    /// Connections of both kinds.
    Both,
    /// The ports for HTTPS of both clouds.
    Https,
    /// The ports for MQTT of both clouds.
    Mqtt,
    /// Aliyun's port for HTTPS.
    AliyunHttps,
}

impl fmt::Display for ChaosOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Both => "HTTPS, MQTT",
            Self::Https => "HTTPS",
            Self::Mqtt => "MQTT",
            Self::AliyunHttps => "Aliyun's HTTPS",
        })
    }
}

/// The form of the value, and what it changes.
#[derive(Clone, Copy)]
pub(super) enum Sets {
    Flag(fn(&mut Chaos)),
    Share(fn(&mut Chaos, Share)),
    StatusShare(fn(&mut Chaos, u16, Share)),
    CodeShare(fn(&mut Chaos, u8, Share)),
    Time(fn(&mut Chaos, Duration)),
    Seconds(fn(&mut Chaos, u32)),
    Late(fn(&mut Chaos, Late)),
    Rate(fn(&mut Chaos, Rate)),
    Size(fn(&mut Chaos, usize)),
    /// At least 1.
    Count(fn(&mut Chaos, u32)),
    Seed(fn(&mut Chaos, u64)),
}

impl ChaosItem {
    /// The form of the whole: `late-answer=TIME[:SHARE]`.
    pub fn form(&self) -> String {
        let value = match self.sets {
            Sets::Flag(_) => return self.name.to_owned(),
            Sets::Share(_) | Sets::StatusShare(..) => "SHARE",
            Sets::CodeShare(..) => "CODE:SHARE",
            Sets::Time(_) => "TIME",
            Sets::Late(_) => "TIME[:SHARE]",
            Sets::Rate(_) => "RATE",
            Sets::Size(_) => "SIZE",
            Sets::Seconds(_) | Sets::Count(_) | Sets::Seed(_) => "N",
        };
        format!("{}={value}", self.name)
    }

    /// Whether a text may have it more than once, with another status or code each time.
    pub(super) fn repeats(&self) -> bool {
        matches!(self.sets, Sets::StatusShare(_) | Sets::CodeShare(_))
    }
}

/// In the order in which a message meets them.
pub(super) const ITEMS: &[ChaosItem] = &[
    ChaosItem {
        name: "not-listening",
        over: ChaosOver::Both,
        what: "nobody listens for this long after the start: connections are refused",
        example: "not-listening=3s",
        sets: Sets::Time(|chaos, time| chaos.not_listening = time),
    },
    ChaosItem {
        name: "handshake-delay",
        over: ChaosOver::Both,
        what: "the first byte of each TLS handshake comes this late",
        example: "handshake-delay=12s",
        sets: Sets::Time(|chaos, time| chaos.handshake_delay = time),
    },
    ChaosItem {
        name: "reset-before",
        over: ChaosOver::Both,
        what: "the connection is reset after a request or a PUBLISH was read; the message is not taken",
        example: "reset-before=1%",
        sets: Sets::Share(|chaos, share| chaos.reset_before = share),
    },
    ChaosItem {
        name: "reset-after",
        over: ChaosOver::Both,
        what: "the connection is reset when the message was taken, before the answer or the PUBACK",
        example: "reset-after=1%",
        sets: Sets::Share(|chaos, share| chaos.reset_after = share),
    },
    ChaosItem {
        name: "quota",
        over: ChaosOver::Both,
        what: "no more messages are taken than that, over HTTPS by an endpoint (AWS says 429, Aliyun 40000), over MQTT on a \
               connection (MQTT 5 gets 0x97 in the PUBACK, 3.1.1 gets no PUBACK)",
        example: "quota=100/s",
        sets: Sets::Rate(|chaos, rate| chaos.quota = Some(rate)),
    },
    ChaosItem {
        name: "quota-silent",
        over: ChaosOver::Mqtt,
        what: "what exceeds the quota gets no PUBACK, as AWS does it",
        example: "quota=100/s,quota-silent",
        sets: Sets::Flag(|chaos| chaos.excess = Excess::Silence),
    },
    ChaosItem {
        name: "quota-disconnect",
        over: ChaosOver::Mqtt,
        what: "what exceeds the quota ends the connection (MQTT 5 gets a DISCONNECT with 0x97)",
        example: "quota=100/s,quota-disconnect",
        sets: Sets::Flag(|chaos| chaos.excess = Excess::Disconnect),
    },
    ChaosItem {
        name: "STATUS",
        over: ChaosOver::Https,
        what: "a gateway answers with this status, 400 to 599, and a page in HTML; the message is not taken",
        example: "503=10%,429=10%",
        sets: Sets::StatusShare(|chaos, status, share| chaos.statuses.push((status, share))),
    },
    ChaosItem {
        name: "page",
        over: ChaosOver::Https,
        what: "the page of the gateway is at least this long",
        example: "503=10%,page=40KB",
        sets: Sets::Size(|chaos, bytes| chaos.page_bytes = bytes),
    },
    ChaosItem {
        name: "retry-after",
        over: ChaosOver::Https,
        what: "the gateway, and AWS beyond a quota, name this many seconds in Retry-After",
        example: "503=10%,retry-after=2",
        sets: Sets::Seconds(|chaos, seconds| chaos.retry_after = Some(RetryAfter::Seconds(seconds))),
    },
    ChaosItem {
        name: "retry-after-date",
        over: ChaosOver::Https,
        what: "the same as a date that is this many seconds ahead",
        example: "503=10%,retry-after-date=2",
        sets: Sets::Seconds(|chaos, seconds| chaos.retry_after = Some(RetryAfter::Date(seconds))),
    },
    ChaosItem {
        name: "late-answer",
        over: ChaosOver::Https,
        what: "the message is taken at once and answered this late",
        example: "late-answer=7s:10%",
        sets: Sets::Late(|chaos, late| chaos.late_answer = Some(late)),
    },
    ChaosItem {
        name: "408-after",
        over: ChaosOver::Https,
        what: "a connection that was idle for this long gets a 408 that nobody has asked for, and is closed",
        example: "408-after=60s",
        sets: Sets::Time(|chaos, time| chaos.idle_408 = Some(time)),
    },
    ChaosItem {
        name: "one-token",
        over: ChaosOver::AliyunHttps,
        what: "a new token of a device ends its older ones",
        example: "one-token",
        sets: Sets::Flag(|chaos| chaos.one_token = true),
    },
    ChaosItem {
        name: "revoke-every",
        over: ChaosOver::AliyunHttps,
        what: "the tokens of a device end at every Nth message that would have been taken, which is refused with 20003",
        example: "revoke-every=37",
        sets: Sets::Count(|chaos, count| {
            let strikes = vec![AliyunStrike::Revoke];
            chaos.tokens = Some(AliyunChaos { seed: chaos.seed, every: count..=count, strikes });
        }),
    },
    ChaosItem {
        name: "connack",
        over: ChaosOver::Mqtt,
        what: "a CONNECT is refused with this code: below 0x80 for clients of 3.1.1, from there on for those of MQTT 5",
        example: "connack=0x03:10%,connack=0x88:10%",
        sets: Sets::CodeShare(|chaos, code, share| chaos.connacks.push((code, share))),
    },
    ChaosItem {
        name: "connects",
        over: ChaosOver::Mqtt,
        what: "no more CONNECTs of a client id, at Aliyun of a device, are admitted than that (3.1.1 gets 0x03, MQTT 5 gets 0x9F)",
        example: "connects=5/m",
        sets: Sets::Rate(|chaos, rate| chaos.connects = Some(rate)),
    },
    ChaosItem {
        name: "puback",
        over: ChaosOver::Mqtt,
        what: "a message of MQTT 5 with QoS 1 is refused with this reason in its PUBACK",
        example: "puback=0x97:10%",
        sets: Sets::CodeShare(|chaos, code, share| chaos.pubacks.push((code, share))),
    },
    ChaosItem {
        name: "late-puback",
        over: ChaosOver::Mqtt,
        what: "the message is taken at once, and its PUBACK comes this late",
        example: "late-puback=7s",
        sets: Sets::Late(|chaos, late| chaos.late_puback = Some(late)),
    },
    ChaosItem {
        name: "lost-puback",
        over: ChaosOver::Mqtt,
        what: "the message is taken, and its PUBACK never comes",
        example: "lost-puback=1%",
        sets: Sets::Share(|chaos, share| chaos.lost_puback = share),
    },
    ChaosItem {
        name: "keep-alive-cap",
        over: ChaosOver::Mqtt,
        what: "a client that wants a longer keep-alive, or none, is cut when it was silent for one and a half times this \
               (AWS: 1200); MQTT 5 is told in the CONNACK",
        example: "keep-alive-cap=1200",
        sets: Sets::Time(|chaos, time| chaos.keep_alive_cap = Some(time)),
    },
    ChaosItem {
        name: "seed",
        over: ChaosOver::Both,
        what: "what strikes by chance is drawn from this number, 0 if it is not given: the same again",
        example: "503=10%,seed=7",
        sets: Sets::Seed(|chaos, seed| chaos.seed = seed),
    },
];

impl Chaos {
    /// What can be asked for by a text: `thingpost emulate --chaos`.
    pub fn items() -> &'static [ChaosItem] {
        ITEMS
    }
}
