//! `thingpost serve` as its operators have it: a process with a configuration, devices that speak plain HTTP to it, and clouds that see
//! certificates.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use thingpost_emulator::{AnswerFault, Device, DeviceCertificate, Fault};
use thingpost_hostile_guest::GRANTED;

use crate::clouds::{ALIYUN, AWS, Clouds, SECRET, assert_explained};
use crate::command::CommandLine;
use crate::process::Process;

/// A configuration with what each test begins with, and further lines.
fn configure(clouds: &Clouds, lines: &str) -> PathBuf {
    clouds.write("granted.wasm", GRANTED);
    let (on_443, on_8443) = (clouds.aws.addr_alpn(), clouds.aws.addr_mutual_tls());
    let route = |port: u16, address| {
        format!(
            "[[route]]\nendpoint = \"{AWS}\"\nport = {port}\nconnect_to = \"{address}\"\nca = \"ca.pem\"\ncert = \
             \"device.pem.crt\"\nkey = \"private.pem.key\"\n"
        )
    };
    let routes = route(443, on_443) + &route(8443, on_8443);
    let settings =
        format!("[config]\nendpoint = \"{AWS}\"\nsecret = {{ file = \"secret.txt\" }}\n[store]\npath = \"store.db\"\n");
    let begin = "component = \"granted.wasm\"\n[listen]\nhttp = \"127.0.0.1:0\"\n";
    clouds.write("serve.toml", format!("{begin}{settings}{routes}[log]\nguest = true\n{lines}"))
}

fn line(clouds: &Clouds) -> CommandLine {
    CommandLine::new(&["serve"]).with("--config", clouds.path("serve.toml"))
}

/// Starts it, and waits until it says where it listens.
fn serve(clouds: &Clouds) -> (Process, SocketAddr) {
    let mut process = clouds.start_command(clouds.command(line(clouds)));
    process.wait_until("the address", |process| process.stderr().contains("listening on http://"));
    let said = process.stderr();
    let address: String = said
        .split_once("listening on http://")
        .map(|(_, rest)| rest.chars().take_while(|letter| letter.is_ascii_digit() || ".:".contains(*letter)).collect())
        .unwrap();
    (process, address.parse().unwrap_or_else(|_| panic!("{address}: {said}")))
}

/// What `curl -d 21.5` sends, and the answer to it.
fn post(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nContent-Length: 4\r\nContent-Type: \
         application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n21.5"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn post_in_thread(address: SocketAddr, path: &'static str) -> JoinHandle<String> {
    thread::spawn(move || post(address, path))
}

