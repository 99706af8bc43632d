//! The identity of a device of AWS, and the address of its platform. There are four ways for it to show who it is; that exactly one is given is
//! checked where the device is made of it, so that one line can name all four.

mod authentication;

use clap::Args;

pub use authentication::{AuthorizerArgs, CertificateArgs, ProviderArgs, Service, SignatureArgs, TokenArgs};

use super::endpoint::EndpointArgument;
use super::network::{NetworkArgs, parse_port};

#[derive(Args)]
pub struct AwsDevice {
    /// The data endpoint: aws iot describe-endpoint --endpoint-type iot:Data-ATS
    #[arg(long, value_name = "HOST")]
    pub endpoint: EndpointArgument,
    /// With a certificate 8443, or 443 (with the ALPN protocol x-amzn-http-ca) where a firewall blocks 8443 [default: 8443
    /// with --cert alone, otherwise 443]
    #[arg(long, allow_negative_numbers = true, value_parser = parse_port)]
    pub port: Option<u16>,
    #[command(flatten, next_help_heading = "Authentication by a certificate")]
    pub certificate: CertificateArgs,
    #[command(flatten, next_help_heading = "Authentication by an access key (Signature Version 4)")]
    pub signature: SignatureArgs,
    #[command(flatten, next_help_heading = "Authentication by a custom authorizer")]
    pub authorizer: AuthorizerArgs,
    #[command(flatten, next_help_heading = "Authentication by a temporary key, given out for the certificate")]
    pub provider: ProviderArgs,
    #[command(flatten, next_help_heading = "Connection")]
    pub network: NetworkArgs,
}
