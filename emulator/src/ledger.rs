//! "It was delivered" is only worth something when the other side says so too. The ledger is the other side: one entry
//! for each publish request that reached HTTP, with what became of it, written before the answer leaves.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;

use crate::platform::Listener;
use crate::redaction::{Headers, without_secrets};

/// The messages of one emulator, in the order in which they were written down. Clones share the same entries.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    entries: Mutex<Vec<Entry>>,
    length: watch::Sender<usize>,
    connections: AtomicU64,
    numbers: AtomicU64,
}

/// One publish request.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counts the entries of this ledger from 1, and goes on after a [`Ledger::clear`].
    pub number: u64,
    /// Where it came in.
    pub listener: Listener,
    /// The sender, as far as it is known.
    pub device: Option<Device>,
    /// The topic after decoding. `None` when the path does not decode.
    pub topic: Option<String>,
    /// Path and query exactly as they stood in the request line.
    pub target: String,
    /// The quality of service asked for, with AWS's default of 0. `None` on Aliyun, where HTTP knows none.
    pub qos: Option<u8>,
    /// Whether the message was to be retained.
    pub retain: bool,
    /// MQTT 5's content type, which is not the header `Content-Type`. AWS only, as are the other properties; one that
    /// does not decode is absent.
    pub content_type: Option<String>,
    /// Where answers are to go.
    pub response_topic: Option<String>,
    /// In seconds, as it was sent.
    pub message_expiry: Option<u32>,
    /// In their order. A name may occur more than once.
    pub user_properties: Vec<(String, String)>,
    /// `UNSPECIFIED_BYTES` or `UTF8_DATA`.
    pub payload_format_indicator: Option<String>,
    /// Decoded from base64.
    pub correlation_data: Option<Vec<u8>>,
    /// The body. Empty when it was too large to be read.
    pub payload: Vec<u8>,
    /// The request's headers in their order, with the case they had.
    pub headers: Vec<(String, String)>,
    /// What became of it.
    pub disposition: Disposition,
    /// The id that the answer shows for support cases: `x-amzn-RequestId` or `EagleEye-TraceId`.
    pub trace_id: Option<String>,
    /// Which connection of the emulator it came over, from 1. Ports of one emulator count together.
    pub connection: u64,
    /// Which request on that connection it was, from 1. Requests that are no publishes count too.
    pub request: u64,
}

/// The sender of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// A holder of a client certificate.
    Certificate {
        /// SHA-256 of the certificate in lower-case hex.
        fingerprint: String,
        /// The common name. `None` for a certificate that is not registered, or registered itself on first contact.
        common_name: Option<String>,
    },
    /// A signer of requests.
    AccessKey {
        /// The id that the request claims. Only of a message that was taken is it known to be true.
        access_key_id: String,
    },
    /// A caller that a custom authorizer decides about.
    Authorizer {
        /// Of the authorizer, as the request has it or by default.
        name: String,
    },
    /// A holder of an Aliyun token.
    Aliyun {
        /// The product of the device that the token was made for.
        product_key: String,
        /// The name of the device that the token was made for.
        device_name: String,
    },
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Taken, and the platform's own answer was sent in full.
    Accepted {
        /// What the platform calls the message: AWS's trace id, Aliyun's message id.
        id: String,
    },
    /// Taken, but the client did not get the platform's own answer. From outside this looks like any lost request.
    AcceptedButNotAnswered {
        /// What the platform would have called the message.
        id: String,
    },
    /// Not taken; this is what the platform had decided, whether or not a fault spoilt the answer.
    Refused {
        /// The HTTP status.
        status: u16,
        /// AWS's error type or Aliyun's code. Empty when the answer has none.
        code: String,
    },
    /// Read, not taken, and never answered.
    Dropped,
}

impl Disposition {
    /// Whether the platform has the message.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::AcceptedButNotAnswered { .. })
    }

    /// A decision whose answer did not reach the client.
    pub(crate) fn unanswered(self) -> Self {
        match self {
            Self::Accepted { id } => Self::AcceptedButNotAnswered { id },
            other => other,
        }
    }
}

/// [`Ledger::wait_for`] ran out of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFewEntries {
    /// How many entries were waited for.
    pub wanted: usize,
    /// How many there were in the end.
    pub seen: usize,
}

impl fmt::Display for TooFewEntries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wanted, seen } = self;
        write!(f, "waited for {wanted} ledger entries, but there are {seen}")
    }
}

