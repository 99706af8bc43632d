use rustls::version::{TLS12, TLS13};
use thingpost_host::{AWS_HTTPS_WITH_CERTIFICATE, Alpn, ConnectError, MinimumTls, Route, TransportError, TrustRoots};
use wasmtime_wasi_http::Error as WasiError;

use crate::client::{means_not_sent, publish, transport, within};
use crate::pki::Authority;
use crate::server::{Script, Server};

const AWS: &str = "a3k7-ats.iot.us-west-2.amazonaws.com";

async fn alpn_of(host: &str, url: &str, route: impl FnOnce(Route, &Authority) -> Route) -> Vec<Vec<u8>> {
    let authority = Authority::new("ca");
    let mut script = Script::for_host(&authority, host);
    script.tls.alpn = vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()];
    let server = script.start();
    let route = route(Route::new(host, authority.roots()), &authority);
    publish(&transport(route, &server), url, "x").await.unwrap();
    server.connections()[0].alpn.clone()
}

#[tokio::test]
async fn aws_on_443_with_a_certificate_is_offered_exactly_its_one_name() {
    within(async {
        let url = format!("https://{AWS}/topics/t");
        let offered = alpn_of(AWS, &url, |route, ca| route.identity(ca.device("d"))).await;
        assert_eq!(offered, [b"x-amzn-http-ca"]);
    })
    .await;
}

#[tokio::test]
async fn elsewhere_nothing_is_offered() {
    within(async {
        let with_device = |route: Route, ca: &Authority| route.identity(ca.device("d"));
        let on_8443 = format!("https://{AWS}:8443/topics/t");
        assert!(alpn_of(AWS, &on_8443, with_device).await.is_empty());
        let on_443 = format!("https://{AWS}/topics/t");
        assert!(alpn_of(AWS, &on_443, |route, _| route).await.is_empty());
        assert!(alpn_of("localhost", "https://localhost/", with_device).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_custom_domain_is_offered_what_its_route_says() {
    within(async {
        let offered = alpn_of("iot.example.com", "https://iot.example.com:9443/", |route, _| {
            route.port(9443).alpn(Alpn::Offer(vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()]))
        })
        .await;
        assert_eq!(offered, [b"x-amzn-http-ca"]);
    })
    .await;
}

#[tokio::test]
async fn sni_and_host_keep_the_name_although_the_address_is_another() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::for_host(&authority, "iot.example.com").start();
        let route = Route::new("iot.example.com", authority.roots());
        publish(&transport(route, &server), "https://IOT.example.com/topics/a%2Fb?qos=1", "x").await.unwrap();
        let connection = &server.connections()[0];
        assert_eq!(connection.sni.as_deref(), Some("iot.example.com"));
        let head = &connection.requests[0].0;
        assert!(head.starts_with("POST /topics/a%2Fb?qos=1 HTTP/1.1\r\n"), "{head}");
        assert!(head.to_lowercase().contains("\r\nhost: iot.example.com"), "{head}");
    })
    .await;
}

#[tokio::test]
async fn the_device_certificate_is_shown_on_its_own_route_only() {
    within(async {
        let authority = Authority::new("ca");
        let mut script = Script::new(&authority);
        script.tls.clients = Some(authority.pem.clone());
        let server = script.start();
        let device = authority.issue("device");
        let route = Route::new("localhost", authority.roots()).identity(device.identity());
        publish(&transport(route, &server), "https://localhost/", "x").await.unwrap();
        assert!(server.connections()[0].client.is_some());
    })
    .await;
}

async fn refusal(server: &Server, route: Route, url: &str) -> TransportError {
    let error = publish(&transport(route, server), url, "x").await.unwrap_err();
    assert!(means_not_sent(&error.to_wasi()), "{error:?}");
    assert!(!error.to_string().contains('\n'));
    error
}

