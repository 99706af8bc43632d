//! Options that are missing, misspelt, malformed or at odds with each other.

use std::fs;

use crate::clouds::Clouds;
use crate::command::CommandLine;

#[test]
fn without_arguments_the_help_shows_and_a_script_is_not_told_that_all_is_well() {
    let clouds = Clouds::start();
    for (words, command) in [(&[][..], "emulate"), (&["publish"], "aliyun")] {
        let output = clouds.run(CommandLine::new(words));
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output:?}");
        assert!(output.stderr.contains("Usage: thingpost") && output.stderr.contains(command), "{output:?}");
    }
}

#[test]
fn help_and_version_are_asked_for_and_so_no_mistake() {
    let clouds = Clouds::start();
    let run = |words: &[&str]| clouds.run(CommandLine::new(words));
    for words in [&["help"][..], &["--help"], &["help", "publish", "aws"], &["publish", "aliyun", "--help"]] {
        let output = run(words);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        assert!(output.stdout.contains("Exit codes: 0 delivered, 1 refused, 2"), "{output:?}");
    }
    let output = run(&["--version"]);
    assert_eq!(output.stdout, format!("thingpost {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_missing_option_is_named_with_the_help_to_read() {
    let clouds = Clouds::start();
    for option in ["--endpoint", "--topic", "--cert", "--key"] {
        let line = clouds.publish_aws().without(option);
        clouds.assert_usage(line, &["required", option, "`thingpost publish aws --help`"]);
    }
    for option in ["--endpoint", "--topic", "--product-key", "--device-name"] {
        let line = clouds.publish_aliyun().without(option);
        clouds.assert_usage(line, &["required", option, "`thingpost publish aliyun --help`"]);
    }
    let all = CommandLine::new(&["publish", "aws"]).with("--message", "m");
    clouds.assert_usage(all, &["--endpoint", "--topic"]);
}

/// The console and the calculators of passwords show it that way.
#[test]
fn a_client_id_with_the_parameters_of_mqtt_is_refused_in_the_same_words_over_https_and_mqtt() {
    let clouds = Clouds::start();
    let pasted = "12345|securemode=2,signmethod=hmacsha256,timestamp=2524608000000|";
    let https = clouds.publish_aliyun();
    let mqtt = CommandLine::new(&["mqtt", "publish", "--endpoint", "a1B2c3D4e5F.iot-as-mqtt.cn-shanghai.aliyuncs.com"])
        .with("--product-key", "a1B2c3D4e5F")
        .with("--device-name", "thermometer")
        .with("--device-secret-file", clouds.path("secret.txt"))
        .with("--topic", "/a1B2c3D4e5F/thermometer/user/update")
        .with("--message", "21.5");
    for line in [https, mqtt] {
        let output = clouds.run(line.with("--client-id", pasted));
        clouds.assert_wrong(&output, &["the client id has parameters behind a `|`", "give what is before, 12345"]);
    }
}

#[test]
fn exactly_one_source_of_messages_is_wanted() {
    let clouds = Clouds::start();
    let sources = ["--message", "--file", "--lines"];
    clouds.assert_usage(clouds.publish_aws().without("--message"), &sources);
    let file = clouds.write("file", "m");
    for other in ["--file", "--lines"] {
        let line = clouds.publish_aws().with(other, &file);
        clouds.assert_usage(line, &["--message", "cannot be used with", other]);
    }
    let line = clouds.publish_aws().lines(&file).with("--file", &file);
    clouds.assert_usage(line, &["--lines", "cannot be used with", "--file"]);
}

#[test]
fn a_misspelt_word_comes_with_the_one_that_was_meant() {
    let clouds = Clouds::start();
    clouds.assert_usage(clouds.publish_aws().and(&["--endpiont", "x"]), &["--endpiont", "--endpoint"]);
    clouds
        .assert_usage(clouds.publish_aliyun().and(&["--divice-secret", "x"]), &["--divice-secret", "--device-secret"]);
    clouds.assert_usage(CommandLine::new(&["publsh"]), &["publsh", "publish"]);
    clouds.assert_usage(CommandLine::new(&["publish", "azure"]), &["azure", "`thingpost publish --help`"]);
    clouds.assert_usage(
        clouds.publish_aliyun().and(&["--thing-name", "x"]),
        &["--thing-name", "thingpost publish aliyun"],
    );
    clouds.assert_usage(clouds.publish_aws().and(&["stray"]), &["stray"]);
}

#[test]
fn an_endpoint_is_a_host_and_perhaps_a_port_and_never_a_path() {
    let clouds = Clouds::start();
    for (endpoint, word) in [
        ("https://a.example/topics/t", "give a.example or https://a.example"),
        ("a.example:8443/topics", "give a.example:8443 or"),
        ("http://a.example", "not for HTTPS"),
        ("a.example:", "from 1 to 65535"),
        ("a example", "not a host"),
        ("a. example", "not a host"),
        ("a\nb", "not a host"),
        ("", "not a host"),
    ] {
        for line in [clouds.publish_aws(), clouds.publish_aliyun()] {
            clouds.assert_usage(line.with("--endpoint", endpoint), &["--endpoint", word]);
        }
        let line = clouds.by_role_alias(clouds.publish_aws()).with("--credentials-endpoint", endpoint);
        clouds.assert_usage(line, &["--credentials-endpoint", word]);
    }
}

#[test]
fn where_aliyun_is_is_said_in_exactly_one_way() {
    let clouds = Clouds::start();
    let bare = || clouds.publish_aliyun().without("--endpoint");
    clouds.assert_usage(bare(), &["required", "--endpoint", "--region", "--instance"]);
    for (first, second) in [("--region", "--instance"), ("--endpoint", "--region"), ("--endpoint", "--instance")] {
        clouds.assert_usage(bare().with(first, "a").with(second, "a"), &[first, "cannot be used with", second]);
    }
    for option in ["--region", "--instance"] {
        for text in ["", "a.b", "a b", "https://a", "é"] {
            clouds.assert_usage(bare().with(option, text), &[option, "--endpoint"]);
        }
    }
}

#[test]
fn a_port_is_given_with_the_endpoint_or_by_its_option() {
    let clouds = Clouds::start();
    for line in [clouds.publish_aws(), clouds.publish_aliyun()] {
        let line = line.with("--endpoint", "https://a.example:8443/").with("--port", "443");
        clouds.assert_usage(line, &["8443", "--port is 443", "one of them"]);
    }
    let line = clouds.by_role_alias(clouds.publish_aws());
    let line = line.with("--credentials-endpoint", "a.example:1").with("--credentials-port", "2");
    clouds.assert_usage(line, &["--credentials-port is 2", "one of them"]);
}

#[test]
fn a_port_is_a_number_from_1_to_65535() {
    let clouds = Clouds::start();
    for port in ["0", "70000", "-1", "https", "", "443 "] {
        for line in [clouds.publish_aws(), clouds.publish_aliyun()] {
            clouds.assert_usage(line.with("--port", port), &["--port", "from 1 to 65535"]);
        }
    }
}

#[test]
fn a_timeout_is_a_positive_number_of_seconds() {
    let clouds = Clouds::start();
    for timeout in ["0", "-1", "-0.5", "abc", "", "1e20", "nan", "0.0001"] {
        clouds.assert_usage(clouds.publish_aws().with("--timeout", timeout), &["--timeout", "seconds"]);
    }
}

#[test]
fn a_pace_is_a_positive_number() {
    let clouds = Clouds::start();
    for pace in ["0", "-1", "1.5", "fast", ""] {
        clouds.assert_usage(
            clouds.publish_aws().with("--max-per-second", pace),
            &["--max-per-second", "whole number from 1"],
        );
    }
}

#[test]
fn an_override_has_four_parts() {
    let clouds = Clouds::start();
    for text in ["", "localhost", "a:443:127.0.0.1", "a:https:127.0.0.1:1", "a:1:b:0", "a:1:[::1:2"] {
        let line = clouds.publish_aws().with("--connect-to", text);
        clouds.assert_usage(line, &["--connect-to", "HOST:PORT:ADDR:PORT", "for example"]);
    }
}

#[test]
fn a_choice_is_answered_with_the_choices() {
    let clouds = Clouds::start();
    clouds.assert_usage(clouds.publish_aws().with("--qos", "2"), &["--qos", "possible values: 0, 1"]);
    let line = clouds.publish_aliyun().with("--sign-method", "md5");
    clouds.assert_usage(line, &["--sign-method", "hmacmd5, hmacsha1, hmacsha256"]);
    clouds.assert_usage(clouds.publish_aliyun().with("--timestamp", "yes"), &["--timestamp", "now, corrected, none"]);
}

#[test]
fn a_file_for_failed_lines_is_of_use_with_lines_only() {
    let clouds = Clouds::start();
    let failed = clouds.write("failed", "keep me");
    let line = clouds.publish_aws().with("--failed", &failed);
    clouds.assert_usage(line.clone(), &["--failed", "cannot be used with", "--message"]);
    clouds.assert_usage(line.without("--message").with("--file", &failed), &["--failed", "--file"]);
    assert_eq!(fs::read(failed).unwrap(), b"keep me");
}

#[test]
fn the_file_for_failed_lines_is_never_the_one_that_is_read() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", "a\nb\n");
    let (soft, hard) = (clouds.path("soft"), clouds.path("hard"));
    std::os::unix::fs::symlink(&lines, &soft).unwrap();
    fs::hard_link(&lines, &hard).unwrap();
    for failed in [lines.clone(), clouds.path("./lines"), soft, hard] {
        let line = clouds.publish_aws().lines(&lines).with("--failed", &failed);
        clouds.assert_usage(line, &["--failed and --lines are both", "another file"]);
    }
    let mut command = clouds.command(clouds.publish_aws().lines("-").with("--failed", &lines));
    command.stdin(fs::File::open(&lines).unwrap());
    clouds.assert_wrong(&clouds.run_command(command), &["--failed and --lines are both"]);
    assert_eq!(fs::read(lines).unwrap(), b"a\nb\n");
}

#[test]
fn nor_is_it_a_key_or_a_certificate() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", "a\nb\n");
    for (line, option, file) in [
        (clouds.publish_aws(), "--key", "private.pem.key"),
        (clouds.publish_aws(), "--cert", "device.pem.crt"),
        (clouds.publish_aws(), "--ca", "ca.pem"),
        (clouds.publish_aliyun(), "--device-secret-file", "secret.txt"),
    ] {
        let before = fs::read(clouds.path(file)).unwrap();
        let line = line.lines(&lines).with("--failed", clouds.path(file));
        clouds.assert_usage(line, &["--failed and", option, "another file"]);
        assert_eq!(fs::read(clouds.path(file)).unwrap(), before);
    }
}

#[test]
fn a_file_for_failed_lines_that_cannot_be_made_is_found_before_anything_is_sent() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws().lines(clouds.write("lines", "a\n"));
    let in_missing_folder = clouds.path("missing/failed");
    clouds.assert_usage(line.clone().with("--failed", in_missing_folder), &["missing/failed", "No such file"]);
    clouds.assert_usage(line.with("--failed", clouds.path("")), &["cannot write failed lines", "Is a directory"]);
}

#[test]
fn a_mistake_elsewhere_leaves_an_older_file_of_failed_lines_alone() {
    let clouds = Clouds::start();
    let failed = clouds.write("failed", "from yesterday\n");
    let line = clouds.publish_aliyun().lines(clouds.write("lines", "a\n")).with("--failed", &failed);
    clouds.assert_usage(line.with("--client-id", "x".repeat(65)), &["client id"]);
    assert_eq!(fs::read(failed).unwrap(), b"from yesterday\n");
}
