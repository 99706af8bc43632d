//! A kept connection is an authenticated one: a request that gets the wrong one is published in another device's name,
//! and nothing on this side would ever show it. So the server is asked, for each request, who it was that sent it.

use thingpost_host::{Pool, PoolLimits, Route, Transport};
use tokio::task::JoinSet;

use crate::client::{config, publish, within};
use crate::pki::Authority;
use crate::server::Script;

const URL: &str = "https://localhost/topics/t";

/// With fewer sockets than requests, so that each identity also takes the places that the other one had.
#[tokio::test]
async fn each_of_two_interleaved_identities_sends_under_its_own_certificate_only() {
    within(async {
        const EACH: usize = 150;
        let authority = Authority::new("ca");
        let mut script = Script::new(&authority);
        script.tls.clients = Some(authority.pem.clone());
        let server = script.start();
        let pool = Pool::new(PoolLimits::default().connections(6));
        let devices = ["one", "two"].map(|name| (name, authority.issue(name)));
        // Roots that are loaded twice are two, and would keep the connections apart by themselves.
        let anonymous = Route::new("localhost", authority.roots());
        let transports = devices.each_ref().map(|(name, device)| {
            let route = anonymous.clone().identity(device.identity());
            (*name, Transport::new(pool.clone(), config("same", vec![route], &server)))
        });
        let mut requests = JoinSet::new();
        for _ in 0..EACH {
            for (name, transport) in transports.clone() {
                requests.spawn(async move { publish(&transport, URL, name).await });
            }
        }
        requests.join_all().await.into_iter().for_each(|answer| drop(answer.unwrap()));

        for (name, device) in &devices {
            let connections = server.connections().into_iter();
            let own = connections.filter(|connection| connection.client == Some(device.der()));
            let sent: Vec<_> = own.flat_map(|connection| connection.requests).map(|(_, body)| body).collect();
            assert_eq!(sent.len(), EACH);
            assert!(sent.iter().all(|body| body == name.as_bytes()), "a request came with the certificate of {name}");
        }
    })
    .await;
}
