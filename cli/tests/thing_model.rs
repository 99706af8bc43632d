//! Properties and events of a thing model from the command line.

use serde_json::json;
use thingpost_emulator::AliyunThingKind;

use crate::clouds::{ALIYUN, Clouds, to};
use crate::command::CommandLine;

fn post(clouds: &Clouds) -> CommandLine {
    CommandLine::new(&["publish", "aliyun"])
        .with("--endpoint", ALIYUN)
        .with("--product-key", "a1B2c3D4e5F")
        .with("--device-name", "thermometer")
        .with("--device-secret-file", clouds.path("secret.txt"))
        .with("--ca", clouds.path("ca.pem"))
        .with("--connect-to", format!("{ALIYUN}:443:{}", clouds.aliyun.addr()))
}

#[test]
fn properties_arrive_with_their_values_as_json_or_text() {
    let clouds = Clouds::start();
    let line =
        post(&clouds).and(&["--property", "Temperature=21.5", "--property", "Power=on", "--property", "N=\"7\""]);
    let output = clouds.run(line);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let posts = clouds.aliyun.thing_model();
    assert_eq!(posts.len(), 1);
    assert_eq!((posts[0].kind, posts[0].violations.as_slice()), (AliyunThingKind::Properties, &[][..]));
    let values: Vec<_> = posts[0].values.iter().map(|it| (it.identifier.as_str(), it.value.clone())).collect();
    for expected in [("Temperature", json!(21.5)), ("Power", json!("on")), ("N", json!("7"))] {
        assert!(values.contains(&expected), "{values:?}");
    }
}

#[test]
fn every_number_of_json_arrives_as_it_was_typed() {
    let clouds = Clouds::start();
    for value in ["21", "21.0", "1E400", "-0", "1e+5", "123456789012345678901234567890"] {
        let output = clouds.run(post(&clouds).and(&["--property", &format!("Celsius={value}")]));
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        let payload = clouds.aliyun.ledger().accepted().pop().unwrap().payload;
        let payload = String::from_utf8(payload).unwrap();
        assert!(payload.contains(&format!(r#""params":{{"Celsius":{value}}}"#)), "{payload}");
    }
}

#[test]
fn what_the_thing_model_may_drop_is_pointed_out_and_sent() {
    let clouds = Clouds::start();
    for (value, json, words) in [
        ("21,5", json!("21,5"), "type 21.5 for the number"),
        ("NaN", json!("NaN"), "no such number"),
        ("true", json!(true), "type 1,"),
    ] {
        let output = clouds.run(post(&clouds).and(&["--property", &format!("Celsius={value}")]));
        assert_eq!(output.code, Some(0), "{output:?}");
        let said = &output.stderr;
        assert!(
            said.starts_with("--property Celsius: ") && said.contains(words) && said.lines().count() == 1,
            "{said}"
        );
        assert_eq!(clouds.aliyun.thing_model().pop().unwrap().values[0].value, json);
    }
}

#[test]
fn more_than_200_properties_go_in_several_messages_and_each_is_reported() {
    let clouds = Clouds::start();
    let properties: Vec<String> =
        (0..201).flat_map(|number| ["--property".to_owned(), format!("p{number}=1")]).collect();
    let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
    let output = clouds.run(post(&clouds).and(&properties));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(output.stdout.lines().count(), 2, "{output:?}");
    let sizes: Vec<usize> = clouds.aliyun.thing_model().iter().map(|post| post.values.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 201);
    assert!(sizes.iter().all(|size| *size <= 200));
}

#[test]
fn an_event_arrives_with_its_output() {
    let clouds = Clouds::start();
    let output = clouds.run(post(&clouds).and(&["--event", "Alarm={\"level\":2}"]));
    assert_eq!(output.code, Some(0), "{output:?}");
    let posts = clouds.aliyun.thing_model();
    assert_eq!((posts.len(), posts[0].kind), (1, AliyunThingKind::Event));
    assert!(posts[0].violations.is_empty(), "{posts:?}");
}

#[test]
fn what_the_thing_model_cannot_take_is_named_before_anything_is_sent() {
    let clouds = Clouds::start();
    for (arguments, named) in [
        (&["--property", "a b=1"][..], "1 to 50"),
        (&["--property", "good=1", "--property", "b/d=1"], "--property b/d: "),
        (&["--property", "a=1", "--property", "b=1", "--property", "a=2"], "--property a is given twice"),
        (&["--property", "a"], "NAME=VALUE"),
        (&["--event", "Alarm=2"], "--event Alarm: give the output of the event as a JSON object"),
        (&["--property", "a=1", "--message", "x"], "cannot be used with"),
        (&["--property", "a=1", "--topic", "/x"], "cannot be used with"),
        (&["--property", "a=1", "--event", "b={}"], "cannot be used with"),
        (&[], "required"),
    ] {
        let output = clouds.run(post(&clouds).and(arguments));
        assert_eq!(output.code, Some(2), "{arguments:?} {output:?}");
        assert!(output.complaint().contains(named), "{arguments:?} {output:?}");
    }
    assert!(clouds.aliyun.ledger().entries().is_empty());
}

#[test]
fn what_would_be_ignored_with_a_thing_model_is_refused() {
    let clouds = Clouds::start();
    let file = clouds.write("file", "x");
    for option in ["--file", "--lines", "--failed"] {
        for thing in [["--property", "a=1"], ["--event", "a={}"]] {
            clouds.assert_usage(post(&clouds).and(&thing).with(option, &file), &[option]);
        }
    }
}

#[test]
fn the_region_or_the_instance_takes_the_place_of_the_endpoint() {
    let clouds = Clouds::start();
    let line = |option, value| {
        let line = post(&clouds).without("--endpoint").with(option, value);
        line.with("--connect-to", to(clouds.aliyun.addr())).and(&["--property", "a=1"])
    };
    assert_eq!(clouds.run(line("--region", "cn-shanghai")).code, Some(0));
    // The cloud of this test is another one, as its certificate says.
    for (option, value, host) in [
        ("--region", "ap-southeast-1", "iot-as-http.ap-southeast-1.aliyuncs.com"),
        ("--instance", "iot-06z00d9wc4x18a6", "iot-06z00d9wc4x18a6.http.iothub.aliyuncs.com"),
    ] {
        let output = clouds.run_until(&line(option, value), &[host]);
        assert_eq!(output.code, Some(3), "{output:?}");
        assert!(output.only_complaint().contains(host), "{output:?}");
    }
}
