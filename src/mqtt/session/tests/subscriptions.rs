use super::world::World;
use super::{at_least_once, config, prompt};
use crate::error::Cause;
use crate::http::TransportErrorKind;
use crate::message::Qos;
use crate::mqtt::{Config, Event, RetainHandling, Subscription, SubscriptionOptions, Version};

fn subscribe(world: &mut World, filter: &str) {
    world.session.subscribe(Subscription::new(filter, Qos::AtLeastOnce)).unwrap();
    world.settle();
}

/// With a session that the broker keeps.
fn remembered(version: Version) -> Config {
    Config { session_expiry_s: 3600, ..config(version) }
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
        world.cut(TransportErrorKind::ConnectionClosed);
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
    world.cut(TransportErrorKind::ConnectionClosed);
    world.publish(at_least_once("t", "1"));
    world.broker.holds_subacks = true;
    world.pass(2000);
    assert_eq!(world.broker.log.last().unwrap(), "subscribe a");
    world.broker.holds_subacks = false;
    // It is not answered in time, though the broker is there, so all of it happens again.
    world.pass(30_000);
    assert_eq!(world.broker.log[world.broker.log.len() - 2..], ["subscribe a", "publish 1"]);
}

#[test]
fn a_broker_that_remembers_is_asked_only_for_what_it_has_not_answered() {
    let mut world = World::online(remembered(Version::V3), prompt());
    subscribe(&mut world, "a");
    world.cut(TransportErrorKind::ConnectionClosed);
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
        assert_eq!(answers(&world), ["secret/#: Forbidden"]);
        world.cut(TransportErrorKind::ConnectionClosed);
        world.publish(at_least_once("t", "1"));
        world.broker.log.clear();
        world.pass(2000);
        assert_eq!(world.broker.log[1..], ["publish 1"]);
    }
}

#[test]
fn the_end_of_one_is_told_the_broker_and_survives_a_loss() {
    let mut world = World::online(remembered(Version::V5), prompt());
    subscribe(&mut world, "a");
    world.session.unsubscribe("a").unwrap();
    world.settle();
    assert_eq!(answers(&world), ["+a", "-a"]);
    assert_eq!(world.broker.log.last().unwrap(), "unsubscribe a");

    subscribe(&mut world, "b");
    world.cut(TransportErrorKind::ConnectionClosed);
    world.session.unsubscribe("b").unwrap();
    world.broker.session_present = true;
    world.pass(2000);
    assert_eq!(world.broker.log.last().unwrap(), "unsubscribe b");
    assert_eq!(answers(&world).last().unwrap(), "-b");

    // No telling is needed.
    let mut world = World::online(config(Version::V5), prompt());
    world.session.unsubscribe("c").unwrap();
    world.settle();
    assert_eq!(answers(&world), ["-c"]);
    assert_eq!(world.broker.log.len(), 1);
}

#[test]
fn a_filter_that_is_none_is_refused_on_the_spot() {
    let mut world = World::online(config(Version::V3), prompt());
    let subscription = Subscription::new("a/#/b", Qos::AtMostOnce);
    let (error, explanation) = world.session.subscribe(subscription).unwrap_err();
    assert!(matches!(error.cause, Cause::InvalidField(_)) && explanation.contains('#'), "{explanation}");
}

#[test]
fn an_answer_goes_to_the_filter_it_was_given_for_though_another_is_asked_for_anew() {
    let mut world = World::new(config(Version::V3), prompt());
    subscribe(&mut world, "a");
    subscribe(&mut world, "b");
    world.broker.holds_subacks = true;
    world.connect();
    subscribe(&mut world, "a");
    // The first packet asked for a and b under identifier 1, the second for a under 2.
    world.hear(&[0x90, 4, 0, 1, 0x80, 1]);
    assert_eq!(answers(&world), ["+b"]);
    world.hear(&[0x90, 3, 0, 2, 0x80]);
    assert_eq!(answers(&world), ["+b", "a: Forbidden"]);
}

