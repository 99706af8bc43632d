//! Clap answers a wrong word with a paragraph, and one clear line is what is wanted of it.

use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Cli;
use crate::error::CliError;

/// What is wrong with the words of a command line, without the name of the program. Clap explains itself in a paragraph, of
/// which the first part is the explanation and the rest the usage.
pub fn explain(mut error: clap::Error, words: impl IntoIterator<Item = OsString>) -> CliError {
    hide_user_and_password(&mut error);
    let text = error.render().to_string();
    let explanation: Vec<&str> = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
    let explanation = explanation.join(" ");
    let explanation = explanation.trim_start_matches("error: ");
    let tips: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
    let way_out = match tips.first() {
        Some(tip) => (*tip).to_owned(),
        None => format!("see `{} --help`", command_of(words)),
    };
    CliError::sentence(format!("{explanation}; {way_out}"))
}

/// Clap repeats a value that is wrong, and some write a password into an endpoint.
fn hide_user_and_password(error: &mut clap::Error) {
    let is_of_endpoint = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(option)) if option.contains("endpoint")
    );
    if error.kind() != ErrorKind::ValueValidation || !is_of_endpoint {
        return;
    }
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue)
        && let Some((_, host)) = value.rsplit_once('@')
    {
        let hidden = format!("...@{host}");
        error.insert(ContextKind::InvalidValue, ContextValue::String(hidden));
    }
}

/// The command that these words are for: `thingpost publish aws`.
fn command_of(words: impl IntoIterator<Item = OsString>) -> String {
    let root = Cli::command();
    let (mut command, mut path) = (&root, root.get_name().to_owned());
    for word in words {
        let Some(inner) = command.find_subcommand(&word) else { break };
        command = inner;
        path = format!("{path} {}", command.get_name());
    }
    path
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn error(arguments: &[&str]) -> String {
        let error = Cli::try_parse_from([&["thingpost"], arguments].concat()).err().unwrap();
        explain(error, arguments.iter().map(OsString::from)).to_string()
    }

    #[test]
    fn a_missing_option_is_named_in_one_line() {
        let error = error(&["publish", "aws", "--endpoint", "e", "--topic", "t", "--message", "m", "--cert", "c"]);
        assert!(error.contains("--key <PEM>"), "{error}");
        assert!(error.ends_with("see `thingpost publish aws --help`"), "{error}");
        assert_eq!(error.lines().count(), 1);
    }

    #[test]
    fn a_misspelt_option_comes_with_the_one_that_was_meant() {
        let error = error(&["publish", "aws", "--endpiont", "e"]);
        assert!(error.contains("--endpiont") && error.contains("--endpoint"), "{error}");
    }

    #[test]
    fn whatever_is_wrong_the_help_is_that_of_the_command() {
        for (arguments, command) in [
            (&["mqtt", "publish", "--count", "0"][..], "thingpost mqtt publish"),
            (&["mqtt", "subscribe", "--qos", "7"], "thingpost mqtt subscribe"),
            (&["mqtt", "subscribe", "surplus"], "thingpost mqtt subscribe"),
            (&["shadow", "get", "--port", "0"], "thingpost shadow get"),
            (&["publish", "azure"], "thingpost publish"),
            (&["--what"], "thingpost"),
        ] {
            let error = error(arguments);
            assert!(error.ends_with(&format!("see `{command} --help`")), "{error}");
        }
    }

    #[test]
    fn a_user_and_a_password_in_an_endpoint_are_not_repeated() {
        for endpoint in ["mqtts://me:hunter2@a.example", "mqtts://me:hunter2/@a.example:1", "me:hunter2@x@a.example/"] {
            let error = error(&["mqtt", "publish", "--endpoint", endpoint]);
            assert!(error.contains("user and password do not belong there"), "{error}");
            assert!(!error.contains("me:") && !error.contains("hunter2"), "{error}");
            assert!(error.contains("@a.example"), "{error}");
        }
    }
}
