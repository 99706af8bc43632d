//! Signing with an access key, from all the places where the tools of AWS look for one.

use std::ffi::OsStr;
use std::path::PathBuf;

use thingpost_emulator::{AwsOptions, Device, Entry};

use crate::clouds::{ACCESS_KEY, ACCESS_KEY_ID, AWS, Clouds, SESSION_TOKEN, assert_explained};
use crate::command::CommandLine;
use crate::process::Output;

/// Both files of AWS, of which either may be missing.
struct Files {
    credentials: PathBuf,
    config: PathBuf,
}

impl Files {
    fn new(clouds: &Clouds, credentials: &str, config: &str) -> Self {
        let write = |name, text: &str| match text {
            "" => clouds.path("missing"),
            text => clouds.write(name, text),
        };
        Self { credentials: write("credentials", credentials), config: write("config", config) }
    }

    fn run(&self, clouds: &Clouds, line: CommandLine, variables: &[(&str, &str)]) -> Output {
        let files = [
            ("AWS_SHARED_CREDENTIALS_FILE", self.credentials.as_os_str()),
            ("AWS_CONFIG_FILE", self.config.as_os_str()),
        ];
        let variables = variables.iter().map(|(name, value)| (*name, OsStr::new(value)));
        clouds.run_in(line, &files.into_iter().chain(variables).collect::<Vec<_>>())
    }
}

fn sigv4(clouds: &Clouds) -> CommandLine {
    clouds.publish_aws_anonymously().and(&["--sigv4"])
}

/// A section with the key.
fn section(name: &str) -> String {
    format!("[{name}]\naws_access_key_id = {ACCESS_KEY_ID}\naws_secret_access_key={ACCESS_KEY}\n")
}

const KEY: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID), ("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)];

#[track_caller]
fn arrived(clouds: &Clouds, output: &Output) -> Entry {
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let entry = clouds.aws.ledger().accepted().pop().unwrap();
    assert_eq!(entry.device, Some(Device::AccessKey { access_key_id: ACCESS_KEY_ID.to_owned() }));
    clouds.aws.ledger().clear();
    entry
}

#[test]
fn the_key_of_the_variables_signs_on_port_443_without_alpn() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    let files = Files::new(&clouds, "", "");
    let entry = arrived(&clouds, &files.run(&clouds, sigv4(&clouds), &KEY));
    assert_eq!(entry.payload, b"21.5");
    assert!(entry.header("authorization").unwrap().contains("/eu-central-1/iotdata/"));
    let line = sigv4(&clouds).with("--service", "iotdevicegateway");
    let entry = arrived(&clouds, &files.run(&clouds, line, &KEY));
    assert!(entry.header("authorization").unwrap().contains("/eu-central-1/iotdevicegateway/"));
}

#[test]
fn a_key_in_variables_loses_what_came_along_with_it() {
    let clouds = Clouds::start();
    clouds.add_access_key(Some(SESSION_TOKEN));
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let values = [ACCESS_KEY_ID, ACCESS_KEY, SESSION_TOKEN];
    let files = Files::new(&clouds, "", "");
    let run = |mend: fn(&str) -> String| {
        let mended = values.map(mend);
        let variables: Vec<_> = names.into_iter().zip(mended.iter().map(String::as_str)).collect();
        files.run(&clouds, sigv4(&clouds), &variables)
    };
    arrived(&clouds, &run(|value| format!("{value}\r\n")));
    let output = run(|value| format!("\"{value}\""));
    assert_eq!(output.code, Some(0), "{output:?}");
    for name in names {
        assert!(output.stderr.contains(&format!("in {name} are left out")), "{output:?}");
    }
    let output = run(|value| format!("{value} x"));
    assert_explained(&output, &["access key id", "AWS_ACCESS_KEY_ID", "white space"]);
}

#[test]
fn a_temporary_key_comes_with_its_session_token_from_a_variable_or_a_profile() {
    let clouds = Clouds::start();
    clouds.add_access_key(Some(SESSION_TOKEN));
    let [id, key] = KEY;
    let variables = [id, key, ("AWS_SESSION_TOKEN", SESSION_TOKEN)];
    arrived(&clouds, &Files::new(&clouds, "", "").run(&clouds, sigv4(&clouds), &variables));
    let section = section("default") + "aws_session_token = " + SESSION_TOKEN + "\n";
    arrived(&clouds, &Files::new(&clouds, &section, "").run(&clouds, sigv4(&clouds), &[]));
}

