//! A doctor that looks at something else than what runs is believed and wrong. So each fault here is met by both, with the same
//! options: what `publish` complains of, the doctor names as the first thing that is wrong. And what the doctor finds well is
//! published.

use std::ffi::OsStr;

use super::certificates::{GOOD, Root};
use super::{outcome, servers, verdict};
use crate::clouds::{ACCESS_KEY, ACCESS_KEY_ID, AUTHORIZER, AWS, AWS_TOPIC, Clouds, SECRET, TOKEN, to};
use crate::command::CommandLine;
use crate::process::Output;

/// In the environment of both.
type Variables<'a> = &'a [(&'a str, &'a OsStr)];

/// A setup in which something is wrong, and words of the one cause that both must name.
struct Fault<'a> {
    publish: CommandLine,
    variables: Variables<'a>,
    words: &'a [&'a str],
}

impl<'a> Fault<'a> {
    fn of(publish: CommandLine, words: &'a [&'a str]) -> Self {
        Self { publish, variables: &[], words }
    }

    fn within(self, variables: Variables<'a>) -> Self {
        Self { variables, ..self }
    }
}

/// What the doctor says to the same options.
pub fn doctor(clouds: &Clouds, publish: CommandLine, platform: &str, variables: Variables<'_>) -> Output {
    clouds.run_in(publish.of(&["doctor", platform]), variables)
}

/// The first thing that is wrong, in its own words: the last line of a doctor that has looked, or the complaint of one that could
/// not begin.
pub fn first_finding(output: &Output) -> &str {
    if output.stdout.is_empty() { output.complaint() } else { verdict(output) }
}

#[track_caller]
pub fn assert_agree(published: &Output, examined: &Output, words: &[&str]) {
    assert_ne!(published.code, Some(0), "{published:?}");
    assert_ne!(examined.code, Some(0), "{}", examined.stdout);
    assert!(!examined.stdout.contains("all is well"), "{}", examined.stdout);
    for word in words {
        assert!(published.stderr.contains(word), "{word:?} is not in what publish says: {}", published.stderr);
        let finding = first_finding(examined);
        assert!(finding.contains(word), "{word:?} is not in what the doctor says: {finding}\n{}", examined.stdout);
    }
}

/// What publish says, and what the doctor, of a network whose fault is temporary: a run ends with its time and no sooner, and what
/// ends an attempt is told only where it does so in time. So there is ever more of it, until both say these words.
pub fn in_time(line: &CommandLine, words: &[&str], both: impl Fn(CommandLine) -> (Output, Output)) -> (Output, Output) {
    let is_said = |text: &str| words.iter().all(|word| text.contains(word));
    let mut last = None;
    for seconds in ["3", "20", "150"] {
        let (published, examined) = both(line.clone().with("--timeout", seconds));
        if is_said(&published.stderr) && is_said(first_finding(&examined)) {
            return (published, examined);
        }
        last = Some((published, examined));
    }
    last.expect("they have run")
}

#[track_caller]
fn assert_all_agree(clouds: &Clouds, platform: &str, faults: Vec<Fault<'_>>) {
    for Fault { publish, variables, words } in faults {
        let published = clouds.run_in(publish.clone(), variables);
        let examined = doctor(clouds, publish, platform, variables);
        assert_agree(&published, &examined, words);
    }
}

/// That it is well, and is published.
#[track_caller]
fn assert_well(clouds: &Clouds, publish: CommandLine, platform: &str, variables: Variables<'_>) {
    let examined = doctor(clouds, publish.clone(), platform, variables);
    assert_eq!((examined.code, examined.stderr.as_str()), (Some(0), ""), "{}", examined.stdout);
    assert!(verdict(&examined).starts_with("all is well"), "{}", examined.stdout);
    let published = clouds.run_in(publish, variables);
    assert_eq!((published.code, published.stderr.as_str()), (Some(0), ""), "{published:?}");
}

