//! A session that outlives its process: used by the next one, private, and never in the way.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use crate::clouds::{Clouds, ROLE_ALIAS, numbered};
use crate::command::CommandLine;
use crate::process::{Output, THINGPOST, command};

/// How often a cloud was asked for a session.
type Asked = fn(&Clouds) -> usize;

/// Both commands that have a session.
fn both(clouds: &Clouds) -> [(CommandLine, Asked); 2] {
    [
        (clouds.publish_aliyun(), |clouds| clouds.aliyun.authentications() as usize),
        (clouds.by_role_alias(clouds.publish_aws()), |clouds| clouds.aws.credentials_issued()),
    ]
}

#[track_caller]
fn assert_silent(output: &Output) {
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
}

/// Delivers all the same, and says this in one line.
#[track_caller]
fn assert_complains(output: &Output, path: &Path, words: &[&str]) {
    assert_eq!(output.code, Some(0), "{output:?}");
    let complaint = output.complaint();
    for word in [&["--session-file", path.to_str().unwrap()], words].concat() {
        assert!(complaint.contains(word), "{word:?} is not in: {complaint}");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn session(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_next_process_goes_on_with_the_session_of_the_last() {
    let clouds = Clouds::start();
    for (number, (line, asked)) in both(&clouds).into_iter().enumerate() {
        let path = clouds.path(&format!("session{number}"));
        let line = line.with("--session-file", &path);
        assert_silent(&clouds.run(line.clone()));
        let first = fs::read(&path).unwrap();
        for _ in 0..2 {
            assert_silent(&clouds.run(line.clone()));
        }
        assert_eq!(asked(&clouds), 1);
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (first, 0o600));
    }
}

#[test]
fn a_session_that_has_ended_is_replaced_in_the_file() {
    let clouds = Clouds::start();
    for (number, (line, asked)) in both(&clouds).into_iter().enumerate() {
        let path = clouds.path(&format!("session{number}"));
        let line = line.with("--session-file", &path);
        assert_silent(&clouds.run(line.clone()));
        let first = fs::read(&path).unwrap();
        clouds.aliyun.revoke_tokens();
        clouds.aws.revoke_issued_keys();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_silent(&clouds.run(line.clone()));
        assert_eq!(asked(&clouds), 2);
        assert!(fs::read(&path).unwrap() != first && mode(&path) == 0o600);
        assert_silent(&clouds.run(line));
        assert_eq!(asked(&clouds), 2);
    }
}

#[test]
fn the_session_file_has_neither_the_device_secret_nor_the_private_key() {
    let clouds = Clouds::start();
    let hidden = clouds.secrets();
    for (number, (line, _)) in both(&clouds).into_iter().enumerate() {
        let path = clouds.path(&format!("session{number}"));
        assert_silent(&clouds.run(line.with("--session-file", &path)));
        let text = fs::read_to_string(&path).unwrap();
        assert!(hidden.iter().all(|secret| !text.contains(secret.as_str())));
    }
    // What is in it shows nowhere either.
    let key = session(&clouds.path("session1"));
    let secrets = ["secretAccessKey", "sessionToken"].map(|name| key[name].as_str().unwrap().to_owned());
    let line = clouds.by_role_alias(clouds.publish_aws()).with("--session-file", clouds.path("session1"));
    clouds.aws.deny_topic_prefix("sensors/");
    let output = clouds.run(line.and(&["--json"]));
    assert_eq!(output.code, Some(1));
    output.assert_without(&secrets);
}

#[test]
fn a_session_of_another_device_is_not_used_and_makes_way_for_a_new_one() {
    let clouds = Clouds::start();
    clouds.aws.add_role_alias("other", std::time::Duration::from_secs(3600));
    let path = clouds.path("session");
    let line = clouds.by_role_alias(clouds.publish_aws()).with("--session-file", &path);
    assert_silent(&clouds.run(line.clone().with("--role-alias", "other")));
    assert_complains(&clouds.run(line.clone()), &path, &["another device, endpoint or version", "not used"]);
    assert_eq!(session(&path)["roleAlias"], ROLE_ALIAS);
    assert_silent(&clouds.run(line));
    let later = fs::read_to_string(&path).unwrap().replace("\"version\":1", "\"version\":99");
    fs::write(&path, later).unwrap();
    let line = clouds.publish_aliyun().with("--session-file", &path);
    assert_complains(&clouds.run(line.clone()), &path, &["not used"]);
    assert_silent(&clouds.run(line));
}

#[test]
fn what_is_no_session_stays_as_it_is_and_is_named() {
    let clouds = Clouds::start();
    let large = format!(r#"{{"version":1,"obtainedUnixMs":1,"x":"{}"}}"#, "x".repeat(100_000));
    for content in [&b"my diary"[..], b"\xff\xfe", b"{\"version\":1}", b"\n", large.as_bytes()] {
        let path = clouds.write("diary", content);
        for (line, _) in both(&clouds) {
            let output = clouds.run(line.with("--session-file", &path));
            assert_complains(&output, &path, &["something else than a session", "another file"]);
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
    let empty = clouds.write("empty", "");
    assert_silent(&clouds.run(clouds.publish_aliyun().with("--session-file", &empty)));
    assert!(session(&empty).is_object(), "as `mktemp` leaves it");
}

#[test]
fn a_broken_configuration_is_not_blamed_on_the_session() {
    let clouds = Clouds::start();
    let path = clouds.path("session");
    let line = clouds.publish_aliyun().with("--session-file", &path);
    assert_silent(&clouds.run(line.clone()));
    let before = fs::read(&path).unwrap();
    let output = clouds.run(line.with("--client-id", ""));
    assert_eq!(output.code, Some(2), "{output:?}");
    let complaint = output.only_complaint();
    assert!(complaint.contains("client id") && !complaint.contains("session"), "{complaint}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_place_that_cannot_hold_a_session_is_found_before_anything_is_sent() {
    let clouds = Clouds::start();
    let device = Path::new("/dev/null");
    let in_missing_folder = clouds.path("missing/session");
    let folder = clouds.path("");
    for (path, word) in [(device, "not a file"), (&folder, "not a file"), (&in_missing_folder, "No such file")] {
        for (line, _) in both(&clouds) {
            clouds.assert_usage(line.with("--session-file", path), &["session", path.to_str().unwrap(), word]);
        }
    }
    assert!(!fs::metadata(device).unwrap().is_file());
}

#[test]
fn it_is_none_of_the_files_that_are_read_nor_the_one_for_failed_lines() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", "a\n");
    let by_role = clouds.by_role_alias(clouds.publish_aws());
    for (line, option, path) in [
        (by_role.clone(), "--key", clouds.path("private.pem.key")),
        (by_role.clone(), "--ca", clouds.path("ca.pem")),
        (clouds.publish_aliyun(), "--device-secret-file", clouds.path("secret.txt")),
        (by_role.clone().lines(&lines), "--lines", lines.clone()),
        (by_role.clone().without("--message").with("--file", &lines), "--file", lines.clone()),
    ] {
        let before = fs::read(&path).unwrap();
        clouds.assert_usage(line.with("--session-file", &path), &["--session-file and", option, "another file"]);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    let session = clouds.write("session", "");
    let line = by_role.lines(&lines).with("--session-file", &session).with("--failed", &session);
    clouds.assert_usage(line, &["--failed and --session-file are both"]);
}

#[test]
fn a_session_that_cannot_be_kept_takes_nothing_from_the_message() {
    let clouds = Clouds::start();
    let path = Path::new("/proc/session");
    let output = clouds.run(clouds.publish_aliyun().with("--session-file", path));
    assert_complains(&output, path, &["cannot be written"]);
    assert!(output.stdout.starts_with("delivered to "));
}

#[test]
fn a_link_stays_a_link() {
    let clouds = Clouds::start();
    let (path, link) = (clouds.write("session", ""), clouds.path("link"));
    symlink(&path, &link).unwrap();
    assert_silent(&clouds.run(clouds.publish_aliyun().with("--session-file", &link)));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && session(&path).is_object());
}

#[test]
fn where_there_is_no_session_the_file_is_neither_read_nor_made() {
    let clouds = Clouds::start();
    let path = clouds.write("diary", "mine");
    assert_silent(&clouds.run(clouds.publish_aws().with("--session-file", &path)));
    assert_silent(&clouds.run(clouds.publish_aws().with("--session-file", clouds.path("new"))));
    assert!(fs::read(&path).unwrap() == b"mine" && !clouds.path("new").exists());
}

#[test]
fn during_many_lines_the_session_is_kept_as_soon_as_there_is_one() {
    let clouds = Clouds::start();
    let path = clouds.path("session");
    let line = clouds.by_role_alias(clouds.publish_aws().lines("-")).with("--session-file", &path);
    let mut process = clouds.start_piped(line);
    process.write(b"first\n");
    process.wait_until("the session", |_| path.exists());
    clouds.aws.revoke_issued_keys();
    let first = fs::read(&path).unwrap();
    process.write(b"second\n");
    process.wait_until("another session", |_| fs::read(&path).unwrap() != first);
    assert_silent(&clouds.checked(process.end()));
}

#[test]
fn many_short_runs_at_once_share_one_token_and_survive_its_end() {
    let clouds = Clouds::start();
    let path = clouds.path("session");
    let line = clouds.publish_aliyun().with("--session-file", &path);
    assert_silent(&clouds.run(line.clone()));
    let at_once = || {
        let processes: Vec<_> = (0..6).map(|_| clouds.start_command(clouds.command(line.clone()))).collect();
        for process in processes {
            assert_silent(&clouds.checked(process.end()));
        }
    };
    at_once();
    assert_eq!(clouds.aliyun.authentications(), 1);
    clouds.aliyun.revoke_tokens();
    at_once();
    let authentications = clouds.aliyun.authentications();
    assert!((2..=7).contains(&authentications), "at most once for each: {authentications}");
    at_once();
    assert_eq!(clouds.aliyun.authentications(), authentications, "what one of them left is good for all");
    assert_eq!((clouds.aliyun.ledger().accepted().len(), mode(&path)), (19, 0o600));
}

#[test]
fn processes_that_run_at_once_share_a_token_also_where_a_new_one_ends_the_older() {
    let clouds = Clouds::start();
    clouds.aliyun.keep_only_the_latest_token(true);
    let path = clouds.path("session");
    let line = clouds.publish_aliyun().lines("-").with("--session-file", &path);
    let mut processes = [(); 2].map(|()| clouds.start_piped(line.clone()));
    let mut sent = 0;
    let strikes = 5;
    for _ in 0..strikes {
        for process in &mut processes {
            process.write(b"a\nb\nc\n");
        }
        sent += 6;
        processes[0].wait_until("the lines", |_| clouds.aliyun.ledger().accepted().len() == sent);
        // Both have it by now, and to both it is of no use any more.
        clouds.aliyun.revoke_tokens();
    }
    for process in processes {
        let output = clouds.checked(process.end());
        assert_eq!(output.stdout, "15 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    }
    let authentications = clouds.aliyun.authentications();
    assert!(authentications < 2 * strikes, "one of both for each token: {authentications}");
}

#[test]
fn many_processes_that_share_a_file_leave_a_whole_session_that_nobody_else_can_read() {
    let clouds = Clouds::start();
    clouds.aliyun.set_token_lifetime(std::time::Duration::from_secs(3600));
    fs::create_dir(clouds.path("shared")).unwrap();
    let path = clouds.path("shared/session");
    let lines = clouds.write("lines", numbered(20).join("\n"));
    let line = clouds.publish_aliyun().lines(lines).with("--session-file", &path);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let looks = scope.spawn(|| {
            let mut looks = 0;
            while !is_over.load(Ordering::Relaxed) {
                for file in fs::read_dir(clouds.path("shared")).unwrap().flatten() {
                    // One that is gone by now was replaced.
                    let Ok(metadata) = fs::metadata(file.path()) else { continue };
                    assert_eq!(metadata.permissions().mode() & 0o077, 0, "{:?}", file.path());
                }
                if let Ok(text) = fs::read_to_string(&path) {
                    assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
                    looks += 1;
                }
            }
            looks
        });
        for _ in 0..3 {
            let start = |_| {
                let words = line.clone().into_arguments();
                let quoted = words.iter().map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>();
                let mut shell = command("sh");
                shell.args(["-c", &format!("umask 0; exec '{THINGPOST}' {}", quoted.join(" "))]);
                clouds.start_command(shell)
            };
            let processes: Vec<_> = (0..5).map(start).collect();
            for process in processes {
                assert_silent(&clouds.checked(process.end()));
            }
            clouds.aliyun.revoke_tokens();
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(looks.join().unwrap() > 0);
    });
    assert_eq!(fs::read_dir(clouds.path("shared")).unwrap().count(), 1, "nothing is left behind");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn the_session_and_the_failed_lines_cannot_go_to_one_new_file() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines.txt", "1\n2\n");
    let both = clouds.path("both");
    let line = clouds.publish_aliyun().lines(&lines).with("--failed", &both).with("--session-file", &both);
    let output = clouds.run(line);
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.complaint().contains("--failed and --session-file"), "{output:?}");
    assert!(clouds.aliyun.ledger().entries().is_empty() && !both.exists());
}

#[cfg(unix)]
#[test]
fn a_session_file_that_others_could_read_is_closed_to_them_and_a_link_to_nowhere_is_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let clouds = Clouds::start();
    let file = clouds.path("session");
    let line = || clouds.publish_aliyun().with("--session-file", &file);
    assert_eq!(clouds.run(line()).code, Some(0));
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    assert_eq!(clouds.run(line()).code, Some(0));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let link = clouds.path("link");
    symlink(clouds.path("nowhere"), &link).unwrap();
    let output = clouds.run(clouds.publish_aliyun().with("--session-file", &link));
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.complaint().contains("leads nowhere"), "{output:?}");
}
