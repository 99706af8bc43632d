//! Brokers that send the client to another server.

use super::{config, prompt};
use crate::error::Cause;
use crate::mqtt::{Disconnection, Session, Step, Version};

fn upon(packet: &[u8]) -> Disconnection {
    let mut session = Session::open(0, config(Version::V5), prompt(), vec![], 1).unwrap();
    session.connect_once();
    assert!(matches!(session.poll(0), Step::Dial { .. }));
    session.handle_dialed();
    session.handle_input(0, packet);
    session.poll_attempt().unwrap().unwrap_err()
}

/// A CONNACK or a DISCONNECT that begins so, with a server reference.
fn with_reference(begin: &[u8], server: &str) -> Vec<u8> {
    let length = server.len() as u8;
    let body = [&begin[1..], &[length + 3, 0x1c, 0, length], server.as_bytes()].concat();
    [&[begin[0], body.len() as u8][..], &body].concat()
}

#[test]
fn the_server_that_a_broker_names_in_its_place_is_shown_and_the_endpoint_not_taken_for_a_web_page() {
    for code in [0x9c, 0x9d] {
        for begin in [&[0x20, 0, code][..], &[0xe0, code]] {
            let lost = upon(&with_reference(begin, "other.example:8883\n"));
            assert_eq!(lost.error.cause, Cause::WrongHostOrPath);
            for named in ["to another server", "`other.example:8883`", "as the endpoint"] {
                assert!(lost.explanation.contains(named), "{begin:?}: {}", lost.explanation);
            }
            assert!(!lost.explanation.contains("web page") && !lost.explanation.contains("ALPN"));
        }
        let lost = upon(&[0x20, 3, 0, code, 0]);
        assert!(lost.explanation.contains("does not say to which"), "{}", lost.explanation);
        assert!(!lost.explanation.contains("web page"), "{}", lost.explanation);
    }
}
