//! A key from a server beside the program, as containers and Greengrass have it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use thingpost_emulator::AccessKey;

use crate::clouds::{ACCESS_KEY, ACCESS_KEY_ID, Clouds, SESSION_TOKEN};
use crate::command::CommandLine;
use crate::process::Output;

const FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
const NEVER: &str = "2099-01-01T00:00:00Z";

/// Answers each question with what the function makes of its number, and tells the heads of the questions.
struct KeyServer {
    address: SocketAddr,
    asked: Receiver<String>,
}

impl KeyServer {
    fn start(answer: impl Fn(usize) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, asked) = channel();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream: TcpStream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                // Told before it is answered: whoever has the answer may count the questions at once.
                if tell.send(head.join("\n").to_ascii_lowercase()).is_err() {
                    return;
                }
                // A client that does not wait for the answer is no concern of this server.
                let _ = stream.write_all(answer(number).as_bytes());
            }
        });
        Self { address, asked }
    }

    fn uri(&self) -> OsString {
        format!("http://{}/2016-11-01/credentialprovider/", self.address).into()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn key(id: &str, end: &str) -> String {
    ok(&format!(
        r#"{{"AccessKeyId":"{id}","SecretAccessKey":{secret:?},"Token":"{SESSION_TOKEN}","Expiration":"{end}"}}"#,
        secret = ACCESS_KEY
    ))
}

/// What the program finds at home: nothing.
fn run(clouds: &Clouds, line: CommandLine, variables: &[(&str, &OsStr)]) -> Output {
    let (credentials, config) = (clouds.path("no-credentials"), clouds.path("no-config"));
    let files = [("AWS_SHARED_CREDENTIALS_FILE", credentials.as_os_str()), ("AWS_CONFIG_FILE", config.as_os_str())];
    clouds.run_in(line, &files.into_iter().chain(variables.iter().copied()).collect::<Vec<_>>())
}

fn sigv4(clouds: &Clouds) -> CommandLine {
    clouds.publish_aws_anonymously().and(&["--sigv4"])
}

#[test]
fn a_container_gets_its_key_from_the_server_that_its_variables_name() {
    let clouds = Clouds::start();
    clouds.add_access_key(Some(SESSION_TOKEN));
    let server = KeyServer::start(|_| key(ACCESS_KEY_ID, NEVER));
    let uri = server.uri();
    let output = run(&clouds, sigv4(&clouds), &[(FULL_URI, &uri), (TOKEN, OsStr::new("h7sh-container"))]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let asked = server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with("get /2016-11-01/credentialprovider/ http/1.1"), "{asked:?}");
    assert!(asked[0].contains("\nauthorization: h7sh-container"), "{asked:?}");

    // The file goes before the variable, and its line end is none of the token.
    let file = clouds.write("token", "h7sh-from-file\n");
    let variables = [(FULL_URI, uri.as_os_str()), (TOKEN, OsStr::new("stale")), (TOKEN_FILE, file.as_os_str())];
    assert_eq!(run(&clouds, sigv4(&clouds), &variables).code, Some(0));
    assert!(server.asked()[0].contains("\nauthorization: h7sh-from-file"));
}

#[test]
fn a_key_of_variables_or_of_a_profile_goes_before_the_server_and_so_does_a_profile_that_was_named() {
    let clouds = Clouds::start();
    clouds.add_access_key(None);
    let server = KeyServer::start(|_| key("ASIAOTHER", NEVER));
    let uri = server.uri();
    let [id, secret] = [("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID), ("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)];
    let variables = [(FULL_URI, uri.as_os_str()), (id.0, OsStr::new(id.1)), (secret.0, OsStr::new(secret.1))];
    assert_eq!(run(&clouds, sigv4(&clouds), &variables).code, Some(0));
    let section = format!("[default]\naws_access_key_id={ACCESS_KEY_ID}\naws_secret_access_key={ACCESS_KEY}\n");
    let file = clouds.write("credentials", section);
    let variables = [(FULL_URI, uri.as_os_str()), ("AWS_SHARED_CREDENTIALS_FILE", file.as_os_str())];
    assert_eq!(run(&clouds, sigv4(&clouds), &variables).code, Some(0));
    let output = run(&clouds, sigv4(&clouds).with("--profile", "dev"), &[(FULL_URI, &uri)]);
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.only_complaint().contains("no profile dev"), "{output:?}");
    assert!(server.asked().is_empty());
}

