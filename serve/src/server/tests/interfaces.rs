//! What a guest is granted, it can use; what it is not, it cannot even import.

use super::*;

#[tokio::test]
async fn a_guest_reads_its_settings_and_no_variable_of_the_process() {
    let desk = Desk::new();
    desk.write("secret", "hush\n");
    desk.configure("[config]\ncolour = \"blue\"\nsecret = { file = \"secret\" }\ncount = 3\n[store]\n");
    let server = desk.start().await;
    assert_eq!(get(&server, "/config").await, ok("colour=blue\ncount=3\nsecret=hush\n"));
    assert_eq!(get(&server, "/config/colour").await, ok("blue"));
    assert_eq!(get(&server, "/config/PATH").await, ok("none"));
}

#[tokio::test]
async fn what_a_guest_keeps_is_there_for_other_instances_and_after_a_restart() {
    let desk = Desk::new();
    // An instance for each request.
    desk.configure("[config]\n[store]\npath = \"store.db\"\n[limits]\nrequests_per_instance = 1\n");
    let server = desk.start().await;
    assert_eq!(request(&server, "PUT /store/default/token?hush").await, ok("set"));
    assert_eq!(get(&server, "/store/default/token").await, ok("hush"));
    assert_eq!(get(&server, "/store//token").await, ok("none"), "another bucket");
    server.shutdown().await;
    let server = desk.start().await;
    assert_eq!(get(&server, "/store/default/token").await, ok("hush"));
    assert_eq!(request(&server, "DELETE /store/default/token").await, ok("deleted"));
    assert_eq!(get(&server, "/store/default/token").await, ok("none"));
}

#[tokio::test]
async fn numbers_lists_and_many_at_once_are_kept_too() {
    let desk = Desk::new();
    desk.configure(GENEROUS);
    let server = desk.start().await;
    assert_eq!(get(&server, "/increment/default/n").await, ok("2"));
    assert_eq!(get(&server, "/increment/default/n").await, ok("4"));
    assert_eq!(get(&server, "/many/default").await, ok("a,none,c"));
    assert_eq!(get(&server, "/keys/default").await, ok("n,a,c None"));
    assert_eq!(get(&server, "/log/hello").await, ok("logged"));
}

#[tokio::test]
async fn a_bucket_that_is_not_granted_is_no_store() {
    let desk = Desk::new();
    desk.configure("[config]\n[store]\nbuckets = [\"mine\"]\n");
    let server = desk.start().await;
    assert_eq!(get(&server, "/store/default/token").await, (500, "Error::NoSuchStore".to_owned()));
    assert_eq!(get(&server, "/store/mine/token").await, ok("none"));
}

#[tokio::test]
async fn a_guest_that_wants_too_much_is_told_so_and_the_next_request_works() {
    let desk = Desk::new();
    desk.configure("[config]\n[store]\nmax_bytes = \"64KiB\"\n");
    let server = desk.start().await;
    for (path, said) in [
        ("/large/default/a?262145", "the value is larger than 256 KiB"),
        ("/large/default/a?200000", "the store or its disk is full"),
        (&*format!("/store/default/{}", "k".repeat(1025)), "the key is longer than 1024 bytes"),
    ] {
        let (status, body) = get(&server, path).await;
        assert!(status == 500 && body.contains(said), "{path}: {status} {body}");
    }
    // More of them than a guest may hold, or bring in one call.
    for path in ["/open/default", "/large/default/a?5000000"] {
        let (head, body) = ask(server.local_addr(), &format!("GET {path}")).await;
        assert!(head.contains("application/problem+json"), "{path}: {head} {body}");
    }
    assert_eq!(get(&server, "/increment/default/n").await, ok("2"));
}

#[tokio::test]
async fn a_component_that_wants_what_it_is_not_granted_is_told_which_section_grants_it() {
    let desk = Desk::new();
    let begin = "component = \"granted.wasm\"\n[listen]\nhttp = \"127.0.0.1:0\"\n";
    for (granted, wanted, section) in [
        ("[store]\n[log]\nguest = true", "wasi:config/store@0.2.0-rc.1", "a section [config]"),
        ("[config]\n[log]\nguest = true", "wasi:keyvalue/", "a section [store]"),
        ("[config]\n[store]", "wasi:logging/logging@0.1.0-draft", "[log] guest = true"),
    ] {
        desk.write("serve.toml", format!("{begin}{granted}"));
        let said = desk.refusal().await;
        assert!(said.contains("granted.wasm") && said.contains(wanted) && said.contains(section), "{said}");
    }
}
