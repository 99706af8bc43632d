//! Against moto, an AWS for tests by other authors: it calls its JSON `text/html`, closes each connection, and
//! has its own idea of what a shadow is. It knows nothing of certificates, so requests are signed, and of signatures it reads
//! region and service alone. `cargo xtask moto` installs it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::CommandLine;
use crate::process::{Output, Process, THINGPOST, command, skipped};

const REGION: &str = "eu-central-1";

struct Moto {
    server: Child,
    authority: String,
    folder: TempDir,
}

impl Moto {
    /// None where it is not installed, which is said past the harness: that shows nothing of a test that passes.
    fn start(test: &str) -> Option<Self> {
        let program = installed("moto_server");
        if !program.is_file() {
            skipped(&format!("moto::{test}: moto is not installed: `cargo xtask moto` says why, or installs it"));
            return None;
        }
        let folder = TempDir::new().unwrap();
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&certificate, certified.cert.pem()).unwrap();
        std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
        let mut server = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", "0", "-c"])
            .arg(&certificate)
            .arg("-k")
            .arg(&key)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
        let authority = said.by_ref().find_map(|line| Some(line.split_once("https://")?.1.trim().to_owned()));
        // What it says has to be read, or it stops.
        std::thread::spawn(move || said.for_each(drop));
        let mut moto = Self { server, authority: String::new(), folder };
        moto.authority = authority.expect("moto says where it listens");
        Some(moto)
    }

    /// By its control plane, which this project has no business with.
    fn create_thing(&self, name: &str) {
        const SCRIPT: &str = "\
import ssl, sys, urllib.request as web
scope = 'AKIDEXAMPLE/20260101/eu-central-1/iot/aws4_request'
headers = {'content-type': 'application/json', 'authorization': f'AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0'}
web.urlopen(web.Request(sys.argv[1], b'{}', headers), context=ssl._create_unverified_context()).read()";
        let mut python = Command::new(installed("python"));
        let python = python.args(["-c", SCRIPT]).arg(format!("https://{}/things/{name}", self.authority));
        assert!(python.status().unwrap().success());
    }

    fn run(&self, words: &[&str], options: &[(&'static str, &str)]) -> Output {
        let mut line = CommandLine::new(words)
            .with("--endpoint", "localhost")
            .with("--connect-to", format!("::{}", self.authority))
            .with("--ca", self.folder.path().join("cert.pem"))
            .with("--region", REGION)
            .and(&["--sigv4"]);
        for (option, value) in options {
            line = line.with(option, value);
        }
        let mut command = command(THINGPOST);
        command.args(line.into_arguments());
        command.envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "h7sh-moto")]);
        Process::start(command, vec!["h7sh-moto".to_owned()]).end()
    }

    #[track_caller]
    fn done(&self, words: &[&str], options: &[(&'static str, &str)]) -> String {
        let output = self.run(words, options);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{words:?} {output:?}");
        output.stdout
    }

    #[track_caller]
    fn document(&self, words: &[&str], options: &[(&'static str, &str)]) -> Value {
        serde_json::from_str(&self.done(words, options)).unwrap()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn installed(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/moto/bin").join(program)
}

#[test]
fn messages_are_delivered_to_moto_one_by_one_and_by_lines() {
    let Some(moto) = Moto::start("messages_are_delivered_to_moto_one_by_one_and_by_lines") else { return };
    for topic in ["sensors/kitchen", "a b/é", "/leading/slash"] {
        let said = moto.done(&["publish", "aws"], &[("--topic", topic), ("--message", "21.5")]);
        assert!(said.starts_with("delivered to ") && said.contains("trace id"), "{said}");
    }
    let lines = moto.folder.path().join("lines");
    std::fs::write(&lines, (0..40).map(|number| format!("{number}\n")).collect::<String>()).unwrap();
    let output = moto.run(&["publish", "aws"], &[("--topic", "a"), ("--lines", lines.to_str().unwrap())]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn shadows_are_made_read_listed_and_deleted_on_moto() {
    let Some(moto) = Moto::start("shadows_are_made_read_listed_and_deleted_on_moto") else { return };
    moto.create_thing("thermometer");
    let thing = ("--thing", "thermometer");
    let update = ("--document", r#"{"state":{"desired":{"celsius":21.5},"reported":{"celsius":20}}}"#);
    for name in [&[][..], &[("--name", "room")], &[("--name", "cellar")]] {
        let of = |more: &[(&'static str, &'static str)]| [&[thing], name, more].concat();
        let accepted = moto.document(&["shadow", "update"], &of(&[update]));
        assert_eq!(accepted["version"], 1, "{accepted}");
        let document = moto.document(&["shadow", "get"], &of(&[]));
        assert_eq!(document["state"]["desired"]["celsius"], json!(21.5), "{document}");
        let output = moto
            .run(&["shadow", "update"], &of(&[("--document", r#"{"state":{"reported":{"celsius":1}},"version":7}"#)]));
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.only_complaint().contains("status 409"), "{output:?}");
    }
    let mut names: Vec<String> = moto.done(&["shadow", "list"], &[thing]).lines().map(str::to_owned).collect();
    names.sort_unstable();
    assert_eq!(names, ["cellar", "room"]);
    moto.document(&["shadow", "delete"], &[thing, ("--name", "room")]);
    moto.document(&["shadow", "delete"], &[thing]);
    for gone in [&[thing][..], &[thing, ("--name", "room")], &[("--thing", "nobody")]] {
        let output = moto.run(&["shadow", "get"], gone);
        assert_eq!(output.code, Some(1), "{gone:?} {output:?}");
        assert!(output.only_complaint().contains("status 404"), "{gone:?} {output:?}");
    }
}

#[test]
fn a_retained_message_is_read_back_from_moto() {
    const TEST: &str = "a_retained_message_is_read_back_from_moto";
    let Some(moto) = Moto::start(TEST) else { return };
    let topic = ("--topic", "sensors/kept");
    let output = moto.run(&["publish", "aws", "--retain"], &[topic, ("--message", "21.5")]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let output = moto.run(&["retained", "get"], &[topic, ("--timeout", "2")]);
    // It takes the message and forgets it.
    if output.code == Some(4) && output.stderr.contains("status 500") {
        return skipped(&format!("moto::{TEST}: this version of moto keeps no messages"));
    }
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "21.5"), "{output:?}");
    assert!(moto.done(&["retained", "list"], &[]).contains("sensors/kept"));
}
