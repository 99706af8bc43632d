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
