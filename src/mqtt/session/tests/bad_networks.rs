//! Random networks and brokers: refusals for now, resets, late and lost acknowledgements, quotas, clocks that jump.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::world::World;
use super::{at_least_once, config};
use crate::error::Cause;
use crate::http::TransportErrorKind;
use crate::message::Qos;
use crate::mqtt::{Event, Options, QueueLimit, Subscription, Version};
use crate::outcome::Delivery;
use crate::random::SplitMix64;

/// First bytes of answers.
const PUBACK: u8 = 0x40;
const SUBACK: u8 = 0x90;

#[derive(Clone, Debug)]
enum Happening {
    Publish {
        topic: u8,
        count: u8,
    },
    Pass(u64),
    End(TransportErrorKind),
    Away(TransportErrorKind),
    Back,
    Connack(u8),
    /// So many of a hundred messages are refused with this code.
    Refuses(u8, u64),
    AckDelay(u64),
    /// So many of a hundred acknowledgements, of messages and of subscriptions, never leave the broker.
    LosesAnswers(u64),
    Subscribe(u8),
    HalfOpen,
    Leave(u8),
    /// The machine has slept, or the clock was set.
    Jump(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    let ends = prop_oneof![
        Just(TransportErrorKind::ConnectionReset),
        Just(TransportErrorKind::ConnectionClosed),
        Just(TransportErrorKind::Other)
    ];
    let away = prop_oneof![
        Just(TransportErrorKind::NameResolution),
        Just(TransportErrorKind::ConnectionRefused),
        Just(TransportErrorKind::TlsAlert)
    ];
    let codes = prop_oneof![Just(0x97_u8), Just(0x96), Just(0x80), Just(0x83), Just(0x91)];
    prop_oneof![
        8 => (0..3_u8, 1..20_u8).prop_map(|(topic, count)| Happening::Publish { topic, count }),
        6 => (0..8000_u64).prop_map(Happening::Pass),
        2 => ends.prop_map(Happening::End),
        1 => away.prop_map(Happening::Away),
        1 => Just(Happening::Back),
        1 => prop_oneof![Just(0_u8), Just(0x88), Just(0x97), Just(0x9f)].prop_map(Happening::Connack),
        2 => (codes, 0..=100_u64).prop_map(|(code, percent)| Happening::Refuses(code, percent)),
        2 => prop_oneof![Just(0_u64), 1..20_000_u64].prop_map(Happening::AckDelay),
        2 => prop_oneof![Just(0_u64), Just(100), 1..100_u64].prop_map(Happening::LosesAnswers),
        2 => (1..12_u8).prop_map(Happening::Subscribe),
        1 => Just(Happening::HalfOpen),
        1 => prop_oneof![Just(0x97_u8), Just(0x8b), Just(0x96)].prop_map(Happening::Leave),
        1 => (0..100_000_u64).prop_map(Happening::Jump),
    ]
}

fn refusing(code: u8, percent: u64, seed: u64) -> impl FnMut(u64, &str) -> u8 {
    let mut random = SplitMix64::new(seed);
    move |_, _| if random.next() % 100 < percent { code } else { 0 }
}

fn losing(percent: u64, seed: u64) -> impl FnMut(u8) -> bool {
    let mut random = SplitMix64::new(seed);
    move |first| matches!(first, PUBACK | SUBACK) && random.next() % 100 < percent
}

proptest! {
    // More with PROPTEST_CASES.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(300), ..ProptestConfig::default() })]

    #[test]
    fn no_message_has_an_outcome_that_a_later_try_could_have_changed(
        happenings in proptest::collection::vec(happening(), 1..60),
        message_timeout_ms in prop_oneof![Just(0_u32), 5_000..60_000_u32],
        max_per_second in prop_oneof![Just(0_u32), 1..200_u32],
        seed in any::<u64>(),
    ) {
        // An orderly close may come at any time here, and no message is to be blamed for it.
        let options = Options {
            queue_limit: QueueLimit::Unlimited,
            drain_per_second: 0,
            max_attempts: 1000,
            message_timeout_ms,
            max_per_second,
            ..Options::default()
        };
        let mut world = World::new(config(Version::V5), options);
        world.session.keep_connecting();
        world.settle();
        // What a stuck link holds back arrives together, at whatever pace it was sent.
        let arrives_as_sent = !happenings.iter().any(|happening| matches!(happening, Happening::HalfOpen));
        // Number, topic, and when it was taken.
        let mut taken: BTreeMap<u64, (String, u64)> = BTreeMap::new();
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for happening in happenings {
            match happening {
                Happening::Publish { topic, count } => for _ in 0..count {
                    let topic = format!("t/{topic}");
                    let message = at_least_once(&topic, (taken.len() + 1).to_string());
                    let id = world.publish(message);
                    prop_assert!(taken.insert(id, (topic, world.now_ms)).is_none());
                },
                Happening::Pass(ms) => world.pass(ms),
                Happening::End(how) => world.cut(how),
                Happening::Away(how) => {
                    (world.broker.is_up, world.away) = (false, how);
                    world.cut(TransportErrorKind::ConnectionReset);
                }
                Happening::Back => world.broker.is_up = true,
                Happening::Connack(code) => world.broker.connack = code,
                Happening::Refuses(code, percent) => {
                    world.broker.verdict = Some(Box::new(refusing(code, percent, seed)));
                }
                Happening::AckDelay(ms) => world.broker.ack_delay_ms = ms,
                Happening::LosesAnswers(percent) => world.broker.loses = Some(Box::new(losing(percent, seed))),
                Happening::Subscribe(count) => for _ in 0..count {
                    let filter = format!("f/{}", wanted.len());
                    world.session.subscribe(Subscription::new(filter.clone(), Qos::AtLeastOnce)).unwrap();
                    wanted.insert(filter);
                },
                Happening::HalfOpen => world.is_half_open = true,
                Happening::Leave(code) => if world.session.connection().is_some() { world.hear(&[0xe0, 1, code]) },
                Happening::Jump(ms) => world.now_ms += ms,
            }
            world.settle();
        }
        // Everything is well again. No connection is ended from here: what is stuck must find out by itself.
        (world.broker.is_up, world.broker.connack) = (true, 0);
        (world.broker.verdict, world.broker.ack_delay_ms, world.broker.loses) = (None, 0, None);
        world.is_half_open = false;
        world.pass(3_600_000);

        prop_assert_eq!(world.session.outstanding(), 0);
        let answered: BTreeSet<String> = world.events.iter().filter_map(|event| match event {
            Event::Subscribed { filter, granted: Ok(_) } => Some(filter.clone()),
            _ => None,
        }).collect();
        prop_assert_eq!(answered, wanted);
        let mut outcomes: BTreeMap<u64, Option<Delivery>> = BTreeMap::new();
        for (event, told_ms) in world.events.iter().zip(&world.told) {
            let (id, delivery) = match event {
                Event::Published { id, .. } => (id, None),
                Event::NotPublished { id, error, .. } => {
                    // Its time was over, and nothing else has ended it.
                    prop_assert!(message_timeout_ms > 0, "{:?}", error);
                    let (_, taken_ms) = taken[id];
                    prop_assert!(*told_ms >= taken_ms + u64::from(message_timeout_ms), "{:?}", error);
                    prop_assert!(!matches!(error.cause, Cause::Transport(TransportErrorKind::ConnectionClosed)));
                    (id, Some(error.delivery))
                }
                _ => continue,
            };
            prop_assert!(outcomes.insert(*id, delivery).is_none(), "{} has two outcomes", id);
        }
        prop_assert_eq!(outcomes.keys().collect::<Vec<_>>(), taken.keys().collect::<Vec<_>>());

        let mut firsts: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        let refused: Vec<&str> = world.broker.refusals.iter().map(|(_, payload)| payload.as_str()).collect();
        for arrival in &world.broker.arrivals {
            let number = arrival.payload.parse().unwrap();
            let firsts = firsts.entry(&arrival.topic).or_default();
            let was_refused = refused.contains(&arrival.payload.as_str());
            if firsts.contains(&number) {
                prop_assert!(arrival.duplicate || was_refused, "{:?}", arrival);
            } else {
                firsts.push(number);
            }
        }
        for (id, (topic, _)) in &taken {
            let has_arrived = firsts.get(topic.as_str()).is_some_and(|firsts| firsts.contains(id));
            match outcomes[id] {
                None => prop_assert!(has_arrived),
                Some(Delivery::NotSent | Delivery::Refused) => prop_assert!(!has_arrived),
                Some(Delivery::Unknown) => {}
            }
        }
        // Whatever was not refused for now keeps its order.
        for (topic, mut firsts) in firsts {
            firsts.retain(|number| !refused.contains(&number.to_string().as_str()));
            prop_assert!(firsts.is_sorted(), "{}: {:?}", topic, firsts);
        }
        for pair in world.dials.windows(2) {
            prop_assert!(pair[1] - pair[0] >= 500, "{:?}", world.dials);
        }
        if max_per_second > 0 && arrives_as_sent {
            let mut sent: Vec<u64> = world.broker.arrivals.iter().map(|arrival| arrival.at_ms).collect();
            sent.extend(world.broker.refusals.iter().map(|(at_ms, _)| *at_ms));
            sent.sort_unstable();
            let most = max_per_second as usize + 1;
            for window in sent.windows(most + 1) {
                prop_assert!(window[most] - window[0] >= 1000, "{} in a second", most + 1);
            }
        }
    }
}
