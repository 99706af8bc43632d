//! A policy that lacks an action answers 403 and no word. Which action on which resource it lacks is told all the same.

use thingpost_host::runtime::types::Cause;

use super::assert_refused;
use super::operation::{Operation, furnished};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::ways::Way;

#[tokio::test]
async fn the_action_and_the_resource_that_a_policy_lacks_are_named() {
    within(async {
        for way in Way::ALL {
            for operation in Operation::ALL {
                if way == Way::CustomAuthorizer && !operation.is_direct_message() {
                    continue;
                }
                let cloud = furnished().await;
                let (action, named) = operation.permission();
                cloud.emulator.deny_action(cloud.principal(way), action);
                let mut publisher = cloud.open_way(way, &options()).await;
                let error = operation.run(&mut publisher).await.unwrap_err();
                assert_refused(&error, Cause::Forbidden, 403);
                assert!(error.explanation.contains(named), "{way:?}, {operation:?}: {}", error.explanation);
                let whose = match way {
                    Way::Certificate => "the policy of the device's certificate",
                    Way::SigV4 | Way::CredentialsProvider => "IAM policy",
                    Way::CustomAuthorizer => "the policy it returns",
                };
                assert!(error.explanation.contains(whose), "{way:?}: {}", error.explanation);
            }
        }
    })
    .await;
}
