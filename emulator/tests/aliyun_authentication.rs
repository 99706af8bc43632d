//! A token from `/auth`: which devices get one, and what the others are told.

use std::collections::BTreeMap;

use thingpost_emulator::{AliyunEmulator, AliyunOptions, Authority, Fault, TokenForm};

use crate::aliyun_world::{JSON, NAME, signed, true_time_ms, world, world_with};
use crate::client::Client;

#[tokio::test]
async fn success_has_the_documented_shape_and_captured_headers() {
    let world = world().await;
    let response = world.auth(&signed(&[("version", "default")])).await;
    let token = response.body.strip_prefix(r#"{"code":0,"message":"success","info":{"token":""#).unwrap();
    let token = token.strip_suffix(r#""}}"#).unwrap();
    assert_eq!(token.len(), 32);
    assert!(token.bytes().all(|digit| digit.is_ascii_hexdigit()));

    let trace_id = response.header("EagleEye-TraceId").unwrap();
    assert_eq!(trace_id.len(), 30);
    let date = response.header("Date").unwrap();
    let length = response.body.len();
    assert_eq!(
        response.head,
        format!(
            "HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\
             Server: Tengine\r\nEagleEye-TraceId: {trace_id}\r\nTiming-Allow-Origin: *\r\nDate: {date}"
        )
    );
    assert_eq!(world.emulator.authentications(), 1);
    assert_eq!(world.emulator.ledger().entries(), []);
}

#[tokio::test]
async fn the_published_signatures_are_taken_in_every_method_and_case() {
    let world = world().await;
    // The published time stamp is 789 ms after 1970.
    world.emulator.shift_clock_ms(-(true_time_ms() as i64));
    for (method, sign) in [
        (r#","signmethod":"hmacsha1""#, "fafd82a3d602b37fb0fa8b7892f24a477f851a14"),
        (r#","signmethod":"hmacsha1""#, "FAFD82A3D602B37FB0FA8B7892F24A477F851A14"),
        (r#","signmethod":"hmacmd5""#, "14b198324fe55e1d3c88f2e705e201ee"),
        ("", "14b198324fe55e1d3c88f2e705e201ee"),
        (r#","signmethod":"hmacsha256""#, "6074a46a91b1ebb2cc4ea42790ad0e80202c9843859fc292e57c4eb19fad9e57"),
    ] {
        for timestamp in [r#""789""#, "789"] {
            let body = format!(
                r#"{{"version":"default","clientId":"12345","sign":"{sign}","productKey":"pk","deviceName":"device","timestamp":{timestamp}{method}}}"#
            );
            let response = world.auth(&body).await;
            assert!(response.body.starts_with(r#"{"code":0,"#), "{method} {timestamp} {}", response.body);
        }
    }
}

#[tokio::test]
async fn a_query_on_auth_is_tolerated_as_the_official_sdk_sends_one() {
    let world = world().await;
    let response = world.post("/auth?_v=sdk-c-4.0.0", JSON, signed(&[]).as_bytes()).await;
    assert!(response.body.starts_with(r#"{"code":0,"#), "{}", response.body);
}

#[tokio::test]
async fn whatever_is_submitted_beyond_the_three_exceptions_is_signed() {
    let world = world().await;
    let response = world.auth(&signed(&[("seq", "1"), ("version", "other")])).await;
    assert!(response.body.starts_with(r#"{"code":0,"#), "{}", response.body);
    let unsigned = signed(&[]).replacen('{', r#"{"seq":"1","#, 1);
    assert_eq!(world.auth(&unsigned).await.body, r#"{"code":20000,"message":"auth check error"}"#);
}

#[tokio::test]
async fn wrong_identities_are_told_20000_without_info() {
    let world = world().await;
    let tampered = signed(&[]).replace("12345", "12346");
    for body in [signed(&[("productKey", "other")]), signed(&[("deviceName", "other")]), tampered] {
        let response = world.auth(&body).await;
        assert_eq!(response.status_line(), "HTTP/1.1 200 ");
        assert_eq!(response.body, r#"{"code":20000,"message":"auth check error"}"#);
    }
    world.emulator.add_device("pk", "device", "another secret");
    assert_eq!(world.auth(&signed(&[])).await.body, r#"{"code":20000,"message":"auth check error"}"#);
    assert_eq!(world.emulator.authentications(), 4);
}

#[tokio::test]
async fn wrong_forms_are_told_10001() {
    let world = world().await;
    let good = signed(&[]);
    let without = |field: &str| {
        let mut fields: BTreeMap<String, String> = serde_json::from_str(&good).unwrap();
        fields.remove(field).unwrap();
        serde_json::to_string(&fields).unwrap()
    };
    let long = "x".repeat(65);
    for body in [
        "no json".to_owned(),
        "[]".to_owned(),
        String::new(),
        without("productKey"),
        without("deviceName"),
        without("clientId"),
        without("sign"),
        good.replace(r#""12345""#, "12345"),
        good.replace("hmacsha256", "hmacsha5"),
        signed(&[("clientId", &long)]),
        signed(&[("timestamp", "yesterday")]),
    ] {
        assert_eq!(world.auth(&body).await.body, r#"{"code":10001,"message":"param error"}"#, "{body}");
    }
    for headers in ["", "Content-Type: application/x-www-form-urlencoded\r\n"] {
        let response = world.post("/auth", headers, good.as_bytes()).await;
        assert_eq!(response.body, r#"{"code":10001,"message":"param error"}"#, "{headers}");
    }
}

#[tokio::test]
async fn a_request_without_a_length_is_told_10001() {
    let world = world().await;
    let mut connection = world.connect().await;
    let body = signed(&[]);
    connection.send(format!("POST /auth HTTP/1.1\r\n{JSON}\r\n{body}").as_bytes()).await.unwrap();
    assert_eq!(connection.answer().await.unwrap().body, r#"{"code":10001,"message":"param error"}"#);
}

#[tokio::test]
async fn a_time_stamp_is_good_for_15_minutes_before_and_after() {
    let world = world().await;
    const MINUTE_MS: i64 = 60_000;
    let body = signed(&[("timestamp", &true_time_ms().to_string())]);
    for (skew, code) in [(0, 0), (14, 0), (-14, 0), (16, 20000), (-16, 20000)] {
        world.emulator.shift_clock_ms(skew * MINUTE_MS);
        let response = world.auth(&body).await;
        assert!(response.body.starts_with(&format!(r#"{{"code":{code},"#)), "{skew}: {}", response.body);
    }
    // Without a time stamp no clock matters.
    let response = world.auth(&signed(&[])).await;
    assert!(response.body.starts_with(r#"{"code":0,"#), "{}", response.body);
}

#[tokio::test]
async fn a_code_on_request_comes_once_and_before_any_check() {
    let world = world().await;
    world.emulator.next_authentication_code(20004);
    world.emulator.next_authentication_code(40000);
    assert_eq!(world.auth("no json").await.body, r#"{"code":20004,"message":"update session error"}"#);
    assert_eq!(world.auth(&signed(&[])).await.body, r#"{"code":40000,"message":"request too many"}"#);
    assert!(world.auth(&signed(&[])).await.body.starts_with(r#"{"code":0,"#));
}

#[tokio::test]
async fn info_can_have_a_capital() {
    let world = world().await;
    world.emulator.answer_with_capital_info(true);
    let response = world.auth(&signed(&[])).await;
    assert!(response.body.contains(r#","Info":{"token":""#), "{}", response.body);
}

#[tokio::test]
async fn an_old_token_says_when_it_ends_and_opens_the_same_door() {
    let world = world_with(|options| options.token_form = TokenForm::ThreeParts).await;
    let token = world.token().await;
    assert_eq!(token.split('.').count(), 3);
    let headers = format!("Content-Type: application/octet-stream\r\npassword: {token}\r\n");
    let response = world.post("/topic/pk/device/user/up", &headers, b"x").await;
    assert!(response.body.starts_with(r#"{"code":0,"#), "{}", response.body);
}

#[tokio::test]
async fn other_paths_and_methods_never_reach_the_platform() {
    let world = world().await;
    for target in ["/", "/auth/", "/auth/devicename", "/topic", "/topics/t"] {
        let response = world.post(target, JSON, b"{}").await;
        assert_eq!(response.status_line(), "HTTP/1.1 302 Found", "{target}");
        assert_eq!(response.header("Location"), Some("http://err.taobao.com/error1.html"));
        assert_eq!(response.header("Content-Type"), Some("text/html"));
        assert!(response.body.starts_with("<html>"));
    }
    for target in ["/auth", "/topic/pk/device/user/up"] {
        let mut connection = world.connect().await;
        connection.send(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
        let response = connection.answer().await.unwrap();
        assert_eq!(response.status_line(), "HTTP/1.1 405 Method Not Allowed");
        assert!(response.body.starts_with("<html>"));
    }
    assert_eq!(world.emulator.authentications(), 0);
    assert_eq!(world.emulator.ledger().entries(), []);
}

#[tokio::test]
async fn every_answer_of_the_platform_has_the_date_of_its_shifted_clock() {
    let world = world_with(|options| options.keep_alive = true).await;
    // 2001-09-09T01:46:40Z.
    world.emulator.shift_clock_ms(1_000_000_000_000 - true_time_ms() as i64);
    let large = vec![0; 2 * 1024 * 1024];
    for (target, body) in [
        ("/auth", signed(&[]).as_bytes()),
        ("/auth", b"no json"),
        ("/topic/pk/device/user/up", b"x"),
        ("/topic/pk/device/user/up", &large),
        ("/elsewhere", b"x"),
    ] {
        for response in [world.post(target, JSON, body).await, world.post_iot_auth(target, JSON, body).await] {
            let date = response.header("Date").unwrap();
            assert!(date.starts_with("Sun, 09 Sep 2001 01:4"), "{target} {date}");
        }
    }
    let mut connection = world.connect().await;
    connection.send(b"no http\r\n\r\n").await.unwrap();
    assert!(connection.answer().await.unwrap().header("Date").unwrap().starts_with("Sun, 09 Sep 2001 01:4"));

    // What comes from something in between does not have it.
    let proxy = Fault::Answer { status: 502, headers: Vec::new(), body: Vec::new() };
    world.emulator.faults().push_at_authentication(proxy, 1);
    assert_eq!(world.auth("{}").await.header("Date"), None);
}

#[tokio::test]
async fn the_certificate_is_also_good_for_localhost() {
    let authority = Authority::new();
    let emulator = AliyunEmulator::start(AliyunOptions::new(&authority, NAME)).await.unwrap();
    for name in ["localhost", "127.0.0.1", NAME] {
        assert!(Client::new(&authority, name).connect(emulator.addr()).await.is_ok(), "{name}");
    }
}
