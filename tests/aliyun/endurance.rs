//! A token that ends is the one thing that goes wrong for every device on Aliyun, and it goes wrong in the midst of
//! messages. Once it works by chance; twenty thousand messages later, with a strike at every tenth of them, what is lost,
//! doubled or asked for too often shows.

use std::collections::HashMap;
use std::time::Duration;

use thingpost_emulator::{AliyunChaos, AliyunStrike, AnswerFault, Break, Disposition, Entry, Fault, TokenForm};
use thingpost_host::Pool;
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{Delivery, Error, Message, Options, Platform, Qos, Receipt};

use crate::fixtures::agreement::is_receipt_of;
use crate::fixtures::aliyun::{AliyunCloud, DEVICE_NAME, PRODUCT_KEY, TOPIC, config};
use crate::fixtures::deadline::within;
use crate::fixtures::host::{options, try_open};
use crate::fixtures::message::at_least_once;

type Outcome = Result<Receipt, Error>;

const BATCH: usize = 500;

/// Each with a payload of its own, with both qualities of service.
fn messages(name: &str, count: usize) -> Vec<Message> {
    let qos = |index: usize| if index.is_multiple_of(2) { Qos::AtMostOnce } else { Qos::AtLeastOnce };
    (0..count).map(|index| Message { qos: qos(index), ..at_least_once(TOPIC, format!("{name}:{index}")) }).collect()
}

/// What has become of all messages so far.
#[derive(Debug, Default)]
struct Tally {
    delivered: usize,
    sent_again: usize,
    refused: usize,
    not_sent: usize,
    unknown: usize,
}

impl Tally {
    fn messages(&self) -> usize {
        self.delivered + self.refused + self.not_sent + self.unknown
    }

    /// Holds outcomes against the ledger, which has these messages and no others.
    fn judge(&mut self, messages: &[Message], outcomes: &[Outcome], entries: Vec<Entry>) {
        assert_eq!(messages.len(), outcomes.len());
        let mut by_payload: HashMap<Vec<u8>, Vec<Entry>> = HashMap::new();
        for entry in entries {
            by_payload.entry(entry.payload.clone()).or_default().push(entry);
        }
        for (message, outcome) in messages.iter().zip(outcomes) {
            self.judge_one(message, outcome, &by_payload.remove(&message.payload).unwrap_or_default());
        }
        assert!(by_payload.is_empty(), "{by_payload:?} came from nobody");
    }

    fn judge_one(&mut self, message: &Message, outcome: &Outcome, own: &[Entry]) {
        let case = format!("{:?}: {outcome:?}, ledger: {own:#?}", message.qos);
        let answered = own.iter().filter(|entry| matches!(entry.disposition, Disposition::Accepted { .. })).count();
        let accepted = own.iter().filter(|entry| entry.disposition.is_accepted()).count();
        let attempts = match outcome {
            Ok(receipt) => {
                assert_eq!(answered, 1, "not delivered once; {case}");
                assert!(own.iter().any(|entry| is_receipt_of(receipt, entry)), "an invented receipt; {case}");
                self.delivered += 1;
                self.sent_again += usize::from(receipt.attempts > 1);
                receipt.attempts
            }
            Err(error) => {
                match error.delivery {
                    Delivery::NotSent => {
                        assert!(own.is_empty(), "sent, but called not sent; {case}");
                        self.not_sent += 1;
                    }
                    Delivery::Refused => {
                        assert_eq!(accepted, 0, "accepted, but called refused; {case}");
                        self.refused += 1;
                    }
                    Delivery::Unknown => self.unknown += 1,
                }
                assert_eq!(answered, 0, "answered and not delivered; {case}");
                error.attempts
            }
        };
        assert_eq!(own.len(), attempts as usize, "sent more or less often than told; {case}");
        // More than once only where one was taken without an answer, and the message may be doubled.
        assert!(message.qos == Qos::AtLeastOnce || accepted <= 1, "doubled; {case}");
    }
}

/// When tokens end, and what else may happen to them.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    seed: u64,
    /// Every how many good messages.
    every: (u32, u32),
    only_the_latest: bool,
}

/// Again before everybody has come back with the new token: a message may then be rejected several times.
const OFTEN: (u32, u32) = (2, 20);
/// Not again before everybody has, with 32 messages under way.
const NOW_AND_THEN: (u32, u32) = (70, 150);

