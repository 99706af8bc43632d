//! `thingpost shadow`: documents as AWS wrote them, and lists to their end.

use serde_json::Value;

use crate::clouds::{Clouds, numbered};
use crate::command::CommandLine;
use crate::process::Output;

const UPDATE: &str = r#"{"state":{"reported":{"celsius":21.50,"big":18446744073709551615}}}"#;

fn shadow(clouds: &Clouds, word: &str) -> CommandLine {
    clouds.aws(&["shadow", word]).with("--thing", "thermometer")
}

#[track_caller]
fn done(output: Output) -> String {
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.stdout
}

#[track_caller]
fn json(output: Output) -> Value {
    serde_json::from_str(&done(output)).unwrap()
}

#[test]
fn a_shadow_is_made_read_and_deleted() {
    let clouds = Clouds::start();
    for name in [None, Some("$config:1")] {
        let named = |line: CommandLine| name.map_or(line.clone(), |name| line.with("--name", name));
        let accepted = json(clouds.run(named(shadow(&clouds, "update")).with("--document", UPDATE)));
        assert_eq!((&accepted["version"], &accepted["state"]["reported"]["celsius"]), (&1.into(), &21.5.into()));
        let document = json(clouds.run(named(shadow(&clouds, "get"))));
        assert_eq!(document["state"]["reported"]["big"], Value::from(u64::MAX));
        let gone = json(clouds.run(named(shadow(&clouds, "delete"))));
        assert_eq!(gone["version"], 1);
        let output = clouds.run(named(shadow(&clouds, "get")));
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.only_complaint().contains("status 404"), "{output:?}");
    }
}

#[test]
fn an_update_may_come_from_a_file() {
    let clouds = Clouds::start();
    let file = clouds.write("update.json", UPDATE);
    assert_eq!(json(clouds.run(shadow(&clouds, "update").with("--file", file)))["version"], 1);
    let marked = clouds.write("marked.json", format!("\u{feff}{UPDATE}"));
    assert_eq!(json(clouds.run(shadow(&clouds, "update").with("--file", marked)))["version"], 2);
}

#[test]
fn an_update_in_utf16_is_refused_with_the_command_that_converts_it() {
    let clouds = Clouds::start();
    let utf16: Vec<u8> = UPDATE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in [[&b"\xff\xfe"[..], &utf16].concat(), utf16] {
        let file = clouds.write("update.json", content);
        let line = shadow(&clouds, "update").with("--file", file);
        clouds.assert_usage(line, &["update.json", "UTF-16", "iconv -f UTF-16 -t UTF-8"]);
    }
}

#[test]
fn a_document_is_put_out_with_nothing_added_alone_or_in_an_object() {
    let clouds = Clouds::start();
    done(clouds.run(shadow(&clouds, "update").with("--document", UPDATE)));
    let alone = done(clouds.run(shadow(&clouds, "get")));
    assert!(alone.starts_with('{') && alone.ends_with('}'), "{alone}");
    let in_object = done(clouds.run(shadow(&clouds, "get").and(&["--json"])));
    let before = alone.split("\"timestamp\"").next().unwrap();
    assert!(in_object.starts_with(&format!("{{\"outcome\":\"done\",\"document\":{before}")), "{in_object}");
    assert_eq!(in_object.lines().count(), 1);
}

#[test]
fn a_state_that_no_account_takes_is_not_sent_unless_the_account_is_said_to_take_it() {
    let clouds = Clouds::start();
    let document = format!(r#"{{"state":{{"reported":{{"text":"{}"}}}}}}"#, "x".repeat(9_000));
    let update = || shadow(&clouds, "update").with("--file", clouds.write("update.json", &document));
    clouds.assert_usage(update(), &["8 KB", "quota"]);
    let token = format!(r#"{{"state":{{}},"clientToken":"{}"}}"#, "t".repeat(65));
    clouds.assert_usage(shadow(&clouds, "update").with("--document", token), &["clientToken", "64 bytes"]);
    // The emulator's account has not been raised.
    let output = clouds.run(update().with("--max-state-bytes", "30720"));
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.only_complaint().contains("status 413"), "{output:?}");
}

#[test]
fn an_update_for_another_version_is_a_refusal_that_programs_can_tell() {
    let clouds = Clouds::start();
    done(clouds.run(shadow(&clouds, "update").with("--document", UPDATE)));
    let stale = shadow(&clouds, "update").with("--document", UPDATE.replacen('{', "{\"version\":7,", 1));
    assert_eq!(clouds.run(stale.clone()).code, Some(1));
    let output = clouds.run(stale.and(&["--json"]));
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""));
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&value["outcome"], &value["cause"]), (&"refused".into(), &"version-conflict".into()));
    assert_eq!((&value["status"], &value["retry"]), (&409.into(), &"never".into()));
}

