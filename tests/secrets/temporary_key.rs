//! With a credentials provider the component gets a key that ends, for a certificate that it never sees.

use serde_json::Value;
use thingpost_emulator::{Break, Fault};
use thingpost_host::Pool;

use super::private_key::look_in_flight;
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::key_traces::traces;
use crate::fixtures::message::at_least_once;
use crate::fixtures::visible_memory::VisibleMemories;
use crate::fixtures::ways::Way;

#[tokio::test]
async fn of_all_keys_only_the_temporary_one_is_in_the_memory_of_the_guest() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let certificate = cloud.device.certificate_pem.lines().nth(1).unwrap();
        let memories = VisibleMemories::default();
        let pre = memories.publisher();
        let transport = cloud.transport_along(Pool::default(), cloud.routes(Way::CredentialsProvider));
        let platform = cloud.platform(cloud.authentication(Way::CredentialsProvider), 443);
        let mut publisher = pre.builder(transport, &platform).options(options()).open().await.unwrap();
        let look = |secret: Option<&str>| {
            let contents = memories.contents();
            for (name, trace) in traces(&cloud.device.private_key_pem) {
                assert!(!contents.contain(&trace), "{name} is in the guest");
            }
            assert!(!contents.contain(certificate.as_bytes()), "the certificate is in the guest");
            // The same search finds what is there.
            if let Some(secret) = secret {
                assert!(contents.contain(secret.as_bytes()), "the temporary key is not in the guest");
            }
        };
        look(None);
        let message = at_least_once("a", "an unmistakable payload of the test, ".repeat(1_000));
        publisher.publish(&message).await.unwrap().unwrap();
        let session: Value = serde_json::from_str(&publisher.credential().await.unwrap().unwrap()).unwrap();
        let secret = session["secretAccessKey"].as_str().unwrap();
        look(Some(secret));

        cloud.emulator.faults().push(Fault::AfterAcceptance(Break::Close), 1);
        publisher.publish(&message).await.unwrap().unwrap();
        look(Some(secret));
        // While a new one is on its way, and with it.
        cloud.emulator.revoke_issued_keys();
        cloud.emulator.faults().push_at_authentication(Fault::BeforeAcceptance(Break::Close), 1);
        publisher.publish(&message).await.unwrap().unwrap();
        look(None);
        look_in_flight(&cloud, &mut publisher, &message, || look(None)).await;
        assert_eq!(memories.contents().count(), 1);
    })
    .await;
}
