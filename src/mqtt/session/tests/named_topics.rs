//! Which topic an explanation names when the broker closes without a word: none that it has taken.

use std::sync::Arc;

use super::world::World;
use super::{at_least_once, at_most_once, config, prompt};
use crate::http::TransportErrorKind;
use crate::mqtt::{Config, Version};
use crate::{aliyun, endpoint};

fn closed(world: &mut World) -> String {
    world.events.clear();
    world.cut(TransportErrorKind::ConnectionClosed);
    world.settle();
    world.disconnections()[0].explanation.clone()
}

fn aliyun() -> Config {
    let endpoint = endpoint::Endpoint::new(super::ENDPOINT, 443).unwrap();
    let device = aliyun::Device::new(endpoint, "pk", "device", None).unwrap();
    let signer = aliyun::Signer::Secret(crate::secret::Secret::new("0123456789"));
    let sign_method = aliyun::SignMethod::HmacSha1;
    let auth_method = aliyun::mqtt::AuthMethod::Signature { signer, sign_method, timestamp_ms: None };
    let broker = aliyun::mqtt::BrokerConfig::new(device, auth_method).unwrap();
    Config { broker: Arc::new(broker), ..config(Version::V3) }
}

#[test]
fn a_topic_whose_message_was_acknowledged_is_never_named() {
    for config in [config(Version::V3), config(Version::V5), aliyun()] {
        let mut world = World::online(config, prompt());
        world.publish(at_least_once("/pk/device/user/taken", "1"));
        assert_eq!(world.published().len(), 1);
        let explanation = closed(&mut world);
        assert!(!explanation.contains("user/taken"), "{explanation}");
    }
}

#[test]
fn an_at_most_once_message_is_named_until_one_behind_it_is_acknowledged_and_over_its_own_connection() {
    for config in [config(Version::V3), aliyun()] {
        let mut world = World::online(config, prompt());
        world.publish(at_most_once("/pk/device/user/maybe", "1"));
        let explanation = closed(&mut world);
        assert!(explanation.contains("user/maybe"), "{explanation}");
        world.pass(2000);
        let explanation = closed(&mut world);
        assert!(!explanation.contains("user/maybe"), "{explanation}");

        world.pass(10_000);
        world.publish(at_most_once("/pk/device/user/maybe", "2"));
        world.publish(at_least_once("/pk/device/user/taken", "3"));
        let explanation = closed(&mut world);
        assert!(!explanation.contains("user/maybe") && !explanation.contains("user/taken"), "{explanation}");

        world.pass(20_000);
        world.broker.ack_delay_ms = 100;
        world.publish(at_least_once("/pk/device/user/taken", "4"));
        world.publish(at_most_once("/pk/device/user/maybe", "5"));
        world.pass(200);
        let explanation = closed(&mut world);
        assert!(explanation.contains("user/maybe"), "{explanation}");
    }
}