fn key(secret: &str) -> [(&'static str, &OsStr); 2] {
    [("AWS_ACCESS_KEY_ID", OsStr::new(ACCESS_KEY_ID)), ("AWS_SECRET_ACCESS_KEY", OsStr::new(secret))]
}

#[test]
fn what_is_well_is_published() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    let lines = clouds.write("lines", "a\nb\n");
    let file = clouds.write("message", [0, 159, 146, 150]);
    let aws = clouds.publish_aws();
    for line in [
        aws.clone(),
        aws.clone().with("--qos", "1").and(&["--retain"]).with("--content-type", "text/plain"),
        aws.clone().without("--topic").with("--rule", "store"),
        aws.clone().without("--message").with("--file", file),
        aws.clone().lines(lines).with("--failed", clouds.path("failed")).with("--max-per-second", "50"),
        clouds.publish_aws_443(),
        clouds
            .by_role_alias(CommandLine::new(&["publish", "aws"]))
            .with("--topic", AWS_TOPIC)
            .with("--message", "x")
            .with("--session-file", clouds.path("session-of-aws")),
    ] {
        assert_well(&clouds, line, "aws", &[]);
    }
    assert!(!clouds.path("failed").exists(), "a file that the doctor has tried is as it was");
    assert_well(&clouds, clouds.publish_aws_anonymously().and(&["--sigv4"]), "aws", &key(ACCESS_KEY));
    let aliyun = clouds.publish_aliyun();
    for line in [
        aliyun.clone(),
        aliyun.clone().with("--timestamp", "corrected").with("--session-file", clouds.path("session")),
        aliyun.without("--topic").without("--message").with("--property", "temperature=21.5"),
    ] {
        assert_well(&clouds, line, "aliyun", &[]);
    }
}

#[test]
fn the_token_that_the_doctor_has_asked_for_is_kept_for_the_run_that_comes() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun().with("--session-file", clouds.path("session"));
    assert_well(&clouds, line, "aliyun", &[]);
    assert_eq!(clouds.aliyun.authentications(), 1);
}

#[test]
fn files_and_messages_are_complained_of_alike() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws();
    let stranger = Root::new("Some Root").sign("other", &[], GOOD);
    let (other_key, none) = (clouds.write("other.key", stranger.key_pem()), clouds.write("none.pem", "no certificate"));
    let large = clouds.write("large", vec![b'x'; 131_073]);
    let nowhere = clouds.path("nowhere").join("file");
    assert_all_agree(
        &clouds,
        "aws",
        vec![
            Fault::of(line.clone().with("--cert", clouds.path("missing")), &["missing"]),
            Fault::of(line.clone().with("--key", &other_key), &["does not belong to the certificate"]),
            Fault::of(line.clone().with("--ca", none), &["none.pem"]),
            Fault::of(
                line.clone().without("--message").with("--file", clouds.path("missing")),
                &["message", "missing"],
            ),
            Fault::of(line.clone().lines(clouds.path("missing")), &["cannot read lines", "missing"]),
            Fault::of(line.clone().lines(one_line(&clouds)).with("--failed", &nowhere), &["failed lines", "nowhere"]),
            Fault::of(line.clone().lines(&other_key).with("--failed", &other_key), &["--failed and --lines are both"]),
            Fault::of(line.clone().without("--message").with("--file", large), &["131072"]),
            Fault::of(line.clone().with("--topic", "a/#"), &["subscribing"]),
            Fault::of(line.clone().with("--topic", ""), &["topic", "empty"]),
            Fault::of(line.clone().with("--rule", "a b"), &["rule"]),
            Fault::of(line.clone().with("--response-topic", "a/+"), &["response topic"]),
            Fault::of(line.without("--cert").without("--key"), &["nothing says how the device shows who it is"]),
            Fault::of(
                clouds
                    .by_role_alias(CommandLine::new(&["publish", "aws"]))
                    .with("--topic", AWS_TOPIC)
                    .with("--message", "x")
                    .with("--session-file", nowhere),
                &["cannot keep a session", "nowhere"],
            ),
        ],
    );
    assert!(clouds.aws.ledger().entries().is_empty());
}

fn one_line(clouds: &Clouds) -> std::path::PathBuf {
    clouds.write("lines", "a\n")
}

#[test]
fn access_keys_and_tokens_are_complained_of_alike() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    let signing = clouds.publish_aws_anonymously().and(&["--sigv4"]);
    let spaced = format!("{ACCESS_KEY} x");
    let profile = clouds.write("credentials", "[default]\naws_access_key_id = AKIDEXAMPLE\n");
    let half = [("AWS_SHARED_CREDENTIALS_FILE", profile.as_os_str())];
    let unknown = [("AWS_ACCESS_KEY_ID", OsStr::new("AKIDOTHER")), ("AWS_SECRET_ACCESS_KEY", OsStr::new(ACCESS_KEY))];
    let by_token = clouds.publish_aws_anonymously().with("--authorizer", AUTHORIZER).with("--token-name", "X-Token");
    assert_all_agree(
        &clouds,
        "aws",
        vec![
            Fault::of(signing.clone(), &["no access key"]),
            Fault::of(signing.clone(), &["half an access key", "aws_secret_access_key"]).within(&half),
            Fault::of(signing.clone().with("--profile", "nobody"), &["nobody"]).within(&half),
            Fault::of(signing.clone(), &["secret access key", "white space"]).within(&key(&spaced)),
            Fault::of(signing.clone(), &["access key id"]).within(&unknown),
            Fault::of(signing.with("--region", "us-east-1"), &["us-east-1", "eu-central-1"]).within(&key(ACCESS_KEY)),
            Fault::of(by_token.clone(), &["no authorizer token", "--token-file"]),
            Fault::of(by_token.with("--token-file", clouds.path("missing")), &["authorizer token", "missing"]),
        ],
    );
    assert!(clouds.aws.ledger().accepted().is_empty());
}

