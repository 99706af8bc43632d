//! A transport that follows its files.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;
use thingpost_host::{Identity, Pool, ReloadEvent, Reloader, Route, Transport, WatchedFiles};

use crate::client::{config_at, publish, within};
use crate::pki::{Authority, Issued};
use crate::server::{Script, Server};

const URL: &str = "https://localhost/topics/t";

/// A transport whose certificate is in files.
struct Device {
    folder: TempDir,
    authority: Authority,
    server: Server,
}

impl Device {
    fn begin() -> Self {
        let authority = Authority::new("ca");
        let mut script = Script::new(&authority);
        script.tls.clients = Some(authority.pem.clone());
        Self { folder: TempDir::new().unwrap(), server: script.start(), authority }
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn reloader(&self) -> (Transport, Reloader) {
        self.reloader_after(|| ())
    }

    /// One whose files change between the loading and the making of the reloader, by `meanwhile`.
    fn reloader_after(&self, meanwhile: impl FnOnce()) -> (Transport, Reloader) {
        let files = ["tls.crt", "tls.key"].map(|name| self.path(name));
        let watched = WatchedFiles::new(&files);
        let (roots, address) = (self.authority.roots(), self.server.address);
        let load = move || {
            let device = Identity::from_pem_files(&files[0], &files[1])?;
            Ok(config_at("w", vec![Route::new("localhost", roots.clone()).identity(device)], address))
        };
        let transport = Transport::new(Pool::default(), load().unwrap());
        meanwhile();
        (transport.clone(), Reloader::new(transport, watched, load))
    }

    async fn assert_shows(&self, transport: &Transport, device: &Issued) {
        publish(transport, URL, "x").await.unwrap();
        let connections = self.server.connections();
        let last = connections.iter().rfind(|connection| !connection.requests.is_empty()).unwrap();
        assert!(last.client == Some(device.der()));
    }
}

fn is_reloaded(events: &[ReloadEvent]) -> bool {
    matches!(events, [ReloadEvent::Reloaded { .. }])
}

#[tokio::test]
async fn a_pair_that_is_replaced_in_two_steps_is_taken_up_when_it_is_whole() {
    within(async {
        let device = Device::begin();
        let (old, new) = (device.authority.issue("old"), device.authority.issue("new"));
        device.write("tls.crt", &old.certificate);
        device.write("tls.key", &old.key);
        let (transport, mut reloader) = device.reloader();
        assert!(reloader.check().await.is_empty());

        device.write("tls.crt", &new.certificate);
        let events = reloader.check().await;
        let [kept @ ReloadEvent::Kept { .. }] = &events[..] else { panic!("{events:?}") };
        assert!(kept.to_string().contains("what there was stays in use: the private key in "), "{kept}");
        assert!(reloader.check().await.is_empty(), "it is said once");
        device.assert_shows(&transport, &old).await;

        device.write("tls.key", &new.key);
        let events = reloader.check().await;
        let [ReloadEvent::Reloaded { files }] = &events[..] else { panic!("{events:?}") };
        assert_eq!(files, &[device.path("tls.crt"), device.path("tls.key")], "both halves are named");
        device.assert_shows(&transport, &new).await;
        assert!(reloader.check().await.is_empty());
        device.assert_shows(&transport, &new).await;
        assert_eq!(device.server.accepted(), 2, "what has not changed is not connected anew");
    })
    .await;
}

#[tokio::test]
async fn what_is_replaced_between_the_first_loading_and_the_reloader_is_taken_up() {
    within(async {
        let device = Device::begin();
        let (old, new) = (device.authority.issue("old"), device.authority.issue("new"));
        device.write("tls.crt", &old.certificate);
        device.write("tls.key", &old.key);
        let (transport, mut reloader) = device.reloader_after(|| {
            device.write("tls.crt", &new.certificate);
            device.write("tls.key", &new.key);
        });
        device.assert_shows(&transport, &old).await;
        assert!(is_reloaded(&reloader.check().await));
        device.assert_shows(&transport, &new).await;
        assert!(reloader.check().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn it_looks_again_and_again_until_it_is_dropped() {
    within(async {
        let device = Device::begin();
        let (old, new) = (device.authority.issue("old"), device.authority.issue("new"));
        device.write("tls.crt", &old.certificate);
        device.write("tls.key", &old.key);
        let (transport, reloader) = device.reloader();
        let (told, heard) = tokio::sync::oneshot::channel();
        let told = Mutex::new(Some(told));
        let task = tokio::spawn(reloader.interval(Duration::from_millis(5)).run(move |event| {
            if let (ReloadEvent::Reloaded { .. }, Some(told)) = (event, told.lock().unwrap().take()) {
                let _ = told.send(());
            }
        }));
        // The key is there first, as some tools have it.
        device.write("tls.key", &new.key);
        device.write("tls.crt", &new.certificate);
        heard.await.unwrap();
        device.assert_shows(&transport, &new).await;
        task.abort();
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_spoken_of_once() {
    within(async {
        let device = Device::begin();
        let in_days = |days: u64| std::time::SystemTime::now() + Duration::from_secs(days * 86_400);
        let old = device.authority.issue_with("old", |params| params.not_after = in_days(9).into());
        device.write("tls.crt", &old.certificate);
        device.write("tls.key", &old.key);
        let (transport, mut reloader) = device.reloader();
        let events = reloader.check().await;
        let [ReloadEvent::ExpiresSoon(expiry)] = &events[..] else { panic!("{events:?}") };
        assert!(expiry.to_string().ends_with("Z, in 8 days"), "{expiry}");
        assert!(reloader.check().await.is_empty());
        assert_eq!(old.identity().not_after(), Some(expiry.not_after()));

        let new = device.authority.issue_with("new", |params| params.not_after = in_days(90).into());
        device.write("tls.crt", &new.certificate);
        device.write("tls.key", &new.key);
        assert!(is_reloaded(&reloader.check().await));
        assert_eq!(transport.expires_soon(), None);
    })
    .await;
}

#[tokio::test]
async fn files_that_are_away_for_a_moment_are_waited_for() {
    within(async {
        let device = Device::begin();
        let pair = device.authority.issue("device");
        device.write("tls.crt", &pair.certificate);
        device.write("tls.key", &pair.key);
        let (transport, mut reloader) = device.reloader();
        fs::remove_file(device.folder.path().join("tls.crt")).unwrap();
        let events = reloader.check().await;
        assert!(matches!(&events[..], [ReloadEvent::Kept { .. }]), "{events:?}");
        device.assert_shows(&transport, &pair).await;
        device.write("tls.crt", &pair.certificate);
        assert!(is_reloaded(&reloader.check().await));
    })
    .await;
}
