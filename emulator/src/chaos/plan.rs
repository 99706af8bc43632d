//! What a bad day is like. Nothing here happens by itself: a plan is given to an emulator, which keeps to it until it
//! is given another or calmed.

use std::time::Duration;

use super::rate::Rate;
use super::share::Share;
use crate::aliyun::AliyunChaos;

/// What a bad day is like, on the ports of one emulator. The default is a good day.
///
/// ```
/// use std::time::Duration;
/// use thingpost_emulator::{Chaos, Late, Share};
///
/// let by_fields = Chaos {
///     seed: 7,
///     statuses: vec![(503, Share::percent(10))],
///     late_puback: Some(Late { by: Duration::from_secs(7), share: Share::ALWAYS }),
///     ..Chaos::default()
/// };
/// let by_text: Chaos = "503=10%,late-puback=7s,seed=7".parse()?;
/// assert_eq!(by_fields, by_text);
/// # Ok::<(), thingpost_emulator::ChaosError>(())
/// ```
///
/// What strikes by chance is drawn from the seed, and from nothing but how many things of its kind there were before:
/// the tenth request is struck in the same way however fast it comes, and whatever else is asked for. The ledgers say
/// what was really taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chaos {
    /// What everything is drawn from.
    pub seed: u64,

    /// For this long, from when the plan is given, connections are refused as by a closed port. Those that there are
    /// go on.
    pub not_listening: Duration,
    /// How late the first byte of a handshake comes.
    pub handshake_delay: Duration,
    /// Connections that are reset when a request or a message was read and before it is taken.
    pub reset_before: Share,
    /// Connections that are reset when a request or a message was taken, before a byte of the answer.
    pub reset_after: Share,

    /// Requests that something in between answers with this status and a page in HTML. They are not taken.
    pub statuses: Vec<(u16, Share)>,
    /// What such an answer says about when to come again, and AWS's when it throttles.
    pub retry_after: Option<RetryAfter>,
    /// How long the page is at least.
    pub page_bytes: usize,
    /// Requests whose answer is late. They are taken in time.
    pub late_answer: Option<Late>,
    /// A connection on which no request comes for this long is answered with an unasked 408, and
    /// closed.
    pub idle_408: Option<Duration>,

    /// How many messages are taken: over HTTPS at an endpoint, over MQTT on a connection. What is more is told so with
    /// AWS's 429, Aliyun's 40000, or as [`excess`](Self::excess) says.
    pub quota: Option<Rate>,
    /// What becomes of messages over MQTT that are more than the quota. Nothing without one.
    pub excess: Excess,

    /// Whether a new token of Aliyun's ends the older ones of its device.
    pub one_token: bool,
    /// Trouble with Aliyun's tokens, over HTTPS.
    pub tokens: Option<AliyunChaos>,

    /// Messages with QoS 1 of MQTT 5 that are answered with this reason and not taken. 3.1.1 has no reasons.
    pub pubacks: Vec<(u8, Share)>,
    /// Messages that are taken and whose PUBACK is late.
    pub late_puback: Option<Late>,
    /// Messages that are taken and whose PUBACK never comes.
    pub lost_puback: Share,
    /// CONNECTs that are answered with this code. One below 0x80 is for clients of 3.1.1, the others are for those of
    /// MQTT 5.
    pub connacks: Vec<(u8, Share)>,
    /// How many CONNECTs are admitted for each client id, at Aliyun for each device. Those that are more are answered
    /// with 3, in MQTT 5 with 0x9F.
    pub connects: Option<Rate>,
    /// The longest keep-alive. A client that asks for a longer one, or for none, is cut when it was silent for one and
    /// a half times this; in MQTT 5 the CONNACK names it.
    pub keep_alive_cap: Option<Duration>,
}

/// How late something is, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// So much.
    pub by: Duration,
    /// So many.
    pub share: Share,
}

/// When to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// In so many seconds.
    Seconds(u32),
    /// As a date that is so many seconds ahead, by the emulator's clock.
    Date(u32),
}

/// What becomes of a message over MQTT that is more than the quota. It is never taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Excess {
    /// MQTT 5 is told with 0x97 in the PUBACK. 3.1.1 cannot be told, and gets nothing.
    #[default]
    Refuse,
    /// Nothing: no PUBACK, as AWS drops what exceeds.
    Silence,
    /// The connection is closed. MQTT 5 is told with 0x97.
    Disconnect,
}

impl From<AliyunChaos> for Chaos {
    /// Trouble with tokens, and nothing else.
    fn from(tokens: AliyunChaos) -> Self {
        Self { seed: tokens.seed, tokens: Some(tokens), ..Self::default() }
    }
}
