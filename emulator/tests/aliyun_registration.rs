//! How a device without a secret gets one, and what it is told when it does not.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use serde_json::Value;
use sha1::Sha1;

use crate::aliyun_world::{FORM, World, hmac_sha256, signed_with, world};
use crate::client::Response;

const TARGET: &str = "/auth/register/device";
const PRODUCT_SECRET: &str = "product-secret";

/// A world in which the device `fresh` of the product `fleet` may register itself.
async fn fleet() -> World {
    let world = world().await;
    world.emulator.add_product("fleet", PRODUCT_SECRET, true);
    world.emulator.pre_register("fleet", "fresh");
    world
}

fn form(product_key: &str, device_name: &str, random: &str) -> String {
    let sign = hmac_sha256(PRODUCT_SECRET, &format!("deviceName{device_name}productKey{product_key}random{random}"));
    format!("productKey={product_key}&deviceName={device_name}&random={random}&sign={sign}&signMethod=hmacsha256")
}

/// The secret in a success, whose shape is checked.
fn secret(response: &Response, device_name: &str) -> String {
    assert_eq!(response.status_line(), "HTTP/1.1 200 ");
    let beginning = format!(r#"{{"code":200,"data":{{"deviceName":"{device_name}","deviceSecret":""#);
    let rest = response.body.strip_prefix(&beginning).unwrap_or_else(|| panic!("{}", response.body));
    rest.strip_suffix(r#"","productKey":"fleet"},"message":"success"}"#).unwrap().to_owned()
}

fn code(response: &Response) -> u64 {
    assert_eq!(response.status(), 200);
    let body: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!(body.get("data"), None);
    assert!(body["message"].is_string());
    body["code"].as_u64().unwrap()
}

async fn authenticate(world: &World, secret: &str) -> String {
    let body = signed_with(secret, &[("productKey", "fleet"), ("deviceName", "fresh")]);
    world.auth(&body).await.body
}

#[tokio::test]
async fn a_device_registers_authenticates_and_publishes() {
    let world = fleet().await;
    let secret = secret(&world.form(TARGET, &form("fleet", "fresh", "1")).await, "fresh");
    assert_eq!(secret.len(), 32);
    let token = authenticate(&world, &secret).await;
    let token = token.split('"').rev().nth(1).unwrap();
    let response = world.publish(token, "/topic/fleet/fresh/user/up", b"x").await;
    assert!(response.body.starts_with(r#"{"code":0,"#), "{}", response.body);
    assert_eq!(world.emulator.ledger().entries().len(), 1);
}

#[tokio::test]
async fn before_its_first_use_a_secret_is_replaced_by_each_registration_and_afterwards_by_none() {
    let world = fleet().await;
    let first = secret(&world.form(TARGET, &form("fleet", "fresh", "1")).await, "fresh");
    let second = secret(&world.form(TARGET, &form("fleet", "fresh", "2")).await, "fresh");
    assert_ne!(first, second);
    assert!(authenticate(&world, &first).await.starts_with(r#"{"code":20000,"#));
    // A use that failed does not make it active.
    let third = secret(&world.form(TARGET, &form("fleet", "fresh", "3")).await, "fresh");
    assert!(authenticate(&world, &third).await.starts_with(r#"{"code":0,"#));
    let late = world.form(TARGET, &form("fleet", "fresh", "4")).await;
    assert_eq!(late.body, r#"{"code":6289,"message":"device is already active"}"#);
    assert!(authenticate(&world, &third).await.starts_with(r#"{"code":0,"#));

    // Deleted and made anew, it may register again, and nothing of before is good any more.
    let token = authenticate(&world, &third).await.split('"').rev().nth(1).unwrap().to_owned();
    world.emulator.pre_register("fleet", "fresh");
    assert!(authenticate(&world, &third).await.starts_with(r#"{"code":20000,"#));
    let stale = world.publish(&token, "/topic/fleet/fresh/user/up", b"x").await;
    assert!(stale.body.starts_with(r#"{"code":20003,"#), "{}", stale.body);
    let fourth = secret(&world.form(TARGET, &form("fleet", "fresh", "5")).await, "fresh");
    assert!(authenticate(&world, &fourth).await.starts_with(r#"{"code":0,"#));
}

#[tokio::test]
async fn every_spelling_of_a_method_and_either_case_of_a_signature_is_taken() {
    fn hmac<M: Mac + KeyInit>(content: &str) -> String {
        let mut mac = <M as KeyInit>::new_from_slice(PRODUCT_SECRET.as_bytes()).unwrap();
        mac.update(content.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
    let world = fleet().await;
    let content = "deviceNamefreshproductKeyfleetrandom8Ygb7ULYh53B6OA";
    for (sign, names) in [
        (hmac::<Hmac<Md5>>(content), ["hmacmd5", "HmacMD5", "hmac_md5"]),
        (hmac::<Hmac<Sha1>>(content), ["hmacsha1", "HmacSHA1", "hmac_sha1"]),
        (hmac_sha256(PRODUCT_SECRET, content), ["hmacsha256", "HmacSHA256", "hmac_sha256"]),
    ] {
        for (name, sign) in names.into_iter().flat_map(|name| [(name, sign.clone()), (name, sign.to_uppercase())]) {
            // In the order of one SDK, with the header of another.
            let body =
                format!("deviceName=fresh&productKey=fleet&random=8Ygb7ULYh53B6OA&signMethod={name}&sign={sign}");
            let headers = "Accept: text/xml,text/javascript,text/html,application/json\r\n\
                           Content-Type: application/x-www-form-urlencoded;charset=utf-8\r\n";
            secret(&world.post_iot_auth(TARGET, headers, body.as_bytes()).await, "fresh");
        }
    }
    assert_eq!(world.emulator.registrations().len(), 18);
}

#[tokio::test]
async fn what_is_escaped_in_the_form_is_signed_as_it_was_before() {
    let world = fleet().await;
    world.emulator.pre_register("fleet", "a:b @c");
    let sign = hmac_sha256(PRODUCT_SECRET, "deviceNamea:b @cproductKeyfleetrandom1+1");
    let body = format!("productKey=fleet&deviceName=a%3Ab+%40c&random=1%2B1&sign={sign}&signMethod=hmacsha256");
    secret(&world.form(TARGET, &body).await, "a:b @c");
    assert_eq!(world.emulator.registrations()[0].random, "1+1");
}

#[tokio::test]
async fn each_reason_for_a_refusal_has_its_own_code() {
    let world = fleet().await;
    world.emulator.add_product("closed", PRODUCT_SECRET, false);
    world.emulator.pre_register("closed", "fresh");
    let good = form("fleet", "fresh", "1");
    for (expected, body) in [
        (6250, form("nothing", "fresh", "1")),
        (6288, form("closed", "fresh", "1")),
        (6292, good.replace("hmacsha256", "sha256")),
        (6600, good.replace("random=1", "random=2")),
        (6600, good.replace("sign=", "sign=00")),
        // Signed with a method, named with another.
        (6600, good.replace("hmacsha256", "hmacsha1")),
        (6100, form("fleet", "nobody", "1")),
    ] {
        assert_eq!(code(&world.form(TARGET, &body).await), expected, "{body}");
    }
    // A caller that cannot sign learns nothing about devices.
    assert_eq!(code(&world.form(TARGET, &form("fleet", "nobody", "1").replace("random=1", "random=2")).await), 6600);
    assert_eq!(world.emulator.registrations().len(), 8);

    world.emulator.add_product("fleet", PRODUCT_SECRET, false);
    assert_eq!(code(&world.form(TARGET, &good).await), 6288);
    world.emulator.add_product("fleet", PRODUCT_SECRET, true);
    secret(&world.form(TARGET, &good).await, "fresh");
}

#[tokio::test]
async fn a_request_that_lacks_something_is_told_460() {
    let world = fleet().await;
    let good = form("fleet", "fresh", "1");
    for name in ["productKey", "deviceName", "random", "sign", "signMethod"] {
        let pair = good.split('&').find(|pair| pair.split('=').next() == Some(name)).unwrap();
        let without: Vec<&str> = good.split('&').filter(|other| *other != pair).collect();
        assert_eq!(code(&world.form(TARGET, &without.join("&")).await), 460, "{name}");
        let empty = good.replace(pair, &format!("{name}="));
        assert_eq!(code(&world.form(TARGET, &empty).await), 460, "{name}");
    }
    // The parameter has a capital here, and none at /auth.
    assert_eq!(code(&world.form(TARGET, &good.replace("signMethod", "signmethod")).await), 460);
    assert_eq!(code(&world.form(TARGET, &format!("{good}&random=2")).await), 460);
    assert_eq!(code(&world.post_iot_auth(TARGET, "", good.as_bytes()).await), 460);
    let json = "Content-Type: application/json\r\n";
    assert_eq!(code(&world.post_iot_auth(TARGET, json, good.as_bytes()).await), 460);
    let mut connection = world.connect_iot_auth().await;
    connection.send(format!("POST {TARGET} HTTP/1.1\r\n{FORM}\r\n").as_bytes()).await.unwrap();
    assert_eq!(code(&connection.answer().await.unwrap()), 460);
    assert_eq!(world.emulator.registrations(), []);
}

#[tokio::test]
async fn registrations_show_who_came_with_which_random_and_no_secret() {
    let world = fleet().await;
    for random in ["one", "two", "two"] {
        world.form(TARGET, &form("fleet", "fresh", random)).await;
    }
    world.form(TARGET, &form("fleet", "nobody", "three")).await;
    let registrations = world.emulator.registrations();
    let seen: Vec<_> = registrations.iter().map(|r| (r.device_name.as_str(), r.random.as_str(), r.code)).collect();
    assert_eq!(seen, [("fresh", "one", 200), ("fresh", "two", 200), ("fresh", "two", 200), ("nobody", "three", 6100)]);
    assert!(registrations.iter().all(|r| r.product_key == "fleet" && r.sign_method == "hmacsha256"));
}

#[tokio::test]
async fn a_device_that_was_given_a_secret_may_still_register_until_it_has_used_it() {
    let world = fleet().await;
    world.emulator.add_device("fleet", "fresh", "given");
    let registered = secret(&world.form(TARGET, &form("fleet", "fresh", "1")).await, "fresh");
    assert!(authenticate(&world, "given").await.starts_with(r#"{"code":20000,"#));
    assert!(authenticate(&world, &registered).await.starts_with(r#"{"code":0,"#));
}