#[test]
fn devices_of_aliyun_are_complained_of_alike() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun();
    // Two of them, as one pair may be taken off.
    let quoted = clouds.write("quoted", format!("\"'{SECRET}'\""));
    assert_all_agree(
        &clouds,
        "aliyun",
        vec![
            Fault::of(line.clone().with("--device-secret-file", quoted), &["device secret"]),
            Fault::of(line.clone().with("--device-secret-file", clouds.write("wrong", "another")), &["device secret"]),
            Fault::of(line.clone().with("--device-secret-file", clouds.path("missing")), &["device secret", "missing"]),
            Fault::of(line.clone().without("--device-secret-file"), &["no device secret"]),
            Fault::of(line.clone().with("--device-name", "hygrometer"), &["not one of this device"]),
            Fault::of(line.clone().with("--topic", "user/update"), &["topic"]),
            Fault::of(line.clone().with("--client-id", "x".repeat(65)), &["client id", "64"]),
            Fault::of(
                line.clone().with("--device-name", "hygrometer").with("--topic", "/a1B2c3D4e5F/hygrometer/user/update"),
                &["does not recognise the device"],
            ),
            Fault::of(line.without("--topic").without("--message").with("--event", "high=[1]"), &["--event high"]),
        ],
    );
    assert!(clouds.aliyun.ledger().accepted().is_empty());
}

