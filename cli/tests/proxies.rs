//! The command behind proxies that others have written, over HTTPS and over MQTT.

use std::ffi::OsStr;
use std::net::TcpListener;

use tempfile::TempDir;

use crate::clouds::{Clouds, to};
use crate::command::CommandLine;
use crate::emulate::{paste_with, secrets};
use crate::mqtt::Fronts;
use crate::process::{Output, Process, THINGPOST, command};
use crate::proxy_server::{PASSWORD, ProxyServer};

/// Runs it with these variables, and makes sure that the password shows nowhere.
fn run(clouds: &Clouds, line: CommandLine, variables: &[(&str, &str)]) -> Output {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, OsStr::new(*value))).collect();
    let output = clouds.run_in(line, &variables);
    output.assert_without(&[PASSWORD.to_owned(), PASSWORD.replace('-', "%2D")]);
    output
}

/// Likewise of what is temporary, with as much time as it takes until all these words are said.
fn run_until(clouds: &Clouds, line: &CommandLine, (variable, value): (&str, &str), words: &[&str]) -> Output {
    let output = clouds.run_until_in(line, words, &[(variable, OsStr::new(value))]);
    output.assert_without(&[PASSWORD.to_owned(), PASSWORD.replace('-', "%2D")]);
    output
}

#[track_caller]
fn assert_not_sent(output: &Output, words: &[&str]) {
    assert_eq!(output.code, Some(3), "{output:?}");
    for word in words {
        assert!(output.stderr.contains(word), "{word:?} is not in: {output:?}");
    }
}

#[test]
fn a_message_over_https_goes_through_connect_by_option_by_file_and_by_variable() {
    let clouds = Clouds::start();
    let port = clouds.aws.addr_mutual_tls().port();
    let Some(proxy) = ProxyServer::tinyproxy(&[port]) else { return };
    let user = clouds.write("proxy-user", proxy.user());
    // The proxy is asked by a name, which it looks up.
    let line = || clouds.publish_aws().with("--connect-to", format!("::localhost:{port}"));
    let url = proxy.url("http");
    for (line, variables) in [
        (line().with("--proxy", proxy.bare_url("http")).with("--proxy-user-file", &user), vec![]),
        (line(), vec![("HTTPS_PROXY", url.as_str())]),
        (line(), vec![("https_proxy", url.as_str()), ("HTTPS_PROXY", "http://wrong.invalid:1")]),
        (line().with("--noproxy", "other.example"), vec![("all_proxy", url.as_str()), ("NO_PROXY", "*")]),
    ] {
        let before = clouds.aws_accepted().len();
        let output = run(&clouds, line, &variables);
        assert_eq!((output.code, clouds.aws_accepted().len()), (Some(0), before + 1), "{output:?}");
    }
    proxy.wait_for_log(&format!("CONNECT localhost:{port} "));
}

#[test]
fn a_message_over_mqtt_goes_through_either_proxy() {
    let fronts = Fronts::start();
    let port = fronts.aws.addr_mutual_tls().port();
    let mut sent = 0;
    if let Some(proxy) = ProxyServer::tinyproxy(&[port]) {
        let output = run(&fronts.clouds, fronts.publish(), &[("HTTPS_PROXY", &proxy.url("http"))]);
        sent += 1;
        assert_eq!((output.code, fronts.arrived().len()), (Some(0), sent), "{output:?}");
        proxy.wait_for_log(&format!("CONNECT 127.0.0.1:{port} "));
    }
    if let Some(proxy) = ProxyServer::microsocks() {
        for scheme in ["socks5", "socks5h"] {
            let output = run(&fronts.clouds, fronts.publish(), &[("ALL_PROXY", &proxy.url(scheme))]);
            sent += 1;
            assert_eq!((output.code, fronts.arrived().len()), (Some(0), sent), "{output:?}");
        }
        let wrong = format!("socks5h://gateway:wrong@{}", proxy.address);
        let output = run(&fronts.clouds, fronts.publish(), &[("ALL_PROXY", &wrong)]);
        assert_not_sent(&output, &["does not accept this user and password"]);
        let output = run(&fronts.clouds, fronts.publish_aliyun(), &[("ALL_PROXY", &proxy.url("socks5h"))]);
        assert_eq!(output.code, Some(0), "{output:?}");
    }
}

#[test]
fn a_message_over_https_goes_through_socks5_and_a_wrong_password_is_not_sent() {
    let clouds = Clouds::start();
    let Some(proxy) = ProxyServer::microsocks() else { return };
    let port = clouds.aws.addr_mutual_tls().port();
    let by_name = clouds.publish_aws().with("--connect-to", format!("::localhost:{port}"));
    let output = run(&clouds, by_name, &[("ALL_PROXY", &proxy.url("socks5h"))]);
    assert_eq!((output.code, clouds.aws_accepted().len()), (Some(0), 1), "{output:?}");
    let wrong = format!("socks5h://gateway:wrong@{}", proxy.address);
    let output = run(&clouds, clouds.publish_aws(), &[("ALL_PROXY", &wrong)]);
    assert_not_sent(&output, &["does not accept this user and password"]);
    let output = run(&clouds, clouds.publish_aws(), &[("ALL_PROXY", &proxy.bare_url("socks5h"))]);
    assert_not_sent(&output, &["wants a user and a password"]);
    // No server listens there, which the proxy learns.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line = clouds.publish_aws().with("--connect-to", to(nobody));
    let words = &["refuses with reply 5, connection refused"];
    assert_not_sent(&run_until(&clouds, &line, ("ALL_PROXY", &proxy.url("socks5h")), words), words);
    assert_eq!(clouds.aws_accepted().len(), 1);
}

