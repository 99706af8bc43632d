//! Files, variables and limits as people have them, where the message has to arrive all the same, or one line has to say why not.

use std::ffi::OsStr;
use std::fs;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use crate::clouds::{AUTHORIZER, Clouds, SECRET, TOKEN, failed_lines, numbered, payloads};
use crate::command::{CommandLine, fixture};
use crate::mqtt::Fronts;
use crate::process::{Output, THINGPOST, command};

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[track_caller]
fn is_delivered(output: &Output, complaint: &str) {
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), complaint), "{output:?}");
}

#[test]
fn certificate_key_and_authorities_may_be_joined_marked_and_in_one_file() {
    let fronts = Fronts::start();
    let clouds = &fronts.clouds;
    let read = |name| fs::read_to_string(clouds.path(name)).unwrap();
    let (ca, certificate, key) = (read("ca.pem"), read("device.pem.crt"), read("private.pem.key"));
    let joined = format!("\u{feff}{}{}{}", key.trim_end(), certificate.trim_end(), ca.trim_end());
    for content in [joined.clone().into_bytes(), joined.replace('\n', "\r\n").into_bytes(), utf16(&joined)] {
        let file = clouds.write("all.pem", content);
        for line in [clouds.publish_aws(), fronts.publish()] {
            is_delivered(&clouds.run(line.with("--cert", &file).with("--key", &file)), "");
        }
    }
    let bundle = format!("{}{}", fs::read_to_string(fixture("rsa.cert.pem")).unwrap().trim_end(), ca);
    is_delivered(&clouds.run(clouds.publish_aws().with("--ca", clouds.write("bundle.pem", bundle))), "");
}

#[test]
fn a_store_in_place_of_a_certificate_comes_with_the_command_that_converts_it() {
    let fronts = Fronts::start();
    for line in [fronts.clouds.publish_aws(), fronts.publish()] {
        let line = line.with("--cert", fixture("ec.p12"));
        fronts.assert_usage(line, &["ec.p12", "a PKCS#12 store", "openssl pkcs12 -in FILE -clcerts -nokeys"]);
    }
}

#[test]
fn of_a_bundle_the_certificate_that_is_not_trusted_is_named() {
    let clouds = Clouds::start();
    let ca = fs::read_to_string(clouds.path("ca.pem")).unwrap();
    let distrusted = fs::read_to_string(fixture("distrusted.cert.pem")).unwrap();
    let output = clouds.run(clouds.publish_aws().with("--ca", clouds.write("bundle.pem", format!("{distrusted}{ca}"))));
    assert_eq!(output.code, Some(0), "{output:?}");
    let complaint = output.complaint();
    for word in ["warning: --ca", "bundle.pem", "TRUSTED CERTIFICATE of line 1 is left out"] {
        assert!(complaint.contains(word), "{complaint}");
    }
}

#[test]
fn a_certificate_that_is_out_of_time_is_said_before_there_is_a_connection() {
    let clouds = Clouds::start();
    let key = KeyPair::generate().unwrap();
    for (from, until, words) in [
        (2020, 2021, ["expired on 2021-01-01T00:00:00Z", "renew the certificate"]),
        (2090, 2091, ["is not valid before 2090-01-01T00:00:00Z", "set the clock"]),
    ] {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        let certificate = clouds.write("device.pem.crt", params.self_signed(&key).unwrap().pem());
        clouds.write("private.pem.key", key.serialize_pem());
        let output = clouds.run(clouds.publish_aws().with("--timeout", "5"));
        let warning = output.stderr.lines().next().unwrap_or_default();
        let file = certificate.display().to_string();
        for word in [&words[..], &["warning", &file, "and this machine's clock says 20"]].concat() {
            assert!(warning.contains(word), "{word:?} is not in: {warning}");
        }
    }
}

