//! Names and secrets of a device that cannot be right.

use crate::clouds::Clouds;

#[test]
fn without_a_device_secret_the_ways_to_give_it_are_named() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun().without("--device-secret-file");
    clouds.assert_usage(line.clone(), &["no device secret", "--device-secret-file", "THINGPOST_DEVICE_SECRET"]);
    clouds.assert_usage(line.clone().with("--device-secret", ""), &["device secret is empty"]);
    let output = clouds.run_with(line, "THINGPOST_DEVICE_SECRET", "");
    clouds.assert_wrong(&output, &["device secret is empty"]);
}

#[test]
fn a_device_secret_with_white_space_around_it_is_refused_without_showing_it() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun().without("--device-secret-file");
    for secret in [" h7sh-d3vice-s3cret", "h7sh-d3vice-s3cret\n", "h7sh-d3vice-s3cret\u{85}"] {
        clouds.assert_usage(line.clone().with("--device-secret", secret), &["device secret", "white space"]);
    }
}

#[test]
fn nor_does_a_file_or_a_variable_bring_white_space_in() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun().without("--device-secret-file");
    for secret in [" h7sh-d3vice-s3cret\n", "h7sh-d3vice s3cret", "h7sh-d3vice-s3cret\n\nh7sh-d3vice-s3cret", " \n"] {
        let file = clouds.write("another.txt", secret);
        clouds.assert_usage(line.clone().with("--device-secret-file", file), &["device secret", "white space"]);
        let output = clouds.run_with(line.clone(), "THINGPOST_DEVICE_SECRET", secret);
        clouds.assert_wrong(&output, &["device secret", "white space"]);
    }
    let file = clouds.write("another.txt", "\n");
    clouds.assert_usage(line.with("--device-secret-file", file), &["another.txt", "empty"]);
}

#[test]
fn a_device_secret_is_given_once() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun().with("--device-secret", "h7sh-d3vice-s3cret");
    clouds.assert_usage(line, &["--device-secret", "cannot be used with", "--device-secret-file"]);
}

#[test]
fn a_client_id_has_at_most_64_characters() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun();
    clouds.assert_usage(line.clone().with("--client-id", "x".repeat(65)), &["client id", "64 characters"]);
    clouds.assert_usage(line.with("--client-id", ""), &["client id", "empty"]);
}

#[test]
fn names_with_a_newline_and_empty_names_are_refused() {
    let clouds = Clouds::start();
    for (option, name) in [("--product-key", "product key"), ("--device-name", "device name")] {
        let line = |value| clouds.publish_aliyun().with(option, value);
        clouds.assert_usage(line("a1B2c3D4e5F\n"), &[name, "white space"]);
        clouds.assert_usage(line(" a1B2c3D4e5F"), &[name, "white space"]);
        clouds.assert_usage(line(""), &[name, "empty"]);
    }
}

#[test]
fn nothing_or_more_than_one_thing_to_show_who_the_device_is_comes_with_the_choices() {
    let clouds = Clouds::start();
    let choices = ["--cert and --key", "--sigv4", "--authorizer NAME", "--authorizer-default", "--role-alias"];
    clouds.assert_usage(clouds.publish_aws_anonymously(), &[&["nothing says how"], &choices[..]].concat());
    for (line, first, second) in [
        (clouds.publish_aws().and(&["--sigv4"]), "--cert", "--sigv4"),
        (clouds.publish_aws().with("--authorizer", "a"), "--cert", "--authorizer"),
        (clouds.publish_aws().and(&["--authorizer-default"]), "--cert", "--authorizer-default"),
        (clouds.publish_aws_anonymously().with("--authorizer", "a").and(&["--sigv4"]), "--sigv4", "--authorizer"),
        (clouds.by_role_alias(clouds.publish_aws()).and(&["--sigv4"]), "--role-alias", "--sigv4"),
    ] {
        let words = format!("{first} and {second} are two ways");
        clouds.assert_usage(line, &[&[words.as_str()], &choices[..]].concat());
    }
}

#[test]
fn what_belongs_to_another_way_is_not_ignored() {
    let clouds = Clouds::start();
    let authorizer = || clouds.publish_aws_anonymously().with("--authorizer", "a");
    for (line, option, with) in [
        (clouds.publish_aws().with("--region", "eu-west-1"), "--region", "--sigv4 or --role-alias"),
        (authorizer().with("--service", "iotdata"), "--service", "--sigv4 or --role-alias"),
        (clouds.publish_aws().with("--token-name", "X-Token"), "--token-name", "--authorizer"),
        (clouds.publish_aws().and(&["--token-in-query"]), "--token-in-query", "--authorizer"),
        (clouds.publish_aws().with("--profile", "dev"), "--profile", "--sigv4"),
        (clouds.publish_aws().with("--thing-name", "t"), "", "--role-alias"),
        (clouds.publish_aws().with("--credentials-endpoint", "a.example"), "", "--role-alias"),
        (clouds.publish_aws().with("--role-alias", "a"), "", "--credentials-endpoint"),
        (authorizer().with("--token-file", "f"), "", "--token-name"),
        (authorizer().and(&["--authorizer-default"]), "--authorizer", "--authorizer-default"),
    ] {
        clouds.assert_usage(line, &[option, with]);
    }
}

#[test]
fn the_two_endpoints_of_a_temporary_key_are_two() {
    let clouds = Clouds::start();
    let line = clouds.by_role_alias(clouds.publish_aws()).with("--credentials-endpoint", crate::clouds::AWS);
    clouds.assert_usage(line, &["--endpoint and --credentials-endpoint", "iot:CredentialProvider"]);
}
