//! Commands in a README rot first. Each `sh` block of the README and of the pages in `docs/` runs here, as it stands, in a
//! shell: against the emulators of `thingpost emulate`, with the files that the pages name.
//!
//! A block ends with exit code 0, or with the one behind its fence (`sh exit=2`). What cargo has to do is only looked at.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::emulate::{ready, secrets};
use crate::process::{Process, THINGPOST, command, skipped};

/// What pages have for something that differs on each machine, and what the emulators have instead.
const PLACEHOLDERS: [(&str, &str); 2] = [
    ("THINGPOST_DEVICE_SECRET=...", "THINGPOST_DEVICE_SECRET=emulated-device-secret"),
    ("--role-alias publisher", "--role-alias thingpost-emulator"),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A page by its path in the workspace.
fn page(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A block of commands, and how it ends.
#[derive(Debug, PartialEq)]
struct Block {
    script: String,
    exit: i32,
}

/// The blocks of a page that a shell can run.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else { continue };
        let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let exit = match fence.split_once(' ') {
            None if fence == "sh" => 0,
            Some(("sh", exit)) => exit.strip_prefix("exit=").and_then(|code| code.parse().ok()).expect(fence),
            _ => continue,
        };
        blocks.push(Block { script: content.join("\n"), exit });
    }
    blocks
}

/// Both clouds in a process of their own, and a folder as the pages take it for granted.
struct Desk {
    folder: TempDir,
    has_mqtt: bool,
    /// Publishes to where the pages subscribe.
    publication: String,
    emulators: Process,
}

impl Desk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let emulators = ready(folder.path(), &[]);
        let printed = emulators.stdout();
        let (https, mqtt) = printed.split_once("Over MQTT").unwrap_or((&printed, ""));
        let mut https = connect_to(https);
        // The page does not name the endpoint that is asked for the instance of a device: there is only one.
        let global = https.iter().find_map(|to| to.strip_prefix("iot-auth.cn-shanghai.aliyuncs.com:"));
        https.push(format!("iot-auth-global.aliyuncs.com:{}", global.expect("one for registrations")));
        let options = |all: &[String]| all.iter().map(|to| format!(" --connect-to {to}")).collect::<String>();
        let (https, mqtt) = (options(&https), options(&connect_to(mqtt)));
        let program = format!("'{}'", THINGPOST.replace('\'', r"'\''"));
        // Everything but where the clouds are is as a user has typed it.
        let script = format!(
            "#!/bin/sh\ncase \"$1 $2\" in\n'emulate '*|'serve '*) exec {program} \"$@\" ;;\n'mqtt subscribe') exec {program} \"$@\" \
             --count 1{mqtt} ;;\n'mqtt '*|'doctor mqtt') exec {program} \"$@\"{mqtt} ;;\n*) exec {program} \"$@\"{https} \
             ;;\nesac\n"
        );
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        fs::write(bin.join("thingpost"), script).unwrap();
        fs::set_permissions(bin.join("thingpost"), fs::Permissions::from_mode(0o755)).unwrap();
        #[cfg(feature = "pkcs11")]
        crate::tokens::configure(folder.path());
        let credentials = folder.path().join("aws-credentials.txt");
        let section = fs::read_to_string(&credentials).unwrap().replace("[thingpost-emulator]", "[factory]");
        fs::write(&credentials, section).unwrap();
        let publication = printed.split("\n\n").find(|part| part.starts_with("thingpost mqtt publish "));
        let publication = publication.unwrap_or_default().to_owned();
        Self { folder, has_mqtt: !mqtt.is_empty(), publication, emulators }
    }

    /// Starts a script as a user would.
    fn start(&self, script: &str) -> Process {
        let folder = self.folder.path();
        let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap_or_default());
        let mut shell = command("sh");
        shell
            .args(["-e", "-c", script])
            .current_dir(folder)
            .env("PATH", path)
            .env("SSL_CERT_FILE", folder.join("ca.pem"))
            .env("SOFTHSM2_CONF", folder.join("softhsm2.conf"))
            .env("AWS_SHARED_CREDENTIALS_FILE", folder.join("aws-credentials.txt"));
        // The placeholder for a secret stands in the script, and so in the list of processes.
        let secret = "emulated-device-secret";
        Process::start(shell, secrets(folder).into_iter().filter(|it| it != secret).collect())
    }

    #[track_caller]
    fn run(&self, block: &Block) {
        let mut script = block.script.clone();
        for (placeholder, value) in PLACEHOLDERS {
            script = script.replace(placeholder, value);
        }
        if script.contains("thingpost emulate") {
            let mut emulate = self.start(&format!("exec {script} --dir another"));
            emulate.wait_until("the emulator", |process| process.stdout().contains("Ctrl-C ends it."));
            emulate.signal("INT");
            let output = emulate.end();
            assert_eq!(output.code, Some(0), "{script}\n{output:?}");
            return;
        }
        let mut process = self.start(&script);
        if script.contains("thingpost mqtt subscribe") {
            process.wait_until("the subscription", |process| process.stderr().contains("subscribed to"));
            assert_eq!(self.start(&self.publication).end().code, Some(0));
        }
        let output = process.end();
        assert_eq!(output.code, Some(block.exit), "{script}\n{output:?}");
    }
}

