//! `thingpost bench`: that it measures all there is and ends. What it measures here, unoptimised, says nothing.

use crate::process::{Process, THINGPOST, command};

#[test]
fn a_quick_look_measures_every_section_and_makes_a_page_with_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("bench.html");
    let mut bench = command(THINGPOST);
    bench.args(["bench", "--quick", "--html"]).arg(&page);
    let output = Process::start(bench, Vec::new()).end();
    assert_eq!(output.code, Some(0), "{output:?}");
    for section in
        ["A publish", "Payloads", "Ways to authenticate", "Pure functions", "Start", "Devices", "work-stealing"]
    {
        assert!(output.stdout.contains(section), "{section}: {}", output.stdout);
    }
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && page.contains("32 in flight"), "{page}");
}

#[test]
fn a_page_that_cannot_be_written_is_named_before_anything_is_measured() {
    let mut bench = command(THINGPOST);
    bench.args(["bench", "--html", "/nowhere/bench.html"]);
    let output = Process::start(bench, Vec::new()).end();
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output:?}");
    assert!(output.stderr.contains("/nowhere/bench.html") && output.stderr.lines().count() == 1, "{output:?}");
}
