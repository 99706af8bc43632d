//! Cryptography of an embedder's own, in place of ring's whole.

use std::sync::Arc;

use rustls::crypto::ring::cipher_suite::{
    TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::version::TLS13;
use rustls::{CipherSuite, SupportedCipherSuite};
use thingpost_host::{MinimumTls, Pool, Route, RouteError, RouteTable, Transport};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use crate::client::{config, config_at, publish, within};
use crate::peer::Peer;
use crate::pki::Authority;
use crate::server::{Script, ServerTls};

fn with(suites: &[SupportedCipherSuite]) -> Arc<CryptoProvider> {
    CryptoProvider { cipher_suites: suites.to_vec(), ..ring::default_provider() }.into()
}

/// The suite that is spoken where a route has this provider.
async fn spoken(ca: &Authority, provider: Option<Arc<CryptoProvider>>) -> CipherSuite {
    let mut tls = ServerTls::new(ca, "localhost");
    tls.versions = vec![&TLS13];
    let (sender, mut seen) = mpsc::unbounded_channel();
    let peer = Peer::start(&tls, move |mut tls| {
        sender.send(tls.get_ref().1.negotiated_cipher_suite().unwrap().suite()).unwrap();
        async move {
            let _ = tls.read(&mut [0; 1024]).await;
        }
    })
    .await;
    let route = Route::new("localhost", ca.roots());
    let route = match provider {
        Some(provider) => route.crypto_provider(provider),
        None => route,
    };
    let transport = Transport::new(Pool::default(), config_at("w", vec![route], peer.address));
    // The server is no server of HTTP.
    publish(&transport, "https://localhost/", "x").await.unwrap_err();
    seen.recv().await.unwrap()
}

#[tokio::test]
async fn a_cipher_suite_that_the_provider_of_a_route_does_not_have_is_not_spoken() {
    within(async {
        let ca = Authority::new("ca");
        let usual = spoken(&ca, None).await;
        let all = [TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256];
        let others: Vec<_> = all.into_iter().filter(|suite| suite.suite() != usual).collect();
        assert_eq!(others.len(), 2, "one of them is {usual:?}");
        let other = spoken(&ca, Some(with(&others))).await;
        assert!(others.iter().any(|suite| suite.suite() == other), "{other:?}");
        assert_eq!(spoken(&ca, Some(with(&others[1..]))).await, others[1].suite());
    })
    .await;
}

#[tokio::test]
async fn connections_are_kept_for_one_provider_and_not_for_another() {
    within(async {
        let ca = Authority::new("ca");
        let server = Script::new(&ca).start();
        let pool = Pool::default();
        // One for all: roots that are loaded twice are two.
        let route = Route::new("localhost", ca.roots());
        let (one, other) = (with(&[TLS13_AES_128_GCM_SHA256]), with(&[TLS13_AES_128_GCM_SHA256]));
        for (provider, accepted) in [(&one, 1), (&one, 1), (&other, 2), (&one, 2)] {
            let route = route.clone().crypto_provider(Arc::clone(provider));
            let transport = Transport::new(pool.clone(), config("w", vec![route], &server));
            publish(&transport, "https://localhost/", "x").await.unwrap();
            assert_eq!(server.accepted(), accepted);
        }
    })
    .await;
}

#[test]
fn a_provider_that_cannot_do_what_the_route_demands_is_refused_by_the_table() {
    let ca = Authority::new("ca");
    let tls12: Vec<_> = ring::default_provider().cipher_suites.into_iter().filter(|it| it.tls13().is_none()).collect();
    let route = || Route::new("a.example", ca.roots()).crypto_provider(with(&tls12));
    assert!(RouteTable::new(vec![route()]).is_ok(), "TLS 1.2 is left");
    for route in [
        route().minimum_tls(MinimumTls::V1_3),
        Route::new("a.example", ca.roots()).crypto_provider(with(&[])),
        Route::new("a.example", ca.roots())
            .crypto_provider(CryptoProvider { kx_groups: Vec::new(), ..ring::default_provider() }.into()),
    ] {
        let error = RouteTable::new(vec![route]).unwrap_err();
        assert_eq!(error, RouteError::CryptoProvider { host: "a.example".to_owned() });
        assert!(error.to_string().contains("the route to a.example"), "{error}");
    }
}
