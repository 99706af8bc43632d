//! A broker has more to say than the instance has room for.

use std::sync::Arc;
use std::time::Duration;

use thingpost_emulator::MqttRecording;
use thingpost_host::runtime::types::Qos;
use thingpost_host::runtime::types::mqtt::{Subscription, Version};
use thingpost_patience::patience;
use tokio::time::sleep;

use crate::fixtures::deadline::within;
use crate::fixtures::message::{at_least_once, at_most_once, patterned};
use crate::fixtures::mqtt::{Device, MqttCloud, VERSIONS, config, config_of, options, visible_mqtt};
use crate::fixtures::visible_memory::VisibleMemories;

const SIZE: usize = 128 * 1024;

async fn listener(cloud: &MqttCloud, memories: &VisibleMemories, version: Version, qos: Qos) -> Device {
    let transport = cloud.transport(cloud.route());
    let config = config_of("listener", version);
    let mut listener =
        Device::open_with(&visible_mqtt(memories), transport, Arc::default(), &config, &options(), &[]).await;
    listener.connect().await.unwrap();
    let wanted = Subscription { filter: "a/1".to_owned(), qos, options: None };
    listener.session.subscribe(&wanted).await.unwrap().unwrap();
    listener.until(|listener| !listener.answers("a/1").is_empty()).await;
    listener
}

#[tokio::test]
async fn who_does_not_receive_takes_no_memory_for_what_comes_and_gets_all_of_it_in_the_end() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let memories = VisibleMemories::default();
            let mut listener = listener(&cloud, &memories, version, Qos::AtLeastOnce).await;
            let size = memories.size();
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            // 5 MiB, and the listener speaks in between and does not listen.
            for number in 0..40 {
                device.publish(&at_least_once("a/1", patterned(SIZE - number))).await;
                if number % 10 == 0 {
                    device.settle().await;
                    listener.publish(&at_most_once("a/other", *b"busy")).await;
                    sleep(Duration::from_millis(20)).await;
                }
            }
            device.settle().await;
            assert!(memories.size() <= size + 256 * 1024, "{size} bytes have become {}", memories.size());

            // The memory of the listener ends at 4 MiB.
            listener.until(|listener| listener.messages().len() == 40).await;
            for (number, message) in listener.messages().into_iter().enumerate() {
                assert!(message.payload == patterned(SIZE - number), "{number}");
            }
            assert_eq!(listener.disconnections(), []);
        }
    })
    .await;
}

/// Receives so many messages, and forgets them.
async fn hear(listener: &mut Device, count: usize) {
    let mut heard = 0;
    while heard < count {
        listener.receive(Duration::from_secs(1)).await;
        heard += listener.messages().len();
        assert_eq!(listener.disconnections(), []);
        listener.events.clear();
    }
    assert_eq!(heard, count);
}

// The front goes on while the instance reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn many_small_messages_that_have_gathered_take_no_more_memory_than_a_call_hands_over() {
    within(async {
        const COUNT: usize = 150_000;
        let cloud = MqttCloud::start().await;
        let ledger = cloud.front.ledger();
        ledger.set_recording(MqttRecording::Counts);
        let memories = VisibleMemories::default();
        let mut listener = listener(&cloud, &memories, Version::V311, Qos::AtMostOnce).await;
        let mut device = cloud.online(&config(Version::V311, 8883), &options()).await;
        // The system gives more room to who takes much.
        for _ in 0..50 {
            device.publish_all(&vec![at_least_once("a/1", patterned(SIZE)); 8]).await;
            device.settle().await;
            hear(&mut listener, 8).await;
        }
        let thousand = vec![at_most_once("a/1", [b'x'; 10]); 1000];
        for _ in 0..COUNT / 1000 {
            device.publish_all(&thousand).await;
            device.settle().await;
            device.events.clear();
        }
        // Behind them, so that they have left.
        device.publish(&at_least_once("a/last", *b"")).await;
        device.settle().await;
        // 2.4 MiB: they lie with the system, and in part still with the broker.
        ledger.wait_for_counts(|it| it.deliveries > COUNT as u64 / 2, patience()).await.unwrap();
        // The memory of the listener ends at 4 MiB.
        hear(&mut listener, COUNT).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn who_receives_from_a_broker_that_does_not_stop_is_given_what_has_come_and_returns() {
    within(async {
        let cloud = MqttCloud::start().await;
        let memories = VisibleMemories::default();
        let mut listener = listener(&cloud, &memories, Version::V311, Qos::AtMostOnce).await;
        let mut speaker = cloud.online(&config(Version::V311, 8883), &options()).await;
        let speaker = tokio::spawn(async move {
            for _ in 0..50 {
                speaker.publish_all(&vec![at_least_once("a/1", patterned(SIZE)); 8]).await;
                speaker.settle().await;
            }
        });
        hear(&mut listener, 400).await;
        speaker.await.unwrap();
    })
    .await;
}
