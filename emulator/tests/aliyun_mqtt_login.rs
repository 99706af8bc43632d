//! The two doors that send a device on to MQTT.

use serde_json::{Value, json};
use thingpost_emulator::{AliyunEmulator, AliyunOptions, Authority};

use crate::aliyun_world::{FORM, World, hmac_sha256, world, world_with};
use crate::client::Client;

const BOOTSTRAP: &str = "/auth/bootstrap";
const LOGIN: &str = "/auth/devicename";

/// A right form for `/auth/devicename`, with more parameters that are signed.
fn login(more: &[(&str, &str)]) -> String {
    let mut signed = vec![("clientId", "12345"), ("deviceName", "device"), ("productKey", "pk")];
    signed.extend_from_slice(more);
    signed.sort_unstable();
    let content: String = signed.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let sign = hmac_sha256("secret", &content);
    let pairs: Vec<String> = signed.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}&sign={sign}&signmethod=hmacsha256", pairs.join("&"))
}

async fn asked(world: &World, target: &str, body: &str) -> Value {
    serde_json::from_str(&world.form(target, body).await.body).unwrap()
}

async fn code(world: &World, target: &str, body: &str) -> u64 {
    let answer = asked(world, target, body).await;
    assert_eq!(answer.get("data"), None, "{body}");
    answer["code"].as_u64().unwrap()
}

#[tokio::test]
async fn a_bootstrap_names_the_mqtt_host_of_the_device() {
    let world = world().await;
    // As an ESP32 asks, and as the official SDK does.
    for body in ["productKey=pk&deviceName=device", "productKey=pk&deviceName=device&clientId=pk.device&resources=mqtt"]
    {
        let answer = world.form(BOOTSTRAP, body).await;
        assert_eq!(
            answer.body,
            r#"{"code":200,"data":{"resources":{"mqtt":{"host":"pk.iot-as-mqtt.cn-shanghai.aliyuncs.com","port":1883}}},"message":"success"}"#
        );
    }
    world.emulator.set_mqtt_endpoint("iot-06z00d9wc4x18a6.mqtt.iothub.aliyuncs.com", 443);
    let answer = asked(&world, BOOTSTRAP, "productKey=pk&deviceName=device").await;
    let mqtt = json!({"host": "iot-06z00d9wc4x18a6.mqtt.iothub.aliyuncs.com", "port": 443});
    assert_eq!(answer["data"]["resources"]["mqtt"], mqtt);
}

#[tokio::test]
async fn a_bootstrap_of_nobody_has_a_documented_code() {
    let world = world().await;
    assert_eq!(code(&world, BOOTSTRAP, "productKey=other&deviceName=device").await, 6250);
    assert_eq!(code(&world, BOOTSTRAP, "productKey=pk&deviceName=other").await, 6100);
    for body in ["", "productKey=pk", "deviceName=device", "productKey=pk&deviceName="] {
        assert_eq!(code(&world, BOOTSTRAP, body).await, 460, "{body}");
    }
    world.emulator.add_product("fleet", "product-secret", false);
    assert_eq!(code(&world, BOOTSTRAP, "productKey=fleet&deviceName=fresh").await, 6100);
    // A device has its place before it has its secret.
    world.emulator.pre_register("fleet", "fresh");
    let answer = asked(&world, BOOTSTRAP, "productKey=fleet&deviceName=fresh").await;
    assert_eq!(answer["code"], 200);
}

