//! An account with much in it. To fill it by the command would take a process for each shadow and each topic, so the library
//! does it.

use std::fs;

use thingpost_artifacts::PUBLISHER;
use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, Message, Platform, Qos, Shadow, ShadowUpdate};
use thingpost_host::runtime::{CompilationCache, Publisher, Runtime};
use thingpost_host::{Identity, Pool, Route, RouteTable, Transport, TrustRoots, WorkloadConfig};

use crate::clouds::{AWS, Clouds, to};

impl Clouds {
    /// Makes shadows of these names.
    pub fn add_shadows(&self, thing: &str, names: &[String]) {
        self.block_on(async {
            let mut publisher = self.publisher().await;
            for name in names {
                let shadow = Shadow { thing: thing.to_owned(), name: Some(name.clone()) };
                let update = ShadowUpdate { shadow, document: br#"{"state":{}}"#.to_vec(), max_state_bytes: None };
                publisher.aws().update_shadow(&update).await.unwrap().unwrap();
            }
        });
    }

    /// Has so many topics keep a message, and returns them in their order.
    pub fn retain_many(&self, count: usize) -> Vec<String> {
        let topics: Vec<String> = (0..count).map(|number| format!("{}/{number:04}", "x".repeat(200))).collect();
        let message = |topic: &String| Message { retain: true, ..Message::new(topic, *b"x", Qos::AtMostOnce) };
        let messages: Vec<Message> = topics.iter().map(message).collect();
        self.block_on(async {
            let outcomes = self.publisher().await.publish_all(&messages).await.unwrap();
            assert!(outcomes.iter().all(Result::is_ok));
        });
        topics
    }

    async fn publisher(&self) -> Publisher {
        let read = |name| fs::read(self.path(name)).unwrap();
        let identity = Identity::from_pem(&read("device.pem.crt"), &read("private.pem.key")).unwrap();
        let route = Route::new(AWS, TrustRoots::from_pem(&read("ca.pem")).unwrap()).identity(identity);
        let workload = WorkloadConfig::new("test", RouteTable::new(vec![route]).unwrap()).connect_to([to(self
            .aws
            .addr_mutual_tls())
        .parse()
        .unwrap()]);
        let authentication = AwsAuthentication::Certificate;
        let platform = Platform::Aws(AwsConfig { endpoint: AWS.to_owned(), port: 8443, authentication });
        let component = Runtime::new(&CompilationCache::Off).unwrap().load(PUBLISHER.bytes).unwrap();
        let transport = Transport::new(Pool::default(), workload);
        component.builder(transport, &platform).open().await.unwrap_or_else(|error| panic!("{error}"))
    }
}
