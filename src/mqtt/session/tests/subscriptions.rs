use super::world::World;
use super::{at_least_once, config, prompt};
use crate::error::Cause;
use crate::http::Failure;
use crate::message::Qos;
use crate::mqtt::{Event, Subscription, Version};

fn subscribe(world: &mut World, filter: &str) {
    world.session.subscribe(Subscription { filter: filter.into(), qos: Qos::AtLeastOnce }).unwrap();
    world.settle();
}

fn answers(world: &World) -> Vec<String> {
    let answer = |event: &Event| match event {
        Event::Subscribed { filter, granted: Ok(_) } => Some(format!("+{filter}")),
        Event::Subscribed { filter, granted: Err((error, _)) } => Some(format!("{filter}: {:?}", error.cause)),
        Event::Unsubscribed { filter, error: None } => Some(format!("-{filter}")),
        _ => None,
    };
    world.events.iter().filter_map(answer).collect()
}

#[test]
fn subscriptions_come_again_before_any_message_when_the_broker_has_forgotten() {
    for version in [Version::V3, Version::V5] {
        let mut world = World::online(config(version), prompt());
        subscribe(&mut world, "a/#");
        subscribe(&mut world, "b/+");
        world.cut(Failure::ConnectionClosed);
        world.publish(at_least_once("t", "1"));
        world.broker.log.clear();
        world.pass(2000);
        assert_eq!(world.broker.log[1..], ["subscribe a/# b/+", "publish 1"]);
        assert_eq!(answers(&world), ["+a/#", "+b/+", "+a/#", "+b/+"]);
    }
}

#[test]
fn messages_wait_until_the_subscriptions_are_answered() {
    let mut world = World::online(config(Version::V3), prompt());
    subscribe(&mut world, "a");
    world.cut(Failure::ConnectionClosed);
    world.publish(at_least_once("t", "1"));
    world.broker.holds_subacks = true;
    world.pass(2000);
    assert_eq!(world.broker.log.last().unwrap(), "subscribe a");
    world.broker.holds_subacks = false;
    // It is not answered in time, so all of it happens again.
    world.pass(10_000);
    assert_eq!(world.broker.log[world.broker.log.len() - 2..], ["subscribe a", "publish 1"]);
}

#[test]
fn a_broker_that_remembers_is_asked_only_for_what_it_has_not_answered() {
    let mut world = World::online(config(Version::V3), prompt());
    subscribe(&mut world, "a");
    world.cut(Failure::ConnectionClosed);
    subscribe(&mut world, "b");
    world.broker.session_present = true;
    world.broker.log.clear();
    world.pass(2000);
    assert_eq!(world.broker.log[1..], ["subscribe b"]);
}

#[test]
fn eight_go_in_one_packet() {
    let mut world = World::new(config(Version::V3), prompt());
    for number in 0..10 {
        subscribe(&mut world, &number.to_string());
    }
    world.connect();
    assert_eq!(world.broker.log[1..], ["subscribe 0 1 2 3 4 5 6 7", "subscribe 8 9"]);
}

#[test]
fn one_that_is_refused_is_named_and_not_asked_for_again() {
    for version in [Version::V3, Version::V5] {
        let mut world = World::online(config(version), prompt());
        world.broker.refuses_filter = Some("secret/#".into());
        subscribe(&mut world, "secret/#");
        let cause = if version == Version::V3 { Cause::Forbidden } else { Cause::ServerError };
        assert_eq!(answers(&world), [format!("secret/#: {cause:?}")]);
        world.cut(Failure::ConnectionClosed);
        world.publish(at_least_once("t", "1"));
        world.broker.log.clear();
        world.pass(2000);
        assert_eq!(world.broker.log[1..], ["publish 1"]);
    }
}

#[test]
fn the_end_of_one_is_told_the_broker_and_survives_a_loss() {
    let mut world = World::online(config(Version::V5), prompt());
    subscribe(&mut world, "a");
    world.session.unsubscribe("a").unwrap();
    world.settle();
    assert_eq!(answers(&world), ["+a", "-a"]);
    assert_eq!(world.broker.log.last().unwrap(), "unsubscribe a");

    subscribe(&mut world, "b");
    world.cut(Failure::ConnectionClosed);
    world.session.unsubscribe("b").unwrap();
    world.broker.session_present = true;
    world.pass(2000);
    assert_eq!(world.broker.log.last().unwrap(), "unsubscribe b");
    assert_eq!(answers(&world).last().unwrap(), "-b");

    // Nobody has to be told.
    world.session.unsubscribe("c").unwrap();
    world.settle();
    assert_eq!(answers(&world).last().unwrap(), "-c");
    assert_eq!(world.broker.log.last().unwrap(), "unsubscribe b");
}

#[test]
fn a_filter_that_is_none_is_refused_on_the_spot() {
    let mut world = World::online(config(Version::V3), prompt());
    let subscription = Subscription { filter: "a/#/b".into(), qos: Qos::AtMostOnce };
    let (error, explanation) = world.session.subscribe(subscription).unwrap_err();
    assert!(matches!(error.cause, Cause::InvalidField(_)) && explanation.contains('#'), "{explanation}");
}
