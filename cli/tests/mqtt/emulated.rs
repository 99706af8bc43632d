//! What `thingpost emulate` prints for MQTT works when it is pasted.

use tempfile::TempDir;

use crate::emulate::{paste, ready, secrets};

#[test]
fn the_printed_commands_subscribe_and_publish() {
    let folder = TempDir::new().unwrap();
    let mut emulator = ready(folder.path(), &[]);
    let text = emulator.stdout();
    let commands: Vec<&str> = text.split("\n\n").filter(|part| part.starts_with("thingpost mqtt ")).collect();
    assert_eq!(commands.len(), 4, "{text}");
    let (subscribe, publications) = commands.split_first().unwrap();
    let mut subscriber = paste(subscribe, folder.path());
    subscriber.wait_until("the subscription", |process| process.stderr().contains("subscribed to sensors/#"));
    for publish in publications {
        let output = paste(publish, folder.path()).end();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{publish}\n{output:?}");
    }
    subscriber
        .wait_until("both messages", |process| process.stdout() == "sensors/kitchen/temperature: 21.5\n".repeat(2));
    subscriber.signal("INT");
    assert_eq!(subscriber.end().code, Some(0));
    emulator.wait_until("three messages", |process| process.stdout().matches("[accepted, MQTT, qos 1]").count() == 3);
    emulator.signal("INT");
    let output = emulator.end();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.assert_without(&secrets(folder.path()));
}
