//! What can stand between a device and its endpoint.

use super::certificates::{FUTURE, GOOD, PAST, Root};
use super::{assert_names, doctor, doctor_at, outcome, servers, verdict};
use crate::clouds::{AWS, Clouds, to};

const OK: &[u8] = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";

#[test]
fn a_name_that_does_not_resolve_is_named_and_nothing_is_dialled() {
    let clouds = Clouds::start();
    let line = doctor(&clouds).with("--endpoint", "nobody.invalid").without("--connect-to").with("--timeout", "5");
    let output = clouds.run(line);
    assert_names(&output, "name", &["nobody.invalid", "check the spelling"]);
    for check in ["tcp", "tls", "answer", "clock"] {
        assert_eq!(outcome(&output, check), Some("skip"), "{}", output.stdout);
    }
    assert_eq!(outcome(&output, "request"), Some("ok"), "{}", output.stdout);
}

#[test]
fn a_port_at_which_nobody_listens_is_named() {
    let clouds = Clouds::start();
    let address = servers::nobody();
    let output = clouds.run(doctor_at(&clouds, address));
    assert_names(&output, "tcp", &[&address.to_string(), "connection refused", "check --connect-to"]);
    assert_eq!(outcome(&output, "tls"), Some("skip"));
}

#[test]
fn with_8443_refused_the_other_port_is_the_next_step() {
    let clouds = Clouds::start();
    // No program on this machine listens there: the address is of loopback, and of no other server.
    let line = doctor(&clouds).with("--endpoint", "127.9.8.7").without("--connect-to");
    assert_names(&clouds.run(line), "tcp", &["127.9.8.7:8443: connection refused", "try --port 443"]);
}

#[test]
fn silence_after_the_connection_is_told_from_a_port_that_is_closed() {
    let clouds = Clouds::start();
    let output = clouds.run(doctor_at(&clouds, servers::silent()).with("--timeout", "1"));
    assert_eq!(outcome(&output, "tcp"), Some("ok"));
    assert_names(&output, "tls", &["accepted, and then nothing came within 1 s", "firewall"]);
}

#[test]
fn what_does_not_speak_tls_is_called_so() {
    let clouds = Clouds::start();
    for words in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"SSH-2.0-OpenSSH_9.6\r\n"] {
        let output = clouds.run(doctor_at(&clouds, servers::answering(words)));
        assert_names(&output, "tls", &["does not speak TLS", "check host and port"]);
    }
    let output = clouds.run(doctor_at(&clouds, servers::answering(b"")));
    assert_names(&output, "tls", &["closed during the handshake", "AWS closes on names that it does not have"]);
}

#[test]
fn what_does_not_speak_http_is_called_so() {
    let clouds = Clouds::start();
    let root = Root::new("Some Root");
    clouds.write("ca.pem", root.pem());
    let server = servers::strict_tls(&root.sign("x", &[AWS], GOOD), &root, b"SSH-2.0-OpenSSH_9.6\r\n");
    let device = root.sign("thermometer", &[], GOOD);
    clouds.write("device.pem.crt", device.pem());
    clouds.write("private.pem.key", device.key_pem());
    assert_names(&clouds.run(doctor_at(&clouds, server)), "answer", &["not HTTP/1.1"]);
}

#[test]
fn an_untrusted_root_is_named_with_what_the_server_has_shown() {
    let clouds = Clouds::start();
    let root = Root::new("Root of a Stranger");
    let server = servers::tls(&root.sign("some server", &[AWS], GOOD), OK);
    let output = clouds.run(doctor_at(&clouds, server));
    assert_names(&output, "tls", &["leads to no authority that is trusted", "Root of a Stranger", "--ca"]);
    let shown =
        format!("shown, certificate 1: CN=some server, issued by CN=Root of a Stranger, for {AWS}, valid from 2020");
    assert!(output.stdout.contains(&shown), "{}", output.stdout);
    // The other way round: the right server, and a file with the wrong root.
    let line = doctor(&clouds).with("--ca", clouds.write("stranger.pem", root.pem()));
    let output = clouds.run(line);
    assert_names(&output, "tls", &["CN=thingpost emulator"]);
    assert_eq!(clouds.aws.connections().mutual_tls.handshakes, 0, "the second look shakes no hands");
}

#[test]
fn the_variable_that_names_all_who_are_trusted_is_named_with_a_server_that_is_not() {
    let clouds = Clouds::start();
    let stranger = clouds.write("stranger.pem", Root::new("Root of a Stranger").pem());
    let setting = format!("SSL_CERT_FILE={}", stranger.display());
    let output = clouds.run_with(doctor(&clouds).without("--ca"), "SSL_CERT_FILE", &stranger);
    assert_names(&output, "tls", &["leads to no authority that is trusted", &setting, "unset it"]);
    let line = clouds.publish_aws().without("--ca").with("--timeout", "1");
    let output = clouds.run_with(line, "SSL_CERT_FILE", &stranger);
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.stderr.contains(&format!("{setting} in the environment names all that are")), "{output:?}");
}

