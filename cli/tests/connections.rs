//! `thingpost connection`: who is connected, to what, and no longer.

use serde_json::Value;
use thingpost_emulator::{ConnectedClient, Subscription};

use crate::clouds::Clouds;
use crate::command::CommandLine;
use crate::process::Output;

fn connection(clouds: &Clouds, word: &str) -> CommandLine {
    clouds.aws(&["connection", word]).with("--client-id", "pump")
}

fn connect(clouds: &Clouds, subscriptions: usize) {
    let subscription =
        |number| Subscription { topic_filter: format!("filter/{number:03}/#"), qos: u8::from(number % 2 == 1) };
    clouds.aws.add_client(ConnectedClient {
        thing_name: Some("pump-7".to_owned()),
        subscriptions: (0..subscriptions).map(subscription).collect(),
        ..ConnectedClient::new("pump")
    });
}

#[track_caller]
fn done(output: Output) -> String {
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.stdout
}

#[test]
fn a_connection_is_shown_as_far_as_it_is_known() {
    let clouds = Clouds::start();
    connect(&clouds, 0);
    let text = done(clouds.run(connection(&clouds, "get")));
    for line in ["connected: yes", "client id: pump", "thing: pump-7", "clean session: yes", "keep alive: 1200 s"] {
        assert!(text.lines().any(|shown| shown == line), "{text}");
    }
    assert!(text.contains("connected since: ") && !text.contains("disconnected") && !text.contains("source"), "{text}");
    let text = done(clouds.run(connection(&clouds, "get").and(&["--socket"])));
    assert!(text.contains("source: 192.0.2.7 port 49152\n"), "{text}");
    let text = done(clouds.run(connection(&clouds, "get").and(&["--socket", "--json"])));
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&value["connected"], &value["source"]["port"]), (&true.into(), &49152.into()));
    assert!(value["connected_since_ms"].is_u64() && value["disconnected_since_ms"].is_null());
    clouds.aws.lose_client("pump");
    let text = done(clouds.run(connection(&clouds, "get")));
    assert!(text.contains("connected: no\n") && text.contains("disconnect reason: CONNECTION_LOST\n"), "{text}");
}

#[test]
fn all_subscriptions_are_listed_however_many_parts_they_come_in() {
    let clouds = Clouds::start();
    connect(&clouds, 250);
    let text = done(clouds.run(connection(&clouds, "subscriptions")));
    assert_eq!(text.lines().count(), 250);
    assert_eq!(text.lines().nth(249), Some("filter/249/#  (qos 1)"));
    let text = done(clouds.run(connection(&clouds, "subscriptions").with("--limit", "120").and(&["--json"])));
    assert_eq!(text.lines().count(), 120);
    assert_eq!(text.lines().next(), Some(r#"{"qos":0,"topic_filter":"filter/000/#"}"#));
}

#[test]
fn a_client_is_disconnected_with_its_session_and_its_will_or_without() {
    let clouds = Clouds::start();
    for more in [false, true] {
        connect(&clouds, 0);
        let line = connection(&clouds, "delete");
        let line = if more { line.and(&["--clean-session", "--prevent-will"]) } else { line };
        assert!(done(clouds.run(line)).starts_with("disconnected pump"));
        let disconnection = clouds.aws.disconnections().pop().unwrap();
        assert_eq!((disconnection.clean_session, disconnection.prevent_will_message), (more, more));
    }
    connect(&clouds, 0);
    let text = done(clouds.run(connection(&clouds, "delete").and(&["--json"])));
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&value["outcome"], &value["client_id"]), (&"done".into(), &"pump".into()));
}

#[test]
fn a_client_that_nobody_knows_is_a_refusal() {
    let clouds = Clouds::start();
    for word in ["get", "subscriptions", "delete"] {
        let output = clouds.run(connection(&clouds, word));
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.only_complaint().contains("status 404"), "{output:?}");
    }
    let line = connection(&clouds, "get").with("--client-id", "");
    clouds.assert_usage_after(line, &["id of an MQTT client"]);
}