#[test]
fn the_way_to_the_platform_is_complained_of_alike() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws();
    let root = Root::new("Some Root");
    let mine = clouds.write("mine.pem", root.pem());
    let at = |address| line.clone().with("--connect-to", to(address));
    let both = |line: CommandLine| (clouds.run(line.clone()), doctor(&clouds, line, "aws", &[]));
    for (line, words) in [
        (line.clone().with("--endpoint", "nobody.invalid").without("--connect-to"), &["check the spelling"][..]),
        (at(servers::nobody()), &["connection refused"]),
        (at(servers::answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")), &["TLS"]),
        (at(servers::silent()), &["within"]),
        (at(servers::tls(&root.sign("x", &[AWS], GOOD), b"")), &["certificate", "trusted"]),
        (at(servers::tls(&root.sign("x", &["other.example"], GOOD), b"")).with("--ca", &mine), &["certificate", "not"]),
    ] {
        let (published, examined) = in_time(&line, words, both);
        assert_agree(&published, &examined, words);
    }
    clouds.aws.deactivate(&clouds.certificate.fingerprint);
    assert_all_agree(&clouds, "aws", vec![Fault::of(clouds.publish_aws(), &["registered in this account"])]);
    // By a role alias the certificate is shown elsewhere.
    let line = clouds.by_role_alias(CommandLine::new(&["publish", "aws"])).with("--topic", "t").with("--message", "x");
    assert_all_agree(&clouds, "aws", vec![Fault::of(line, &["registered in this account"])]);
}

#[test]
fn a_page_to_log_in_to_a_network_is_not_the_platform() {
    let clouds = Clouds::start();
    let root = Root::new("Some Root");
    let page = b"HTTP/1.1 302 Found\r\nlocation: http://login.example/\r\ncontent-length: 0\r\n\r\n";
    let line = clouds
        .publish_aws_anonymously()
        .and(&["--sigv4"])
        .with("--ca", clouds.write("mine.pem", root.pem()))
        .with("--connect-to", to(servers::tls(&root.sign("x", &[AWS], GOOD), page)));
    assert_all_agree(
        &clouds,
        "aws",
        vec![Fault::of(line.clone(), &["a redirect or a web page"]).within(&key(ACCESS_KEY))],
    );
    let output = doctor(&clouds, line, "aws", &key(ACCESS_KEY));
    assert_eq!(outcome(&output, "answer"), Some("warn"), "{}", output.stdout);
    assert!(output.stdout.contains("a redirect to http://login.example/"), "{}", output.stdout);
}

#[test]
fn a_topic_that_the_shell_has_changed_is_not_well() {
    let clouds = Clouds::start();
    let output = doctor(&clouds, clouds.publish_aws().with("--topic", "/things/x/shadow/update"), "aws", &[]);
    assert_eq!((output.code, outcome(&output, "request")), (Some(0), Some("warn")), "{}", output.stdout);
    assert!(
        verdict(&output).contains("has taken the $aws away") && verdict(&output).contains("single quotes"),
        "{}",
        output.stdout
    );
    assert!(!output.stdout.contains("all is well"), "{}", output.stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn a_session_that_cannot_be_kept_keeps_nobody_from_publishing_and_is_a_warning() {
    let clouds = Clouds::start();
    // No user can make a file there, root included.
    let line = clouds.publish_aliyun().with("--session-file", "/proc/session");
    let output = doctor(&clouds, line.clone(), "aliyun", &[]);
    assert_eq!((output.code, outcome(&output, "files")), (Some(0), Some("warn")), "{}", output.stdout);
    assert!(verdict(&output).contains("a session cannot be kept in /proc/session"), "{}", output.stdout);
    assert_eq!(clouds.run(line).code, Some(0));
}

#[test]
fn what_another_server_does_otherwise_is_a_warning() {
    let clouds = Clouds::start();
    let root = Root::new("Some Root");
    let ca = clouds.write("mine.pem", root.pem());
    let host = "iot.example.com";
    let serve = |answer| to(servers::tls(&root.sign("x", &[host], GOOD), answer));
    let line = clouds.publish_aws().with("--endpoint", host).with("--ca", &ca);
    // It takes any client.
    let ok = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{\"message\":\"OK\"}";
    let line = line.with("--connect-to", serve(ok));
    let output = doctor(&clouds, line.clone(), "aws", &[]);
    assert_eq!((output.code, outcome(&output, "tls")), (Some(0), Some("warn")), "{}", output.stdout);
    assert!(verdict(&output).contains("has not asked for a client certificate"), "{}", output.stdout);
    assert_eq!(clouds.run(line).code, Some(0));
    // It knows publications and no other question.
    let line = clouds.publish_aws_anonymously().and(&["--sigv4"]).with("--region", "eu-central-1").with("--ca", ca);
    let none = b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n";
    let line = line.with("--endpoint", host).with("--connect-to", serve(none));
    let output = doctor(&clouds, line, "aws", &key(ACCESS_KEY));
    assert_eq!((output.code, outcome(&output, "rehearsal")), (Some(0), Some("warn")), "{}", output.stdout);
    assert!(!output.stdout.contains("all is well"), "{}", output.stdout);
}

#[test]
fn authorities_that_a_variable_names_are_seen() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws().without("--ca");
    let (known, missing) = (clouds.path("ca.pem"), clouds.path("missing.pem"));
    let variables = [("SSL_CERT_FILE", known.as_os_str())];
    assert_well(&clouds, line.clone(), "aws", &variables);
    let output = doctor(&clouds, line.clone(), "aws", &variables);
    assert!(output.stdout.contains("trusts only the certificates that SSL_CERT_FILE"), "{}", output.stdout);
    let variables = [("SSL_CERT_FILE", missing.as_os_str())];
    let published = clouds.run_in(line.clone().with("--timeout", "3"), &variables);
    assert_agree(&published, &doctor(&clouds, line, "aws", &variables), &[]);
}

#[test]
fn a_port_of_mqtt_is_not_one_for_https() {
    let clouds = Clouds::start();
    let output = doctor(&clouds, clouds.publish_aws().with("--port", "8883"), "aws", &[]);
    assert!(verdict(&output).starts_with("failed: endpoint: port 8883 is for MQTT"), "{}", output.stdout);
    let output = doctor(&clouds, clouds.publish_aliyun().with("--port", "1883"), "aliyun", &[]);
    assert_eq!(outcome(&output, "endpoint"), Some("warn"), "{}", output.stdout);
    assert!(output.stdout.contains("port 1883 is one for MQTT"), "{}", output.stdout);
}

#[test]
fn a_token_is_in_no_output_and_a_line_of_standard_input_is_left_there() {
    let clouds = Clouds::start();
    let line = clouds
        .publish_aws_anonymously()
        .with("--authorizer", AUTHORIZER)
        .with("--token-name", "X-Token")
        .with("--token-file", clouds.write("token", TOKEN))
        .lines("-");
    let output = clouds.run_on(line.of(&["doctor", "aws"]), b"a line\n");
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("standard input, which is not looked at"), "{}", output.stdout);
    assert!(output.stdout.contains("not checked: whether the authorizer takes the token"), "{}", output.stdout);
    assert!(!output.stdout.contains("all is well"), "{}", output.stdout);
}
