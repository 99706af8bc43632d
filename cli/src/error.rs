//! One clear line for whatever keeps a run from starting.

use std::fmt;

/// Why nothing was tried. Shows as one line that names the thing and the way out.
#[derive(Debug)]
pub struct CliError(String);

impl CliError {
    /// `what: why`.
    pub fn new(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }

    /// A sentence that says it all.
    pub fn sentence(sentence: impl fmt::Display) -> Self {
        Self(sentence.to_string())
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.0))
    }
}

/// Text from elsewhere (a file name, a server's words) cannot break the line or drive the terminal.
pub fn one_line(text: &str) -> String {
    let ends_a_line = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    text.chars().map(|character| if ends_a_line(character) { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(one_line("a\nb\x1b[31mc\u{2028}d"), "a b [31mc d");
    }
}
