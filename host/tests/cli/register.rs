//! A device that has only the secret of its product gets its own, and publishes with it.

use thingpost_emulator::AnswerFault;
use thingpost_emulator::Fault;

use crate::clouds::{ALIYUN, Clouds};
use crate::command::CommandLine;

const PRODUCT_KEY: &str = "a1B2c3D4e5F";
const PRODUCT_SECRET: &str = "pr0duct-s3cret";
const DEVICE: &str = "hygrometer";
const DOOR: &str = "iot-auth.cn-shanghai.aliyuncs.com";

fn clouds() -> Clouds {
    let clouds = Clouds::start();
    clouds.aliyun.add_product(PRODUCT_KEY, PRODUCT_SECRET, true);
    clouds.aliyun.pre_register(PRODUCT_KEY, DEVICE);
    clouds.write("product.txt", format!("{PRODUCT_SECRET}\n"));
    clouds
}

fn register(clouds: &Clouds, secret_file: &str) -> CommandLine {
    CommandLine::new(&["register", "aliyun"])
        .with("--region", "cn-shanghai")
        .with("--product-key", PRODUCT_KEY)
        .with("--device-name", DEVICE)
        .with("--product-secret-file", clouds.path("product.txt"))
        .with("--secret-file", clouds.path(secret_file))
        .with("--ca", clouds.path("ca.pem"))
        .with("--connect-to", format!("{DOOR}:443:{}", clouds.aliyun.addr_iot_auth()))
}

fn publish(clouds: &Clouds, secret_file: &str) -> CommandLine {
    CommandLine::new(&["publish", "aliyun"])
        .with("--endpoint", ALIYUN)
        .with("--product-key", PRODUCT_KEY)
        .with("--device-name", DEVICE)
        .with("--device-secret-file", clouds.path(secret_file))
        .with("--topic", format!("/{PRODUCT_KEY}/{DEVICE}/user/update"))
        .with("--message", "55")
        .with("--ca", clouds.path("ca.pem"))
        .with("--connect-to", format!("{ALIYUN}:443:{}", clouds.aliyun.addr()))
}

#[test]
fn a_device_that_registers_publishes_with_the_secret_that_it_got() {
    let clouds = clouds();
    let output = clouds.run(register(&clouds, "secret"));
    assert_eq!(output.code, Some(0), "{output:?}");
    let secret = std::fs::read_to_string(clouds.path("secret")).unwrap();
    assert!(!output.stdout.contains(secret.trim()) && !output.stderr.contains(secret.trim()), "{output:?}");
    assert!(!output.stdout.contains(PRODUCT_SECRET), "{output:?}");
    let output = clouds.run(publish(&clouds, "secret"));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert_eq!(clouds.aliyun.ledger().accepted().len(), 1);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_secret() {
    use std::os::unix::fs::PermissionsExt;
    let clouds = clouds();
    assert_eq!(clouds.run(register(&clouds, "secret")).code, Some(0));
    let mode = std::fs::metadata(clouds.path("secret")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn every_registration_has_a_random_text_of_its_own() {
    let clouds = clouds();
    for file in ["first", "second"] {
        assert_eq!(clouds.run(register(&clouds, file)).code, Some(0));
    }
    let registrations = clouds.aliyun.registrations();
    assert_eq!(registrations.len(), 2);
    assert_ne!(registrations[0].random, registrations[1].random);
    assert!(registrations.iter().all(|it| it.random.len() >= 16));
}

#[test]
fn what_keeps_a_secret_from_being_kept_is_found_before_it_is_given_out() {
    let clouds = clouds();
    clouds.write("taken", "another secret");
    for (file, named) in [("taken", "is there already"), ("no/folder", "cannot write")] {
        let output = clouds.run(register(&clouds, file));
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.complaint().contains(named), "{output:?}");
    }
    assert_eq!(std::fs::read_to_string(clouds.path("taken")).unwrap(), "another secret");
    assert!(clouds.aliyun.registrations().is_empty());
}

#[test]
fn a_refusal_is_explained_and_leaves_no_file() {
    let clouds = clouds();
    clouds.write("wrong.txt", "wr0ng-s3cret");
    let wrong = register(&clouds, "secret").with("--product-secret-file", clouds.path("wrong.txt"));
    let output = clouds.run(wrong);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.complaint().contains("6600"), "{output:?}");
    assert!(!clouds.path("secret").exists());

    // Active from its first token on.
    assert_eq!(clouds.run(register(&clouds, "secret")).code, Some(0));
    assert_eq!(clouds.run(publish(&clouds, "secret")).code, Some(0));
    let output = clouds.run(register(&clouds, "again").and(&["--json"]));
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stdout.contains("already-active"), "{output:?}");
    assert!(!clouds.path("again").exists());
}

#[test]
fn a_lost_answer_is_unknown_and_not_asked_for_again() {
    let clouds = clouds();
    clouds.aliyun.faults().push_at_authentication(Fault::InAnswer(AnswerFault::ShortBody), 1);
    let output = clouds.run(register(&clouds, "secret"));
    assert_eq!(output.code, Some(4), "{output:?}");
    assert_eq!(clouds.aliyun.registrations().len(), 1);
    assert!(!clouds.path("secret").exists());
}

#[test]
fn a_secret_that_was_copied_badly_is_named_before_anything_is_sent() {
    let clouds = clouds();
    for (content, named) in [("\n", "empty"), ("two words", "white space")] {
        clouds.write("product.txt", content);
        let output = clouds.run(register(&clouds, "secret"));
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.complaint().contains(named), "{output:?}");
    }
    assert!(clouds.aliyun.registrations().is_empty());
}