#[tokio::test]
async fn a_login_has_the_documented_shape() {
    let world = world().await;
    let response = world.form(LOGIN, &login(&[])).await;
    assert_eq!(response.status_line(), "HTTP/1.1 200 ");
    let answer: Value = serde_json::from_str(&response.body).unwrap();
    let data = &answer["data"];
    let id = data["iotId"].as_str().unwrap();
    assert_eq!((id.len(), data["iotToken"].as_str().unwrap().len()), (20, 32));
    assert_eq!(
        answer,
        json!({
            "code": 200,
            "data": {
                "iotId": id,
                "iotToken": data["iotToken"],
                "resources": {"mqtt": {"host": "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com", "port": 1883}},
            },
            "message": "success",
        })
    );
    let again = asked(&world, LOGIN, &login(&[])).await;
    assert_eq!(again["data"]["iotId"], id);
    assert_ne!(again["data"]["iotToken"], data["iotToken"]);
    // It is another token than that of /auth, and not counted with those.
    let response = world.publish(data["iotToken"].as_str().unwrap(), "/topic/pk/device/user/up", b"x").await;
    assert!(response.body.starts_with(r#"{"code":20003,"#), "{}", response.body);
    assert_eq!(world.emulator.authentications(), 0);
}

#[tokio::test]
async fn a_login_may_be_of_any_time_and_does_not_sign_what_it_asks_for() {
    let world = world().await;
    for body in [
        login(&[("timestamp", "2524608000000")]),
        login(&[("timestamp", "789")]),
        format!("{}&resources=mqtt", login(&[])),
        format!("{}&version=default", login(&[])),
    ] {
        assert_eq!(asked(&world, LOGIN, &body).await["code"], 200, "{body}");
    }
    // Without a method it is MD5: a published signature, with the time that it was published with.
    let body = "clientId=12345&deviceName=device&productKey=pk&timestamp=789&sign=14B198324FE55E1D3C88F2E705E201EE";
    assert_eq!(asked(&world, LOGIN, body).await["code"], 200);
}

#[tokio::test]
async fn each_reason_to_refuse_a_login_has_its_own_code() {
    let world = world().await;
    let good = login(&[]);
    assert_eq!(
        world.form(LOGIN, &good.replace("clientId=12345", "clientId=12346")).await.body,
        r#"{"code":401,"message":"request auth error"}"#
    );
    assert_eq!(code(&world, LOGIN, &format!("{good}&seq=1")).await, 401);
    for stranger in [good.replace("productKey=pk", "productKey=xx"), good.replace("=device", "=other")] {
        assert_eq!(world.form(LOGIN, &stranger).await.body, r#"{"code":5001,"message":"meta device not found"}"#);
    }
    for name in ["productKey", "deviceName", "clientId", "sign"] {
        let pair = good.split('&').find(|pair| pair.split('=').next() == Some(name)).unwrap();
        let without: Vec<&str> = good.split('&').filter(|other| *other != pair).collect();
        assert_eq!(code(&world, LOGIN, &without.join("&")).await, 460, "{name}");
    }
    assert_eq!(code(&world, LOGIN, &good.replace("hmacsha256", "sha256")).await, 460);
    let json = "Content-Type: application/json\r\n";
    assert!(world.post_iot_auth(LOGIN, json, good.as_bytes()).await.body.starts_with(r#"{"code":460,"#));
    // There is no signature for a device that has no secret yet.
    world.emulator.pre_register("pk", "device");
    assert_eq!(code(&world, LOGIN, &good).await, 401);
    for (code, message) in [(500, "system error"), (6200, "auth type mismatch")] {
        world.emulator.next_iot_auth_code(code);
        assert_eq!(world.form(LOGIN, &good).await.body, format!(r#"{{"code":{code},"message":"{message}"}}"#));
    }
}

#[tokio::test]
async fn a_login_does_not_make_a_device_active() {
    let world = world_with(|options| options.keep_alive = true).await;
    world.emulator.add_product("pk", "product-secret", true);
    let mut connection = world.connect_iot_auth().await;
    let answer = connection.post(LOGIN, FORM, login(&[]).as_bytes()).await.unwrap();
    assert!(answer.body.starts_with(r#"{"code":200,"#), "{}", answer.body);
    let sign = hmac_sha256("product-secret", "deviceNamedeviceproductKeypkrandom1");
    let form = format!("productKey=pk&deviceName=device&random=1&sign={sign}&signMethod=hmacsha256");
    let answer = connection.post("/auth/register/device", FORM, form.as_bytes()).await.unwrap();
    assert!(answer.body.starts_with(r#"{"code":200,"#), "{}", answer.body);
}

#[tokio::test]
async fn an_instance_has_an_mqtt_host_of_its_own_and_registers_in_shanghai() {
    let authority = Authority::new();
    let options = AliyunOptions::new(&authority, "iot-06z00d9wc4x18a6.http.iothub.aliyuncs.com");
    let emulator = AliyunEmulator::start(options).await.unwrap();
    emulator.add_device("pk", "device", "secret");
    assert_eq!(emulator.iot_auth_server_name(), "iot-auth.cn-shanghai.aliyuncs.com");
    let client = Client::new(&authority, "iot-auth.cn-shanghai.aliyuncs.com");
    let mut connection = client.connect(emulator.addr_iot_auth()).await.unwrap();
    let answer = connection.post(BOOTSTRAP, FORM, b"productKey=pk&deviceName=device").await.unwrap();
    assert!(answer.body.contains(r#""host":"iot-06z00d9wc4x18a6.mqtt.iothub.aliyuncs.com""#), "{}", answer.body);
}