#[test]
fn the_mark_of_utf8_is_no_part_of_the_first_line() {
    let fronts = Fronts::start();
    let clouds = &fronts.clouds;
    let input = "\u{feff}{\"n\":1}\r\n{\"n\":2}\r\n".as_bytes();
    let file = clouds.write("lines", input);
    for source in [file.as_os_str(), "-".as_ref()] {
        clouds.aws.ledger().clear();
        let output = clouds.run_on(clouds.publish_aws().lines(source), if source == "-" { input } else { b"" });
        is_delivered(&output, "");
        let mut arrived = clouds.aws_accepted();
        arrived.sort_unstable();
        assert_eq!(arrived, ["{\"n\":1}", "{\"n\":2}"]);
    }
    is_delivered(&clouds.run(fronts.publish().lines(&file)), "");
    assert_eq!(fronts.arrived(), ["{\"n\":1}", "{\"n\":2}"]);
}

#[test]
fn lines_in_utf16_are_refused_with_the_command_that_converts_them() {
    let fronts = Fronts::start();
    let clouds = &fronts.clouds;
    for content in [utf16("a\r\nb\r\n"), utf16("a\r\nb\r\n")[2..].to_vec()] {
        let file = clouds.write("unicode.csv", &content);
        for line in
            [clouds.publish_aws().lines(&file), clouds.publish_aliyun().lines(&file), fronts.publish().lines(&file)]
        {
            fronts.assert_usage(line, &["unicode.csv", "UTF-16", "iconv -f UTF-16 -t UTF-8"]);
        }
        let output = clouds.run_on(clouds.publish_aws().lines("-"), &content);
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.stderr.contains("UTF-16") && clouds.aws_accepted().is_empty(), "{output:?}");
    }
}

#[test]
fn a_file_that_is_one_message_keeps_every_byte() {
    let clouds = Clouds::start();
    for content in ["\u{feff}{}\r\n".as_bytes().to_vec(), utf16("a\r\n"), b"\0a\0b".to_vec()] {
        clouds.aws.ledger().clear();
        let line = clouds.publish_aws().without("--message").with("--file", clouds.write("message", &content));
        is_delivered(&clouds.run(line), "");
        assert_eq!(clouds.aws.ledger().accepted()[0].payload, content);
    }
}

#[test]
fn a_topic_that_has_lost_its_aws_is_warned_of() {
    let fronts = Fronts::start();
    let clouds = &fronts.clouds;
    for topic in ["/things/x/shadow/update", "/rules/archive/a"] {
        for line in [clouds.publish_aws(), fronts.publish()] {
            let output = clouds.run(line.with("--topic", topic));
            assert_eq!(output.code, Some(0), "{output:?}");
            let quoted = format!("'$aws{topic}'");
            for word in ["warning", topic, "in single quotes", &quoted] {
                assert!(output.complaint().contains(word), "{output:?}");
            }
        }
    }
    is_delivered(&clouds.run(clouds.publish_aws().with("--topic", "/things/x/up")), "");
}

#[test]
fn a_secret_loses_what_came_along_with_it() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun().without("--device-secret-file");
    let left_out = |place: &str| format!("thingpost: the quotes around the device secret {place} are left out\n");
    for (content, is_quoted) in [
        (format!("{SECRET}\r\n").into_bytes(), false),
        (format!("\u{feff}{SECRET}\n\n").into_bytes(), false),
        (utf16(&format!("{SECRET}\r\n")), false),
        (format!("\"{SECRET}\"\n").into_bytes(), true),
    ] {
        let file = clouds.write("another.txt", content);
        let output = clouds.run(line.clone().with("--device-secret-file", &file));
        let complaint = if is_quoted { left_out(&format!("in {}", file.display())) } else { String::new() };
        is_delivered(&output, &complaint);
    }
    for (value, complaint) in
        [(format!("{SECRET}\r"), String::new()), (format!("'{SECRET}'"), left_out("in THINGPOST_DEVICE_SECRET"))]
    {
        is_delivered(&clouds.run_with(line.clone(), "THINGPOST_DEVICE_SECRET", value), &complaint);
    }
    assert_eq!(payloads(&clouds.aliyun.ledger().accepted()).len(), 6);
}

