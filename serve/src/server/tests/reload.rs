//! What changes while requests come: nothing is dropped, what comes after goes by what is new, and a mistake changes nothing.

use std::sync::atomic::AtomicUsize;

use super::*;

pub fn follower(desk: &Desk) -> (Follower, Loaded) {
    let file = desk.file();
    Follower::new(move || Config::read(&file)).unwrap()
}

/// What one look at the files says.
pub async fn look(follower: &mut Follower, server: &Server) -> String {
    let said: Vec<_> = follower.check(server, false).await.iter().map(FollowEvent::to_string).collect();
    said.join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_change_under_load_drop_no_request_and_are_taken_up() {
    let desk = Desk::new();
    desk.write("colour", "0");
    desk.configure("[config]\ncolour = { file = \"colour\" }\n[store]\n");
    let (mut follower, loaded) = follower(&desk);
    let server = Arc::new(Server::start(loaded, None).await.unwrap());
    let is_over = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (server, is_over, asked) = (Arc::clone(&server), Arc::clone(&is_over), Arc::clone(&asked));
            tokio::spawn(async move {
                let mut newest = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let (status, colour) = get(&server, "/config/colour").await;
                    assert_eq!(status, 200, "{colour}");
                    // A client never sees what is older than what it has seen.
                    let colour = colour.parse::<u32>().unwrap();
                    assert!(colour >= newest, "{colour} after {newest}");
                    newest = colour;
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for round in 1..=5 {
        let before = asked.load(Ordering::Relaxed);
        while asked.load(Ordering::Relaxed) < before + 16 {
            tokio::task::yield_now().await;
        }
        desk.write("colour", round.to_string());
        let said = look(&mut follower, &server).await;
        assert!(said.starts_with("taken up: ") && said.ends_with("/colour"), "{said}");
        assert_eq!(get(&server, "/config/colour").await, ok(&round.to_string()));
    }
    is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn a_mistake_is_said_once_and_what_there_was_stays_in_use_until_it_is_mended() {
    let desk = Desk::new();
    desk.configure(GENEROUS);
    let (mut follower, loaded) = follower(&desk);
    let server = Server::start(loaded, None).await.unwrap();
    assert_eq!(look(&mut follower, &server).await, "");
    let good = text(&desk.file());
    desk.write("serve.toml", good.replace("colour = \"blue\"", "colour = { file = \"colour\" }"));
    let said = look(&mut follower, &server).await;
    assert!(
        said.starts_with("what there was stays in use: ") && said.contains("serve.toml:8: config.colour: "),
        "{said}"
    );
    assert_eq!(look(&mut follower, &server).await, "", "it was said");
    assert_eq!(get(&server, "/config/colour").await, ok("blue"));
    // The file that was named too early comes.
    desk.write("colour", "red");
    let said = look(&mut follower, &server).await;
    assert!(said.starts_with("taken up: ") && said.contains("serve.toml"), "{said}");
    assert_eq!(get(&server, "/config/colour").await, ok("red"));
    desk.write("granted.wasm", "half a file");
    let said = look(&mut follower, &server).await;
    assert!(said.starts_with("what there was stays in use: ") && said.contains("granted.wasm"), "{said}");
    assert_eq!(get(&server, "/config/colour").await, ok("red"));
}

#[tokio::test]
async fn what_waits_for_a_restart_is_named_and_the_rest_is_taken_up() {
    let desk = Desk::new();
    desk.configure(GENEROUS);
    let (mut follower, loaded) = follower(&desk);
    let server = Server::start(loaded, None).await.unwrap();
    let address = server.local_addr();
    let changed = text(&desk.file())
        .replace("127.0.0.1:0", "127.0.0.2:0")
        .replace("blue", "red")
        .replace("[store]", "[store]\npath = \"store.db\"\n[limits]\nheaders = 5");
    desk.write("serve.toml", changed);
    let said = look(&mut follower, &server).await;
    assert!(said.ends_with("; listen.http, store, limits stays as it was until a restart"), "{said}");
    assert_eq!(ask(address, "GET /config/colour").await.1, "red");
    assert!(!desk.path("store.db").exists());
}

/// One of a component that is built in, whose callers have to show a token, on an address that all reach.
const GUARDED: &str =
    "[listen]\nhttp = \"0.0.0.0:0\"\n[log]\nguest = true\n[config]\nplatform = \"aws\"\ntoken = \"t\"\n";

/// Has a server that runs with this go on with a file without tokens, which could be started. What it says.
async fn without_tokens(desk: &Desk, change: impl FnOnce(&str) -> String) -> String {
    let built_in = Some(BuiltIn { component: GRANTED });
    desk.write("serve.toml", GUARDED);
    let (mut follower, loaded) = follower(desk);
    let server = Server::start(loaded, built_in).await.unwrap();
    let here = SocketAddr::from(([127, 0, 0, 1], server.local_addr().port()));
    let open = change(&GUARDED.replace("token = \"t\"\n", ""));
    desk.write("serve.toml", &open);
    Server::check(desk.load().unwrap(), built_in).unwrap();
    let said = look(&mut follower, &server).await;
    assert_eq!(ask(here, "GET /config/token").await.1, "t", "what there was stays in use");
    // Who wants it so gets it so.
    desk.write("serve.toml", open.replace("[listen]", "[listen]\ninsecure = true"));
    assert!(look(&mut follower, &server).await.starts_with("taken up: "));
    assert_eq!(ask(here, "GET /config/token").await.1, "none");
    said
}

fn assert_stays_guarded(said: &str) {
    assert!(
        said.starts_with("what there was stays in use: listen.http stays 0.0.0.0:0 without TLS until a restart, "),
        "{said}"
    );
}

#[tokio::test]
async fn tokens_stay_for_as_long_as_the_open_address_does_that_a_restart_would_close() {
    let desk = Desk::new();
    assert_stays_guarded(&without_tokens(&desk, |open| open.replace("0.0.0.0:0", "127.0.0.1:0")).await);
}

#[tokio::test]
async fn tokens_stay_until_the_restart_that_brings_tls() {
    let desk = Desk::new();
    tls::renew(&desk);
    let with_tls = "[listen]\ntls = { cert = \"tls.crt\", key = \"tls.key\" }";
    assert_stays_guarded(&without_tokens(&desk, |open| open.replace("[listen]", with_tls)).await);
}

#[tokio::test]
async fn instances_stay_where_only_routes_have_changed_and_are_replaced_where_settings_have() {
    let desk = Desk::new();
    desk.configure(GENEROUS);
    let (mut follower, loaded) = follower(&desk);
    let server = Server::start(loaded, None).await.unwrap();
    get(&server, "/config").await;
    let config = format!("{}[[route]]\nendpoint = \"iot.example.com\"\n", text(&desk.file()));
    desk.write("serve.toml", &config);
    assert!(look(&mut follower, &server).await.starts_with("taken up: "));
    get(&server, "/config").await;
    let statistics = server.statistics();
    assert_eq!((statistics.started, statistics.reused), (1, 1));
    desk.write("serve.toml", config.replace("blue", "red"));
    assert!(look(&mut follower, &server).await.starts_with("taken up: "));
    get(&server, "/config").await;
    assert_eq!(server.statistics().started, 2);
}

mod certificates {
    use thingpost_emulator::{Authority, AwsEmulator, AwsOptions, Device, DeviceCertificate};

    use super::*;

    const AWS: &str = "a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com";

    async fn cloud(desk: &Desk) -> (Authority, AwsEmulator, DeviceCertificate) {
        let authority = Authority::new();
        let aws = AwsEmulator::start(AwsOptions::new(&authority, AWS)).await.unwrap();
        let certificate = authority.issue_device("pump");
        aws.register(&certificate);
        desk.write("ca.pem", authority.ca_pem());
        put(desk, &certificate);
        // Port 443, which tells certificates by ALPN, and 8443.
        let route = |port: u16, address| {
            format!(
                "[[route]]\nendpoint = \"{AWS}:{port}\"\nconnect_to = \"{address}\"\nca = \"ca.pem\"\ncert = \"device.pem\"\nkey = \
                 \"device.key\"\n"
            )
        };
        let routes = route(443, aws.addr_alpn()) + &route(8443, aws.addr_mutual_tls());
        desk.configure(&format!("[config]\nendpoint = \"{AWS}\"\n[store]\n{routes}"));
        (authority, aws, certificate)
    }

    fn put(desk: &Desk, certificate: &DeviceCertificate) {
        desk.write("device.pem", &certificate.certificate_pem);
        desk.write("device.key", &certificate.private_key_pem);
    }

    fn devices(aws: &AwsEmulator) -> Vec<String> {
        let entries = aws.ledger().entries();
        assert!(entries.iter().all(|entry| entry.disposition.is_accepted()), "{entries:?}");
        entries
            .into_iter()
            .map(|entry| match entry.device {
                Some(Device::Certificate { fingerprint, .. }) => fingerprint,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[tokio::test]
    async fn requests_of_a_guest_go_out_with_the_certificate_and_the_alpn_name_of_their_route() {
        let desk = Desk::new();
        let (_authority, aws, certificate) = cloud(&desk).await;
        let server = desk.start().await;
        assert_eq!(request(&server, "POST /topics/a").await, ok("200"));
        assert_eq!(request(&server, &format!("POST /send?{AWS}:8443")).await, ok("200"));
        assert_eq!(devices(&aws), [certificate.fingerprint.clone(), certificate.fingerprint]);
        // To no other host, with whatever name.
        let (status, said) = request(&server, "POST /send?elsewhere.example").await;
        assert!(status == 200 && said.contains("HttpRequestDenied"), "{said}");
    }

    #[tokio::test]
    async fn a_certificate_that_is_replaced_is_shown_from_then_on_and_half_a_pair_is_not() {
        let desk = Desk::new();
        let (authority, aws, certificate) = cloud(&desk).await;
        let (mut follower, loaded) = follower(&desk);
        let server = Server::start(loaded, None).await.unwrap();
        assert_eq!(request(&server, "POST /topics/a").await, ok("200"));
        let renewed = authority.issue_device("pump, renewed");
        aws.register(&renewed);
        desk.write("device.pem", &renewed.certificate_pem);
        let said = look(&mut follower, &server).await;
        assert!(said.starts_with("what there was stays in use: ") && said.contains(": route[0].key: "), "{said}");
        assert_eq!(request(&server, "POST /topics/a").await, ok("200"));
        put(&desk, &renewed);
        assert!(look(&mut follower, &server).await.starts_with("taken up: "));
        aws.deactivate(&certificate.fingerprint);
        assert_eq!(request(&server, "POST /topics/a").await, ok("200"));
        let old = certificate.fingerprint;
        assert_eq!(devices(&aws), [old.clone(), old, renewed.fingerprint]);
    }
}
