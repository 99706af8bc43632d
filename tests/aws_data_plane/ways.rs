//! Each operation in each way to authenticate: what certificates and signatures may, authorizers may not.

use thingpost_emulator::{AwsConnections, Connections, Device};
use thingpost_host::runtime::types::Cause;

use super::assert_found_before;
use super::operation::{Operation, furnished};
use crate::fixtures::aliyun::AliyunCloud;
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::ways::{AUTHORIZER, Way};

#[tokio::test]
async fn every_operation_succeeds_with_a_certificate_on_either_port_and_with_every_kind_of_key() {
    within(async {
        for (way, port) in
            [(Way::Certificate, 8443), (Way::Certificate, 443), (Way::SigV4, 443), (Way::CredentialsProvider, 443)]
        {
            for operation in Operation::ALL {
                let cloud = furnished().await;
                let (authentication, routes) = (cloud.authentication(way), cloud.routes(way));
                let mut publisher = cloud.open_as(authentication, port, routes, &options()).await;
                let outcome = operation.run(&mut publisher).await;
                assert!(outcome.is_ok(), "{way:?}, {port}, {operation:?}: {outcome:?}");
                let asked = cloud.emulator.credentials_issued();
                assert_eq!(asked, usize::from(way == Way::CredentialsProvider), "{operation:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn with_a_key_that_was_given_out_once_all_operations_go() {
    within(async {
        let cloud = furnished().await;
        let mut publisher = cloud.open_way(Way::CredentialsProvider, &options()).await;
        // What deletes takes away what others read.
        let is_deletion = |operation| matches!(operation, Operation::DeleteShadow | Operation::DeleteConnection);
        for operation in Operation::ALL.into_iter().filter(|operation| !is_deletion(*operation)) {
            operation.run(&mut publisher).await.unwrap();
        }
        assert_eq!(cloud.emulator.credentials_issued(), 1);
        // And in the middle of them it may end.
        cloud.emulator.revoke_issued_keys();
        Operation::GetShadow.run(&mut publisher).await.unwrap();
        assert_eq!(cloud.emulator.credentials_issued(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_authorizer_lets_direct_messages_through_and_no_other_operation_is_sent() {
    within(async {
        let cloud = furnished().await;
        let mut publisher = cloud.open_way(Way::CustomAuthorizer, &options()).await;
        let before = cloud.connections();
        for operation in Operation::ALL.into_iter().filter(|operation| !operation.is_direct_message()) {
            let error = operation.run(&mut publisher).await.unwrap_err();
            assert_found_before(&error, Cause::Unsupported);
        }
        assert_eq!(cloud.connections(), before);
        for operation in Operation::ALL.into_iter().filter(|operation| operation.is_direct_message()) {
            operation.run(&mut publisher).await.unwrap();
        }
        let delivered = cloud.emulator.direct_messages();
        assert_eq!(delivered.len(), 2);
        for message in delivered {
            assert_eq!(message.sender, Device::Authorizer { name: AUTHORIZER.to_owned() });
        }
    })
    .await;
}

#[tokio::test]
async fn on_aliyun_there_is_none_of_it_and_nothing_is_sent() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for operation in Operation::ALL {
            let error = operation.run(&mut publisher).await.unwrap_err();
            assert_found_before(&error, Cause::Unsupported);
            assert!(!error.explanation.is_empty());
        }
        assert_eq!(cloud.emulator.connections(), Connections::default());
    })
    .await;
}

#[tokio::test]
async fn a_throttled_operation_is_sent_again_whatever_it_is() {
    within(async {
        for operation in [Operation::GetShadow, Operation::UpdateShadow, Operation::SendUnconfirmedMessage] {
            let cloud = furnished().await;
            cloud.emulator.throttle_next(1);
            let mut publisher = cloud.publisher().await;
            operation.run(&mut publisher).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn an_operation_on_a_certificate_that_is_not_registered_gets_no_answer_and_an_explanation() {
    within(async {
        let cloud = AwsCloud::start().await;
        cloud.emulator.deactivate(&cloud.device.fingerprint);
        let mut publisher = cloud.publisher().await;
        let error = Operation::GetShadow.run(&mut publisher).await.unwrap_err();
        assert!(error.explanation.contains("inactive or not registered"), "{}", error.explanation);
        assert_ne!(cloud.emulator.connections(), AwsConnections::default());
    })
    .await;
}