#[test]
fn a_subscription_upon_which_the_broker_closes_each_time_is_given_up_and_nothing_else_suffers() {
    let mut world = World::new(config(Version::V3), prompt());
    world.broker.closes_upon_filter = Some("secret/#".into());
    for filter in ["a", "secret/#", "b"] {
        subscribe(&mut world, filter);
    }
    world.publish(at_least_once("t", "1"));
    world.session.keep_connecting();
    world.pass(120_000);
    let refused = answers(&world).into_iter().find(|answer| answer.starts_with("secret")).unwrap();
    assert_eq!(refused, "secret/#: Transport(ConnectionClosed)");
    assert_eq!(world.broker.payloads(), ["1"]);
    assert_eq!(world.broker.connection, 5);
    let subscribed = |filter: &str| world.broker.log.contains(&format!("subscribe {filter}"));
    assert!(subscribed("a") && subscribed("b"), "{:?}", world.broker.log);
}

#[test]
fn the_end_of_one_that_only_the_broker_may_remember_is_told_the_broker() {
    let mut world = World::new(remembered(Version::V5), prompt());
    world.broker.session_present = true;
    world.connect();
    world.session.unsubscribe("of-an-earlier-instance").unwrap();
    world.settle();
    assert_eq!(world.broker.log.last().unwrap(), "unsubscribe of-an-earlier-instance");

    subscribe(&mut world, "a");
    world.cut(TransportErrorKind::ConnectionClosed);
    subscribe(&mut world, "a");
    world.session.unsubscribe("a").unwrap();
    world.pass(2000);
    assert_eq!(world.broker.log.last().unwrap(), "unsubscribe a");
}

#[test]
fn a_filter_that_fits_in_no_packet_is_refused_on_the_spot() {
    let mut world = World::online(config(Version::V3), prompt());
    let filter = format!("$share/{}/a", "g".repeat(66_000));
    let refused = world.session.subscribe(Subscription::new(filter, Qos::AtMostOnce));
    assert!(matches!(refused.unwrap_err().0.cause, Cause::InvalidField(_)));
    subscribe(&mut world, "a");
    assert_eq!(answers(&world), ["+a"]);
}

fn asking(filter: &str, options: SubscriptionOptions) -> Subscription {
    Subscription { options: Some(options), ..Subscription::new(filter, Qos::AtLeastOnce) }
}

#[test]
fn what_mqtt_5_can_be_asked_for_goes_with_each_subscription_and_again_after_a_loss() {
    let all = SubscriptionOptions { no_local: true, retain_as_published: true, retain_handling: RetainHandling::Never };
    let if_new = SubscriptionOptions { retain_handling: RetainHandling::IfNew, ..SubscriptionOptions::default() };
    let mut world = World::online(config(Version::V5), prompt());
    world.session.subscribe(Subscription::new("a", Qos::AtLeastOnce)).unwrap();
    world.session.subscribe(asking("b", all)).unwrap();
    world.session.subscribe(asking("$share/group/c", if_new)).unwrap();
    world.settle();
    let expected = [0b00_0001, 0b10_1101, 0b01_0001];
    assert_eq!(world.broker.asked, expected);
    world.cut(TransportErrorKind::ConnectionClosed);
    world.pass(2000);
    assert_eq!(world.broker.asked[3..], expected);
}

#[test]
fn what_cannot_be_asked_for_is_refused_before_it_ends_the_connection() {
    let mut world = World::online(config(Version::V3), prompt());
    let refused = world.session.subscribe(asking("a", SubscriptionOptions::default()));
    let (error, explanation) = refused.unwrap_err();
    assert!(error.cause == Cause::Unsupported && explanation.contains("MQTT 5"), "{explanation}");
    let mut world = World::online(config(Version::V5), prompt());
    let no_local = SubscriptionOptions { no_local: true, ..SubscriptionOptions::default() };
    let (error, explanation) = world.session.subscribe(asking("$share/group/a", no_local)).unwrap_err();
    assert!(error.cause == Cause::Unsupported && explanation.contains("shared subscription"), "{explanation}");
    world.settle();
    assert!(world.broker.asked.is_empty());
}
