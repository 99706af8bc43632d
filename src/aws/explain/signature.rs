//! Why a signature is not accepted. AWS says it in sentences that the SDKs show and do not explain.

use alloc::string::String;

use super::{CERTIFICATE_PORT, Known, MISSING_TOKEN, NOT_ON_8443};
use crate::aws::sigv4::Scope;
use crate::aws::{AuthMethod, Authentication};
use crate::text::contains;

impl Known<'_> {
    pub(super) fn signature_step(&self) -> String {
        if let Some(step) = self.clock_step() {
            return step;
        }
        if let Some(step) = self.scope_step() {
            return step;
        }
        let says = |words| contains(self.message, words);
        let step = if self.config.endpoint().port() == CERTIFICATE_PORT {
            NOT_ON_8443
        } else if says("signature we calculated does not match") {
            "the secret access key is not that of the access key id, or something on the way changes the request: a \
             proxy that decodes the path signs another topic"
        } else if says("security token included in the request is expired") {
            "the temporary key has ended: get a new one"
        } else if says("security token included in the request is invalid") {
            match self.config.auth_method() {
                AuthMethod::CredentialsProvider => {
                    "a new temporary key was rejected as well: check that its role still exists"
                }
                _ => {
                    "AWS does not know the access key id: check it, and that a temporary key comes with its session token"
                }
            }
        } else if self.message == MISSING_TOKEN {
            "the signature did not arrive: check that nothing on the way takes out the authorization header"
        } else {
            return self.permission_step("the IAM policy of the access key");
        };
        step.into()
    }

    /// The signature is for somewhere else.
    fn scope_step(&self) -> Option<String> {
        let scope = self.scope()?;
        if contains(self.message, "scoped to correct service") {
            return Some(["the signature is for the service ", &scope.service, ": sign for iotdata"].concat());
        }
        let is_elsewhere = self.host.region.is_some_and(|region| region != scope.region);
        if !is_elsewhere && !contains(self.message, "scoped to a valid region") {
            return None;
        }
        let whose = match self.host.region {
            Some(region) => [", and the endpoint is in ", region].concat(),
            None => String::new(),
        };
        Some(
            ["the signature is for the region ", &scope.region, &whose, ": sign for the region of the endpoint"]
                .concat(),
        )
    }

    fn scope(&self) -> Option<&Scope> {
        match self.config.authentication() {
            Authentication::SigV4 { scope, .. } => Some(scope),
            Authentication::CredentialsProvider(provider) => Some(&provider.scope),
            Authentication::Certificate | Authentication::CustomAuthorizer(_) => None,
        }
    }
}