fn is_certificate_error(error: &TransportError) {
    assert!(matches!(error.to_wasi(), WasiError::TlsCertificateError), "{error:?}");
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_a_certificate_error() {
    within(async {
        let (authority, stranger) = (Authority::new("ca"), Authority::new("stranger"));
        let server = Script::new(&stranger).start();
        let route = Route::new("localhost", authority.roots());
        let error = refusal(&server, route, "https://localhost/").await;
        is_certificate_error(&error);
        assert!(error.to_string().contains("add the server's CA"), "{error}");
        let route = Route::new("localhost", TrustRoots::system_or_webpki().unwrap());
        is_certificate_error(&refusal(&server, route, "https://localhost/").await);
    })
    .await;
}

#[tokio::test]
async fn an_expired_server_is_a_certificate_error() {
    within(async {
        let authority = Authority::new("ca");
        let mut script = Script::new(&authority);
        script.tls.certificate = authority.issue_with("localhost", |params| {
            params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        });
        let server = script.start();
        let route = Route::new("localhost", authority.roots());
        let error = refusal(&server, route, "https://localhost/").await;
        is_certificate_error(&error);
        for word in ["expired on 2002-01-01T00:00:00Z", "this machine's clock says", "check this machine's clock"] {
            assert!(error.to_string().contains(word), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_of_another_name_is_a_certificate_error() {
    within(async {
        let authority = Authority::new("ca");
        let server = Script::for_host(&authority, "b.example").start();
        let route = Route::new("a.example", authority.roots());
        let error = refusal(&server, route, "https://a.example/").await;
        is_certificate_error(&error);
        assert!(error.to_string().contains("host name"), "{error}");
    })
    .await;
}

/// Over and over and with much to send, because the alert then races against the request.
async fn refused_client(version: &'static rustls::SupportedProtocolVersion, expected: &str, device: bool) {
    let (authority, stranger) = (Authority::new("ca"), Authority::new("stranger"));
    let mut script = Script::new(&authority);
    script.tls.clients = Some(authority.pem.clone());
    script.tls.versions = vec![version];
    let server = script.start();
    let mut route = Route::new("localhost", authority.roots());
    if device {
        route = route.identity(stranger.device("device"));
    }
    let transport = transport(route, &server);
    for round in 0..40 {
        let content = vec![b'x'; if round % 2 == 0 { 1 } else { 128 * 1024 }];
        let error = publish(&transport, "https://localhost/", content).await.unwrap_err();
        let WasiError::TlsAlertReceived { alert_message, .. } = error.to_wasi() else {
            panic!("round {round}: {error:?}");
        };
        assert_eq!(alert_message.as_deref(), Some(expected), "{error}");
    }
    assert!(server.bodies().is_empty());
}

#[tokio::test]
async fn a_refused_device_is_an_alert_in_tls_1_2() {
    within(refused_client(&TLS12, "unknown_ca", true)).await;
}

#[tokio::test]
async fn a_refused_device_is_an_alert_in_tls_1_3_although_the_request_is_on_its_way() {
    within(refused_client(&TLS13, "unknown_ca", true)).await;
}

#[tokio::test]
async fn a_missing_device_certificate_is_an_alert() {
    within(refused_client(&TLS12, "certificate_required", false)).await;
    within(refused_client(&TLS13, "certificate_required", false)).await;
}

#[tokio::test]
async fn an_unknown_alpn_is_an_alert() {
    within(async {
        let authority = Authority::new("ca");
        let mut script = Script::new(&authority);
        script.tls.alpn = vec![b"mqtt".to_vec()];
        let server = script.start();
        let route =
            Route::new("localhost", authority.roots()).alpn(Alpn::Offer(vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()]));
        let error = refusal(&server, route, "https://localhost/").await;
        assert!(matches!(error.to_wasi(), WasiError::TlsAlertReceived { alert_id: Some(120), .. }), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_server_below_the_minimum_version_is_refused() {
    within(async {
        let authority = Authority::new("ca");
        let mut script = Script::new(&authority);
        script.tls.versions = vec![&TLS12];
        let server = script.start();
        let route = Route::new("localhost", authority.roots());
        publish(&transport(route.clone(), &server), "https://localhost/", "x").await.unwrap();
        let strict = route.minimum_tls(MinimumTls::V1_3);
        let error = refusal(&server, strict, "https://localhost/").await;
        assert!(matches!(&error, TransportError::Connect { error: ConnectError::Alert(_), .. }), "{error:?}");
    })
    .await;
}