#[test]
fn all_names_are_listed_however_many_parts_they_come_in() {
    let clouds = Clouds::start();
    let mut names: Vec<String> = numbered(130).iter().map(|name| name.replace(' ', "_")).collect();
    names.sort_unstable();
    clouds.add_shadows("thermometer", &names);
    let listed = done(clouds.run(shadow(&clouds, "list")));
    assert_eq!(listed.lines().collect::<Vec<_>>(), names);
    for (limit, count) in [("1", 1), ("100", 100), ("101", 101), ("500", 130)] {
        let listed = done(clouds.run(shadow(&clouds, "list").with("--limit", limit)));
        assert_eq!(listed.lines().collect::<Vec<_>>(), names[..count]);
    }
    let listed = done(clouds.run(shadow(&clouds, "list").with("--limit", "2").and(&["--json"])));
    let expected: Vec<String> = names[..2].iter().map(|name| format!("{{\"name\":\"{name}\"}}")).collect();
    assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
    assert_eq!(done(clouds.run(shadow(&clouds, "list").with("--thing", "nobody"))), "");
}

#[test]
fn names_and_documents_that_cannot_be_are_found_before_anything_is_sent() {
    let clouds = Clouds::start();
    for (line, word) in [
        (shadow(&clouds, "get").with("--thing", "a b"), "name of a thing"),
        (shadow(&clouds, "list").with("--thing", ""), "name of a thing"),
        (shadow(&clouds, "delete").with("--name", "a/b"), "name of a shadow"),
        (shadow(&clouds, "update").with("--document", "{}"), "JSON object"),
        (shadow(&clouds, "update").with("--file", clouds.path("missing")), "cannot read the document"),
        (shadow(&clouds, "update"), "--document"),
        (shadow(&clouds, "list").with("--limit", "0"), "--limit"),
        (shadow(&clouds, "get").without("--thing"), "--thing"),
        (shadow(&clouds, "get").without("--cert").without("--key"), "nothing says how"),
    ] {
        clouds.assert_usage(line, &[word]);
    }
}

#[test]
fn a_temporary_key_reads_shadows_too_and_is_kept_for_the_next_command() {
    let clouds = Clouds::start();
    let session = clouds.path("session");
    for word in ["update", "get", "list", "delete"] {
        let line = clouds.by_role_alias(shadow(&clouds, word)).with("--session-file", &session);
        let line = if word == "update" { line.with("--document", UPDATE) } else { line };
        done(clouds.run(line));
    }
    assert_eq!(clouds.aws.credentials_issued(), 1);
}

#[test]
fn an_authorizer_is_for_messages_only() {
    let clouds = Clouds::start();
    let line = shadow(&clouds, "get").without("--cert").without("--key").with("--authorizer", "a");
    clouds.assert_usage(line, &["not sent: "]);
}

#[test]
fn nothing_is_asked_where_nobody_listens() {
    let clouds = Clouds::start();
    let line = shadow(&clouds, "get").with("--connect-to", "::127.0.0.1:1");
    let output = clouds.run_until(&line, &["127.0.0.1:1"]);
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.only_complaint().contains("127.0.0.1:1"), "{output:?}");
    let output = clouds.run_until(&line.and(&["--json"]), &["transport/connection-refused"]);
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(value["cause"], "transport/connection-refused");
    assert!(value["host"].as_str().unwrap().contains("127.0.0.1:1"));
}
