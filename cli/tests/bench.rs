//! `thingpost bench`: that it measures all there is, ends, and leaves nothing. What it measures here, unoptimised, says
//! nothing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::{Process, THINGPOST, command};

#[test]
fn a_quick_look_measures_every_section_and_makes_a_page_with_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("bench.html");
    let mut bench = command(THINGPOST);
    bench.args(["bench", "--quick", "--html"]).arg(&page);
    let mut process = Process::start(bench, Vec::new());
    // One by one: each of them may take minutes where machine and build are slow.
    for section in
        ["A publish", "Payloads", "Ways to authenticate", "Pure functions", "Start", "Devices", "MQTT", "work-stealing"]
    {
        process.wait_until(section, |process| process.stdout().contains(section));
    }
    let output = process.end();
    assert_eq!(output.code, Some(0), "{output:?}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && page.contains("32 in flight"), "{page}");
}

/// How many files and folders it has, as far as it is there.
fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// The first folder in it.
fn first(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.next()?.ok().map(|entry| entry.path())
}

/// Whether one of the threads of a process has this name.
fn has_thread(process: u32, name: &str) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return false };
    threads.flatten().any(|thread| fs::read_to_string(thread.path().join("comm")).is_ok_and(|comm| comm.trim() == name))
}

/// Not only where it is quick to get to: to measure a section takes minutes on a slow machine.
#[test]
fn an_interrupted_bench_leaves_no_files() {
    type Moment = (&'static str, fn(&Process, &Path) -> bool);
    let moments: [Moment; 3] = [
        ("a folder, while the server makes its devices", |_, scratch| count(scratch) == 1),
        ("a broker in that folder", |_, scratch| first(scratch).is_some_and(|folder| count(&folder) > 0)),
        ("the first section", |process, _| has_thread(process.id(), "measuring")),
    ];
    for (what, has_come) in moments {
        let folder = tempfile::tempdir().unwrap();
        let (scratch, page) = (folder.path().join("scratch"), folder.path().join("bench.html"));
        fs::create_dir(&scratch).unwrap();
        let mut bench = command(THINGPOST);
        bench.env("TMPDIR", &scratch).args(["bench", "--html"]).arg(&page);
        let mut process = Process::start(bench, Vec::new());
        process.wait_until(what, |process| has_come(process, &scratch));
        process.signal("INT");
        // With its output ends that of the server, too.
        let output = process.end();
        assert_eq!((output.code, output.stdout.as_str()), (Some(130), ""), "{what}: {output:?}");
        assert!(!output.stderr.contains("cannot"), "{what}: {output:?}");
        assert_eq!((count(&scratch), page.exists()), (0, false), "{what}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_is_one_line_and_no_panic() {
    let mut bench = command(THINGPOST);
    bench.env("TMPDIR", "/nowhere").args(["bench", "--quick"]);
    let output = Process::start(bench, Vec::new()).end();
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output:?}");
    let complaint = output.stderr.lines().last().unwrap_or_default();
    assert!(complaint.starts_with("thingpost: cannot measure: ") && complaint.contains("/nowhere"), "{output:?}");
}

#[test]
fn a_page_that_cannot_be_written_is_named_before_anything_is_measured() {
    let mut bench = command(THINGPOST);
    bench.args(["bench", "--html", "/nowhere/bench.html"]);
    let output = Process::start(bench, Vec::new()).end();
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output:?}");
    assert!(output.stderr.contains("/nowhere/bench.html") && output.stderr.lines().count() == 1, "{output:?}");
}
