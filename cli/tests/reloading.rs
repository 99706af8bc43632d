//! Files of a device that are replaced while it is in use. What is under way is not lost, what comes after goes in the new name, and
//! what cannot be used is not taken up.

use thingpost_emulator::{AnswerFault, Device, DeviceCertificate, Fault, MqttAuthorizer};

use crate::clouds::{ACCESS_KEY, ACCESS_KEY_ID, AUTHORIZER, Clouds, TOKEN, authorizer, numbered, payloads};
use crate::command::CommandLine;
use crate::mqtt::Fronts;
use crate::process::{Process, skipped};
use crate::proxy_server::{PASSWORD, ProxyServer};

/// Whether a SIGHUP reaches a process that is started here: one that inherits that it is ignored (from `nohup`) goes on without it.
pub fn heeds_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    let heeds = u64::from_str_radix(ignored.trim(), 16).is_ok_and(|mask| mask & 1 == 0);
    if !heeds {
        skipped("SIGHUP is ignored here, as under nohup");
    }
    heeds
}

/// Sends the signal, and waits for what is said to it.
pub fn hang_up(process: &mut Process, answer: &str) {
    const SIGHUP: u32 = 1;
    process.wait_until("its handler of signals", |process| process.catches(SIGHUP));
    process.signal("HUP");
    process.wait_until(answer, |process| process.stderr().contains(answer));
}

/// Another certificate for the same device, which both clouds know.
fn renewed(clouds: &Clouds) -> DeviceCertificate {
    let renewed = clouds.authority.issue_device("thermometer, renewed");
    clouds.aws.register(&renewed);
    renewed
}

fn replace(clouds: &Clouds, certificate: &DeviceCertificate) {
    clouds.write("device.pem.crt", &certificate.certificate_pem);
    clouds.write("private.pem.key", &certificate.private_key_pem);
}

fn is_of(device: &Option<Device>, certificate: &DeviceCertificate) -> bool {
    matches!(device, Some(Device::Certificate { fingerprint, .. }) if *fingerprint == certificate.fingerprint)
}