#[test]
fn a_secret_that_cannot_be_one_is_refused_without_showing_it() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun();
    for (content, word) in [
        (vec![b'x'; 65 * 1024], "larger than 64 KB"),
        (format!("{SECRET}\0").into_bytes(), "zero byte"),
        (format!("{SECRET}\u{200b}").into_bytes(), "nobody sees"),
        (b"\xe9\xe8\xea\xeb".to_vec(), "no text in UTF-8"),
    ] {
        let file = clouds.write("another.txt", content);
        clouds.assert_usage(line.clone().with("--device-secret-file", file), &["device secret", word]);
    }
    clouds.assert_usage(line.with("--device-secret-file", "~/secret.txt"), &["No such file", "$HOME"]);
}

#[test]
fn a_signature_that_was_wrapped_is_one_again() {
    let clouds = Clouds::start();
    let signature = "c2lnbmF0dXJl".repeat(28) + "cw==";
    clouds.add_authorizer(Some(&signature));
    let lines: Vec<&str> = signature.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    let line = clouds.publish_aws_anonymously().with("--authorizer", AUTHORIZER).with("--token-name", "X-Token");
    for end in ["\n", "\r\n"] {
        let wrapped = lines.join(end) + end;
        let file = clouds.write("signature", &wrapped);
        let line = line.clone().with("--token-file", clouds.write("token", TOKEN));
        is_delivered(&clouds.run(line.with("--token-signature-file", file)), "");
        let variables = [
            ("THINGPOST_AUTHORIZER_TOKEN", OsStr::new(TOKEN)),
            ("THINGPOST_AUTHORIZER_SIGNATURE", OsStr::new(&wrapped)),
        ];
        is_delivered(&clouds.run_in(line_without_files(&clouds), &variables), "");
    }
}

fn line_without_files(clouds: &Clouds) -> CommandLine {
    clouds.publish_aws_anonymously().with("--authorizer", AUTHORIZER).with("--token-name", "X-Token")
}

/// Runs it where no more files and sockets may be open at once.
fn run_with_descriptors(clouds: &Clouds, descriptors: u32, line: CommandLine) -> Output {
    let mut shell = command("sh");
    let script = "ulimit -n \"$0\" && exec \"$@\"";
    shell.args(["-c", script, &descriptors.to_string(), THINGPOST]).args(line.into_arguments());
    clouds.run_command(shell)
}

#[test]
fn where_descriptors_are_short_fewer_connections_do() {
    let clouds = Clouds::start();
    // So that the cache of compiled components is there.
    is_delivered(&clouds.run(clouds.publish_aws()), "");
    clouds.aws.ledger().clear();
    let lines = clouds.write("lines", numbered(60).join("\n"));
    for descriptors in [13, 16, 20] {
        clouds.aws.ledger().clear();
        let failed = clouds.path("failed");
        let line = clouds.publish_aws().lines(&lines).with("--timeout", "300");
        let line = if descriptors == 13 { line } else { line.with("--failed", &failed) };
        let output = run_with_descriptors(&clouds, descriptors, line);
        is_delivered(&output, "");
        assert_eq!(clouds.aws_accepted().len(), 60, "{output:?}");
        assert!(failed_lines(&failed).is_empty());
    }
}

#[test]
fn where_there_is_no_descriptor_at_all_the_limit_is_named_and_no_firewall() {
    let clouds = Clouds::start();
    let said: Vec<Output> = (3..12)
        .map(|descriptors| run_with_descriptors(&clouds, descriptors, clouds.publish_aws().with("--timeout", "2")))
        .collect();
    for output in &said {
        assert!(!output.stderr.contains("firewall"), "{output:?}");
        // What the loader of the system says is not ours.
        let is_ours = output.code != Some(127) && output.code != Some(126);
        assert!(!is_ours || output.code == Some(0) || output.stderr.contains("open"), "{output:?}");
    }
    assert!(said.iter().any(|output| output.code == Some(3) && output.stderr.contains("ulimit -n")), "{said:?}");
}

