//! `thingpost demo`: the first thing that anybody runs.

use thingpost_emulator::Broker;

use crate::process::{Process, THINGPOST, command};

#[test]
fn the_demo_shows_three_accepted_messages_and_a_refused_one() {
    let mut demo = command(THINGPOST);
    demo.arg("demo");
    let output = Process::start(demo, vec!["emulated-device-secret".to_owned()]).end();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(output.stdout.matches("[accepted, id ").count(), 3, "{}", output.stdout);
    assert_eq!(output.stdout.matches("[refused, status 403").count(), 1, "{}", output.stdout);
    assert!(output.stdout.contains("x-amzn-http-ca"), "{}", output.stdout);
    // Without a broker, one line says so and how to get one.
    let by_mqtt = output.stdout.matches("[accepted, MQTT, qos 1]").count();
    let left_out =
        output.stdout.matches("MQTT is left out: mosquitto is not installed (sudo apt-get install mosquitto").count();
    assert_eq!((by_mqtt, left_out), if Broker::is_installed() { (1, 0) } else { (0, 1) }, "{}", output.stdout);
}
