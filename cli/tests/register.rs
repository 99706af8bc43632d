//! A device that has only the secret of its product gets its own, and publishes with it.

use std::fs;
use std::time::Duration;

use thingpost_emulator::{AnswerFault, Break, Fault};

use crate::clouds::{ALIYUN, Clouds, PRODUCT_SECRET};
use crate::command::CommandLine;

const PRODUCT_KEY: &str = "a1B2c3D4e5F";
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
    let secret = fs::read_to_string(clouds.path("secret")).unwrap();
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
    let mode = fs::metadata(clouds.path("secret")).unwrap().permissions().mode();
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
    assert_eq!(fs::read_to_string(clouds.path("taken")).unwrap(), "another secret");
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

/// What is in the folder of a test because of a registration.
fn traces(clouds: &Clouds) -> Vec<String> {
    let names = fs::read_dir(clouds.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("secret-")).collect()
}

#[test]
fn the_product_secret_may_be_in_a_variable_and_json_has_no_secret_either() {
    let clouds = clouds();
    let line = register(&clouds, "secret").without("--product-secret-file");
    clouds.assert_usage(line.clone(), &["no product secret", "--product-secret-file", "THINGPOST_PRODUCT_SECRET"]);
    let output = clouds.run_with(line.and(&["--json"]), "THINGPOST_PRODUCT_SECRET", PRODUCT_SECRET);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&value["outcome"], &value["device_name"]), (&"registered".into(), &DEVICE.into()));
    assert_eq!(value["secret_file"], clouds.path("secret").to_str().unwrap());
    let secret = fs::read_to_string(clouds.path("secret")).unwrap();
    assert!(!output.stdout.contains(secret.trim()));
}

#[test]
fn every_sign_method_and_a_whole_endpoint_will_do() {
    let clouds = clouds();
    for method in ["hmacmd5", "hmacsha1", "hmacsha256"] {
        let line = register(&clouds, method).with("--sign-method", method).without("--region");
        assert_eq!(clouds.run(line.with("--endpoint", format!("https://{DOOR}/"))).code, Some(0));
    }
    let codes: Vec<u32> = clouds.aliyun.registrations().iter().map(|it| it.code).collect();
    assert_eq!(codes, [200; 3]);
    let line = register(&clouds, "new");
    clouds.assert_usage(line.clone().without("--region"), &["required", "--endpoint", "--region"]);
    clouds.assert_usage(line.with("--endpoint", DOOR), &["--endpoint", "cannot be used with", "--region"]);
}

#[test]
fn a_file_is_replaced_if_it_is_empty_or_by_force_and_not_before_there_is_a_secret() {
    let clouds = clouds();
    let path = clouds.write("secret", "");
    assert_eq!(clouds.run(register(&clouds, "secret")).code, Some(0), "as `mktemp` leaves it");
    let first = fs::read(&path).unwrap();
    let forced = || register(&clouds, "secret").and(&["--force"]);
    clouds.aliyun.next_iot_auth_code(500);
    assert_eq!(clouds.run(forced()).code, Some(4));
    assert_eq!(fs::read(&path).unwrap(), first);
    assert_eq!(clouds.run(forced()).code, Some(0));
    assert_ne!(fs::read(&path).unwrap(), first);
    assert_eq!(traces(&clouds), [""; 0]);
}

#[test]
fn the_secret_takes_the_place_of_no_input_folder_or_device() {
    let clouds = clouds();
    for (option, file) in [("--product-secret-file", "product.txt"), ("--ca", "ca.pem")] {
        let before = fs::read(clouds.path(file)).unwrap();
        let line = register(&clouds, file).and(&["--force"]);
        clouds.assert_usage(line, &["--secret-file and", option, "another file"]);
        assert_eq!(fs::read(clouds.path(file)).unwrap(), before);
    }
    for path in ["", "/dev/null", "/proc/secret"] {
        clouds.assert_usage(register(&clouds, path).and(&["--force"]), &["--secret-file", "cannot write"]);
    }
    assert!(clouds.aliyun.registrations().is_empty() && traces(&clouds).is_empty());
}

#[test]
fn a_secret_whose_place_was_taken_meanwhile_is_kept_beside_it() {
    let clouds = clouds();
    // Some hundred bytes: long enough for this test to get there first.
    let delay = Duration::from_millis(20);
    clouds.aliyun.faults().push_at_authentication(Fault::InAnswer(AnswerFault::SlowBytes { delay }), 1);
    let mut process = clouds.start_command(clouds.command(register(&clouds, "secret").and(&["--json"])));
    process.wait_until("the registration", |_| !clouds.aliyun.registrations().is_empty());
    let path = clouds.write("secret", "another one");
    let output = process.end();
    assert_eq!(output.code, Some(4), "{output:?}");
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let kept = value["secret_file"].as_str().unwrap();
    assert!(output.complaint().contains(kept) && output.complaint().contains("move it"), "{output:?}");
    let secret = fs::read_to_string(kept).unwrap();
    output.assert_without(&[secret.trim().to_owned()]);
    assert_eq!(fs::read(path).unwrap(), b"another one");
    assert_eq!(clouds.run(publish(&clouds, kept)).code, Some(0));
}

#[test]
fn an_interruption_leaves_no_file() {
    let clouds = clouds();
    clouds.aliyun.faults().push_at_authentication(Fault::AfterAcceptance(Break::Stall), 1);
    let mut process = clouds.start_command(clouds.command(register(&clouds, "secret")));
    process.wait_until("the registration", |_| !clouds.aliyun.registrations().is_empty());
    process.signal("INT");
    let output = process.end();
    assert_eq!(output.code, Some(4), "{output:?}");
    assert!(output.only_complaint().contains("interrupted"), "{output:?}");
    assert!(!clouds.path("secret").exists() && traces(&clouds).is_empty());
}

#[test]
fn names_that_cannot_be_are_found_before_anything_is_sent() {
    let clouds = clouds();
    for (option, value, named) in [
        ("--product-key", "a1 B2", "product key"),
        ("--device-name", "", "device name"),
        ("--region", "a.b", "--region"),
    ] {
        clouds.assert_usage(register(&clouds, "secret").with(option, value), &[named]);
    }
    assert!(!clouds.path("secret").exists());
    assert_eq!(clouds.aliyun.iot_auth_connections(), Default::default());
}