#[test]
fn a_key_that_ends_during_a_run_is_replaced_and_the_token_is_read_again() {
    const LINES: usize = 600;
    let clouds = Clouds::start();
    clouds.aws.add_access_key(AccessKey {
        access_key_id: "ASIASECOND".to_owned(),
        secret_access_key: ACCESS_KEY.to_owned(),
        session_token: Some(SESSION_TOKEN.to_owned()),
    });
    let token = clouds.write("token", "h7sh-first");
    let renewed = token.clone();
    let server = KeyServer::start(move |number| match number {
        // It has ended when it comes, which does not show. Meanwhile there is another token.
        0 => {
            fs::write(&renewed, "h7sh-second").unwrap();
            key("ASIAFIRST", "2001-01-01T00:00:00Z")
        }
        _ => key("ASIASECOND", NEVER),
    });
    let lines: String = (0..LINES).map(|number| format!("{number}\n")).collect();
    let line = sigv4(&clouds).lines(clouds.write("lines", lines));
    let output = run(&clouds, line, &[(FULL_URI, &server.uri()), (TOKEN_FILE, token.as_os_str())]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(clouds.aws.ledger().accepted().len(), LINES);
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].contains("h7sh-first") && asked[1].contains("h7sh-second"), "{asked:?}");
}

#[test]
fn a_server_that_gives_out_no_next_key_is_named_and_the_run_goes_on() {
    let clouds = Clouds::start();
    clouds.add_access_key(Some(SESSION_TOKEN));
    let server = KeyServer::start(|number| match number {
        // This one would do for longer than its end says.
        0 => key(ACCESS_KEY_ID, "2001-01-01T00:00:00Z"),
        _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
    });
    let line = sigv4(&clouds).lines(clouds.write("lines", "a\nb\n"));
    let output = run(&clouds, line, &[(FULL_URI, &server.uri())]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stderr.contains("status 404") && output.stderr.contains("stays in use"), "{output:?}");
    assert_eq!(clouds.aws_accepted().len(), 2);
}

#[test]
fn a_server_without_a_key_is_explained_in_one_line() {
    let clouds = Clouds::start();
    for (answer, words) in [
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", &["status 401", TOKEN_FILE][..]),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", &["status 404"]),
        ("HTTP/1.1 404 Not Found\r\n\r\n{\"message\":\"no role\"}", &["status 404 (no role)"]),
        ("HTTP/1.1 200 OK\r\n\r\n{\"Code\":\"Denied\",\"Message\":\"not you\"}", &["no key in it (Denied: not you)"]),
        ("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", &["status 500"]),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", &["no key in it"]),
        ("what?\r\n\r\n", &["not HTTP"]),
    ] {
        let server = KeyServer::start(|_| answer.to_owned());
        let output = run(&clouds, sigv4(&clouds), &[(FULL_URI, &server.uri())]);
        clouds.assert_wrong(&output, &[&[FULL_URI], words].concat());
        assert!(!output.stderr.contains("2016-11-01"), "a path may be a secret: {output:?}");
        // What may be better the next time is asked for again.
        let attempts = if answer.contains(" 500 ") || answer.starts_with("what") { 3 } else { 1 };
        assert_eq!(server.asked().len(), attempts, "{answer}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let uri = OsString::from(format!("http://{nobody}/x"));
    clouds.assert_wrong(&run(&clouds, sigv4(&clouds), &[(FULL_URI, &uri)]), &[FULL_URI, "refused"]);
    let missing = clouds.path("missing");
    let variables = [(FULL_URI, uri.as_os_str()), (TOKEN_FILE, missing.as_os_str())];
    clouds.assert_wrong(&run(&clouds, sigv4(&clouds), &variables), &[TOKEN_FILE, "cannot read"]);
}

#[test]
fn a_way_to_a_key_that_only_aws_knows_is_named_with_the_way_out() {
    let clouds = Clouds::start();
    let export = "aws configure export-credentials --format env";
    for (variable, value, word) in [
        (FULL_URI, "https://localhost/x", "https"),
        (FULL_URI, "http://example.com/x", "another host"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/token", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        ("AWS_REGION", "eu-central-1", "no profile default"),
    ] {
        let output = run(&clouds, sigv4(&clouds), &[(variable, OsStr::new(value))]);
        clouds.assert_wrong(&output, &["key", word, export]);
    }
}

#[test]
fn a_next_key_that_cannot_be_used_is_named_and_the_run_goes_on_with_the_one_it_has() {
    const LINES: usize = 600;
    let clouds = Clouds::start();
    clouds.add_access_key(Some(SESSION_TOKEN));
    let server = KeyServer::start(|number| match number {
        0 => key(ACCESS_KEY_ID, "2001-01-01T00:00:00Z"),
        _ => key("not an id", NEVER),
    });
    let lines: String = (0..LINES).map(|number| format!("{number}\n")).collect();
    let line = sigv4(&clouds).lines(clouds.write("lines", lines));
    let output = run(&clouds, line, &[(FULL_URI, &server.uri())]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stderr.contains("white space") && output.stderr.contains("stays in use"), "{output:?}");
    assert_eq!(clouds.aws_accepted().len(), LINES);
    assert!(server.asked().len() >= 2);
}
