//! Sessions on a real broker behind the front of a cloud.

use std::time::Duration;

use thingpost_client::thingpost::mqtt::Options;
use thingpost_client::{Builder, Client, Delivery, Message, MqttClient, Qos, SessionError, Status};
use thingpost_emulator::{AliyunMqtt, Authority, AwsMqtt, Broker, PlainMqtt};
use thingpost_patience::within;
use tokio::time::timeout;

use crate::clouds::{ALIYUN, ENDPOINT, PRODUCT, SECRET, identity, roots};

struct Cloud {
    authority: Authority,
    broker: Broker,
    front: AwsMqtt,
}

impl Cloud {
    async fn start() -> Self {
        let authority = Authority::new();
        let broker = Broker::start().await.unwrap_or_else(|error| panic!("{error}"));
        let front = AwsMqtt::start(&authority, ENDPOINT, broker.socket()).await.unwrap();
        Self { authority, broker, front }
    }

    fn builder(&self, name: &str) -> Builder<thingpost_client::Aws> {
        let device = self.authority.issue_device(name);
        self.front.register(&device);
        let address = self.front.addr_mutual_tls().to_string();
        Client::aws(ENDPOINT).identity(identity(&device)).roots(roots(&self.authority)).connect_to(address)
    }
}

/// Comes back soon.
fn options() -> Options {
    Options { reconnect_base_ms: 20, reconnect_max_ms: 200, drain_per_second: 0, ..Options::default() }
}

fn message(text: &str) -> Message {
    Message::new("plant/4/celsius", text.as_bytes(), Qos::AtLeastOnce)
}