impl Trouble {
    /// Connections that are kept, and answers to some authentications that take long enough for a second one to be seen
    /// next to the first.
    async fn cloud(self) -> AliyunCloud {
        let cloud = AliyunCloud::start_with(true, TokenForm::Hex).await;
        cloud.emulator.keep_only_the_latest_token(self.only_the_latest);
        let slow = AnswerFault::SlowBytes { delay: Duration::from_micros(100) };
        cloud.emulator.faults().push_at_authentication(Fault::InAnswer(slow), 5);
        self.begin(&cloud);
        cloud
    }

    fn begin(self, cloud: &AliyunCloud) {
        cloud.emulator.chaos(AliyunChaos { every: self.every.0..=self.every.1, ..AliyunChaos::new(self.seed) });
    }
}

async fn open(cloud: &AliyunCloud, pool: &Pool, session: Option<&str>) -> Publisher {
    open_with(cloud, pool, session, &Options { max_in_flight: Some(32), ..options() }).await
}

async fn open_with(cloud: &AliyunCloud, pool: &Pool, session: Option<&str>, options: &Options) -> Publisher {
    try_open(cloud.transport_in(pool), &Platform::Aliyun(config()), options, session).await.unwrap()
}

/// How often the device has authenticated and how often its tokens were ended. Never more often at once than there are
/// publishers.
fn authentications_and_strikes(cloud: &AliyunCloud, publishers_at_once: usize) -> (usize, usize) {
    let authentications = cloud.emulator.authentications_of(PRODUCT_KEY, DEVICE_NAME);
    assert_eq!(authentications.succeeded, authentications.decided);
    assert!(authentications.most_at_once <= publishers_at_once, "{authentications:?}");
    let strikes = cloud.emulator.strikes();
    for kind in [AliyunStrike::Revoke, AliyunStrike::Expire] {
        assert!(strikes.contains(&kind), "{strikes:?}");
    }
    (authentications.decided, strikes.len())
}

async fn through_one_publisher(trouble: Trouble, count: usize, answers_get_lost: bool) -> Tally {
    let cloud = trouble.cloud().await;
    let mut publisher = open(&cloud, &Pool::default(), None).await;
    let (ledger, mut tally) = (cloud.emulator.ledger(), Tally::default());
    for batch in 0..count / BATCH {
        if answers_get_lost {
            for fault in [Break::Close, Break::Reset] {
                cloud.emulator.faults().push(Fault::AfterAcceptance(fault), 2);
                cloud.emulator.faults().push(Fault::BeforeAcceptance(fault), 1);
            }
        }
        let messages = messages(&batch.to_string(), BATCH);
        let outcomes = publisher.publish_all(&messages).await.unwrap();
        tally.judge(&messages, &outcomes, ledger.entries());
        ledger.clear();
    }
    let (authentications, strikes) = authentications_and_strikes(&cloud, 1);
    // One for each token that was ended, and no more.
    assert!(authentications <= strikes + 1, "{authentications} for {strikes} strikes");
    assert_eq!(tally.messages(), count);
    tally
}