impl std::error::Error for TooFewEntries {}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            inner: Arc::new(Inner {
                entries: Mutex::default(),
                length: watch::Sender::new(0),
                connections: AtomicU64::new(1),
                numbers: AtomicU64::new(1),
            }),
        }
    }

    /// All entries.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// The entries of messages that the platform has, answered or not.
    pub fn accepted(&self) -> Vec<Entry> {
        let entries = self.lock();
        entries.iter().filter(|entry| entry.disposition.is_accepted()).cloned().collect()
    }

    /// Waits until there are at least `count` entries, whatever became of them, and returns all.
    ///
    /// # Errors
    /// When there are fewer after `deadline`.
    pub async fn wait_for(&self, count: usize, deadline: Duration) -> Result<Vec<Entry>, TooFewEntries> {
        let mut length = self.inner.length.subscribe();
        // The sender lives as long as self, so the only thing that can end the wait early is the deadline. What comes
        // of it is let go of at once: it keeps the length from being changed, which is done by the holder of the lock.
        let is_there = tokio::time::timeout(deadline, length.wait_for(|&length| length >= count)).await.is_ok();
        let entries = self.entries();
        if is_there { Ok(entries) } else { Err(TooFewEntries { wanted: count, seen: entries.len() }) }
    }

    /// Forgets all entries.
    pub fn clear(&self) {
        drop(self.take());
    }

    /// All entries, which it forgets. For a ledger that is read for as long as the emulator runs.
    pub fn take(&self) -> Vec<Entry> {
        let mut entries = self.lock();
        self.inner.length.send_replace(0);
        std::mem::take(&mut entries)
    }

    pub(crate) fn next_connection(&self) -> u64 {
        self.inner.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds an entry and gives it its number, which is returned.
    pub(crate) fn record(&self, mut entry: Entry) -> u64 {
        let mut entries = self.lock();
        entry.number = self.inner.numbers.fetch_add(1, Ordering::Relaxed);
        let number = entry.number;
        entries.push(entry);
        self.inner.length.send_replace(entries.len());
        number
    }

    /// Corrects an entry whose answer could not be written after all.
    pub(crate) fn mark_unanswered(&self, number: u64) {
        let mut entries = self.lock();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.number == number) {
            entry.disposition = entry.disposition.clone().unanswered();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.inner.entries.lock().expect("nothing panics while it holds the ledger")
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lock().iter()).finish()
    }
}

impl Entry {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("number", &self.number)
            .field("listener", &self.listener)
            .field("device", &self.device)
            .field("topic", &self.topic)
            .field("target", &without_secrets(&self.target))
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("content_type", &self.content_type)
            .field("response_topic", &self.response_topic)
            .field("message_expiry", &self.message_expiry)
            .field("user_properties", &format_args!("{} pairs", self.user_properties.len()))
            .field("payload_format_indicator", &self.payload_format_indicator)
            .field("correlation_data", &self.correlation_data.as_ref().map(|data| format!("{} bytes", data.len())))
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .field("headers", &Headers(&self.headers))
            .field("disposition", &self.disposition)
            .field("trace_id", &self.trace_id)
            .field("connection", &self.connection)
            .field("request", &self.request)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            number: 0,
            listener: Listener::Aliyun,
            device: None,
            topic: Some("/pk/dn/user/up".to_owned()),
            target: "/topic/pk/dn/user/up?qos=1&token=hush-query".to_owned(),
            qos: None,
            retain: false,
            content_type: None,
            response_topic: None,
            message_expiry: None,
            user_properties: vec![("name".to_owned(), "hush-property".to_owned())],
            payload_format_indicator: None,
            correlation_data: Some(b"hush-correlation".to_vec()),
            payload: b"hush-payload".to_vec(),
            headers: vec![
                ("Password".to_owned(), "hush-password".to_owned()),
                ("MyToken".to_owned(), "hush-custom".to_owned()),
                ("Content-Type".to_owned(), "application/octet-stream".to_owned()),
            ],
            disposition: Disposition::Accepted { id: "1".to_owned() },
            trace_id: None,
            connection: 1,
            request: 1,
        }
    }

    #[test]
    fn secrets_are_not_in_the_debug_output() {
        let shown = format!("{:?}", entry());
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("qos=1"), "{shown}");
        assert!(shown.contains("application/octet-stream"), "{shown}");
    }

    #[test]
    fn an_answer_that_failed_turns_accepted_into_accepted_but_not_answered() {
        let ledger = Ledger::new();
        let number = ledger.record(entry());
        ledger.mark_unanswered(number);
        let expected = Disposition::AcceptedButNotAnswered { id: "1".to_owned() };
        assert_eq!(ledger.accepted()[0].disposition, expected);
    }

    #[tokio::test]
    async fn waiting_ends_when_the_entries_are_there_or_the_deadline_has_passed() {
        let ledger = Ledger::new();
        let waiting = {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.wait_for(2, thingpost_patience::patience()).await })
        };
        ledger.record(entry());
        ledger.record(entry());
        assert_eq!(waiting.await.unwrap().unwrap().len(), 2);

        ledger.clear();
        let late = ledger.wait_for(1, Duration::from_millis(10)).await;
        assert_eq!(late, Err(TooFewEntries { wanted: 1, seen: 0 }));
    }

    #[tokio::test]
    async fn whoever_waits_does_not_stand_in_the_way_of_whoever_records() {
        let ledger = Ledger::new();
        let recorder = {
            let ledger = ledger.clone();
            std::thread::spawn(move || {
                for _ in 0..100_000 {
                    ledger.record(entry());
                }
            })
        };
        while !recorder.is_finished() {
            // It may have recorded its last one.
            let _ = ledger.wait_for(1, Duration::from_millis(10)).await;
            ledger.clear();
        }
        recorder.join().unwrap();
    }

    #[test]
    fn numbers_go_on_after_a_clear() {
        let ledger = Ledger::new();
        ledger.record(entry());
        ledger.clear();
        assert_eq!(ledger.record(entry()), 2);
    }
}
