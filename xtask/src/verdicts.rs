//! cargo reports each test program when it ends, and what failed in the third of nine has scrolled away when the ninth is
//! through. This reads along and says it once more at the end.

use std::fmt;

/// How a test says that this machine lacks what it needs. It counts as passed, so it must not go unseen.
const SKIPPED: &str = "SKIPPED: ";

/// What the test programs have said so far.
#[derive(Default)]
pub struct Verdicts {
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
    programs: Vec<Program>,
    passed: u64,
    failed: u64,
    ignored: u64,
    skipped: Vec<String>,
}

#[derive(Default)]
struct Program {
    name: String,
    has_failed: bool,
    failures: Vec<String>,
    /// Within the list of names that a program ends with. What failing tests have printed stands before it, and may have
    /// the same heading; the last one counts.
    in_list: bool,
}

impl Verdicts {
    /// Takes the next part of the output, wherever it was cut.
    pub fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                let line = without_colours(&String::from_utf8_lossy(&std::mem::take(&mut self.rest)));
                self.line(line.trim_end());
            } else {
                self.rest.push(*byte);
            }
        }
    }

    fn line(&mut self, line: &str) {
        let words = line.trim_start();
        if let Some(program) = words.strip_prefix("Running ").and_then(|program| program.strip_suffix(')')) {
            self.begin(stem(program).to_owned());
        } else if let Some(library) = words.strip_prefix("Doc-tests ") {
            self.begin(format!("{library}, documentation"));
        } else if let Some((_, reason)) = line.split_once(SKIPPED) {
            self.skipped.push(reason.to_owned());
        }
        let Some(program) = self.programs.last_mut() else { return };
        if line == "failures:" {
            program.in_list = true;
            program.failures.clear();
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            program.in_list = false;
            program.has_failed |= !counts.starts_with("ok");
            self.passed += count(counts, "passed");
            self.failed += count(counts, "failed");
            self.ignored += count(counts, "ignored");
        } else if let Some(how) = line.strip_prefix("error: ").and_then(|error| error.split_once("to rerun pass ")) {
            // What can be typed is the best of names. cargo says it also of a program that has crashed.
            program.name = how.1.replace('`', "");
            program.has_failed = true;
        } else if program.in_list {
            program.failures.extend(line.strip_prefix("    ").map(str::to_owned));
        }
    }

    fn begin(&mut self, name: String) {
        self.programs.push(Program { name, ..Program::default() });
    }
}

/// All failures, all that was skipped, and one line with the totals.
impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for program in self.programs.iter().filter(|program| program.has_failed) {
            writeln!(f, "failed in {}", program.name)?;
            for test in &program.failures {
                writeln!(f, "    {test}")?;
            }
            if program.failures.is_empty() {
                writeln!(f, "    the program ended without a verdict")?;
            }
        }
        for reason in &self.skipped {
            writeln!(f, "{SKIPPED}{reason}")?;
        }
        let Self { passed, failed, ignored, .. } = self;
        let (programs, skipped) = (self.programs.len(), self.skipped.len());
        write!(f, "{passed} passed, {failed} failed, {ignored} ignored, {skipped} skipped, in {programs} test programs")
    }
}

/// Of `unittests src/lib.rs (target/debug/deps/thingpost_host-0123456789abcdef` what a person would call it.
fn stem(program: &str) -> &str {
    let file = program.rsplit(['/', '\\', '(']).next().unwrap_or(program);
    file.rsplit_once('-').map_or(file, |(stem, _hash)| stem)
}

/// Of `FAILED. 2 passed; 1 failed; ..` the number before a word.
fn count(counts: &str, what: &str) -> u64 {
    let mut words = counts.split([' ', ';', '.']).filter(|word| !word.is_empty());
    let mut before = None;
    words
        .find_map(|word| if word == what { before } else { before.replace(word).and(None) })
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn without_colours(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let first = parts.next().unwrap_or_default();
    std::iter::once(first).chain(parts.map(|part| part.split_once('m').map_or(part, |(_, text)| text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
\u{1b}[1m\u{1b}[92m     Running\u{1b}[0m unittests src/lib.rs (target/debug/deps/thingpost_host-0123456789abcdef)

running 3 tests
test pool::a ... ok
SKIPPED: this machine has no IPv6
test pool::b ... ignored
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running main.rs (target/debug/deps/cli-fedcba9876543210)

running 3 tests
test bench::a ... FAILED
test lines::b ... FAILED
test lines::c ... ok

failures:

---- bench::a stdout ----
failures:
    something that the test has printed
---- lines::b stdout ----
failed

failures:
    bench::a
    lines::b

test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 60.12s

error: test failed, to rerun pass `-p thingpost-cli --test cli`
     Running main.rs (target/debug/deps/all-fedcba9876543210)

running 300 tests
error: test failed, to rerun pass `-p thingpost-tests --test all`

Caused by:
  process didn't exit successfully: `target/debug/deps/all-fedcba9876543210` (signal: 6, SIGABRT: process abort signal)
   Doc-tests thingpost

running 0 tests

test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

error: 2 targets failed:
    `-p thingpost-cli --test cli`
    `-p thingpost-tests --test all`
";

    const CLOSING: &str = "\
failed in -p thingpost-cli --test cli
    bench::a
    lines::b
failed in -p thingpost-tests --test all
    the program ended without a verdict
SKIPPED: this machine has no IPv6
3 passed, 2 failed, 1 ignored, 1 skipped, in 4 test programs";

    #[test]
    fn all_failures_are_listed_by_name_and_program_and_counted() {
        let mut verdicts = Verdicts::default();
        verdicts.read(OUTPUT.as_bytes());
        assert_eq!(verdicts.to_string(), CLOSING);
    }

    #[test]
    fn it_does_not_matter_where_the_output_is_cut() {
        for size in [1, 7, 64] {
            let mut verdicts = Verdicts::default();
            OUTPUT.as_bytes().chunks(size).for_each(|part| verdicts.read(part));
            assert_eq!(verdicts.to_string(), CLOSING);
        }
    }

    #[test]
    fn a_run_of_which_nothing_was_heard_has_nothing_passed() {
        assert_eq!(Verdicts::default().to_string(), "0 passed, 0 failed, 0 ignored, 0 skipped, in 0 test programs");
    }
}
