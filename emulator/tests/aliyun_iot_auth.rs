//! What all doors of the port that registers devices have in common.

use std::time::Duration;

use thingpost_emulator::{AliyunEmulator, AliyunOptions, AnswerFault, Authority, Break, Fault};

use crate::aliyun_world::{FORM, JSON, NAME, hmac_sha256, signed, world, world_with};
use crate::client::{Client, post};

const DOORS: [&str; 3] = ["/auth/register/device", "/auth/bootstrap", "/auth/devicename"];

#[tokio::test]
async fn the_doors_of_one_host_do_not_open_at_the_other() {
    let world = world().await;
    for target in DOORS {
        let response = world.post(target, FORM, b"productKey=pk&deviceName=device").await;
        assert_eq!(response.status_line(), "HTTP/1.1 302 Found", "{target}");
    }
    for target in ["/auth", "/topic/pk/device/user/up", "/", "/auth/register", "/auth/register/device/"] {
        let response = world.post_iot_auth(target, JSON, signed(&[]).as_bytes()).await;
        assert_eq!(response.status_line(), "HTTP/1.1 302 Found", "{target}");
        assert_eq!(response.header("Location"), Some("http://err.taobao.com/error1.html"));
    }
    assert_eq!(world.emulator.authentications(), 0);
    assert_eq!(world.emulator.ledger().entries(), []);
}

#[tokio::test]
async fn other_methods_and_bodies_too_large_to_read_are_answered_by_the_web_server() {
    let world = world().await;
    for target in DOORS {
        let response = world.connect_iot_auth().await.request("GET", target, "", b"").await.unwrap();
        assert_eq!(response.status_line(), "HTTP/1.1 405 Method Not Allowed", "{target}");
        let response = world.post_iot_auth(target, FORM, &vec![b'x'; 2 * 1024 * 1024]).await;
        assert_eq!(response.status_line(), "HTTP/1.1 413 Request Entity Too Large", "{target}");
    }
}

#[tokio::test]
async fn the_head_of_an_answer_is_that_of_the_other_host() {
    let world = world().await;
    let response = world.form("/auth/bootstrap", "productKey=pk&deviceName=device").await;
    let (trace_id, date) = (response.header("EagleEye-TraceId").unwrap(), response.header("Date").unwrap());
    let length = response.body.len();
    assert_eq!(
        response.head,
        format!(
            "HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\
             Server: Tengine\r\nEagleEye-TraceId: {trace_id}\r\nTiming-Allow-Origin: *\r\nDate: {date}"
        )
    );
}

#[tokio::test]
async fn a_code_on_request_comes_once_and_before_any_check() {
    let world = world().await;
    for target in DOORS {
        world.emulator.next_iot_auth_code(500);
        assert_eq!(world.form(target, "").await.body, r#"{"code":500,"message":"system error"}"#);
        assert_eq!(world.form(target, "").await.body, r#"{"code":460,"message":"param error"}"#);
    }
}

#[tokio::test]
async fn the_doors_are_struck_as_authentications_are() {
    let world = world().await;
    world.emulator.add_product("pk", "product-secret", true);
    let sign = hmac_sha256("product-secret", "deviceNamedeviceproductKeypkrandom1");
    let form = format!("productKey=pk&deviceName=device&random=1&sign={sign}&signMethod=hmacsha256");
    let faults = world.emulator.faults();
    faults.push(Fault::BeforeAcceptance(Break::Close), 1);
    faults.push_at_authentication(Fault::BeforeAcceptance(Break::Close), 1);
    faults.push_at_authentication(Fault::AfterAcceptance(Break::Close), 1);
    for registered in [0, 1] {
        let mut connection = world.connect_iot_auth().await;
        connection.send(&post(DOORS[0], FORM, form.as_bytes())).await.unwrap();
        assert_eq!(connection.rest().await.unwrap(), b"");
        // A secret that was lost on its way was made all the same.
        assert_eq!(world.emulator.registrations().len(), registered);
    }
    let stale = world.auth(&signed(&[])).await;
    assert!(stale.body.starts_with(r#"{"code":20000,"#), "{}", stale.body);

    let busy = Fault::Answer { status: 503, headers: Vec::new(), body: b"busy".to_vec() };
    for target in DOORS {
        faults.push_at_authentication(busy.clone(), 1);
        assert_eq!(world.form(target, &form).await.status(), 503, "{target}");
        let delay = Duration::from_micros(10);
        faults.push_at_authentication(Fault::InAnswer(AnswerFault::SlowBytes { delay }), 1);
        assert_eq!(world.form(target, &form).await.status(), 200, "{target}");
    }
    assert_eq!(faults.pending(), 1);
    // Other paths are struck by nothing.
    faults.push_at_authentication(busy, 1);
    assert_eq!(world.form("/auth/other", &form).await.status(), 302);
    assert_eq!(faults.pending(), 2);
}

#[tokio::test]
async fn connections_are_counted_by_port_and_kept_on_both_if_asked() {
    let world = world_with(|options| options.keep_alive = true).await;
    let mut connection = world.connect_iot_auth().await;
    for target in DOORS {
        let response = connection.post(target, FORM, b"").await.unwrap();
        assert_eq!(response.header("Connection"), Some("keep-alive"));
    }
    world.token().await;
    world.token().await;
    assert_eq!(world.emulator.iot_auth_connections().handshakes, 1);
    assert_eq!(world.emulator.connections().handshakes, 2);
}

#[tokio::test]
async fn each_port_has_a_certificate_for_its_own_names() {
    let authority = Authority::new();
    let emulator = AliyunEmulator::start(AliyunOptions::new(&authority, NAME)).await.unwrap();
    let own = "iot-auth.cn-shanghai.aliyuncs.com";
    assert_eq!(emulator.iot_auth_server_name(), own);
    for name in [own, "iot-auth-global.aliyuncs.com", "localhost", "127.0.0.1"] {
        assert!(Client::new(&authority, name).connect(emulator.addr_iot_auth()).await.is_ok(), "{name}");
    }
    assert!(Client::new(&authority, NAME).connect(emulator.addr_iot_auth()).await.is_err());
    assert!(Client::new(&authority, own).connect(emulator.addr()).await.is_err());
}
