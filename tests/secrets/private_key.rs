//! The private key of the device, which is the host's alone.

use thingpost_emulator::{Break, Fault};
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::Message;
use thingpost_patience::patience;

use crate::fixtures::aws::{AwsCloud, platform};
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::key_traces::traces;
use crate::fixtures::message::at_least_once;
use crate::fixtures::visible_memory::VisibleMemories;

/// Looks into the guest while its message is with the platform, and leaves it there.
pub async fn look_in_flight(cloud: &AwsCloud, publisher: &mut Publisher, message: &Message, look: impl FnOnce()) {
    let ledger = cloud.emulator.ledger();
    ledger.clear();
    cloud.emulator.faults().push(Fault::AfterAcceptance(Break::Stall), 1);
    tokio::select! {
        outcome = publisher.publish(message) => panic!("{outcome:?}"),
        entries = ledger.wait_for(1, patience()) => {
            assert!(entries.unwrap()[0].disposition.is_accepted());
        }
    }
    look();
}

#[tokio::test]
async fn the_private_key_is_nowhere_in_the_memory_of_the_guest() {
    within(async {
        let cloud = AwsCloud::start().await;
        let certificate = cloud.device.certificate_pem.lines().nth(1).unwrap();
        // Long, because memory that is freed is soon used for something else.
        let payload = "an unmistakable payload of the test, ".repeat(1_000);
        let message = at_least_once("devices/unmistakable-topic/up", payload);
        let memories = VisibleMemories::default();
        let look = || {
            let contents = memories.contents();
            for (name, trace) in traces(&cloud.device.private_key_pem) {
                assert!(!contents.contain(&trace), "{name} is in the guest");
            }
            assert!(!contents.contain(certificate.as_bytes()), "the certificate is in the guest");
            // The same search finds what is there.
            assert!(contents.contain(b"an unmistakable payload of the test"));
            contents
        };
        let pre = memories.publisher();
        for port in [8443, 443] {
            let transport = cloud.transport(cloud.route());
            let mut publisher = pre.builder(transport, &platform(port)).options(options()).open().await.unwrap();
            publisher.publish(&message).await.unwrap().unwrap();
            look();
            cloud.emulator.faults().push(Fault::AfterAcceptance(Break::Close), 1);
            publisher.publish(&message).await.unwrap().unwrap();
            look();
            look_in_flight(&cloud, &mut publisher, &message, || {
                assert!(look().contain(b"devices/unmistakable-topic/up"));
            })
            .await;
        }
        assert_eq!(memories.contents().count(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_search_would_find_a_key_that_is_in_the_guest() {
    within(async {
        let cloud = AwsCloud::start().await;
        let memories = VisibleMemories::default();
        let pre = memories.publisher();
        for (name, trace) in traces(&cloud.device.private_key_pem) {
            memories.forget();
            let transport = cloud.transport(cloud.route());
            let mut publisher = pre.builder(transport, &platform(8443)).options(options()).open().await.unwrap();
            assert!(!memories.contents().contain(&trace));
            let message = at_least_once("a", trace.clone());
            let look = || assert!(memories.contents().contain(&trace), "{name} is not found");
            look_in_flight(&cloud, &mut publisher, &message, look).await;
        }
    })
    .await;
}
