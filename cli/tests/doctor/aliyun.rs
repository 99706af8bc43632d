//! Aliyun: what the platform calls "auth check error" or "param error", seen before it is asked.

use super::{assert_healthy, assert_names, outcome, servers};
use crate::clouds::{ALIYUN, Clouds, SECRET};
use crate::command::CommandLine;

const CHECKS: [&str; 10] =
    ["files", "endpoint", "component", "request", "name", "tcp", "tls", "answer", "clock", "rehearsal"];

fn doctor(clouds: &Clouds) -> CommandLine {
    CommandLine::new(&["doctor", "aliyun"])
        .with("--endpoint", ALIYUN)
        .with("--product-key", "a1B2c3D4e5F")
        .with("--device-name", "thermometer")
        .with("--device-secret-file", clouds.path("secret.txt"))
        .with("--ca", clouds.path("ca.pem"))
        .with("--connect-to", format!("{ALIYUN}:443:{}", clouds.aliyun.addr()))
}

#[test]
fn a_healthy_device_is_shown_with_the_text_that_it_signs_and_gets_a_token() {
    let clouds = Clouds::start();
    let output = clouds.run(doctor(&clouds).with("--sign-method", "hmacsha256"));
    assert_healthy(&output, &CHECKS);
    assert!(
        output.stdout.contains("| clientIda1B2c3D4e5F.thermometerdeviceNamethermometerproductKeya1B2c3D4e5F"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("hmacsha256") && !output.stdout.contains(SECRET), "{}", output.stdout);
    // That the secret is the right one is nowhere else to be seen.
    assert_eq!((clouds.aliyun.authentications(), clouds.aliyun.ledger().accepted().len()), (1, 0));
}

#[test]
fn what_does_not_speak_tls_is_told_the_ports_of_this_platform() {
    let clouds = Clouds::start();
    let server = servers::answering(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let output = clouds.run(doctor(&clouds).with("--connect-to", format!("{ALIYUN}:443:{server}")));
    assert_names(&output, "tls", &["does not speak TLS", "HTTPS of Aliyun is on 443"]);
    assert!(!output.stdout.contains("AWS"), "{}", output.stdout);
}

#[test]
fn what_is_asked_for_is_published_once() {
    let clouds = Clouds::start();
    let output = clouds.run(doctor(&clouds).and(&["--publish"]));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(outcome(&output, "publish"), Some("ok"), "{}", output.stdout);
    assert_eq!(clouds.aliyun.ledger().accepted().len(), 1);
}

#[test]
fn the_first_cause_is_named_for_every_way_to_break_a_device() {
    let clouds = Clouds::start();
    clouds.write("wrong.txt", "an0ther-s3cret");
    let to = |host: &str| format!("{host}:443:{}", clouds.aliyun.addr());
    let mqtt = "a1B2c3D4e5F.iot-as-mqtt.cn-shanghai.aliyuncs.com";
    let door = "iot-auth.cn-shanghai.aliyuncs.com";
    for (line, check, words) in [
        (doctor(&clouds).with("--product-key", "a1B2-c3"), "files", &["product key", "copy it once more"][..]),
        (doctor(&clouds).with("--device-name", "thermo meter"), "files", &["device name"]),
        (doctor(&clouds).with("--endpoint", mqtt).with("--connect-to", to(mqtt)), "endpoint", &["MQTT", "--region"]),
        (doctor(&clouds).with("--endpoint", door).with("--connect-to", to(door)), "endpoint", &["register"]),
        (doctor(&clouds).with("--topic", "/a1B2c3D4e5F/other/user/update"), "request", &["not one of this device"]),
        (doctor(&clouds).with("--topic", "user/update"), "request", &["does not begin with"]),
        (
            doctor(&clouds).with("--device-secret-file", clouds.path("wrong.txt")),
            "rehearsal",
            &["does not recognise the device", "device secret"],
        ),
        (
            doctor(&clouds).with("--device-secret-file", clouds.path("wrong.txt")).and(&["--publish"]),
            "publish",
            &["does not recognise the device", "device secret"],
        ),
    ] {
        assert_names(&clouds.run(line), check, words);
    }
    assert!(clouds.aliyun.ledger().accepted().is_empty());
}

#[test]
fn a_wrong_clock_is_a_warning_and_fails_where_the_platform_refuses_its_time() {
    let clouds = Clouds::start();
    clouds.aliyun.shift_clock_ms(-40 * 60_000);
    let output = clouds.run(doctor(&clouds).with("--timestamp", "now"));
    assert_names(&output, "rehearsal", &["clock", "a timestamp is good for 15"]);
    assert!(output.stdout.contains("--timestamp none"), "{}", output.stdout);
    let output = clouds.run(doctor(&clouds));
    assert_eq!((output.code, outcome(&output, "clock")), (Some(0), Some("warn")), "{}", output.stdout);
}

#[test]
fn a_file_of_roots_that_is_broken_is_what_the_doctor_is_for() {
    let clouds = Clouds::start();
    let broken = clouds.write("broken.pem", "no certificate");
    assert_names(&clouds.run(doctor(&clouds).with("--ca", broken)), "files", &["broken.pem"]);
}