#[test]
fn a_proxy_that_is_set_for_http_alone_is_pointed_at() {
    let clouds = Clouds::start();
    let output = clouds.run_with(doctor(&clouds), "HTTP_PROXY", "http://127.9.8.7:9");
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("HTTP_PROXY is for http:// alone"), "{}", output.stdout);
    let line = doctor(&clouds).with("--endpoint", "127.9.8.7").without("--connect-to");
    let output = clouds.run_with(line, "http_proxy", "http://127.9.8.7:9");
    assert_names(&output, "tcp", &["http_proxy names a proxy for http:// alone: set HTTPS_PROXY"]);
}

#[test]
fn a_certificate_for_another_name_is_named_with_its_names() {
    let clouds = Clouds::start();
    let root = Root::new("Some Root");
    clouds.write("ca.pem", root.pem());
    let server = servers::tls(&root.sign("x", &["other.example", "10.1.2.3"], GOOD), OK);
    let output = clouds.run(doctor_at(&clouds, server));
    assert_names(&output, "tls", &[&format!("not for {AWS}, but for other.example, 10.1.2.3"), "check the spelling"]);
}

#[test]
fn a_server_certificate_out_of_its_time_is_the_servers_fault_or_the_clocks() {
    let clouds = Clouds::start();
    let root = Root::new("Some Root");
    clouds.write("ca.pem", root.pem());
    for (years, word) in [(PAST, "expired"), (FUTURE, "becomes valid")] {
        let server = servers::tls(&root.sign("x", &[AWS], years), OK);
        let output = clouds.run(doctor_at(&clouds, server));
        assert_names(&output, "tls", &["the server's certificate", word, "days", "set this machine's clock"]);
        assert!(output.stdout.contains(&format!("valid from {}-01-01T00:00:00Z", years.0)), "{}", output.stdout);
    }
}

#[test]
fn a_server_that_asks_for_no_certificate_is_the_wrong_port() {
    let clouds = Clouds::start();
    let root = Root::new("Some Root");
    clouds.write("ca.pem", root.pem());
    let server = servers::tls(&root.sign("x", &[AWS], GOOD), OK);
    assert_names(&clouds.run(doctor_at(&clouds, server)), "tls", &["has not asked for a client certificate", "8443"]);
    let output = clouds.run(doctor(&clouds).with("--endpoint", format!("{AWS}:9443")).with("--connect-to", to(server)));
    assert!(output.stdout.contains("port 9443 is none of AWS's"), "{}", output.stdout);
}

#[test]
fn a_server_that_does_not_choose_the_alpn_protocol_is_not_that_of_aws_443() {
    let clouds = Clouds::start();
    // 8443 of the emulator: it looks at certificates, and not at ALPN.
    let output = clouds.run(doctor(&clouds).with("--port", "443"));
    assert_names(&output, "tls", &["offered x-amzn-http-ca, chosen none", "--port 8443"]);

    let root = Root::new("Some Root");
    let server = servers::tls_with_alpn(&root.sign("x", &[AWS], GOOD), b"h2");
    let line = doctor_at(&clouds, server).with("--port", "443").with("--ca", clouds.write("ca.pem", root.pem()));
    assert_names(&clouds.run(line), "tls", &["no_application_protocol", "check the port"]);
}

#[test]
fn an_alert_is_named_even_after_the_handshake() {
    let clouds = Clouds::start();
    let (root, other) = (Root::new("Some Root"), Root::new("Another Root"));
    clouds.write("ca.pem", root.pem());
    let server = servers::strict_tls(&root.sign("x", &[AWS], GOOD), &other, OK);
    let output = clouds.run(doctor_at(&clouds, server));
    assert!(verdict(&output).contains("refused the TLS handshake with "), "{}", output.stdout);
    assert_names(&output, "answer", &["does not accept the device certificate"]);
}

#[test]
fn a_clock_that_is_off_is_a_warning_to_a_certificate() {
    let clouds = Clouds::start();
    for (minutes, word) in [(20, "behind"), (-20, "ahead of")] {
        clouds.aws.shift_clock_ms(minutes * 60_000);
        let output = clouds.run(doctor(&clouds));
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(outcome(&output, "clock"), Some("warn"), "{}", output.stdout);
        assert!(verdict(&output).starts_with("nothing failed, with a warning: clock: "), "{}", output.stdout);
        assert!(verdict(&output).contains(word) && verdict(&output).contains("set the clock"), "{}", output.stdout);
    }
}

#[test]
fn a_handshake_that_a_run_waits_for_is_waited_for() {
    let clouds = Clouds::start();
    clouds.aws.chaos("handshake-delay=11s".parse::<thingpost_emulator::Chaos>().unwrap());
    let output = clouds.run(doctor(&clouds).with("--timeout", "120"));
    assert_eq!(outcome(&output, "tls"), Some("ok"), "{}", output.stdout);
}