#[test]
fn a_profile_is_found_by_option_by_variable_and_by_default_in_either_file() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    let wrong = "[default]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = other\n";
    let by_option = || sigv4(&clouds).with("--profile", "dev");
    let by_variable = ("AWS_PROFILE", "dev");
    for (credentials, config) in
        [(wrong.to_owned() + &section("dev"), String::new()), (wrong.to_owned(), section("profile dev"))]
    {
        let files = Files::new(&clouds, &credentials, &config);
        arrived(&clouds, &files.run(&clouds, by_option(), &[]));
        arrived(&clouds, &files.run(&clouds, sigv4(&clouds), &[by_variable]));
    }
    for (credentials, config) in [(section("default"), String::new()), (String::new(), section("default"))] {
        arrived(&clouds, &Files::new(&clouds, &credentials, &config).run(&clouds, sigv4(&clouds), &[]));
    }
}

#[test]
fn variables_go_before_a_profile_unless_that_was_asked_for_by_option() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    let other = [("AWS_ACCESS_KEY_ID", "AKIDOTHER"), ("AWS_SECRET_ACCESS_KEY", "other")];
    let wrong = "[dev]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = other\n";
    let [id, key] = KEY;
    let variables = [id, key, ("AWS_PROFILE", "dev")];
    arrived(&clouds, &Files::new(&clouds, wrong, "").run(&clouds, sigv4(&clouds), &variables));
    let line = sigv4(&clouds).with("--profile", "dev");
    arrived(&clouds, &Files::new(&clouds, &section("dev"), "").run(&clouds, line, &other));
}

#[test]
fn the_files_lie_in_the_home_folder_unless_variables_name_others() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    std::fs::create_dir(clouds.path(".aws")).unwrap();
    clouds.write(".aws/credentials", section("default"));
    let home = clouds.path("");
    arrived(&clouds, &clouds.run_with(sigv4(&clouds), "HOME", &home));
    clouds.write("elsewhere", section("dev"));
    let line = sigv4(&clouds).with("--profile", "dev");
    let variables = [("HOME", home.as_os_str()), ("AWS_SHARED_CREDENTIALS_FILE", OsStr::new("~/elsewhere"))];
    arrived(&clouds, &clouds.run_in(line, &variables));
}

/// The region that was signed for, and how the run ended.
fn region(clouds: &Clouds, output: &Output) -> (String, Option<i32>) {
    let entry = clouds.aws.ledger().entries().pop().unwrap();
    let authorization = entry.header("authorization").unwrap();
    (authorization.split('/').nth(2).unwrap().to_owned(), output.code)
}

const WITH_REGION: &str = "[default]\nregion = us-west-1\n";

#[test]
fn the_region_in_the_name_of_an_endpoint_goes_before_variables_and_profiles_and_after_the_option() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    let files = Files::new(&clouds, &section("default"), WITH_REGION);
    let variables = [("AWS_REGION", "us-west-2"), ("AWS_DEFAULT_REGION", "us-west-3")];
    let output = files.run(&clouds, sigv4(&clouds), &variables);
    assert_eq!(region(&clouds, &output), ("eu-central-1".to_owned(), Some(0)), "{output:?}");
    let output = files.run(&clouds, sigv4(&clouds).with("--region", "us-west-4"), &variables);
    assert_eq!(region(&clouds, &output), ("us-west-4".to_owned(), Some(1)), "{output:?}");
}

#[test]
fn on_a_custom_domain_the_region_is_that_of_the_option_then_of_variables_then_of_the_profile() {
    const DOMAIN: &str = "iot.example.com";
    let region_of_the_cloud = Some("us-west-1".to_owned());
    let clouds = Clouds::start_with(|authority| AwsOptions {
        region: region_of_the_cloud,
        ..AwsOptions::new(authority, DOMAIN)
    });
    clouds.add_access_key(None);
    let files = Files::new(&clouds, &section("default"), WITH_REGION);
    let (first, second) = (("AWS_REGION", "us-west-2"), ("AWS_DEFAULT_REGION", "us-west-3"));
    let line = || {
        let to = format!("{DOMAIN}:443:{}", clouds.aws.addr_alpn());
        sigv4(&clouds).with("--endpoint", DOMAIN).with("--connect-to", to)
    };
    for (line, variables, expected, code) in [
        (line().with("--region", "us-west-4"), &[first, second][..], "us-west-4", 1),
        (line(), &[second, first], "us-west-2", 1),
        (line(), &[second], "us-west-3", 1),
        (line(), &[], "us-west-1", 0),
        (line(), &KEY, "us-west-1", 0),
        (line().with("--endpoint", DOMAIN.to_ascii_uppercase()), &[first], "us-west-2", 1),
        (line().with("--endpoint", DOMAIN.to_ascii_uppercase()), &KEY, "us-west-1", 0),
    ] {
        let output = files.run(&clouds, line, variables);
        assert_eq!(region(&clouds, &output), (expected.to_owned(), Some(code)), "{output:?}");
    }
}

