//! What a custom authorizer is sent. The token and its signature come from files and variables: options would show them to
//! everybody on the machine.

use std::path::PathBuf;

use thingpost_host::runtime::types::{CustomAuthorizer, Placement};

use crate::args::{AuthorizerArgs, TokenArgs};
use crate::device::secret::{self, SecretForm};
use crate::error::CliError;

const TOKEN_VARIABLE: &str = "THINGPOST_AUTHORIZER_TOKEN";
const SIGNATURE_VARIABLE: &str = "THINGPOST_AUTHORIZER_SIGNATURE";

pub(super) fn authorizer(arguments: &AuthorizerArgs) -> Result<CustomAuthorizer, CliError> {
    let placement = if arguments.token_in_query { Placement::Query } else { Placement::Headers };
    let Token { token, signature } = Token::read(&arguments.token)?;
    Ok(CustomAuthorizer { name: arguments.token.authorizer.clone(), token, signature, placement })
}

/// What is judged.
pub(in crate::device) struct Token {
    /// The name under which it travels, and the token.
    pub token: Option<(String, String)>,
    pub signature: Option<String>,
}

impl Token {
    pub fn read(arguments: &TokenArgs) -> Result<Self, CliError> {
        let token = secret("authorizer token", arguments.token_file.as_ref(), TOKEN_VARIABLE, SecretForm::Token)?;
        let signature_file = arguments.token_signature_file.as_ref();
        let signature = secret("token signature", signature_file, SIGNATURE_VARIABLE, SecretForm::Base64)?;
        let token = match (&arguments.token_name, token) {
            (Some(name), Some(token)) => Some((name.clone(), token)),
            (Some(_), None) => {
                return Err(CliError::sentence(format!(
                    "no authorizer token: give --token-file, or set {TOKEN_VARIABLE}"
                )));
            }
            (None, Some(_)) => {
                return Err(CliError::sentence(format!(
                    "{TOKEN_VARIABLE} is set, and the name is missing under which it travels: give --token-name"
                )));
            }
            // There are authorizers that ask for none.
            (None, None) => None,
        };
        Ok(Self { token, signature })
    }
}

/// From the file if there is one, else from the variable.
fn secret(what: &str, file: Option<&PathBuf>, variable: &str, form: SecretForm) -> Result<Option<String>, CliError> {
    match file {
        Some(file) => secret::from_file(what, file, form).map(Some),
        None => secret::from_variable(what, variable, form),
    }
}
