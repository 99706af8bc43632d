//! Which of the four ways was typed. Clap could refuse two of them as well, but its line would name two options, and whoever
//! typed none would get a list of all options there are.

use std::path::Path;

use thingpost_host::Identity;

use crate::arguments::{AwsDevice, EndpointArgument};
use crate::problem::Problem;

const CHOICES: &str = "give --cert and --key, or --sigv4, or --authorizer NAME (or --authorizer-default), or --role-alias \
                       with --credentials-endpoint, --cert and --key";

/// How the device shows who it is.
pub(super) enum Way<'a> {
    Certificate(Pair<'a>),
    SigV4,
    CustomAuthorizer,
    CredentialsProvider { pair: Pair<'a>, role_alias: &'a str, endpoint: &'a EndpointArgument },
}

/// A certificate and its key.
pub(super) struct Pair<'a> {
    cert: &'a Path,
    key: &'a Path,
}

impl<'a> Way<'a> {
    pub(super) fn of(arguments: &'a AwsDevice) -> Result<Self, Problem> {
        let AwsDevice { certificate, signature, authorizer, provider, .. } = arguments;
        let pair = match (&certificate.cert, &certificate.key) {
            (Some(cert), Some(key)) => Some(Pair { cert, key }),
            // Clap has refused one without the other.
            _ => None,
        };
        let by_certificate = match (&provider.role_alias, &provider.credentials_endpoint, pair) {
            (Some(role_alias), Some(endpoint), Some(pair)) => {
                Some(("--role-alias", Self::CredentialsProvider { pair, role_alias, endpoint }))
            }
            (_, _, Some(pair)) => Some(("--cert", Self::Certificate(pair))),
            _ => None,
        };
        let by_authorizer = match (&authorizer.authorizer, authorizer.authorizer_default) {
            (Some(_), _) => Some(("--authorizer", Self::CustomAuthorizer)),
            (None, true) => Some(("--authorizer-default", Self::CustomAuthorizer)),
            (None, false) => None,
        };
        let by_signature = signature.sigv4.then_some(("--sigv4", Self::SigV4));
        let mut ways = [by_certificate, by_signature, by_authorizer].into_iter().flatten();
        let Some((option, way)) = ways.next() else {
            return Err(Problem::new("nothing says how the device shows who it is", CHOICES));
        };
        if let Some((other, _)) = ways.next() {
            return Err(Problem::new(format!("{option} and {other} are two ways to show who the device is"), CHOICES));
        }
        way.refuse_strays(arguments)?;
        Ok(way)
    }

    /// What belongs to another way would be ignored, and whoever typed it would look for its effect.
    fn refuse_strays(&self, arguments: &AwsDevice) -> Result<(), Problem> {
        let AwsDevice { signature, authorizer, .. } = arguments;
        let has_profile = matches!(self, Self::SigV4);
        let signs = matches!(self, Self::SigV4 | Self::CredentialsProvider { .. });
        let shows_token = matches!(self, Self::CustomAuthorizer);
        let by_signature = "--sigv4 or --role-alias";
        let by_authorizer = "--authorizer or --authorizer-default";
        for (option, is_given, is_used, with) in [
            ("--profile", signature.profile.is_some(), has_profile, "--sigv4"),
            ("--region", signature.region.is_some(), signs, by_signature),
            ("--service", signature.service.is_some(), signs, by_signature),
            ("--token-name", authorizer.token_name.is_some(), shows_token, by_authorizer),
            ("--token-in-query", authorizer.token_in_query, shows_token, by_authorizer),
        ] {
            if is_given && !is_used {
                return Err(Problem::sentence(format!(
                    "{option} is of use only with {with}: give that, or leave it out"
                )));
            }
        }
        Ok(())
    }
}

impl Pair<'_> {
    pub(super) fn identity(&self) -> Result<Identity, Problem> {
        Identity::from_pem_files(self.cert, self.key).map_err(Problem::sentence)
    }
}
