//! How long a call takes, and who can end it. What must not take long would take longer than any test otherwise; nothing
//! is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use thingpost_host::runtime::types::mqtt::Version;
use thingpost_host::runtime::types::{Cause, TransportErrorKind};
use thingpost_patience::patience;
use tokio::time::sleep;

use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{Device, MqttCloud, VERSIONS, changed, config, options};

/// What `receive` would wait for: longer than the test.
const LONG: Duration = Duration::from_secs(86_400);

async fn returns_soon(device: &mut Device, wait: Duration) -> usize {
    let events = device.session.receive(wait).await.unwrap();
    let count = events.len();
    device.events.extend(events);
    count
}

#[tokio::test]
async fn an_interrupt_makes_a_long_wait_return() {
    within(async {
        let cloud = MqttCloud::start().await;
        for is_online in [true, false] {
            let mut device = cloud.open(&config(Version::V5, 8883), &options()).await;
            if is_online {
                device.connect().await.unwrap();
            }
            let interrupt = device.session.interrupt();
            let (count, ()) = tokio::join!(returns_soon(&mut device, LONG), async {
                sleep(Duration::from_millis(100)).await;
                interrupt.now();
            });
            assert_eq!(count, 0);
            // One that comes before the call is not lost, and is not for two calls.
            interrupt.now();
            assert_eq!(returns_soon(&mut device, LONG).await, 0);
            let next = tokio::time::Instant::now();
            assert_eq!(returns_soon(&mut device, Duration::from_millis(300)).await, 0);
            assert!(next.elapsed() >= Duration::from_millis(290), "the next call waits again");
        }
    })
    .await;
}

#[tokio::test]
async fn an_interrupt_from_another_thread_lets_somebody_publish_in_between() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut device = cloud.online(&config(Version::V311, 8883), &options()).await;
        let interrupt = device.session.interrupt();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let other = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
                interrupt.now();
            }
        });
        for _ in 0..10 {
            returns_soon(&mut device, LONG).await;
            device.publish(&at_least_once("a/1", *b"in between")).await;
        }
        is_over.store(true, Ordering::Relaxed);
        other.join().unwrap();
        device.settle().await;
        assert_eq!((device.receipts().len(), device.taken.len()), (10, 10));
    })
    .await;
}

#[tokio::test]
async fn an_interrupt_does_not_break_off_what_is_under_way() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut device = cloud.open(&config(Version::V5, 8883), &options()).await;
        device.session.keep_connecting().await.unwrap();
        let interrupt = device.session.interrupt();
        while device.connections().is_empty() {
            interrupt.now();
            returns_soon(&mut device, LONG).await;
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(device.disconnections(), []);
        assert_eq!(cloud.front.connections_mutual_tls().handshakes, 1);
    })
    .await;
}

#[tokio::test]
async fn zero_does_not_wait_and_reads_what_has_come() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let mut listener = cloud.listener(version, "a/1").await;
            assert_eq!(returns_soon(&mut listener, Duration::ZERO).await, 0);
            let mut device = cloud.online(&config(version, 8883), &options()).await;
            device.publish(&at_least_once("a/1", *b"21.5")).await;
            device.settle().await;
            while listener.messages().is_empty() {
                returns_soon(&mut listener, Duration::ZERO).await;
                // The broker, the front and the system are given time; the instance is not.
                sleep(Duration::from_millis(2)).await;
            }
            // The next call acknowledges what this one has handed over.
            returns_soon(&mut listener, Duration::ZERO).await;
            cloud.front.ledger().wait_for_counts(|it| it.confirmed == 1, patience()).await.unwrap();
            assert_eq!(listener.payloads(), [b"21.5"]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_whole_life_goes_by_without_a_wait_when_somebody_else_waits() {
    within(async {
        let cloud = MqttCloud::start().await;
        let mut device = cloud.open(&config(Version::V5, 443), &options()).await;
        device.session.keep_connecting().await.unwrap();
        device.publish(&at_least_once("a/1", *b"21.5")).await;
        while device.session.outstanding().await.unwrap() > 0 {
            returns_soon(&mut device, Duration::ZERO).await;
            sleep(Duration::from_millis(2)).await;
        }
        device.settle().await;
        assert_eq!((device.connections().len(), device.receipts().len()), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn who_is_not_called_for_longer_than_its_keep_alive_is_lost_and_comes_back_when_it_is() {
    within(async {
        for version in VERSIONS {
            let cloud = MqttCloud::start().await;
            let config = changed(config(version, 8883), |session| session.keep_alive_s = Some(3));
            let mut device = cloud.online(&config, &options()).await;
            cloud.front.ledger().wait_for_counts(|it| it.ends == 1, patience()).await.unwrap();
            device.publish(&at_least_once("a/1", *b"awake")).await;
            device.settle().await;
            assert_eq!((device.receipts().len(), device.connections().len()), (1, 1));
            let [lost] = &device.disconnections()[..] else { panic!("{:?}", device.events) };
            let expected = match version {
                Version::V311 => [Cause::Transport(TransportErrorKind::ConnectionClosed); 2],
                Version::V5 => [
                    Cause::Transport(TransportErrorKind::ConnectionClosed),
                    Cause::Transport(TransportErrorKind::KeepAliveTimeout),
                ],
            };
            assert!(expected.contains(&lost.cause), "{lost:?}");
        }
    })
    .await;
}