#[tokio::test]
async fn what_one_device_publishes_another_one_gets() {
    within(async {
        let cloud = Cloud::start().await;
        let (sender, _) = cloud.builder("sender").mqtt("sender").unwrap().options(options()).open().unwrap();
        let (receiver, mut messages) = cloud.builder("receiver").mqtt("receiver").unwrap().open().unwrap();
        assert_eq!(receiver.subscribe("plant/+/celsius", Qos::AtLeastOnce).await, Ok(Qos::AtLeastOnce));
        for text in ["21.5", "22"] {
            sender.publish(message(text)).await.unwrap();
            let came = messages.next().await.unwrap();
            assert_eq!((came.topic.as_str(), &*came.payload), ("plant/4/celsius", text.as_bytes()));
        }
        receiver.unsubscribe("plant/+/celsius").await.unwrap();
        assert_eq!(receiver.disconnect().await, []);
        assert!(messages.next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_message_that_was_not_asked_beyond_comes_again() {
    within(async {
        let cloud = Cloud::start().await;
        let (sender, _) = cloud.builder("sender").mqtt("sender").unwrap().open().unwrap();
        let keeping = |cloud: &Cloud| cloud.builder("receiver").mqtt("receiver").unwrap().session_expiry_s(600);
        let (receiver, mut messages) = keeping(&cloud).options(options()).open().unwrap();
        receiver.subscribe("plant/4/celsius", Qos::AtLeastOnce).await.unwrap();
        sender.publish(message("21.5")).await.unwrap();
        assert_eq!(&*messages.next().await.unwrap().payload, b"21.5");
        // It may have crashed while it wrote that down: the connection breaks, and the broker has heard nothing.
        cloud.front.link().cut();
        let again = messages.next();
        // Asking for the next one says that the one before is kept, over a connection that is gone.
        assert_eq!(&*again.await.unwrap().payload, b"21.5");
    })
    .await;
}

#[tokio::test]
async fn a_session_comes_back_by_itself_and_nothing_is_lost_or_doubled() {
    within(async {
        let cloud = Cloud::start().await;
        let (client, _) = cloud.builder("sender").mqtt("sender").unwrap().options(options()).open().unwrap();
        let (receiver, mut messages) =
            cloud.builder("receiver").mqtt("receiver").unwrap().options(options()).open().unwrap();
        receiver.subscribe("plant/4/celsius", Qos::AtLeastOnce).await.unwrap();
        client.publish(message("before")).await.unwrap();
        assert_eq!(&*messages.next().await.unwrap().payload, b"before");
        let mut status = client.status();
        cloud.front.link().cut();
        let lost = status.wait_for(|status| matches!(status, Status::Disconnected(_))).await.map(|_| ());
        lost.unwrap();
        client.publish(message("after")).await.unwrap();
        assert!(matches!(*client.status().borrow(), Status::Connected(_)));
        assert_eq!(cloud.front.ledger().payloads("plant/4/celsius"), [b"before".to_vec(), b"after".to_vec()]);
        // The receiver may have come back after that message; what comes then comes by its subscription of before.
        let mut came = None;
        while came.is_none() {
            client.publish(message("again")).await.unwrap();
            came = timeout(Duration::from_millis(100), messages.next()).await.ok().flatten();
        }
    })
    .await;
}

#[tokio::test]
async fn outcomes_do_not_wait_behind_messages_that_are_not_taken() {
    within(async {
        let cloud = Cloud::start().await;
        let (client, mut messages) = cloud.builder("both").mqtt("both").unwrap().options(options()).open().unwrap();
        client.subscribe("flood", Qos::AtMostOnce).await.unwrap();
        let (sender, _) = cloud.builder("sender").mqtt("sender").unwrap().options(options()).open().unwrap();
        for _ in 0..1500 {
            sender.publish(Message::new("flood", *b"x", Qos::AtMostOnce)).await.unwrap();
        }
        sender.publish(message("behind the flood")).await.unwrap();
        // None of them was taken, and this has its outcome all the same.
        client.publish(message("21.5")).await.unwrap();
        assert_eq!(&*messages.next().await.unwrap().payload, b"x");
    })
    .await;
}

#[tokio::test]
async fn a_message_that_was_asked_for_in_vain_comes_with_the_next_question() {
    within(async {
        let cloud = Cloud::start().await;
        let (client, mut messages) = cloud.builder("both").mqtt("both").unwrap().options(options()).open().unwrap();
        client.subscribe("plant/4/celsius", Qos::AtLeastOnce).await.unwrap();
        // Given up again and again while the message is on its way: whenever that is, it is not lost.
        client.publish(message("21.5")).await.unwrap();
        loop {
            if let Ok(came) = timeout(Duration::from_micros(50), messages.next()).await {
                assert_eq!(&*came.unwrap().payload, b"21.5");
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_never_handed_over_is_not_acknowledged_by_the_goodbye() {
    within(async {
        let cloud = Cloud::start().await;
        let open =
            || cloud.builder("receiver").mqtt("receiver").unwrap().session_expiry_s(600).options(options()).open();
        let (receiver, messages) = open().unwrap();
        receiver.subscribe("plant/4/celsius", Qos::AtLeastOnce).await.unwrap();
        let (sender, _) = cloud.builder("sender").mqtt("sender").unwrap().open().unwrap();
        sender.publish(message("21.5")).await.unwrap();
        // It is with the receiver by now, and was not asked for.
        let deadline = thingpost_patience::patience();
        cloud.front.ledger().wait_for_counts(|counts| counts.deliveries >= 1, deadline).await.unwrap();
        receiver.publish(message("22")).await.unwrap();
        receiver.disconnect().await;
        drop(messages);
        let (_receiver, mut messages) = open().unwrap();
        assert_eq!(&*messages.next().await.unwrap().payload, b"21.5");
    })
    .await;
}

#[tokio::test]
async fn what_comes_after_the_goodbye_is_told_so() {
    within(async {
        let cloud = Cloud::start().await;
        let (client, _) = cloud.builder("sender").mqtt("sender").unwrap().open().unwrap();
        client.publish(message("21.5")).await.unwrap();
        let late = client.clone();
        let leaving = tokio::spawn(client.disconnect());
        leaving.await.unwrap();
        let error = late.publish(message("22")).await.unwrap_err();
        assert!(error.to_string().contains("the session has ended"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn what_has_no_outcome_at_the_goodbye_is_told_and_given_back_and_goes_out_in_the_next_session() {
    within(async {
        let cloud = Cloud::start().await;
        cloud.broker.pause().await.unwrap();
        let (client, _) = cloud.builder("sender").mqtt("sender").unwrap().options(options()).open().unwrap();
        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.publish(message("21.5")).await }
        });
        // It is in the queue when a later command was taken.
        tokio::task::yield_now().await;
        let refused = client.publish(Message::new("#", *b"", Qos::AtLeastOnce)).await;
        assert!(matches!(refused, Err(SessionError::Refused(_))), "{refused:?}");
        let unfinished = client.disconnect().await;
        assert_eq!(unfinished.len(), 1);
        let Err(SessionError::Refused(error)) = waiting.await.unwrap() else { panic!("it has an outcome") };
        assert_eq!(error.delivery(), Delivery::NotSent);
        cloud.broker.resume().unwrap();
        let next = cloud.builder("sender").mqtt("sender").unwrap().unfinished(unfinished);
        let (client, _) = next.open().unwrap();
        client.publish(message("22")).await.unwrap();
        assert_eq!(cloud.front.ledger().payloads("plant/4/celsius"), [b"21.5".to_vec(), b"22".to_vec()]);
    })
    .await;
}

#[tokio::test]
async fn a_device_of_aliyun_signs_and_one_of_no_cloud_says_its_password() {
    within(async {
        let authority = Authority::new();
        let broker = Broker::start().await.unwrap_or_else(|error| panic!("{error}"));
        let front = AliyunMqtt::start(&authority, ALIYUN, broker.socket()).await.unwrap();
        front.register_device(PRODUCT, "pump-1", SECRET);
        let (client, _) = Client::aliyun(ALIYUN, PRODUCT, "pump-1", SECRET)
            .roots(roots(&authority))
            .port(1883)
            .connect_to(front.addr().to_string())
            .mqtt()
            .unwrap()
            .open()
            .unwrap();
        client.publish(Message::new(format!("/{PRODUCT}/pump-1/user/update"), *b"on", Qos::AtLeastOnce)).await.unwrap();

        let plain = PlainMqtt::start(&authority, "broker.example", broker.socket()).await.unwrap();
        let (client, _) = MqttClient::generic("broker.example")
            .roots(roots(&authority))
            .password("pump", "hunter2")
            .connect_to(plain.addr().to_string())
            .mqtt("pump-1")
            .unwrap()
            .open()
            .unwrap();
        client.publish(message("21.5")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_does_not_let_the_device_in_says_so_in_the_status() {
    within(async {
        let cloud = Cloud::start().await;
        let stranger = Authority::new().issue_device("stranger");
        let (client, _) = Client::aws(ENDPOINT)
            .identity(identity(&stranger))
            .roots(roots(&cloud.authority))
            .connect_to(cloud.front.addr_mutual_tls().to_string())
            .mqtt("stranger")
            .unwrap()
            .open()
            .unwrap();
        let mut status = client.status();
        let status = status.wait_for(|status| matches!(status, Status::Disconnected(_))).await.unwrap().clone();
        let Status::Disconnected(disconnection) = status else { unreachable!() };
        assert_eq!(disconnection.error.delivery, Delivery::NotSent);
        assert!(!disconnection.explanation.is_empty());
        // Meanwhile the session goes on trying.
        assert!(disconnection.retry_ms.is_some());
    })
    .await;
}
