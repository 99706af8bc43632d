//! Messages that were given up over a connection that lives: the broker still counts them.

use super::world::World;
use super::{at_least_once, config, prompt};
use crate::error::Cause;
use crate::http::TransportErrorKind;
use crate::mqtt::{Options, Version};

/// The first byte of an acknowledgement.
const PUBACK: u8 = 0x40;

fn timed() -> Options {
    Options { message_timeout_ms: 30_000, ..prompt() }
}

fn loses_acknowledgements(world: &mut World) {
    world.broker.loses = Some(Box::new(|first| first == PUBACK));
}

#[test]
fn a_window_of_messages_that_were_given_up_ends_the_connection_and_others_go_over_the_next() {
    let mut world = World::online(config(Version::V5), timed());
    loses_acknowledgements(&mut world);
    for number in 0..50 {
        world.publish(at_least_once("t", number.to_string()));
    }
    world.pass(40_000);
    assert_eq!(world.not_published().len(), 20);
    assert_eq!(world.last_cause(), Some(Cause::Transport(TransportErrorKind::AnswerTimeout)));
    world.broker.loses = None;
    world.pass(60_000);
    assert_eq!((world.published().len(), world.session.outstanding()), (30, 0));
}

#[test]
fn one_that_goes_alone_and_is_given_up_holds_up_nothing() {
    let mut world = World::online(config(Version::V5), timed());
    loses_acknowledgements(&mut world);
    world.publish(at_least_once("t", "alone"));
    world.cut(TransportErrorKind::ConnectionReset);
    world.pass(5_000);
    world.publish(at_least_once("t", "behind it"));
    world.pass(33_000);
    assert_eq!(world.not_published().len(), 1);
    world.broker.loses = None;
    world.pass(60_000);
    assert_eq!((world.published(), world.session.outstanding()), (vec![(2, 2)], 0));
}

#[test]
fn a_connection_is_worn_out_when_half_of_its_window_was_given_up_and_nothing_else_is_under_way() {
    for (given_up, connections) in [(9, 2), (10, 3)] {
        let mut world = World::online(config(Version::V5), timed());
        loses_acknowledgements(&mut world);
        for number in 0..given_up {
            world.publish(at_least_once("t", number.to_string()));
        }
        // All of them are sent once more over a second connection.
        world.pass(40_000);
        assert_eq!(world.not_published().len(), given_up);
        assert_eq!(world.broker.connection, connections, "after {given_up}");
    }
}

#[test]
fn what_was_abandoned_holds_up_others_no_longer_than_an_acknowledgement_may_take() {
    let mut world = World::online(config(Version::V5), prompt());
    loses_acknowledgements(&mut world);
    for number in 0..20 {
        world.publish(at_least_once("t", number.to_string()));
    }
    world.session.abandon();
    world.broker.loses = None;
    world.publish(at_least_once("t", "after them"));
    world.pass(59_999);
    assert_eq!((world.published().len(), world.broker.connection), (0, 1));
    world.pass(5000);
    assert_eq!((world.published(), world.broker.connection), (vec![(21, 1)], 2));
}
