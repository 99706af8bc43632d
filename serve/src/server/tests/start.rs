//! What can be wrong is wrong before there is a socket.

use super::*;

#[tokio::test]
async fn what_cannot_be_served_is_named_with_its_file() {
    let desk = Desk::new();
    desk.configure(GENEROUS);
    desk.write("granted.wasm", "not a component");
    let said = desk.refusal().await;
    assert!(said.contains("granted.wasm") && said.contains("no component"), "{said}");
}

#[tokio::test]
async fn a_configuration_without_a_component_says_how_to_name_one() {
    let desk = Desk::new();
    desk.write("serve.toml", "[listen]\nhttp = \"127.0.0.1:0\"\n");
    let said = desk.refusal().await;
    assert!(said.contains("component = \"FILE.wasm\""), "{said}");
}

#[tokio::test]
async fn a_store_of_somebody_else_is_refused_and_one_that_was_only_checked_is_not_made() {
    let desk = Desk::new();
    desk.configure("[config]\n[store]\npath = \"store.db\"\n");
    Server::check(desk.load().unwrap(), None).unwrap();
    assert!(!desk.path("store.db").exists());
    desk.write("store.db", "something else".repeat(100));
    let said = desk.refusal().await;
    assert!(said.contains("store.db") && said.contains("damaged, or no store"), "{said}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_with_its_key() {
    let desk = Desk::new();
    desk.configure(GENEROUS);
    let first = desk.start().await;
    let config = text(&desk.file()).replace("127.0.0.1:0", &first.local_addr().to_string());
    desk.write("serve.toml", config);
    let said = Server::start(desk.load().unwrap(), None).await.err().unwrap().to_string();
    assert!(said.starts_with("listen.http: cannot listen on 127.0.0.1:") && said.contains("another port"), "{said}");
}

#[tokio::test]
async fn what_strangers_reach_needs_tls_or_tokens_or_somebody_who_says_that_it_need_not() {
    let desk = Desk::new();
    desk.configure(&format!("{GENEROUS}token = \"t\"\n").replace("[store]\ntoken = \"t\"", "token = \"t\"\n[store]"));
    let open = text(&desk.file()).replace("127.0.0.1:0", "0.0.0.0:0");
    desk.write("serve.toml", &open);
    let said = desk.refusal().await;
    assert!(said.contains("serve.toml:3: listen.http: everybody who reaches this address"), "a token of whom? {said}");
    desk.write("serve.toml", open.replace("[listen]", "[listen]\ninsecure = true"));
    assert!(desk.start().await.local_addr().ip().is_unspecified());
}

#[tokio::test]
async fn operators_have_a_listener_of_their_own_where_the_numbers_are() {
    let desk = Desk::new();
    desk.configure(GENEROUS);
    desk.write("serve.toml", text(&desk.file()).replace("[listen]", "[listen]\nadmin = \"127.0.0.1:0\""));
    let server = desk.start().await;
    assert_eq!(get(&server, "/config/colour").await, ok("blue"));
    let admin = server.admin_addr().unwrap();
    assert_eq!(ask(admin, "GET /readyz").await.1, "ok\n");
    let (_, metrics) = ask(admin, "GET /metrics").await;
    for line in ["thingpost_guest_started_total 1", "http_server_request_duration_seconds_count{"] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert_eq!(get(&server, "/metrics").await.0, 500, "devices have no business there: it is the guest's");
}
