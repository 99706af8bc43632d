//! A signed request says in one header who signed it, when, where and for which service, and which headers count. Before
//! any secret is looked at, AWS refuses what is said wrongly there, with a reason; so does this.

use super::super::answer::Refusal;
use crate::http1::Request;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
/// What the SDKs sign for comes first: it is the one that the refusal names.
const SERVICES: [&str; 2] = ["iotdata", "iotdevicegateway"];

/// What an `Authorization` header of AWS's scheme says.
#[derive(Debug)]
pub(in super::super) struct Authorization<'a> {
    pub(in super::super) access_key_id: &'a str,
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    terminator: &'a str,
    /// As they were sent, in their order.
    pub(super) signed_headers: Vec<&'a str>,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Nothing when the request has no such header, or one of another scheme.
    pub(in super::super) fn of(request: &'a Request) -> Option<Result<Self, Refusal>> {
        let header = request.header("authorization")?;
        let (scheme, parameters) = header.split_once(' ').unwrap_or((header, ""));
        (scheme == ALGORITHM).then(|| Self::parse(parameters))
    }

    fn parse(parameters: &'a str) -> Result<Self, Refusal> {
        let parameter = |name: &str| {
            let mut pairs = parameters.split(',').filter_map(|pair| pair.trim().split_once('='));
            let found = pairs.find_map(|(known, value)| (known == name).then_some(value));
            found.ok_or_else(|| Refusal::forbidden(format!("Authorization header requires '{name}' parameter.")))
        };
        let credential = parameter("Credential")?;
        let elements: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, terminator] = elements[..] else {
            return Err(Refusal::forbidden(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
                 '{credential}'"
            )));
        };
        let signed_headers = parameter("SignedHeaders")?.split(';').collect();
        let signature = parameter("Signature")?;
        Ok(Self { access_key_id, date, region, service, terminator, signed_headers, signature })
    }

    /// Whether the signature is meant for this endpoint and for the day of its time stamp.
    pub(super) fn check_scope(&self, region: Option<&str>, time_stamp: &str) -> Result<(), Refusal> {
        let Self { date, region: signed_for, service, terminator, .. } = self;
        if region != Some(signed_for) {
            return Err(Refusal::forbidden(format!(
                "Credential should be scoped to a valid region, not '{signed_for}'."
            )));
        }
        if !SERVICES.contains(service) {
            let right = SERVICES[0];
            return Err(Refusal::forbidden(format!("Credential should be scoped to correct service: '{right}'.")));
        }
        if *terminator != TERMINATOR {
            return Err(Refusal::forbidden(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'."
            )));
        }
        let day = time_stamp.split('T').next().unwrap_or_default();
        if *date != day {
            return Err(Refusal::forbidden(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != \
                 '{day}', from '{time_stamp}'."
            )));
        }
        Ok(())
    }

    /// What the signing key is made for.
    pub(super) fn scope(&self) -> String {
        format!("{}/{}/{}/{}", self.date, self.region, self.service, self.terminator)
    }

    /// The name of a header says nothing about its case.
    pub(super) fn signs(&self, header: &str) -> bool {
        self.signed_headers.iter().any(|signed| signed.eq_ignore_ascii_case(header))
    }
}
