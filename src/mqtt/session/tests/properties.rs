//! Whatever happens, in whatever order.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::World;
use super::{at_least_once, at_most_once, config};
use crate::http::TransportErrorKind;
use crate::message::Qos;
use crate::mqtt::{Event, FullQueue, Options, QueueLimit, Subscription, Version};

#[derive(Clone, Debug)]
enum Happening {
    Publish { at_least_once: bool, topic: u8 },
    Pass(u64),
    Close,
    Reset,
    Away,
    Back,
    HoldAcks(bool),
    HalfOpen,
    WireTakes(Option<usize>),
    Subscribe(u8),
    TakeEvents(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => (any::<bool>(), 0..3_u8).prop_map(|(at_least_once, topic)| Happening::Publish { at_least_once, topic }),
        4 => (0..8000_u64).prop_map(Happening::Pass),
        1 => Just(Happening::Close),
        1 => Just(Happening::Reset),
        1 => Just(Happening::Away),
        1 => Just(Happening::Back),
        1 => any::<bool>().prop_map(Happening::HoldAcks),
        1 => Just(Happening::HalfOpen),
        1 => proptest::option::of(0..60_usize).prop_map(Happening::WireTakes),
        1 => (0..3_u8).prop_map(Happening::Subscribe),
        1 => any::<bool>().prop_map(Happening::TakeEvents),
    ]
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V3), Just(Version::V5)]
}

/// How many outcomes each message had, and whether it was accepted.
fn outcomes(events: &[Event]) -> BTreeMap<u64, Vec<bool>> {
    let mut outcomes = BTreeMap::<u64, Vec<bool>>::new();
    for event in events {
        match event {
            Event::Published { id, .. } => outcomes.entry(*id).or_default().push(true),
            Event::NotPublished { id, .. } => outcomes.entry(*id).or_default().push(false),
            _ => {}
        }
    }
    outcomes
}

proptest! {
    // More with PROPTEST_CASES.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(400), ..ProptestConfig::default() })]

    #[test]
    fn each_message_has_one_outcome_and_what_was_accepted_has_arrived_in_order(
        version in version(),
        happenings in proptest::collection::vec(happening(), 1..80),
        limit in prop_oneof![Just(QueueLimit::Unlimited), (1..5_u32).prop_map(QueueLimit::Messages), Just(QueueLimit::Off)],
        drops_oldest in any::<bool>(),
        drain_per_second in 0..20_u32,
    ) {
        let full_queue = if drops_oldest { FullQueue::DropOldest } else { FullQueue::DropNewest };
        // The broker closes now and then; no message is to be blamed for it.
        let options = Options { queue_limit: limit, full_queue, drain_per_second, max_attempts: 1000, ..Options::default() };
        let mut world = World::new(config(version), options);
        world.session.keep_connecting();
        world.settle();
        let mut taken = BTreeMap::new();
        for (number, happening) in happenings.into_iter().enumerate() {
            match happening {
                Happening::Publish { at_least_once: is_at_least_once, topic } => {
                    let (topic, payload) = (format!("t/{topic}"), number.to_string());
                    let message =
                        if is_at_least_once { at_least_once(&topic, &payload) } else { at_most_once(&topic, &payload) };
                    if let Ok(id) = world.session.publish(world.now_ms, message) {
                        prop_assert!(taken.insert(id, (topic, payload, is_at_least_once)).is_none());
                    }
                    world.settle();
                }
                Happening::Pass(ms) => world.pass(ms),
                Happening::Close => world.cut(TransportErrorKind::ConnectionClosed),
                Happening::Reset => world.cut(TransportErrorKind::Other),
                Happening::Away => {
                    world.broker.is_up = false;
                    world.cut(TransportErrorKind::ConnectionClosed);
                }
                Happening::Back => world.broker.is_up = true,
                Happening::HoldAcks(holds) => world.broker.holds_acks = holds,
                Happening::HalfOpen => world.is_half_open = true,
                Happening::WireTakes(bytes) => world.wire_takes = bytes,
                Happening::Subscribe(number) => {
                    let filter = format!("f/{number}");
                    world.session.subscribe(Subscription::new(filter, Qos::AtLeastOnce)).unwrap();
                }
                Happening::TakeEvents(takes) => world.takes_events = takes,
            }
        }
        // Everything is well again.
        world.broker.is_up = true;
        world.broker.holds_acks = false;
        world.wire_takes = None;
        world.takes_events = true;
        world.cut(TransportErrorKind::Other);
        world.is_half_open = false;
        world.pass(600_000);

        prop_assert_eq!(world.session.outstanding(), 0);
        let outcomes = outcomes(&world.events);
        prop_assert_eq!(outcomes.keys().collect::<Vec<_>>(), taken.keys().collect::<Vec<_>>());
        let mut firsts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for arrival in &world.broker.arrivals {
            let firsts = firsts.entry(&arrival.topic).or_default();
            if firsts.contains(&arrival.payload.as_str()) {
                prop_assert!(arrival.duplicate && arrival.id.is_some(), "{:?}", arrival);
            } else {
                firsts.push(&arrival.payload);
            }
        }
        for (id, (topic, payload, is_at_least_once)) in &taken {
            let [is_accepted] = outcomes[id][..] else { panic!("{id} has {:?}", outcomes[id]) };
            let has_arrived = firsts.get(topic.as_str()).is_some_and(|firsts| firsts.contains(&payload.as_str()));
            if *is_at_least_once {
                prop_assert_eq!(is_accepted, has_arrived, "{} to {}", payload, topic);
            } else if has_arrived {
                prop_assert!(is_accepted, "{} to {}", payload, topic);
            }
        }
        for (topic, firsts) in firsts {
            let numbers: Vec<u32> = firsts.iter().map(|payload| payload.parse().unwrap()).collect();
            prop_assert!(numbers.is_sorted(), "{topic}: {numbers:?}");
        }
    }

    #[test]
    fn no_bytes_from_the_broker_make_it_panic(
        version in version(),
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..10),
    ) {
        let mut world = World::online(config(version), Options::default());
        world.publish(at_least_once("t", "1"));
        for piece in pieces {
            world.session.handle_input(world.now_ms, &piece);
            world.pass(10_000);
        }
    }

    #[test]
    fn no_packet_with_a_good_header_makes_it_panic(
        version in version(),
        first in any::<u8>(),
        body in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        let mut world = World::online(config(version), Options::default());
        world.publish(at_least_once("t", "1"));
        let mut packet = vec![first, body.len() as u8];
        packet.extend(body);
        world.session.handle_input(world.now_ms, &packet);
        world.pass(10_000);
    }
}