#[test]
fn the_environment_names_the_authorities_in_place_of_the_systems() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws().without("--ca");
    let ca = clouds.path("ca.pem");
    is_delivered(&clouds.run_with(line.clone(), "SSL_CERT_FILE", &ca), "");
    let folder = clouds.path("roots");
    fs::create_dir(&folder).unwrap();
    clouds.write("roots/README", "no certificate");
    fs::copy(&ca, folder.join("ca.pem")).unwrap();
    is_delivered(&clouds.run_with(line.clone(), "SSL_CERT_DIR", &folder), "");
    let other = clouds.write("other.pem", fs::read(fixture("ec.cert.pem")).unwrap());
    let both = [("SSL_CERT_FILE", other.as_os_str()), ("SSL_CERT_DIR", folder.as_os_str())];
    is_delivered(&clouds.run_in(line.clone(), &both), "");
    for (variable, value) in [("SSL_CERT_FILE", other.as_os_str()), ("SSL_CERT_FILE", OsStr::new(""))] {
        let words = "no authority that is trusted";
        let output = clouds.run_until_in(&line, &[words], &[(variable, value)]);
        assert_eq!(output.code, Some(3), "{output:?}");
        assert!(output.stderr.contains(words), "{output:?}");
    }
}

#[test]
fn what_is_left_out_of_the_authorities_of_the_environment_is_named_as_it_is_of_an_option() {
    let clouds = Clouds::start();
    let mut content = fs::read(clouds.path("ca.pem")).unwrap();
    let crl = b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    content.extend(crl.repeat(7));
    let roots = clouds.write("roots.pem", content);
    let line = clouds.publish_aws().without("--ca");
    let in_environment = clouds.run_with(line.clone(), "SSL_CERT_FILE", &roots);
    for (output, option) in [(in_environment, ""), (clouds.run(line.with("--ca", &roots)), "--ca ")] {
        assert_eq!(output.code, Some(0), "{output:?}");
        let first = format!("warning: {option}{}: the X509 CRL of line ", roots.display());
        assert_eq!(output.stderr.matches(&first).count(), 5, "{output:?}");
        assert!(output.stderr.contains("2 more are left out"), "{output:?}");
    }
}

#[test]
fn an_environment_that_names_no_authority_is_refused() {
    let clouds = Clouds::start();
    let line = clouds.publish_aws().without("--ca");
    let hollow = clouds.path("hollow");
    fs::create_dir(&hollow).unwrap();
    for (variable, value, word) in [
        ("SSL_CERT_FILE", clouds.path("missing"), "No such file"),
        ("SSL_CERT_FILE", clouds.write("empty", ""), "it is empty"),
        ("SSL_CERT_FILE", clouds.path("private.pem.key"), "it holds: PRIVATE KEY"),
        ("SSL_CERT_DIR", clouds.path("missing"), "No such file"),
        ("SSL_CERT_DIR", hollow, "there is no certificate"),
    ] {
        let output = clouds.run_with(line.clone(), variable, &value);
        let setting = format!("{variable}={} is set in the environment", value.display());
        clouds.assert_wrong(&output, &[&setting, word, "unset it"]);
    }
    assert!(clouds.aws_accepted().is_empty());
}

#[test]
fn a_path_that_the_shell_or_an_editor_has_touched_is_recognised() {
    let clouds = Clouds::start();
    for (path, word) in [
        ("~/device.pem.crt", "write $HOME"),
        ("\"device.pem.crt\"", "quotes"),
        ("file:///etc/device.pem.crt", "without file://"),
        ("device.pem.crt\r", "line ends of Windows"),
    ] {
        for option in ["--cert", "--key", "--ca"] {
            clouds.assert_usage(clouds.publish_aws().with(option, path), &["No such file", word]);
        }
        clouds.assert_usage(clouds.publish_aws().without("--message").with("--file", path), &["No such file", word]);
        clouds.assert_usage(clouds.publish_aws().lines(path), &["No such file", word]);
    }
}
