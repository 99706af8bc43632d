//! Secrets that come from files and variables, and so not by the list of processes.
//!
//! A secret is copied from a console, a mail or the output of a tool, and what comes along with it makes every signature wrong,
//! of which the platform says no more than that. What can only be an accident is taken away, with a word where the secret itself
//! might have been meant so; what may be a part of it is refused.
//!
//! | found | key of a device or a product, token of Aliyun | signature in base64, token | password |
//! |---|---|---|---|
//! | a line end, or several, at the end of a file; a mark of UTF-8; UTF-16 | taken away, decoded | the same | the same |
//! | line ends in it | refused | joined, if the lines are those of a tool that wraps | kept |
//! | white space in it or around it | refused | a signature: taken away; a token: kept | kept |
//! | quotes around it, as `docker --env-file` leaves them | taken away, with a word | the same | kept |
//! | characters that nobody sees (no-break spaces, marks) | refused | kept | kept |
//! | nothing, or a line end alone, in a file or in a variable that is set | refused | refused | refused |
//! | what is not UTF-8, a zero byte, more than 64 KB | refused | refused | refused |

use std::env::{self, VarError};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use thingpost_host::{Encoding, file_hint};

use crate::error::{CliError, one_line};
use crate::terminal::complain;

/// More than any secret has.
const LARGEST: u64 = 64 * 1024;

/// What a secret looks like when it is right, and so what is none of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretForm {
    /// One word, as a console shows it.
    Word,
    /// One word, as the platform has given it out.
    IssuedWord,
    /// Base64, in whatever lines.
    Base64,
    /// What an authorizer has thought of, a JSON web token most often.
    Token,
    /// Whatever its owner likes.
    Password,
}

impl SecretForm {
    fn way_out(self) -> &'static str {
        match self {
            Self::Word => "copy it once more from the console",
            Self::IssuedWord => "put it there once more, as it came from the platform",
            Self::Base64 | Self::Token | Self::Password => "put it there once more, or give none",
        }
    }
}

/// What a file holds. Editors end a file with a newline; the secret has none.
pub(crate) fn from_file(what: &str, file: &Path, form: SecretForm) -> Result<String, CliError> {
    let cannot_read = |why: &str| CliError::new(format!("cannot read the {what} from {}", file.display()), why);
    let content = read(file).map_err(|error| cannot_read(&format!("{error}; {}", file_hint(file, &error))))?;
    if content.len() as u64 > LARGEST {
        return Err(cannot_read("it is larger than 64 KB; give a file that has the secret and nothing else"));
    }
    let text = String::from_utf8(Encoding::decode(&content).into_owned())
        .map_err(|_| cannot_read("it is no text in UTF-8; write it as such"))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() && Encoding::of(&content).is_utf16() {
        return Err(cannot_read("there is nothing in it but the mark of UTF-16; write it in UTF-8"));
    }
    if secret.is_empty() {
        return Err(CliError::sentence(format!("no {what} in {}; the file is empty", file.display())));
    }
    cleaned(what, secret, form, &format!("in {}", file.display()))
}

/// What a variable holds, if there is one. Where it was read from a file, a line end of Windows may have come along.
pub(crate) fn from_variable(what: &str, name: &str, form: SecretForm) -> Result<Option<String>, CliError> {
    match env::var(name) {
        Ok(secret) => cleaned(what, secret.trim_end_matches(['\r', '\n']), form, &format!("in {name}")).map(Some),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(CliError::new(name, "it is not text")),
    }
}

