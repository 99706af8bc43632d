//! The MQTT endpoint of Aliyun: logins by signature, one connection for each device, and what the platform does not
//! take. The signatures are those of the documentation, or were made with another tool.

use thingpost_emulator::{AliyunMqtt, Authority, Broker, Device, MqttEnd, MqttEntry};
use thingpost_patience::patience;

use crate::aliyun_world::hmac_sha256;
use crate::client::Client;
use crate::mqtt_client::{Hello, Mqtt};

const NAME: &str = "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com";
/// Of `clientId12345deviceNamedeviceproductKeypktimestamp789` with the key `secret`.
const SHA1: &str = "fafd82a3d602b37fb0fa8b7892f24a477f851a14";
const MD5: &str = "14b198324fe55e1d3c88f2e705e201ee";
const SHA256: &str = "6074a46a91b1ebb2cc4ea42790ad0e80202c9843859fc292e57c4eb19fad9e57";

struct World {
    _broker: Broker,
    aliyun: AliyunMqtt,
    client: Client,
}

async fn world() -> World {
    let broker = Broker::start().await.unwrap();
    let authority = Authority::new();
    let aliyun = AliyunMqtt::start(&authority, NAME, broker.socket()).await.unwrap();
    aliyun.register_device("pk", "device", "secret");
    World { _broker: broker, aliyun, client: Client::new(&authority, NAME) }
}

fn hello(parameters: &str, password: &str) -> Hello {
    Hello::new(&format!("12345|{parameters}|")).login("device&pk", password)
}

fn right() -> Hello {
    hello("securemode=2,signmethod=hmacsha1,timestamp=789", SHA1)
}

impl World {
    async fn code(&self, hello: &Hello) -> u8 {
        Mqtt::try_connect(&self.client, self.aliyun.addr(), hello).await.unwrap().1
    }

    async fn connect(&self) -> Mqtt {
        Mqtt::connect(&self.client, self.aliyun.addr(), &right()).await
    }
}

#[tokio::test]
async fn a_device_logs_in_with_each_way_to_sign() {
    let world = world().await;
    for (parameters, password) in [
        ("securemode=2,signmethod=hmacsha1,timestamp=789", SHA1),
        ("timestamp=789,securemode=2,signmethod=hmacsha256", SHA256),
        ("securemode=2,timestamp=789", MD5),
        ("securemode=2,signmethod=hmacsha1,timestamp=789", &SHA1.to_uppercase()),
    ] {
        assert_eq!(world.code(&hello(parameters, password)).await, 0, "{parameters}");
    }
    let old = Hello { level: 3, ..right() };
    assert_eq!(world.code(&old).await, 0);
    let connect = &world.aliyun.ledger().connects()[0];
    let device = Device::Aliyun { product_key: "pk".to_owned(), device_name: "device".to_owned() };
    assert_eq!((connect.device.as_ref(), connect.has_password), (Some(&device), true));
    assert!(!format!("{connect:?}").contains(SHA1));
}

#[tokio::test]
async fn a_wrong_login_is_refused_with_its_code() {
    let world = world().await;
    world.aliyun.register_device("pk", "other", "hush");
    for (hello, code) in [
        (hello("securemode=2,signmethod=hmacsha1,timestamp=789", MD5), 4),
        (hello("securemode=2,signmethod=hmacsha1", SHA1), 4),
        (hello("securemode=2,signmethod=hmacsha1,timestamp=790", SHA1), 4),
        (right().login("other&pk", SHA1), 4),
        (right().login("device&kp", SHA1), 4),
        (right().login("device", SHA1), 4),
        (right().login("device&pk", ""), 4),
        (Hello { user_name: None, password: None, ..right() }, 4),
        (hello("securemode=3,signmethod=hmacsha1,timestamp=789", SHA1), 2),
        (hello("securemode=2,signmethod=sha1,timestamp=789", SHA1), 2),
        (Hello { client_id: "12345".to_owned(), ..right() }, 2),
        (Hello { keep_alive: 29, ..right() }, 5),
        (Hello { keep_alive: 1201, ..right() }, 5),
        (Hello { keep_alive: 0, ..right() }, 5),
    ] {
        let user_name = hello.user_name.clone();
        assert_eq!(world.code(&hello).await, code, "{} {user_name:?}", hello.client_id);
    }
    // A server that does not know version 5 answers in the form that it knows.
    let mut five = Mqtt::open(&world.client, world.aliyun.addr(), 5).await.unwrap();
    five.send(&Hello { level: 5, ..right() }.bytes()).await.unwrap();
    assert_eq!(five.read().await.unwrap().body, [0, 1]);
    assert!(five.is_closed().await);
    world.aliyun.remove_device("pk", "device");
    assert_eq!(world.code(&right()).await, 4);
}