#[tokio::test]
async fn a_long_lived_publisher_delivers_every_message_once_however_many_tokens_end() {
    within(async {
        for (seed, only_the_latest) in [(1, false), (2, true)] {
            let trouble = Trouble { seed, every: NOW_AND_THEN, only_the_latest };
            let tally = through_one_publisher(trouble, 4_000, false).await;
            assert_eq!((tally.delivered, tally.messages()), (4_000, 4_000), "{tally:?}");
            assert!(tally.sent_again > 100, "{tally:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_long_lived_publisher_says_what_became_of_each_message_while_tokens_end_and_answers_get_lost() {
    within(async {
        for (seed, every, only_the_latest) in [(3, NOW_AND_THEN, false), (4, OFTEN, false), (5, OFTEN, true)] {
            let tally = through_one_publisher(Trouble { seed, every, only_the_latest }, 1_000, true).await;
            assert!(tally.unknown > 0, "{tally:?}");
            assert_eq!(tally.delivered + tally.unknown, tally.messages(), "{tally:?}");
        }
    })
    .await;
}

/// Publishers of 25 messages each, with the session of the one before.
async fn through_many_publishers(trouble: Trouble, publishers: usize) -> Tally {
    const MESSAGES: usize = 25;
    let (cloud, pool) = (trouble.cloud().await, Pool::default());
    let (ledger, mut tally) = (cloud.emulator.ledger(), Tally::default());
    let mut session = None;
    for index in 0..publishers {
        let mut publisher = open(&cloud, &pool, session.as_deref()).await;
        let messages = messages(&index.to_string(), MESSAGES);
        let outcomes = publisher.publish_all(&messages).await.unwrap();
        tally.judge(&messages, &outcomes, ledger.entries());
        ledger.clear();
        session = publisher.credential().await.unwrap();
    }
    let (authentications, strikes) = authentications_and_strikes(&cloud, 1);
    assert!(authentications <= strikes + 1, "{authentications} for {strikes} strikes");
    assert_eq!((tally.messages(), tally.not_sent, tally.unknown), (publishers * MESSAGES, 0, 0), "{tally:?}");
    tally
}

#[tokio::test]
async fn short_lived_publishers_hand_their_session_on_and_deliver_every_message_once() {
    within(async {
        for (seed, only_the_latest) in [(6, false), (7, true)] {
            let trouble = Trouble { seed, every: NOW_AND_THEN, only_the_latest };
            let tally = through_many_publishers(trouble, 80).await;
            assert_eq!(tally.delivered, 2_000, "{tally:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn short_lived_publishers_deliver_every_message_once_while_tokens_end_all_the_time() {
    within(async {
        for (seed, only_the_latest) in [(8, false), (9, true)] {
            let tally = through_many_publishers(Trouble { seed, every: OFTEN, only_the_latest }, 40).await;
            assert_eq!(tally.delivered, 1_000, "{tally:?}");
        }
    })
    .await;
}

/// Two that begin with one session and know nothing of each other. What they did, how often they authenticated, and
/// how often tokens were ended.
async fn through_two_publishers_at_once(trouble: Trouble) -> (Tally, usize, usize) {
    through_two_publishers_with(trouble, &Options { max_in_flight: Some(32), ..options() }).await
}

async fn through_two_publishers_with(trouble: Trouble, options: &Options) -> (Tally, usize, usize) {
    let (cloud, pool) = (trouble.cloud().await, Pool::default());
    let mut first = open_with(&cloud, &pool, None, options).await;
    cloud.emulator.calm();
    first.publish(&at_least_once(TOPIC, b"before")).await.unwrap().unwrap();
    trouble.begin(&cloud);
    let session = first.credential().await.unwrap().unwrap();
    let mut second = open_with(&cloud, &pool, Some(&session), options).await;
    let (ledger, mut tally) = (cloud.emulator.ledger(), Tally::default());
    ledger.clear();
    for batch in 0..4 {
        let of_first = messages(&format!("first {batch}"), BATCH);
        let of_second = messages(&format!("second {batch}"), BATCH);
        let (first, second) = tokio::join!(first.publish_all(&of_first), second.publish_all(&of_second));
        let outcomes = [first.unwrap(), second.unwrap()].concat();
        tally.judge(&[of_first, of_second].concat(), &outcomes, ledger.entries());
        ledger.clear();
    }
    let (authentications, strikes) = authentications_and_strikes(&cloud, 2);
    // A rejected token costs no message.
    assert_eq!((tally.delivered, tally.messages()), (8 * BATCH, 8 * BATCH), "{tally:?}");
    (tally, authentications, strikes)
}

/// Not again before the messages of both have come back.
const WITH_TWO: (u32, u32) = (BATCH as u32 + 100, BATCH as u32 + 400);

#[tokio::test]
async fn two_publishers_with_one_session_replace_it_each_for_itself_and_deliver_every_message_once() {
    within(async {
        for (seed, every) in [(10, WITH_TWO), (11, OFTEN)] {
            let trouble = Trouble { seed, every, only_the_latest: false };
            let (_, authentications, strikes) = through_two_publishers_at_once(trouble).await;
            assert!(authentications <= 2 * strikes + 1, "{authentications} for {strikes} strikes");
        }
    })
    .await;
}

/// Each new token ends that of the other, who needs a new one, which ends that of the first. How often they authenticate
/// meanwhile depends on how fast the machine is; `src/exchange/tests/takeover.rs` counts that by a clock of its own.
#[tokio::test]
async fn two_publishers_that_end_each_others_token_deliver_every_message_once() {
    within(async {
        let taken_away = Trouble { seed: 12, every: (140, 250), only_the_latest: true };
        // With the pauses that users have: those of the other tests are shorter than a turn.
        let pauses = Options { backoff_base_ms: None, backoff_max_ms: None, ..options() };
        through_two_publishers_with(taken_away, &pauses).await;
    })
    .await;
}
