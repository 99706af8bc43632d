//! The four ways.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use crate::args::endpoint::EndpointArgument;
use crate::args::network::parse_port;

#[derive(Args)]
pub struct CertificateArgs {
    /// The device certificate, with those that signed it if there are any. Or the URI of one on a PKCS#11 token
    #[arg(long, value_name = "PEM", requires = "key")]
    pub cert: Option<PathBuf>,
    /// The private key of the device certificate: PKCS#8, PKCS#1 or SEC1. Or the URI of one on a PKCS#11 token (RFC 7512):
    /// 'pkcs11:token=NAME;object=NAME?module-path=LIBRARY&pin-source=file:PATH'
    #[arg(long, value_name = "PEM", requires = "cert")]
    pub key: Option<PathBuf>,
}

#[derive(Args)]
pub struct SignatureArgs {
    /// Sign with an access key: that of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or that of a profile, or
    /// the one that a container is given by the server which AWS_CONTAINER_CREDENTIALS_FULL_URI or .._RELATIVE_URI names
    #[arg(long)]
    pub sigv4: bool,
    /// Take the access key from this profile of ~/.aws/credentials and ~/.aws/config (AWS_SHARED_CREDENTIALS_FILE and
    /// AWS_CONFIG_FILE name others), and not from variables [default: AWS_PROFILE, or default]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub profile: Option<String>,
    /// The region to sign for, with --sigv4 or --role-alias [default: the one in the name of the endpoint; where
    /// there is none, with --sigv4, AWS_REGION, AWS_DEFAULT_REGION or the region of the profile]
    #[arg(long)]
    pub region: Option<String>,
    /// The service to sign for, with --sigv4 or --role-alias; AWS takes either
    #[arg(long, value_enum)]
    pub service: Option<Service>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// As the SDKs do; the default
    #[value(help = "As the SDKs do [default]")]
    Iotdata,
    /// As the documentation says
    Iotdevicegateway,
}

#[derive(Args)]
pub struct AuthorizerArgs {
    #[command(flatten)]
    pub token: TokenArgs,
    /// Send name, token and signature in the query, not in headers. Queries end up in logs
    #[arg(long)]
    pub token_in_query: bool,
}

/// Which authorizer, and what it judges, wherever that travels.
#[derive(Args)]
pub struct TokenArgs {
    /// Let the custom authorizer of this name judge a token
    #[arg(long, value_name = "NAME", conflicts_with = "authorizer_default")]
    pub authorizer: Option<String>,
    /// Let the default authorizer of the endpoint judge a token
    #[arg(long)]
    pub authorizer_default: bool,
    /// The name under which the token travels, which the owner of the authorizer has chosen
    #[arg(long, value_name = "NAME")]
    pub token_name: Option<String>,
    /// A file with the token. Or set THINGPOST_AUTHORIZER_TOKEN
    #[arg(long, value_name = "PATH", requires = "token_name")]
    pub token_file: Option<PathBuf>,
    /// A file with the signature of the token in base64, where the authorizer demands one. Or set
    /// THINGPOST_AUTHORIZER_SIGNATURE
    #[arg(long, value_name = "PATH", requires = "token_name")]
    pub token_signature_file: Option<PathBuf>,
}

#[derive(Args)]
pub struct ProviderArgs {
    /// Have a temporary key given out for --cert and --key, of the role that this alias names
    #[arg(long, value_name = "ALIAS", requires_all = ["credentials_endpoint", "cert"])]
    pub role_alias: Option<String>,
    /// The endpoint that gives it out, which aws iot describe-endpoint --endpoint-type iot:CredentialProvider names
    #[arg(long, value_name = "HOST", requires = "role_alias")]
    pub credentials_endpoint: Option<EndpointArgument>,
    /// The port of that endpoint [default: 443]
    #[arg(
        long,
        value_name = "PORT",
        allow_negative_numbers = true,
        value_parser = parse_port,
        requires = "credentials_endpoint"
    )]
    pub credentials_port: Option<u16>,
    /// The thing of the certificate, where policies ask for it
    #[arg(long, value_name = "NAME", requires = "role_alias")]
    pub thing_name: Option<String>,
}