#[tokio::test]
async fn a_device_has_one_connection_whatever_its_client_id() {
    let world = world().await;
    let mut first = world.connect().await;
    // A refused login takes no place, and neither does one that a fault refuses.
    assert_eq!(world.code(&right().login("device&pk", MD5)).await, 4);
    world.aliyun.link().answer_connects(3, 1);
    assert_eq!(world.code(&right()).await, 3);
    assert_eq!(first.publish(1, "/pk/device/user/update", b"x").await.unwrap(), 0);
    // Another client id to the broker, the same device.
    let other = hello("timestamp=789,securemode=2,signmethod=hmacsha1", SHA1);
    let mut second = Mqtt::connect(&world.client, world.aliyun.addr(), &other).await;
    assert!(first.is_closed().await);
    assert_eq!(second.publish(1, "/pk/device/user/update", b"y").await.unwrap(), 0);
    let is_taken = |entry: &MqttEntry| matches!(entry, MqttEntry::End(ended) if ended.end == MqttEnd::TakenOver);
    let taken = |entries: &[MqttEntry]| entries.iter().any(is_taken);
    world.aliyun.ledger().wait_until(taken, patience()).await.unwrap();
}

#[tokio::test]
async fn what_aliyun_does_not_know_ends_the_connection() {
    let world = world().await;
    let mut mortal = Mqtt::open(&world.client, world.aliyun.addr(), 4).await.unwrap();
    mortal.send(&Hello { will: Some(("t", "bye")), ..right() }.bytes()).await.unwrap();
    assert!(mortal.is_closed().await);
    let large = vec![b'x'; 256 * 1024 + 1];
    for (first_byte, payload) in [(0x34, &b"x"[..]), (0x33, b"x"), (0x32, &large)] {
        let mut mqtt = world.connect().await;
        let mut bytes = mqtt.publish_bytes(1, 1, "t", payload);
        bytes[0] = first_byte;
        mqtt.send(&bytes).await.unwrap();
        mqtt.is_closed().await;
    }
    let mut mqtt = world.connect().await;
    assert_eq!(mqtt.publish(1, "t", &large[1..]).await.unwrap(), 0);
    assert_eq!(world.aliyun.ledger().counts().forwarded, 1);
}

#[tokio::test]
async fn a_device_that_connects_too_often_is_refused_whatever_its_client_id_says() {
    let world = world().await;
    world.aliyun.chaos("connects=2/h".parse().unwrap());
    let sha256 = || hello("timestamp=789,securemode=2,signmethod=hmacsha256", SHA256);
    let mut codes = Vec::new();
    // One that is signed wrong is refused for that, and does not count.
    for hello in [hello("securemode=2", SHA1), right(), sha256(), right(), sha256()] {
        codes.push(world.code(&hello).await);
    }
    assert_eq!(codes, [4, 0, 0, 3, 3]);
    world.aliyun.calm();
    assert_eq!(world.code(&right()).await, 0);
}

/// Of `deviceName{device}productKeypkrandom7` with the product's secret.
fn registration(kind: &str, device_name: &str, product_secret: &str) -> Hello {
    let password = hmac_sha256(product_secret, &format!("deviceName{device_name}productKeypkrandom7"));
    Hello::new(&format!("c|securemode=2,authType={kind},random=7,signmethod=hmacsha256|"))
        .login(&format!("{device_name}&pk"), &password)
}

#[tokio::test]
async fn a_device_that_registers_is_told_a_secret_or_a_token_without_a_subscription() {
    let world = world().await;
    world.aliyun.add_product("pk", "product-secret");
    world.aliyun.pre_register("pk", "known");
    let told = async |hello: &Hello| -> (String, serde_json::Value) {
        let mut mqtt = Mqtt::connect(&world.client, world.aliyun.addr(), hello).await;
        let (topic, payload) = mqtt.message().await;
        mqtt.disconnect().await;
        (topic, serde_json::from_slice(&payload).unwrap())
    };
    let (topic, secret) = told(&registration("register", "known", "product-secret")).await;
    assert_eq!((topic.as_str(), secret["deviceName"].as_str()), ("/ext/register", Some("known")));
    let (topic, token) = told(&registration("regnwl", "unknown", "product-secret")).await;
    assert_eq!((topic.as_str(), token["productKey"].as_str()), ("/ext/regnwl", Some("pk")));

    let (id, password) = (token["clientId"].as_str().unwrap(), token["deviceToken"].as_str().unwrap());
    let by_token = |id: &str| Hello::new(&format!("{id}|securemode=-2,authType=connwl|")).login("unknown&pk", password);
    assert_eq!((world.code(&by_token(id)).await, world.code(&by_token("other")).await), (0, 4));
    for wrong in [
        registration("register", "known", "another-secret"),
        registration("register", "unknown", "product-secret"),
        registration("regnwl", "known", "product-secret"),
        registration("regnwl", "other", "another-secret"),
    ] {
        assert_eq!(world.code(&wrong).await, 4, "{}", wrong.client_id);
    }
    // Active from its first login on.
    let content = "clientId12345deviceNameknownproductKeypk";
    let password = hmac_sha256(secret["deviceSecret"].as_str().unwrap(), content);
    let hello = hello("securemode=2,signmethod=hmacsha256", &password).login("known&pk", &password);
    assert_eq!(world.code(&hello).await, 0);
    assert_eq!(world.code(&registration("register", "known", "product-secret")).await, 4);
}
