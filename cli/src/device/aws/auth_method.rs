//! Which of several ways to show who the device is was typed. Clap could refuse two of them as well, but its line would name
//! two options, and a user who typed none would get a list of all options there are.

use std::path::Path;

use thingpost_host::Identity;

use crate::args::{AwsDevice, CertificateArgs, EndpointArgument, TokenArgs};
use crate::device::identity;
use crate::error::CliError;

const CHOICES: &str = "give --cert and --key, or --sigv4, or --authorizer NAME (or --authorizer-default), or --role-alias \
                       with --credentials-endpoint, --cert and --key";

/// How the device shows who it is.
pub(super) enum AuthMethod<'a> {
    Certificate(CertificateAndKey<'a>),
    SigV4,
    CustomAuthorizer,
    CredentialsProvider { pair: CertificateAndKey<'a>, role_alias: &'a str, endpoint: &'a EndpointArgument },
}

/// A certificate and its key.
pub(in crate::device) struct CertificateAndKey<'a> {
    cert: &'a Path,
    key: &'a Path,
}

impl<'a> AuthMethod<'a> {
    pub(super) fn of(arguments: &'a AwsDevice) -> Result<Self, CliError> {
        let AwsDevice { certificate, signature, authorizer, provider, .. } = arguments;
        let pair = CertificateAndKey::of(certificate);
        let by_certificate = match (&provider.role_alias, &provider.credentials_endpoint, pair) {
            (Some(role_alias), Some(endpoint), Some(pair)) => {
                Some(("--role-alias", Self::CredentialsProvider { pair, role_alias, endpoint }))
            }
            (_, _, Some(pair)) => Some(("--cert", Self::Certificate(pair))),
            _ => None,
        };
        let by_authorizer = authorizer_option(&authorizer.token).map(|option| (option, Self::CustomAuthorizer));
        let by_signature = signature.sigv4.then_some(("--sigv4", Self::SigV4));
        let method = the_only_one([by_certificate, by_signature, by_authorizer], CHOICES)?;
        method.refuse_strays(arguments)?;
        Ok(method)
    }

    /// What belongs to another way would be ignored, and its user would look for its effect.
    fn refuse_strays(&self, arguments: &AwsDevice) -> Result<(), CliError> {
        let AwsDevice { signature, authorizer, .. } = arguments;
        let has_profile = matches!(self, Self::SigV4);
        let signs = matches!(self, Self::SigV4 | Self::CredentialsProvider { .. });
        let shows_token = matches!(self, Self::CustomAuthorizer);
        let by_signature = "--sigv4 or --role-alias";
        refuse_strays([
            ("--profile", signature.profile.is_some(), has_profile, "--sigv4"),
            ("--region", signature.region.is_some(), signs, by_signature),
            ("--service", signature.service.is_some(), signs, by_signature),
            ("--token-name", authorizer.token.token_name.is_some(), shows_token, BY_AUTHORIZER),
            ("--token-in-query", authorizer.token_in_query, shows_token, BY_AUTHORIZER),
        ])
    }
}

/// What says that an authorizer is to judge.
pub(in crate::device) const BY_AUTHORIZER: &str = "--authorizer or --authorizer-default";

/// Whichever of the two was typed.
pub(in crate::device) fn authorizer_option(arguments: &TokenArgs) -> Option<&'static str> {
    match (&arguments.authorizer, arguments.authorizer_default) {
        (Some(_), _) => Some("--authorizer"),
        (None, true) => Some("--authorizer-default"),
        (None, false) => None,
    }
}

/// The way that was typed, of those that could have been, each with the option that says so.
pub(in crate::device) fn the_only_one<W, const N: usize>(
    ways: [Option<(&str, W)>; N],
    choices: &str,
) -> Result<W, CliError> {
    let mut ways = ways.into_iter().flatten();
    let Some((option, method)) = ways.next() else {
        return Err(CliError::new("nothing says how the device shows who it is", choices));
    };
    match ways.next() {
        None => Ok(method),
        Some((other, _)) => {
            Err(CliError::new(format!("{option} and {other} are two ways to show who the device is"), choices))
        }
    }
}

/// Of options: whether each is given, whether it is used, and what it is used with.
pub(in crate::device) fn refuse_strays<const N: usize>(options: [(&str, bool, bool, &str); N]) -> Result<(), CliError> {
    match options.into_iter().find(|(_, is_given, is_used, _)| *is_given && !is_used) {
        None => Ok(()),
        Some((option, _, _, with)) => {
            Err(CliError::sentence(format!("{option} is of use only with {with}: give that, or leave it out")))
        }
    }
}

impl<'a> CertificateAndKey<'a> {
    pub(in crate::device) fn of(arguments: &'a CertificateArgs) -> Option<Self> {
        match (&arguments.cert, &arguments.key) {
            (Some(cert), Some(key)) => Some(Self { cert, key }),
            // Clap has refused one without the other.
            _ => None,
        }
    }

    pub(in crate::device) fn identity(&self) -> Result<Identity, CliError> {
        identity::identity(self.cert, self.key)
    }

    /// What is to be said before this identity is shown to anybody: who refuses it gives no reason.
    pub(in crate::device) fn warnings(&self, identity: &Identity) -> Vec<String> {
        let warning = identity.outside_validity().map(|outside_validity| {
            let step = match (outside_validity.is_clock_wrong(), outside_validity.has_expired()) {
                (true, _) => "set this machine's clock",
                (false, true) => "unless the clock is wrong, renew the certificate",
                (false, false) => "set the clock, or wait",
            };
            format!("the certificate in {} {outside_validity}; {step}", self.cert.display())
        });
        let expiring = identity.expires_soon();
        let expiring = expiring.map(|expiry| format!("the certificate in {} {expiry}; renew it", self.cert.display()));
        warning.into_iter().chain(expiring).collect()
    }
}