#[track_caller]
fn assert_ok(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

fn ends_in_order(clouds: &Clouds, process: Process, signal: &str) -> String {
    process.signal(signal);
    let output = clouds.checked(process.end());
    assert_eq!((output.code, &*output.stdout), (Some(0), ""), "{output:?}");
    assert!(output.stderr.contains("ended; no request was cut off"), "{output:?}");
    output.stderr
}

fn certificates(clouds: &Clouds) -> Vec<String> {
    let of = |device: Option<Device>| match device {
        Some(Device::Certificate { fingerprint, .. }) => fingerprint,
        other => panic!("{other:?}"),
    };
    clouds.aws.ledger().accepted().into_iter().map(|entry| of(entry.device)).collect()
}

#[test]
fn what_would_run_is_said_without_listening_and_without_a_secret() {
    let clouds = Clouds::start();
    configure(&clouds, "");
    let output = clouds.run(line(&clouds).and(&["--check"]));
    assert_eq!((output.code, &*output.stderr), (Some(0), ""), "{output:?}");
    for part in [
        "granted.wasm\n",
        "listens on: http://127.0.0.1:0\n",
        "settings: endpoint, secret (1 from files)\n",
        "store.db, 16777216 bytes at most\n",
        &format!("route: {AWS} port 443, as "),
    ] {
        assert!(output.stdout.contains(part), "{part} is not in {}", output.stdout);
    }
    assert!(!clouds.path("store.db").exists());
    clouds.assert_nothing_came();
}

#[test]
fn a_configuration_that_is_wrong_ends_with_2_and_one_line_with_its_file_line_and_key() {
    let clouds = Clouds::start();
    assert_explained(
        &clouds.run(CommandLine::new(&["serve"])),
        &["nothing is configured: ", "platform = ", "[[route]]"],
    );
    for (lines, words) in [
        ("level = 1\n", &["serve.toml:25: log.level: "][..]),
        ("[limit]\n", &["serve.toml:25: limit: ", "`limits` may be meant"]),
        ("[limits]\ncpu = \"hunter2\"\n", &["serve.toml:26: limits.cpu: "]),
        (
            "[[route]]\nendpoint = \"a\"\ncert = \"secret.txt\"\nkey = \"secret.txt\"\n",
            &["serve.toml:28: route[2].key: "],
        ),
    ] {
        configure(&clouds, lines);
        for more in [&["--check"][..], &[]] {
            let output = clouds.run(line(&clouds).and(more));
            assert_explained(&output, words);
            assert!(!output.stderr.contains("hunter2"), "{output:?}");
        }
    }
    let absent = CommandLine::new(&["serve"]).with("--config", clouds.path("absent.toml"));
    assert_explained(&clouds.run(absent), &["absent.toml: cannot be read"]);
    clouds.assert_nothing_came();
}

#[test]
fn an_address_that_others_reach_is_refused_unless_it_is_wanted() {
    let clouds = Clouds::start();
    configure(&clouds, "");
    let open = std::fs::read_to_string(clouds.path("serve.toml")).unwrap().replace("127.0.0.1", "0.0.0.0");
    clouds.write("serve.toml", open);
    let output = clouds.run(line(&clouds).and(&["--check"]));
    assert_explained(&output, &["serve.toml:3: listen.http: everybody", "listen.tls", "insecure = true"]);
    let output = clouds.run(line(&clouds).and(&["--check", "--insecure"]));
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn plain_http_arrives_with_the_certificate_of_the_device_and_the_end_is_in_order() {
    let clouds = Clouds::start();
    configure(&clouds, "");
    let (process, address) = serve(&clouds);
    assert_ok(&post(address, "/topics/a"));
    assert_ok(&post(address, &format!("/send?{AWS}:8443")));
    assert_eq!(certificates(&clouds), vec![clouds.certificate.fingerprint.clone(); 2]);
    ends_in_order(&clouds, process, "INT");
}

#[test]
fn a_request_that_is_under_way_at_a_sigterm_gets_its_answer() {
    let clouds = Clouds::start();
    configure(&clouds, "[limits]\ndrain_timeout = \"10m\"\n");
    let delay = std::time::Duration::from_millis(10);
    clouds.faults().push(Fault::InAnswer(AnswerFault::SlowBytes { delay }), 1);
    let (process, address) = serve(&clouds);
    let client = post_in_thread(address, "/topics/a");
    clouds.wait_for_aws(1);
    ends_in_order(&clouds, process, "TERM");
    assert_ok(&client.join().unwrap());
}

#[test]
fn a_sigterm_amid_a_reload_that_takes_long_is_heeded_at_once() {
    let clouds = Clouds::start();
    configure(&clouds, "");
    let (process, _) = serve(&clouds);
    // A file that is not read to its end while there is one who writes.
    let pipe = clouds.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::rename(&pipe, clouds.path("granted.wasm")).unwrap();
    // It is open when the other end is.
    let _writer = std::fs::File::options().write(true).open(clouds.path("granted.wasm")).unwrap();
    ends_in_order(&clouds, process, "TERM");
}

#[test]
fn a_certificate_that_is_replaced_is_taken_up_at_a_hang_up_and_a_mistake_is_not() {
    const SIGHUP: u32 = 1;
    let clouds = Clouds::start();
    configure(&clouds, "");
    let (mut process, address) = serve(&clouds);
    if !process.catches(SIGHUP) {
        crate::process::skipped("SIGHUP is ignored here, as under nohup");
        return;
    }
    assert_ok(&post(address, "/topics/a"));
    let renewed: DeviceCertificate = clouds.authority.issue_device("thermometer, renewed");
    clouds.aws.register(&renewed);
    clouds.write("device.pem.crt", &renewed.certificate_pem);
    process.signal("HUP");
    process.wait_until("half a pair", |process| process.stderr().contains("what there was stays in use: "));
    assert_ok(&post(address, "/topics/a"));
    clouds.write("private.pem.key", &renewed.private_key_pem);
    process.signal("HUP");
    process.wait_until("the pair", |process| process.stderr().contains("taken up: "));
    assert_ok(&post(address, "/topics/a"));
    let old = clouds.certificate.fingerprint.clone();
    assert_eq!(certificates(&clouds), [old.clone(), old, renewed.fingerprint]);
    process.signal("HUP");
    process.wait_until("nothing new", |process| process.stderr().contains("none of the files has changed"));
    ends_in_order(&clouds, process, "TERM");
}

#[test]
fn no_line_of_the_log_has_a_secret_however_much_it_says_and_guests_end_no_line_early() {
    let clouds = Clouds::start();
    configure(&clouds, "format = \"json\"\nlevel = \"trace\"\n");
    let (process, address) = serve(&clouds);
    assert_ok(&post(address, "/topics/a"));
    assert!(post(address, "/config/secret").contains(SECRET), "the guest has it");
    assert_ok(&post(address, "/log/it+works"));
    // What a log may not have is checked at the end.
    let said = ends_in_order(&clouds, process, "TERM");
    assert!(said.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "{said}");
    let guest = said.lines().find(|line| line.contains("\"target\":\"guest\"")).unwrap();
    assert!(guest.contains("it works") && guest.contains("probe"), "{guest}");
}

/// The edge function that is built in: a device on each cloud, and Aliyun's token in a store that stays.
fn configure_edge_function(clouds: &Clouds) {
    let (aws, aliyun) = (clouds.aws.addr_alpn(), clouds.aliyun.addr());
    clouds.write(
        "serve.toml",
        format!(
            r#"
            [listen]
            http = "127.0.0.1:0"
            [config]
            platform = "aws"
            endpoint = "{AWS}"
            port = 443
            [[config.devices]]
            name = "thermometer"
            platform = "aliyun"
            endpoint = "{ALIYUN}"
            product_key = "a1B2c3D4e5F"
            device_name = "thermometer"
            device_secret = {{ file = "secret.txt" }}
            [store]
            path = "store.db"
            [[route]]
            endpoint = "{AWS}:443"
            connect_to = "{aws}"
            ca = "ca.pem"
            cert = "device.pem.crt"
            key = "private.pem.key"
            [[route]]
            endpoint = "{ALIYUN}"
            connect_to = "{aliyun}"
            ca = "ca.pem"
            [log]
            level = "trace"
            "#
        ),
    );
}

#[test]
fn the_edge_function_publishes_to_both_clouds_and_keeps_its_token_over_a_restart() {
    let clouds = Clouds::start();
    configure_edge_function(&clouds);
    for _ in 0..2 {
        let (process, address) = serve(&clouds);
        for path in
            ["/topics/sensors/kitchen?qos=1", "/devices/thermometer/topics//a1B2c3D4e5F/thermometer/user/update"]
        {
            let answer = post(address, path);
            assert_ok(&answer);
            assert!(answer.contains(r#""outcome":"delivered""#), "{answer}");
        }
        ends_in_order(&clouds, process, "TERM");
    }
    assert_eq!(clouds.aws_accepted(), ["21.5", "21.5"]);
    assert_eq!(certificates(&clouds), vec![clouds.certificate.fingerprint.clone(); 2]);
    assert_eq!(clouds.aliyun.ledger().accepted().len(), 2);
    assert_eq!(clouds.aliyun.authentications_of("a1B2c3D4e5F", "thermometer").succeeded, 1);
}

#[test]
fn the_edge_function_on_an_open_address_needs_a_token_for_each_device_or_tls() {
    let clouds = Clouds::start();
    configure_edge_function(&clouds);
    let closed = std::fs::read_to_string(clouds.path("serve.toml")).unwrap().replace("127.0.0.1:0", "0.0.0.0:0");
    clouds.write("serve.toml", &closed);
    assert_explained(&clouds.run(line(&clouds).and(&["--check"])), &["listen.http: everybody", "token"]);
    let guarded = closed.replace("platform = \"aws\"", "platform = \"aws\"\ntoken = { file = \"secret.txt\" }");
    clouds.write("serve.toml", &guarded);
    assert_explained(&clouds.run(line(&clouds).and(&["--check"])), &["listen.http: everybody"]);
    let with_token = "[[config.devices]]\ntoken = { file = \"secret.txt\" }";
    let guarded = guarded.replace("[[config.devices]]", with_token);
    clouds.write("serve.toml", &guarded);
    let output = clouds.run(line(&clouds).and(&["--check"]));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("component: the edge function that is built in\n"), "{output:?}");
}