#[test]
fn a_certificate_replaced_under_32_messages_loses_none_and_the_old_one_can_be_revoked_then() {
    if !heeds_hang_up() {
        return;
    }
    let clouds = Clouds::start();
    let delay = std::time::Duration::from_millis(10);
    clouds.faults().push(Fault::InAnswer(AnswerFault::SlowBytes { delay }), 32);
    let lines = numbered(64);
    let mut process = clouds.start_piped(clouds.publish_aws().lines("-"));
    process.write(format!("{}\n", lines[..32].join("\n")).as_bytes());
    clouds.wait_for_aws(32);
    let renewed = renewed(&clouds);
    replace(&clouds, &renewed);
    hang_up(&mut process, "taken up: --cert ");
    clouds.aws.deactivate(&clouds.certificate.fingerprint);
    process.write(format!("{}\n", lines[32..].join("\n")).as_bytes());
    let output = clouds.checked(process.end());
    assert_eq!(output.stdout, "64 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    assert_eq!((output.code, output.stderr.lines().count()), (Some(0), 1), "{output:?}");

    let accepted = clouds.aws.ledger().accepted();
    let (before, after): (Vec<_>, Vec<_>) = accepted.into_iter().partition(|it| is_of(&it.device, &clouds.certificate));
    assert!(after.iter().all(|it| is_of(&it.device, &renewed)));
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!(sorted(payloads(&before)), sorted(lines[..32].to_vec()));
    assert_eq!(sorted(payloads(&after)), sorted(lines[32..].to_vec()));
}

#[test]
fn a_certificate_replaced_amid_a_call_is_shown_by_the_attempts_that_follow_in_it() {
    if !heeds_hang_up() {
        return;
    }
    let clouds = Clouds::start();
    // Until these are taken back nothing gets through, so the call cannot end.
    clouds.faults().push(Fault::Answer { status: 503, headers: Vec::new(), body: Vec::new() }, usize::MAX);
    let lines = numbered(4);
    let line = clouds.publish_aws().lines("-").and(&["--timeout", "600"]);
    let mut process = clouds.start_piped(line);
    process.write(format!("{}\n", lines.join("\n")).as_bytes());
    clouds.wait_for_aws(1);
    let renewed = renewed(&clouds);
    replace(&clouds, &renewed);
    hang_up(&mut process, "taken up: --cert ");
    clouds.aws.deactivate(&clouds.certificate.fingerprint);
    clouds.faults().clear();
    let output = clouds.checked(process.end());
    assert_eq!(output.stdout, "4 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    let accepted = clouds.aws.ledger().accepted();
    assert!(accepted.len() == 4 && accepted.iter().all(|it| is_of(&it.device, &renewed)), "{accepted:?}");
}

#[test]
fn half_a_pair_is_not_taken_up_and_said_once_and_the_other_half_makes_it_whole() {
    if !heeds_hang_up() {
        return;
    }
    let clouds = Clouds::start();
    let renewed = renewed(&clouds);
    let mut process = clouds.start_piped(clouds.publish_aws().lines("-"));
    process.write(b"with the old one\n");
    clouds.wait_for_aws(1);
    clouds.write("device.pem.crt", &renewed.certificate_pem);
    hang_up(&mut process, "changed, and what there was stays in use: the private key in ");
    process.write(b"with the old one still\n");
    clouds.wait_for_aws(2);
    clouds.write("private.pem.key", &renewed.private_key_pem);
    hang_up(&mut process, "taken up: --cert ");
    process.write(b"with the new one\n");
    let output = clouds.checked(process.end());
    assert_eq!(output.code, Some(0), "{output:?}");
    let entries = clouds.aws.ledger().accepted();
    let (before, after) = entries.split_at(2);
    assert!(before.iter().all(|entry| is_of(&entry.device, &clouds.certificate)), "{before:?}");
    assert!(after.len() == 1 && is_of(&after[0].device, &renewed), "{after:?}");
}

#[test]
fn files_that_are_relinked_are_noticed_without_a_signal() {
    let clouds = Clouds::start();
    let renewed = renewed(&clouds);
    for (version, certificate) in [("..1", &clouds.certificate), ("..2", &renewed)] {
        std::fs::create_dir(clouds.path(version)).unwrap();
        clouds.write(&format!("{version}/tls.crt"), &certificate.certificate_pem);
        clouds.write(&format!("{version}/tls.key"), &certificate.private_key_pem);
    }
    std::os::unix::fs::symlink("..1", clouds.path("..data")).unwrap();
    for name in ["tls.crt", "tls.key"] {
        std::os::unix::fs::symlink(format!("..data/{name}"), clouds.path(name)).unwrap();
    }
    let line = clouds.publish_aws().with("--cert", clouds.path("tls.crt")).with("--key", clouds.path("tls.key"));
    let mut process = clouds.start_piped(line.lines("-"));
    process.write(b"a\n");
    clouds.wait_for_aws(1);
    std::os::unix::fs::symlink("..2", clouds.path("..data_tmp")).unwrap();
    std::fs::rename(clouds.path("..data_tmp"), clouds.path("..data")).unwrap();
    process.wait_until("the new certificate", |process| process.stderr().contains("taken up: --cert "));
    process.write(b"b\n");
    let output = clouds.checked(process.end());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(is_of(&clouds.aws.ledger().accepted()[1].device, &renewed));
}

#[test]
fn an_access_key_that_is_replaced_in_its_file_signs_what_comes_then() {
    if !heeds_hang_up() {
        return;
    }
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    clouds.aws.add_access_key(thingpost_emulator::AccessKey {
        access_key_id: "AKIDRENEWED".to_owned(),
        secret_access_key: format!("{ACCESS_KEY}2"),
        session_token: None,
    });
    let section = |id: &str, key: &str| format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {key}\n");
    let credentials = clouds.write("credentials", section(ACCESS_KEY_ID, ACCESS_KEY));
    let line = clouds.publish_aws_anonymously().lines("-").and(&["--sigv4"]);
    let mut command = clouds.command(line);
    command.stdin(std::process::Stdio::piped()).env("AWS_SHARED_CREDENTIALS_FILE", &credentials);
    let mut process = clouds.start_command(command);
    process.write(b"a\n");
    clouds.wait_for_aws(1);
    clouds.write("credentials", section("AKIDRENEWED", &format!("{ACCESS_KEY}2")));
    hang_up(&mut process, "taken up: AWS_SHARED_CREDENTIALS_FILE ");
    process.write(b"b\n");
    let output = clouds.checked(process.end());
    assert_eq!(output.code, Some(0), "{output:?}");
    let of = |id: &str| Some(Device::AccessKey { access_key_id: id.to_owned() });
    let devices: Vec<_> = clouds.aws.ledger().accepted().into_iter().map(|entry| entry.device).collect();
    assert_eq!(devices, [of(ACCESS_KEY_ID), of("AKIDRENEWED")]);
}

#[test]
fn a_device_secret_that_is_replaced_signs_what_comes_then() {
    if !heeds_hang_up() {
        return;
    }
    let clouds = Clouds::start();
    let mut process = clouds.start_piped(clouds.publish_aliyun().lines("-"));
    process.write(b"a\n");
    process.wait_until("its handler of signals", |process| process.catches(1));
    clouds.block_on(clouds.aliyun.ledger().wait_for(1, thingpost_patience::patience())).unwrap();
    clouds.aliyun.add_device("a1B2c3D4e5F", "thermometer", "an0ther-s3cret");
    clouds.aliyun.revoke_tokens();
    clouds.write("secret.txt", "an0ther-s3cret\n");
    hang_up(&mut process, "taken up: --device-secret-file ");
    process.write(b"b\n");
    let output = clouds.checked(process.end());
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "2 delivered, 0 refused, 0 not sent, 0 unknown\n"));
    assert_eq!(payloads(&clouds.aliyun.ledger().accepted()), ["a", "b"]);
}

