//! `docs/emulator.md` is made from the same table as the help of the command, and what it tells people to type is read.

use std::path::PathBuf;
use std::{env, fs};

use thingpost_emulator::{CHAOS_VALUES, Chaos};

const BEGIN: &str =
    "<!-- chaos: written by `THINGPOST_WRITE_DOCS=1 cargo test -p thingpost-emulator documentation` -->\n";
const END: &str = "<!-- end of chaos -->";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/emulator.md")
}

fn tables() -> String {
    let mut text = "| item | over | what happens |\n|---|---|---|\n".to_owned();
    for item in Chaos::items() {
        text.push_str(&format!("| `{}` | {} | {} |\n", item.form(), item.over, item.what));
    }
    text.push_str("\n| value | is |\n|---|---|\n");
    for (name, what) in CHAOS_VALUES {
        text.push_str(&format!("| `{name}` | {what} |\n"));
    }
    text
}

#[test]
fn the_table_of_chaos_is_that_of_the_code() {
    let page = fs::read_to_string(path()).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("there is a place for the table");
    let (written, after) = rest.split_once(END).expect("the place for the table has an end");
    if env::var_os("THINGPOST_WRITE_DOCS").is_some() {
        fs::write(path(), format!("{before}{BEGIN}{}{END}{after}", tables())).unwrap();
        return;
    }
    assert!(written == tables(), "docs/emulator.md is not up to date: see the comment above its table");
}

#[test]
fn whatever_the_page_tells_to_type_is_read() {
    let page = fs::read_to_string(path()).unwrap();
    let (_, examples) = page.split_once("### What people have met").expect("there are examples");
    let cells = examples.lines().filter(|line| line.starts_with('|')).filter_map(|line| line.rsplit('|').nth(1));
    let mut count = 0;
    for spec in cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|text| *text != "--chaos") {
        spec.parse::<Chaos>().unwrap_or_else(|error| panic!("{spec}: {error}"));
        count += 1;
    }
    assert!(count > 10, "{count}");
}
