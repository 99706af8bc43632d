//! `thingpost bench`: that it measures all there is, ends, and leaves nothing. What it measures here, unoptimised, says
//! nothing.

use std::fs;
use std::time::Duration;

use crate::process::{Process, THINGPOST, command};

/// It does by far the most of all that is run here: 18 seconds on two cores that have nothing else to do.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn a_quick_look_measures_every_section_and_makes_a_page_with_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("bench.html");
    let mut bench = command(THINGPOST);
    bench.args(["bench", "--quick", "--html"]).arg(&page);
    let output = Process::start(bench, Vec::new()).patiently(PATIENCE).end();
    assert_eq!(output.code, Some(0), "{output:?}");
    for section in
        ["A publish", "Payloads", "Ways to authenticate", "Pure functions", "Start", "Devices", "work-stealing"]
    {
        assert!(output.stdout.contains(section), "{section}: {}", output.stdout);
    }
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && page.contains("32 in flight"), "{page}");
}

#[test]
fn an_interrupted_bench_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let (scratch, page) = (folder.path().join("scratch"), folder.path().join("bench.html"));
    fs::create_dir(&scratch).unwrap();
    let mut bench = command(THINGPOST);
    bench.env("TMPDIR", &scratch).args(["bench", "--html"]).arg(&page);
    let mut process = Process::start(bench, Vec::new());
    process.wait_until("a folder", |_| fs::read_dir(&scratch).unwrap().count() == 1);
    process.wait_until("a section", |process| process.stdout().contains("one in flight"));
    process.signal("INT");
    assert_eq!(process.end().code, Some(130));
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
    assert!(!page.exists());
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