/// Where printed commands find their clouds.
fn connect_to(printed: &str) -> Vec<String> {
    let mut all: Vec<String> = printed
        .split("--connect-to ")
        .skip(1)
        .filter_map(|rest| rest.split_whitespace().next())
        .map(str::to_owned)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether a block only has commands that build something.
fn is_for_cargo(script: &str) -> bool {
    script.lines().all(|line| line.starts_with("cargo "))
}

/// Runs all blocks of a page.
#[track_caller]
fn assert_works(path: &str) {
    let blocks: Vec<Block> = blocks(&page(path)).into_iter().filter(|block| !is_for_cargo(&block.script)).collect();
    assert!(!blocks.is_empty(), "{path} has no commands");
    let desk = Desk::new();
    for block in &blocks {
        let is_mqtt = block.script.contains("thingpost mqtt ") || block.script.contains("doctor mqtt");
        match is_mqtt && !desk.has_mqtt {
            true => skipped("mosquitto is not installed"),
            false => desk.run(block),
        }
    }
    assert_eq!(desk.emulators.stderr(), "");
}

/// The pages with commands that run.
const PAGES: [&str; 10] = [
    "README.md",
    "docs/aliyun.md",
    "docs/aws.md",
    "docs/command.md",
    "docs/emulator.md",
    "docs/exit-codes.md",
    "docs/mqtt.md",
    "docs/tokens.md",
    "docs/networks.md",
    "docs/serve.md",
];

#[test]
fn the_commands_of_the_readme_work() {
    assert_works(PAGES[0]);
}

#[test]
fn the_commands_for_aliyun_work() {
    assert_works(PAGES[1]);
}

#[test]
fn the_commands_for_aws_work() {
    assert_works(PAGES[2]);
}

#[test]
fn the_commands_for_many_messages_work() {
    assert_works(PAGES[3]);
}

#[test]
fn the_commands_that_emulate_work() {
    assert_works(PAGES[4]);
}

#[test]
fn the_commands_end_with_the_exit_codes_that_the_page_says() {
    assert_works(PAGES[5]);
}

#[test]
fn the_commands_over_mqtt_work() {
    assert_works(PAGES[6]);
}

#[cfg(feature = "pkcs11")]
#[test]
fn the_commands_with_tokens_work() {
    match crate::tokens::library() {
        Some(library) if library == Path::new("/usr/lib/softhsm/libsofthsm2.so") => assert_works(PAGES[7]),
        _ => skipped("documentation::the_commands_with_tokens_work: SoftHSM is not where Debian puts it (softhsm2)"),
    }
}

#[test]
fn the_commands_about_networks_work() {
    assert_works(PAGES[8]);
}

#[cfg(feature = "serve")]
#[test]
fn the_commands_that_serve_work() {
    assert_works(PAGES[9]);
}

/// The pages of the workspace, by their paths in it.
fn all_pages() -> Vec<String> {
    let entries =
        |folder: &str| fs::read_dir(workspace().join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
    let is_page = |name: &String| name.ends_with(".md");
    let of_docs = entries("docs").map(|name| format!("docs/{}", name.to_string_lossy()));
    entries(".").map(|name| name.to_string_lossy().into_owned()).chain(of_docs).filter(is_page).collect()
}

#[test]
fn no_page_has_commands_that_nothing_runs() {
    let mut tasks = 0;
    for path in all_pages() {
        for block in blocks(&page(&path)) {
            if !is_for_cargo(&block.script) {
                assert!(PAGES.contains(&path.as_str()), "nothing runs {}\n{}", path, block.script);
                continue;
            }
            for task in block.script.lines().filter_map(|line| line.strip_prefix("cargo xtask ")) {
                assert!(knows(task), "there is no cargo xtask {task}");
                tasks += 1;
            }
        }
    }
    assert!(tasks >= 3, "{tasks}");
}

/// Whether `cargo xtask` has a task of this name.
fn knows(task: &str) -> bool {
    let name = task.split_whitespace().next().unwrap_or_default();
    let mut sources = fs::read_dir(workspace().join("xtask/src")).unwrap();
    sources
        .any(|entry| fs::read_to_string(entry.unwrap().path()).is_ok_and(|text| text.contains(&format!("\"{name}\""))))
}

#[test]
fn what_a_page_links_to_is_there() {
    let mut count = 0;
    for path in all_pages() {
        let folder = workspace().join(&path).parent().unwrap().to_owned();
        let text = page(&path);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") && !link.starts_with('#') {
                let target = link.split('#').next().unwrap_or_default();
                assert!(folder.join(target).exists(), "{path} links to {link}");
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}

/// The blocks of a page in another language.
fn code(page: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    page.split(&begin).skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

#[test]
fn rust_in_a_page_stands_in_an_example_that_is_compiled() {
    let mut compiled = fs::read_to_string(workspace().join("host/src/lib.rs")).unwrap();
    for examples in ["host/examples", "client/examples"] {
        for entry in fs::read_dir(workspace().join(examples)).unwrap() {
            compiled.push_str(&fs::read_to_string(entry.unwrap().path()).unwrap());
        }
    }
    let compiled: Vec<&str> = compiled.lines().map(|line| line.trim_start_matches(['/', '!', ' '])).collect();
    let mut count = 0;
    for path in ["README.md", "docs/embedding.md"] {
        for block in code(&page(path), "rust") {
            for line in block.lines().map(|line| line.trim_start_matches(['/', ' '])).filter(|line| !line.is_empty()) {
                assert!(compiled.contains(&line), "{path}: no example has the line {line}");
                count += 1;
            }
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn what_other_languages_call_is_declared_in_wit() {
    let mut wit = String::new();
    for entry in fs::read_dir(workspace().join("wit")).unwrap() {
        wit.push_str(&fs::read_to_string(entry.unwrap().path()).unwrap_or_default());
    }
    let kebab = |name: &str| {
        name.chars().fold(String::new(), |mut text, letter| {
            if letter.is_uppercase() {
                text.push('-');
            }
            text.extend(letter.to_lowercase());
            text
        })
    };
    let mut count = 0;
    for path in ["README.md", "docs/components.md"] {
        for block in code(&page(path), "js") {
            for name in block.split("awsCodec.").skip(1).filter_map(|rest| rest.split('(').next()) {
                assert!(wit.contains(&format!("    {}: func(", kebab(name))), "{path}: {name}");
                count += 1;
            }
        }
    }
    assert_eq!(count, 4);
    let python = code(&page("docs/components.md"), "python").concat();
    assert!(python.contains(&format!("\"thingpost:iot/aws-codec@{}\"", env!("CARGO_PKG_VERSION"))), "{python}");
    assert!(python.contains("\"publish-request\"") && wit.contains("    publish-request: func("));
}

/// What a page says beside its blocks.
fn prose(page: &str) -> String {
    let mut is_block = false;
    let mut prose = String::new();
    for line in page.lines() {
        let is_fence = line.starts_with("```");
        is_block ^= is_fence;
        if !is_block && !is_fence {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

#[test]
fn a_path_that_a_page_names_is_there() {
    let is_plain = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter));
    let mut count = 0;
    for path in all_pages() {
        for name in prose(&page(&path)).split('`').skip(1).step_by(2).filter(|name| is_plain(name)) {
            // Of the workspace, and not of some other machine.
            let Some((first, _)) = name.split_once('/').filter(|(first, _)| !first.is_empty()) else { continue };
            if workspace().join(first).is_dir() && first != "target" {
                assert!(workspace().join(name).exists(), "{path} names {name}");
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn a_block_is_told_from_text_that_looks_like_one() {
    let page = "```sh\na\nb \\\n  c\n```\ntext\n```text\nd\n```\n```sh exit=3\ne\n```\n```\nf\n```\n";
    let block = |script: &str, exit| Block { script: script.to_owned(), exit };
    assert_eq!(blocks(page), [block("a\nb \\\n  c", 0), block("e", 3)]);
}
