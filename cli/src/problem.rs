//! One clear line for whatever keeps a run from starting.

use std::fmt;

/// Why nothing was tried. Shows as one line that names the thing and the way out.
#[derive(Debug)]
pub struct Problem(String);

impl Problem {
    /// `what: why`.
    pub fn new(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }

    /// A sentence that says it all.
    pub fn sentence(sentence: impl fmt::Display) -> Self {
        Self(sentence.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.0))
    }
}

/// Clap explains itself in a paragraph, of which the first part is the explanation and the rest the usage.
impl From<clap::Error> for Problem {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let explanation: Vec<&str> = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
        let explanation = explanation.join(" ");
        let explanation = explanation.trim_start_matches("error: ");
        let tips: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
        let way_out = match tips.first() {
            Some(tip) => (*tip).to_owned(),
            None => format!("see `{} --help`", usage_of(&text)),
        };
        Self(format!("{explanation}; {way_out}"))
    }
}

/// The command that a usage text is about: `thingpost publish aws`.
fn usage_of(text: &str) -> String {
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or("thingpost");
    let is_word = |word: &&str| !word.starts_with(['-', '<', '[']);
    usage.split_whitespace().take_while(is_word).collect::<Vec<_>>().join(" ")
}

/// Text from elsewhere (a file name, a server's words) cannot break the line or drive the terminal.
pub fn one_line(text: &str) -> String {
    let ends_a_line = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    text.chars().map(|character| if ends_a_line(character) { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    fn problem(arguments: &[&str]) -> String {
        let error = Arguments::try_parse_from([&["thingpost"], arguments].concat()).err().unwrap();
        Problem::from(error).to_string()
    }

    #[test]
    fn a_missing_option_is_named_in_one_line() {
        let problem = problem(&["publish", "aws", "--endpoint", "e", "--topic", "t", "--message", "m", "--cert", "c"]);
        assert!(problem.contains("--key <PEM>"), "{problem}");
        assert!(problem.ends_with("see `thingpost publish aws --help`"), "{problem}");
        assert_eq!(problem.lines().count(), 1);
    }

    #[test]
    fn a_misspelt_option_comes_with_the_one_that_was_meant() {
        let problem = problem(&["publish", "aws", "--endpiont", "e"]);
        assert!(problem.contains("--endpiont") && problem.contains("--endpoint"), "{problem}");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(one_line("a\nb\x1b[31mc\u{2028}d"), "a b [31mc d");
    }
}
