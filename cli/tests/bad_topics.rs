//! Topics that cannot be published to are found before anything is sent.

use crate::clouds::Clouds;

#[test]
fn a_topic_that_aws_cannot_take_is_not_sent() {
    let clouds = Clouds::start();
    let (long, deep) = ("x".repeat(257), "a/b/c/d/e/f/g/h/i");
    for (topic, word) in [
        ("", "empty"),
        (".", "resolved as a path"),
        ("..", "resolved as a path"),
        ("sensors/+/up", "subscribing"),
        ("sensors/#", "subscribing"),
        (&long, "too long"),
        (deep, "more than 7 slashes"),
        ("$SYS/broker", "reserved"),
        ("$aws/", "reserved"),
        ("$aws/rules//x", "reserved"),
        ("$mine/x", "reserved"),
        ("a\nb", "control character"),
        ("a\u{1b}[2Jb", "control character"),
        ("a\u{85}b", "control character"),
    ] {
        clouds.assert_usage(clouds.publish_aws().with("--topic", topic), &["not sent: ", "topic", word]);
    }
}

/// AWS adds families, and a list of them here would keep people from the new ones.
#[test]
fn a_family_below_aws_is_for_aws_to_refuse() {
    let clouds = Clouds::start();
    let output = clouds.run(clouds.publish_aws().with("--topic", "$aws/things/x/jobs/get"));
    assert_eq!(output.code, Some(1), "{output:?}");
    let line = output.only_complaint();
    assert!(line.contains("restricted topic") && line.contains("over MQTT"), "{line}");
    let output = clouds.run(clouds.publish_aws().with("--topic", "$aws/things/x/new-family/get"));
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn a_topic_that_aliyun_cannot_take_is_not_sent() {
    let clouds = Clouds::start();
    let long = format!("/{}", "x".repeat(128));
    for (topic, words) in [
        ("a1B2c3D4e5F/thermometer/user/update", &["does not begin with `/`", "/<product key>/<device name>/"][..]),
        ("", &["empty"]),
        ("/", &["empty level"]),
        ("/a//b", &["empty level"]),
        ("/a/../b", &["resolved as a path"]),
        ("/a?b", &["`?`"]),
        ("/a/+", &["subscribing"]),
        ("/a\tb", &["control character"]),
        (&long, &["too long"]),
    ] {
        clouds.assert_usage(clouds.publish_aliyun().with("--topic", topic), words);
    }
}

#[test]
fn with_lines_a_wrong_topic_is_said_once_and_no_list_of_failed_lines_is_left() {
    let clouds = Clouds::start();
    let (lines, failed) = (clouds.write("lines", "a\nb\nc\n"), clouds.path("failed"));
    let line = clouds.publish_aws().lines(lines).with("--failed", &failed).with("--topic", "sensors/+");
    clouds.assert_usage(line.clone(), &["not sent: ", "`+`"]);
    clouds.assert_usage(line.and(&["--json"]), &["not sent: ", "`+`"]);
    assert!(!failed.exists());
}
