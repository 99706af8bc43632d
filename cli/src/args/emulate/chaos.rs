//! What `--chaos` takes. What there is stands in a table of the emulator's; here it becomes a help text.

use std::str::FromStr;

use thingpost_emulator::{CHAOS_VALUES, Chaos, ChaosError};

/// A bad day, and how it was asked for.
#[derive(Clone)]
pub struct ChaosArgument {
    pub text: String,
    pub plan: Chaos,
}

impl FromStr for ChaosArgument {
    type Err = ChaosError;

    fn from_str(text: &str) -> Result<Self, ChaosError> {
        Ok(Self { text: text.to_owned(), plan: text.parse()? })
    }
}

/// No wider than a terminal.
const WIDTH: usize = 100;

/// The table, for the end of the help.
pub fn help() -> String {
    let mut text =
        "SPEC is a list of items with commas between, as in --chaos 503=10%,retry-after=2,late-puback=7s:\n".to_owned();
    let forms = Chaos::items().iter().map(|item| (item.form(), format!("{} ({})", item.what, item.over)));
    let values = CHAOS_VALUES.iter().map(|&(name, what)| (name.to_owned(), what.to_owned()));
    for (index, rows) in [forms.collect::<Vec<_>>(), values.collect()].into_iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let column = rows.iter().map(|(form, _)| form.len()).max().unwrap_or_default() + 4;
        for (form, what) in rows {
            text.push_str(&row(&form, &what, column));
        }
    }
    text.push_str("\nWhat was really taken shows as it arrives. docs/emulator.md has examples.");
    text
}

/// One row, in as many lines as it takes.
fn row(form: &str, what: &str, column: usize) -> String {
    let mut line = format!("  {form:width$}", width = column - 2);
    let (mut text, indent) = (String::new(), " ".repeat(column));
    for word in what.split(' ') {
        if line.len() + word.len() > WIDTH && line.len() > column {
            text.push_str(line.trim_end());
            text.push('\n');
            line.clone_from(&indent);
        }
        line.push_str(word);
        line.push(' ');
    }
    text + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_everything_and_fits_into_a_terminal() {
        let help = help();
        for item in Chaos::items() {
            assert!(help.contains(&format!("\n  {} ", item.form())), "{}", item.name);
        }
        assert!(help.lines().all(|line| line.len() <= WIDTH), "{help}");
    }
}