#[test]
fn what_tinyproxy_refuses_is_not_sent_and_says_what_to_do() {
    let clouds = Clouds::start();
    let port = clouds.aws.addr_mutual_tls().port();
    let Some(proxy) = ProxyServer::tinyproxy(&[1]) else { return };
    let place = format!("the proxy http://{}", proxy.address);
    let line = || clouds.publish_aws();
    let wrong = format!("http://gateway:wrong@{}", proxy.address);
    let output = run(&clouds, line(), &[("HTTPS_PROXY", &wrong)]);
    // tinyproxy answers 401 to a wrong password, as to any client that it does not know.
    assert_not_sent(&output, &[&place, "does not accept this user and password"]);
    assert_eq!(proxy.requests(), 1, "an account that is tried again and again gets locked");
    let output = run(&clouds, line(), &[("HTTPS_PROXY", &proxy.bare_url("http"))]);
    assert_not_sent(&output, &[&place, "wants a user and a password"]);
    let words = &[&place, "refuses with 403", "ask who runs it to allow this host and port"];
    assert_not_sent(&run_until(&clouds, &line(), ("HTTPS_PROXY", &proxy.url("http")), words), words);
    drop(proxy);
    let Some(proxy) = ProxyServer::tinyproxy(&[port, 1]) else { return };
    let nobody = line().with("--connect-to", "::127.9.8.7:1");
    let words = &["refuses with 50", "it cannot reach the destination"];
    assert_not_sent(&run_until(&clouds, &nobody, ("HTTPS_PROXY", &proxy.url("http")), words), words);
    assert!(clouds.aws_accepted().is_empty());
}

#[test]
fn what_is_mistyped_is_one_line_that_names_it_and_no_password() {
    let clouds = Clouds::start();
    for (variables, words) in [
        (&[("HTTPS_PROXY", "http://me:h7sh-pr0xy-pass@p:99999")][..], ["HTTPS_PROXY: ", "port"]),
        (&[("all_proxy", "ftp://me:h7sh-pr0xy-pass@p:21")], ["all_proxy: ", "ftp://"]),
        (&[("https_proxy", "https://me:h7sh-pr0xy-pass@p:443")], ["https_proxy: ", "over TLS"]),
        (&[("ALL_PROXY", "p:1"), ("NO_PROXY", "10.0.0.0/99")], ["NO_PROXY: ", "`10.0.0.0/99`"]),
    ] {
        clouds.assert_wrong(&run(&clouds, clouds.publish_aws(), variables), &words);
    }
    clouds.assert_usage(clouds.publish_aws().with("--proxy", "a b"), &["--proxy: ", "host"]);
    // None at all, whatever the variables say.
    let output = run(&clouds, clouds.publish_aws().with("--proxy", ""), &[("HTTPS_PROXY", "ftp://x")]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let output = run(&clouds, clouds.publish_aws().with("--noproxy", "*"), &[("HTTPS_PROXY", "http://p.invalid:1")]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn the_doctor_goes_the_same_way_and_says_so() {
    let clouds = Clouds::start();
    let port = clouds.aws.addr_mutual_tls().port();
    let Some(proxy) = ProxyServer::tinyproxy(&[port]) else { return };
    let line = || crate::doctor::doctor(&clouds);
    let output = run(&clouds, line(), &[("HTTPS_PROXY", &proxy.url("http"))]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let way = format!("through the proxy http://{} of HTTPS_PROXY, with user and password", proxy.address);
    assert!(output.stdout.contains(&way) && output.stdout.contains("by the proxy there"), "{}", output.stdout);
    let output = run(&clouds, line(), &[("HTTPS_PROXY", &proxy.bare_url("http"))]);
    crate::doctor::assert_names(&output, "tcp", &["wants a user and a password", "USER:PASSWORD"]);
}

#[test]
fn the_demo_and_what_the_emulator_prints_go_past_a_proxy_that_the_shell_has() {
    // No proxy listens there.
    let variables = [("HTTPS_PROXY", "http://127.9.8.7:9")];
    let mut demo = command(THINGPOST);
    demo.arg("demo").envs(variables);
    let output = Process::start(demo, Vec::new()).end();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");

    let folder = TempDir::new().unwrap();
    let mut emulate = command(THINGPOST);
    emulate.arg("emulate").arg("--dir").arg(folder.path()).envs(variables);
    let mut emulator = Process::start(emulate, Vec::new());
    emulator.wait_until("the emulator", |process| process.stdout().contains("Ctrl-C ends it."));
    let text = emulator.stdout();
    let is_command = |part: &&str| part.contains("thingpost ") && part.contains("--connect-to ");
    let printed: Vec<&str> = text.split("\n\n").filter(is_command).collect();
    assert!(printed.len() >= 7, "{text}");
    for printed in &printed {
        assert!(printed.contains("--noproxy '*'"), "{printed}");
    }
    let publish = printed.iter().find(|printed| printed.starts_with("thingpost publish aws ")).unwrap();
    let output = paste_with(publish, folder.path(), &variables).end();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    emulator.signal("INT");
    let output = emulator.end();
    assert_eq!(output.code, Some(0), "{output:?}");
    output.assert_without(&secrets(folder.path()));
}