#[test]
fn a_signal_that_brings_nothing_new_closes_nothing() {
    if !heeds_hang_up() {
        return;
    }
    let fronts = Fronts::start();
    let mut process = fronts.clouds.start_piped(fronts.publish().lines("-"));
    process.write(b"a\n");
    fronts.wait_for(1);
    hang_up(&mut process, "none of the files of the device has changed");
    process.write(b"b\n");
    let output = fronts.clouds.checked(process.end());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!((fronts.arrived(), fronts.aws.ledger().connects().len()), (vec!["a".to_owned(), "b".to_owned()], 1));
}

/// The certificates by which a device has connected to the broker.
fn connected_by(fronts: &Fronts, certificates: &[&DeviceCertificate]) -> bool {
    let connects = fronts.aws.ledger().connects();
    connects.len() == certificates.len()
        && connects.iter().zip(certificates).all(|(connect, certificate)| is_of(&connect.device, certificate))
}

#[test]
fn a_certificate_replaced_under_a_kept_connection_is_shown_on_the_next_one_and_the_old_one_can_be_revoked() {
    if !heeds_hang_up() {
        return;
    }
    let fronts = Fronts::start();
    let renewed = fronts.clouds.authority.issue_device("thermometer, renewed");
    fronts.aws.register(&renewed);
    let mut process = fronts.clouds.start_piped(fronts.publish().lines("-").with("--queue", "off"));
    let lines = numbered(200);
    process.write(format!("{}\n", lines[..100].join("\n")).as_bytes());
    fronts.wait_for(1);
    replace(&fronts.clouds, &renewed);
    hang_up(&mut process, "taken up: --cert ");
    process.write(format!("{}\n", lines[100..].join("\n")).as_bytes());
    process.wait_until("the new connection", |process| process.stderr().contains("connected again"));
    fronts.aws.deactivate(&fronts.clouds.certificate.fingerprint);
    let output = fronts.clouds.checked(process.end());
    assert_eq!(output.stdout, "200 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    assert_eq!((output.code, output.stderr.lines().count()), (Some(0), 2), "{output:?}");
    assert!(connected_by(&fronts, &[&fronts.clouds.certificate, &renewed]));
    assert_eq!(fronts.arrived(), lines, "all of them had their answers, so none goes again");
}

#[test]
fn a_token_that_is_replaced_is_shown_on_the_next_connection() {
    if !heeds_hang_up() {
        return;
    }
    let fronts = Fronts::start();
    let takes = |token: &str| {
        let authorizer = thingpost_emulator::Authorizer { token: token.to_owned(), ..authorizer(None) };
        fronts.aws.register_authorizer(MqttAuthorizer { authorizer, user_name: None, password: None });
    };
    takes(TOKEN);
    let line = fronts.publish_anonymously().with("--authorizer", AUTHORIZER).with("--token-name", "X-Token");
    let line = line.with("--token-file", fronts.clouds.write("token", TOKEN)).lines("-");
    let mut process = fronts.clouds.start_piped(line);
    process.write(b"a\n");
    fronts.wait_for(1);
    takes("an0ther.tok3n");
    fronts.clouds.write("token", "an0ther.tok3n");
    hang_up(&mut process, "taken up: --token-file ");
    process.write(b"b\n");
    let output = fronts.clouds.checked(process.end());
    assert_eq!(output.stdout, "2 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    assert_eq!((fronts.arrived(), fronts.aws.ledger().connects().len()), (vec!["a".to_owned(), "b".to_owned()], 2));
}

/// A subscription, and another certificate for it.
fn subscribed(fronts: &Fronts, options: &[&str]) -> (Process, DeviceCertificate) {
    let renewed = fronts.clouds.authority.issue_device("thermometer, renewed");
    fronts.aws.register(&renewed);
    let process = fronts.subscribed(fronts.subscribe("sensors/#").and(options));
    replace(&fronts.clouds, &renewed);
    (process, renewed)
}

fn publish_with(fronts: &Fronts, certificate: &DeviceCertificate) {
    let clouds = &fronts.clouds;
    let line: CommandLine = fronts
        .publish()
        .with("--cert", clouds.write("other.crt", &certificate.certificate_pem))
        .with("--key", clouds.write("other.key", &certificate.private_key_pem));
    crate::mqtt::assert_well(&fronts.run(line));
}

#[test]
fn a_subscription_that_the_broker_keeps_moves_to_the_new_certificate_at_once() {
    if !heeds_hang_up() {
        return;
    }
    let fronts = Fronts::start();
    let options = ["--client-id", "reader", "--session-expiry", "60", "--count", "1"];
    let (mut process, renewed) = subscribed(&fronts, &options);
    hang_up(&mut process, "taken up: --cert ");
    process.wait_until("the new connection", |process| process.stderr().contains("connected again"));
    assert!(connected_by(&fronts, &[&fronts.clouds.certificate, &renewed]));
    publish_with(&fronts, &renewed);
    let output = process.end_by_itself();
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "sensors/kitchen: 21.5\n"), "{output:?}");
}