#[test]
fn a_key_that_cannot_be_had_is_explained_in_one_line_that_shows_no_part_of_it() {
    let clouds = Clouds::start();
    let half = format!("[default]\naws_secret_access_key = {ACCESS_KEY}\n");
    let broken = format!("[default]\naws_access_key_id = x\naws_secret_access_key {}\n", ACCESS_KEY.replace('=', ""));
    let export = "aws configure export-credentials --profile default";
    for (credentials, config, variables, words) in [
        ("", "", &[][..], &["no access key", "profile default", "missing", "AWS_ACCESS_KEY_ID"][..]),
        ("[other]\nx = 1\n", "", &[("AWS_PROFILE", "dev")], &["no profile dev", "credentials", "--profile"]),
        ("", "[default]\nregion = eu-central-1\n", &[], &["profile default", "has no access key"]),
        ("", "", &KEY[..1], &["AWS_ACCESS_KEY_ID is set", "AWS_SECRET_ACCESS_KEY is not"]),
        ("", "", &KEY[1..], &["AWS_SECRET_ACCESS_KEY is set", "AWS_ACCESS_KEY_ID is not"]),
        (&half, "", &[], &["half an access key", "aws_access_key_id"]),
        (&broken, "", &[], &["credentials", "line 3"]),
        ("", "[default]\nsso_session = x\nsso_account_id = 1\n", &[], &["single sign-on", export]),
        (&section("default"), "[default]\nrole_arn = x\nsource_profile = y\n", &[], &["assuming a role", export]),
        ("", "[default]\ncredential_process = x\n", &[], &["running a program", export]),
    ] {
        let output = Files::new(&clouds, credentials, config).run(&clouds, sigv4(&clouds), variables);
        clouds.assert_wrong(&output, words);
    }
    let folder = clouds.path("");
    let output = clouds.run_with(sigv4(&clouds), "AWS_SHARED_CREDENTIALS_FILE", folder);
    clouds.assert_wrong(&output, &["cannot read", "directory"]);
}

#[test]
fn a_program_named_beside_a_key_is_not_needed() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    let files = Files::new(&clouds, &(section("default") + "credential_process = /bin/false\n"), "");
    arrived(&clouds, &files.run(&clouds, sigv4(&clouds), &[]));
}

#[test]
fn a_wrong_key_is_a_refusal_that_points_at_the_signature() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    let variables = [("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID), ("AWS_SECRET_ACCESS_KEY", "another")];
    let output = Files::new(&clouds, "", "").run(&clouds, sigv4(&clouds), &variables);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.only_complaint().contains("signature"), "{output:?}");
}

#[test]
fn a_region_that_nobody_tells_is_asked_for() {
    let clouds = Clouds::start();
    let line = sigv4(&clouds).with("--endpoint", "iot.example");
    clouds.assert_wrong(&Files::new(&clouds, "", "").run(&clouds, line, &KEY), &["region", "endpoint"]);
}

#[test]
fn the_endpoint_may_be_pasted_as_a_url() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    let files = Files::new(&clouds, &section("default"), "");
    let shouted = AWS.to_ascii_uppercase();
    for endpoint in [
        format!("https://{AWS}/"),
        format!("https://{AWS}:443"),
        format!("{AWS}:443"),
        format!("{AWS}."),
        format!(" HTTPS://{shouted}.:443/ "),
        shouted,
    ] {
        for variables in [&[][..], &[("AWS_REGION", "us-west-2")]] {
            let entry = arrived(&clouds, &files.run(&clouds, sigv4(&clouds).with("--endpoint", &endpoint), variables));
            assert!(entry.header("authorization").unwrap().contains("/eu-central-1/iotdata/"), "{endpoint}");
            assert_eq!(entry.header("host"), Some(AWS), "{endpoint}");
        }
    }
}