/// What was given as an option.
pub(crate) fn from_option(what: &str, option: &str, secret: &str, form: SecretForm) -> Result<String, CliError> {
    cleaned(what, secret, form, &format!("of {option}"))
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(file)?.take(LARGEST + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// The secret without what is none of it. `place` says where it was, for the word about that.
fn cleaned(what: &str, secret: &str, form: SecretForm, place: &str) -> Result<String, CliError> {
    if secret.contains('\0') {
        return Err(CliError::sentence(format!("the {what} has a zero byte in it; write it as text in UTF-8")));
    }
    let joined = match form {
        SecretForm::Word | SecretForm::IssuedWord | SecretForm::Password => None,
        SecretForm::Base64 => Some(without_white_space(secret)),
        SecretForm::Token => is_wrapped(secret).then(|| without_white_space(secret)),
    };
    let secret = joined.as_deref().unwrap_or(secret);
    let secret = match unquoted(secret) {
        Some(inside) if form != SecretForm::Password => {
            complain(one_line(&format!("thingpost: the quotes around the {what} {place} are left out")));
            inside
        }
        _ => secret,
    };
    checked(what, secret.to_owned(), form, place)
}

/// Something, and if it is one word, as the console shows it.
fn checked(what: &str, secret: String, form: SecretForm, place: &str) -> Result<String, CliError> {
    let problem = if secret.is_empty() {
        "is empty"
    } else if !matches!(form, SecretForm::Word | SecretForm::IssuedWord) {
        return Ok(secret);
    } else if secret.chars().any(|character| character.is_whitespace() || character.is_control()) {
        "has white space or a line break in it"
    } else if secret.chars().any(is_unseen) {
        "has a character in it that nobody sees"
    } else {
        return Ok(secret);
    };
    Err(CliError::sentence(format!("the {what} {problem} ({place}); {}", form.way_out())))
}

/// What pages and editors put between characters, and shows as nothing.
fn is_unseen(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

/// What stands in a pair of quotes.
fn unquoted(secret: &str) -> Option<&str> {
    [('"', '"'), ('\'', '\''), ('“', '”'), ('‘', '’')].into_iter().find_map(|(open, close)| {
        let inside = secret.strip_prefix(open)?.strip_suffix(close)?;
        (!inside.is_empty()).then_some(inside)
    })
}

/// Whether these are lines of base64 that a tool has wrapped: all of one length but the last, which is shorter.
fn is_wrapped(text: &str) -> bool {
    let mut lines = text.lines();
    let Some(first) = lines.next() else { return false };
    let lines: Vec<&str> = lines.collect();
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_.".contains(&byte);
    let Some((last, whole)) = lines.split_last() else { return false };
    first.len() >= SHORTEST_WRAPPED
        && whole.iter().all(|line| line.len() == first.len())
        && (1..=first.len()).contains(&last.len())
        && text.bytes().all(|byte| is_base64(byte) || matches!(byte, b'\r' | b'\n'))
}

/// The fewest characters in a line at which a token counts as wrapped: tools wrap base64 at 64 or 76.
const SHORTEST_WRAPPED: usize = 40;

fn without_white_space(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(secret: &str, form: SecretForm) -> Result<String, String> {
        cleaned("secret", secret, form, "here").map_err(|problem| problem.to_string())
    }

    #[test]
    fn what_can_only_be_an_accident_is_taken_away() {
        let long = "aDdzaC1zaWduYXR1cmU+Lz8aDdzaC1zaWduYXR1cmU+Lz8aDdzaC1zaWduYXR1cmU";
        let wrapped = format!("{}\n{}\r\n{}=", &long[..20], &long[20..40], &long[40..]);
        assert_eq!(clean(&wrapped, SecretForm::Base64), Ok(format!("{long}=")));
        assert_eq!(clean("\"a b\"", SecretForm::Token), Ok("a b".to_owned()));
        assert_eq!(clean("“hush”", SecretForm::Word), Ok("hush".to_owned()));
        assert_eq!(clean("'hush'", SecretForm::Word), Ok("hush".to_owned()));
        assert_eq!(clean("\"hush\"", SecretForm::Password), Ok("\"hush\"".to_owned()));
        assert_eq!(clean(" hush ", SecretForm::Password), Ok(" hush ".to_owned()));
    }

    #[test]
    fn nothing_is_no_secret() {
        for (secret, form) in [
            ("", SecretForm::Token),
            ("", SecretForm::Password),
            (" \t ", SecretForm::Base64),
            ("\n \r\n", SecretForm::Base64),
        ] {
            assert!(clean(secret, form).unwrap_err().contains("the secret is empty (here); "), "{secret:?}");
        }
    }

    #[test]
    fn a_token_is_joined_only_if_it_was_wrapped() {
        let line = "x".repeat(64);
        assert_eq!(clean(&format!("{line}\n{line}\nyz"), SecretForm::Token), Ok(format!("{line}{line}yz")));
        for other in
            ["a\nb".to_owned(), format!("{line}\nBearer x"), format!("{line}\ny\n{line}"), format!("x\n{line}")]
        {
            assert_eq!(clean(&other, SecretForm::Token), Ok(other.clone()));
        }
    }

    #[test]
    fn what_may_be_a_part_of_it_is_refused_without_showing_it() {
        for (secret, word) in [
            ("", "empty"),
            ("hu sh", "white space"),
            (" hush", "white space"),
            ("hu\u{a0}sh", "white space"),
            ("hu\nsh", "line break"),
            ("hu\u{200b}sh", "nobody sees"),
            ("\u{feff}hush", "nobody sees"),
            ("hu\0sh", "zero byte"),
        ] {
            let said = clean(secret, SecretForm::Word).unwrap_err();
            assert!(said.contains(word) && !said.contains("hu"), "{said}");
        }
    }
}