#[test]
fn one_that_the_broker_would_forget_stays_where_it_is_until_its_connection_is_lost() {
    if !heeds_hang_up() {
        return;
    }
    let fronts = Fronts::start();
    let (mut process, renewed) = subscribed(&fronts, &["--count", "2"]);
    hang_up(&mut process, "; in use from the next connection on");
    publish_with(&fronts, &renewed);
    process.wait_until("the message", |process| process.stdout().contains("21.5"));
    fronts.aws.link().cut();
    process.wait_until("the new connection", |process| process.stderr().contains("connected again"));
    assert!(connected_by(&fronts, &[&fronts.clouds.certificate, &renewed, &renewed]));
    process.signal("INT");
    let output = process.end_by_itself();
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn another_password_of_the_proxy_is_taken_up() {
    if !heeds_hang_up() {
        return;
    }
    let clouds = Clouds::start();
    let port = clouds.aws.addr_mutual_tls().port();
    let Some(proxy) = ProxyServer::tinyproxy(&[port]) else { return };
    let user = clouds.write("proxy-user", "gateway:h7sh-0ld-pass\n");
    let line = clouds.publish_aws().lines("-").with("--proxy", proxy.bare_url("http"));
    let mut process = clouds.start_piped(line.with("--proxy-user-file", &user));
    process.write(b"one\n");
    proxy.wait_for_log(": CONNECT ");
    clouds.write("proxy-user", proxy.user());
    hang_up(&mut process, "taken up: --proxy-user-file ");
    process.write(b"two\n");
    let output = clouds.checked(process.end());
    output.assert_without(&[PASSWORD.to_owned(), "h7sh-0ld-pass".to_owned()]);
    assert_eq!(output.stdout, "1 delivered, 0 refused, 1 not sent, 0 unknown\n", "{output:?}");
    assert!(output.stderr.contains("1 x the proxy gives no way to the server"), "{output:?}");
    assert_eq!(clouds.aws_accepted(), ["two"]);
}
