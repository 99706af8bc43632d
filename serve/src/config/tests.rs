//! What is written is taken as it stands, and what is wrong is named with its line, its key, and none of its values.

use std::path::Path;
use std::time::Duration;

use thingpost_host::MinimumTls;

use super::*;
use crate::telemetry::LogFormat;

fn config(text: &str) -> Result<Config, ConfigError> {
    Config::from_text(Path::new("/etc/thingpost/serve.toml"), text)
}

fn refusal(text: &str) -> String {
    config(text).err().unwrap_or_else(|| panic!("it was taken: {text}")).to_string()
}

#[test]
fn an_empty_file_listens_on_loopback_and_grants_nothing() {
    let config = config("").unwrap();
    assert!(config.listen.http.value.ip().is_loopback());
    assert_eq!(config.listen.http.value.port(), 8080);
    assert!(config.listen.tls.is_none() && config.listen.admin.is_none());
    assert!(config.settings.is_none() && config.store.is_none() && config.routes.is_empty() && !config.log.guest);
    assert_eq!((config.front, config.guests.clone()), (FrontLimits::default(), GuestSettings::default()));
    config.refuse_open(false).unwrap();
}

#[test]
fn each_key_is_taken() {
    let config = config(
        r#"
        component = "edge.wasm"
        [listen]
        http = "localhost:0"
        admin = "[::1]:9090"
        insecure = true
        tls = { cert = "tls.crt", key = "tls.key", client_ca = "/ca.pem" }
        [limits]
        connections = 1
        header_timeout = "1s"
        header_bytes = "8KiB"
        headers = 2
        body_bytes = "3B"
        stall_timeout = "4ms"
        body_timeout = "5m"
        drain_timeout = "6s"
        instances = 7
        per_device = 8
        queue = 9
        queue_timeout = "10s"
        requests_per_instance = 11
        idle_timeout = "12s"
        memory_bytes = "13MiB"
        cpu = "14ms"
        deadline = "1h"
        [config]
        platform = "aws"
        timeout_ms = 30_000
        device_secret = { file = "secret" }
        token = { env = "TOKEN" }
        devices = [{ name = "pump-1", device_secret = { file = "pump-1" } }]
        [store]
        path = "store.db"
        buckets = ["default"]
        max_bytes = "1MB"
        [[route]]
        endpoint = "https://iot.example.com:8443/"
        cert = "device.pem"
        key = "device.key"
        ca = "ca.pem"
        alpn = ["x-amzn-http-ca", "http/1.1"]
        connect_to = "127.0.0.1:18443"
        proxy = "http://proxy.example:3128"
        proxy_user = { file = "proxy-user" }
        minimum_tls = "1.3"
        per_second = 5
        [[route]]
        endpoint = "[::1]"
        port = 443
        [log]
        format = "json"
        level = "debug"
        guest = true
        "#,
    )
    .unwrap();
    let file = |name: &str| Path::new("/etc/thingpost").join(name);
    assert_eq!(config.component, Some(file("edge.wasm")));
    assert_eq!(config.listen.http.value, "127.0.0.1:0".parse().unwrap());
    let (front, guests) = (config.front, &config.guests);
    assert_eq!((front.connections, front.header_bytes, front.headers, front.body_bytes), (1, 8192, 2, 3));
    assert_eq!(front.header_timeout, Duration::from_secs(1));
    assert_eq!(front.stall_timeout, Duration::from_millis(4));
    assert_eq!(front.body_timeout, Duration::from_secs(300));
    assert_eq!(front.drain_timeout, Duration::from_secs(6));
    assert_eq!((guests.instances, guests.per_device, guests.queue), (7, Some(8), 9));
    assert_eq!((guests.queue_timeout, guests.requests_per_instance), (Duration::from_secs(10), 11));
    assert_eq!((guests.idle_timeout, guests.memory_bytes), (Duration::from_secs(12), 13 << 20));
    assert_eq!((guests.cpu, guests.deadline), (Duration::from_millis(14), Duration::from_secs(3600)));
    let store = config.store.as_ref().unwrap();
    assert_eq!(
        (store.path.clone(), &store.buckets[..], store.max_bytes),
        (Some(file("store.db")), &["default".to_owned()][..], 1_000_000)
    );
    let [first, second] = &config.routes[..] else { panic!() };
    assert_eq!((&*first.host.value, first.port, first.minimum_tls), ("iot.example.com", Some(8443), MinimumTls::V1_3));
    assert_eq!(first.connect_to, "iot.example.com:8443:127.0.0.1:18443".parse().ok());
    assert_eq!((&*second.host.value, second.port), ("[::1]", Some(443)));
    assert_eq!((config.log.format, config.log.level.as_str(), config.log.guest), (LogFormat::Json, "debug", true));
    let files = [
        "ca.pem",
        "device.key",
        "device.pem",
        "edge.wasm",
        "proxy-user",
        "pump-1",
        "secret",
        "serve.toml",
        "tls.crt",
        "tls.key",
    ];
    let expected = [vec![PathBuf::from("/ca.pem")], files.map(file).to_vec()].concat();
    assert_eq!(config.files(), expected, "all that may change, and the store is none of them");
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_its_key_and_the_way_out() {
    let tables = [
        (
            "a = 1",
            "serve.toml:1: a: there is no such key; here there may be component, listen, limits, config, store, route, log",
        ),
        ("\n[listn]", "serve.toml:2: listn: there is no such key; `listen` may be meant"),
        ("[listen]\nHTTP = 1", "serve.toml:2: listen.HTTP: there is no such key; `http` may be meant"),
        (
            "[limits]\nheader-timeout = \"1s\"",
            "serve.toml:2: limits.header-timeout: there is no such key; `header_timeout` may be meant",
        ),
        ("[listen]\nhttp = 8080", "serve.toml:2: listen.http: this has to be an address and a port"),
        ("[listen]\nhttp = \":8080\"", "\"0.0.0.0:8080\" or \"[::]:8080\" for all"),
        ("listen = true", "serve.toml:1: listen: this has to be a table"),
        ("[listen]\ntls = { cert = \"a\" }", "serve.toml:2: listen.tls: the key `key` is missing"),
        ("[limits]\ncpu = 10", "serve.toml:2: limits.cpu: this has to be a time with its unit, in quotes: \"500ms\""),
        ("[limits]\ncpu = \"10\"", "limits.cpu: this has to be a time"),
        ("[limits]\ncpu = \"0s\"", "limits.cpu: this has to be a time"),
        ("[limits]\ncpu = \"18446744073709551615h\"", "limits.cpu: this has to be a time"),
        ("[limits]\nbody_bytes = \"1 MB or so\"", "limits.body_bytes: this has to be a size with its unit"),
        ("[limits]\nheader_bytes = \"1B\"", "limits.header_bytes: this has to be from \"8KiB\" to \"1MiB\""),
        ("[limits]\nqueue = \"5\"", "limits.queue: this has to be a number from 1"),
        ("[limits]\ninstances = 0", "limits.instances: this has to be a number from 1"),
        ("[limits]\ninstances = 100000", "limits.instances: this has to be from 1 to 10000"),
        ("[config]\nsince = 2026-01-01", "config.since: this has to be a text in quotes"),
        ("[store]\nbuckets = []", "store.buckets: this has to be at least one name"),
        ("[store]\nbuckets = [1]", "store.buckets: this has to be a list of texts"),
        ("[store]\nmax_bytes = \"1B\"", "store.max_bytes: this has to be at least \"64KiB\""),
        ("[route]\nendpoint = \"a\"", "serve.toml:1: route: there may be several: write [[route]], in double brackets"),
        ("[[route]]\n[[route]]\nendpoint = \"a\"", "serve.toml:1: route[0]: the key `endpoint` is missing"),
        (
            "[[route]]\nendpoint = \"a\"\n[[route]]\nendpont = \"b\"",
            "serve.toml:3: route[1]: the key `endpoint` is missing",
        ),
        (
            "[[route]]\nendpoint = \"a\"\nprot = 1",
            "serve.toml:3: route[0].prot: there is no such key; `port` may be meant",
        ),
        ("[[route]]\nendpoint = \"a:1\"\nport = 2", "route[0].port: this has to be in one place"),
        ("[[route]]\nendpoint = \"a:0\"", "route[0].endpoint: this has to be the name of a host"),
        ("[[route]]\nendpoint = \"a/b\"", "route[0].endpoint: this has to be the name of a host"),
        (
            "[[route]]\nendpoint = \"a\"\nport = \"443\"",
            "route[0].port: this has to be a port from 1 to 65535, without quotes",
        ),
        ("[[route]]\nendpoint = \"a\"\ncert = \"c\"", "route[0].cert: this is of no use without `key`"),
        ("[[route]]\nendpoint = \"a\"\nkey = \"c\"", "route[0].key: this is of no use without `cert`"),
        (
            "[[route]]\nendpoint = \"a\"\nproxy_user = { env = \"A\" }",
            "route[0].proxy_user: this is of no use without `proxy`",
        ),
        (
            "[[route]]\nendpoint = \"a\"\nproxy = \"p:1\"\nproxy_user = { }",
            "this has to be { file = \"..\" } or { env = \"..\" }",
        ),
        (
            "[[route]]\nendpoint = \"a\"\nminimum_tls = \"1.1\"",
            "route[0].minimum_tls: this has to be one of \"1.2\", \"1.3\"",
        ),
        (
            "[log]\nlevel = \"verbose\"",
            "log.level: this has to be one of \"error\", \"warn\", \"info\", \"debug\", \"trace\"",
        ),
        ("[log]\nguest = \"true\"", "log.guest: this has to be true or false, without quotes"),
        ("[listen\nhttp = 1", "serve.toml:1: this is not TOML"),
        ("a = 1\n\na = 2", "serve.toml:3: this is not TOML: duplicate key"),
    ];
    for (text, said) in tables {
        let refusal = refusal(text);
        assert!(refusal.starts_with("/etc/thingpost/serve.toml:") && !refusal.contains('\n'), "{text}: {refusal}");
        assert!(refusal.contains(said), "{text}: {refusal}");
    }
}

#[test]
fn no_error_shows_a_value_and_nothing_prints_one() {
    const CANARY: &str = "hunter2";
    for text in [
        "token = \"hunter2\"",
        "[config]\ntoken = \"hunter2",
        "[config\ntoken = \"hunter2\"",
        "[config]\ntoken = hunter2",
        "[listen]\nhttp = \"hunter2\"",
        "[limits]\ncpu = \"hunter2\"",
        "[log]\nlevel = \"hunter2\"",
        "[[route]]\nendpoint = \"hunter2@host\"",
        "[[route]]\nendpoint = \"a\"\nproxy = \"http://me:hunter2@proxy:1\"",
        "[[route]]\nendpoint = \"a\"\nproxy_user = \"me:hunter2\"",
        "[[route]]\nendpoint = \"a\"\nconnect_to = \"hunter2\"",
        "[[route]]\nendpoint = \"a\"\ncert = \"a\"\nkey = \"pkcs11:object=a?pin-value=hunter2\"",
    ] {
        let error = config(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(CANARY), "{text}: {error} {error:?}");
    }
    let config = config("[config]\ntoken = \"hunter2\"\n[[config.devices]]\ntoken = \"hunter2\"").unwrap();
    assert!(!format!("{config:?}").contains(CANARY));
}

#[test]
fn what_others_reach_is_guarded_or_somebody_has_said_that_it_need_not_be() {
    let open =
        |text: &str, is_guarded| config(text).unwrap().refuse_open(is_guarded).map_err(|error| error.to_string());
    let said = open("\n[listen]\nhttp = \"0.0.0.0:8080\"", false).unwrap_err();
    assert!(said.starts_with("/etc/thingpost/serve.toml:3: listen.http: everybody who reaches this address"), "{said}");
    open("[listen]\nhttp = \"[::]:8080\"", false).unwrap_err();
    open("[listen]\nhttp = \"0.0.0.0:8080\"", true).unwrap();
    open("[listen]\nhttp = \"0.0.0.0:8080\"\ninsecure = true", false).unwrap();
    open("[listen]\nhttp = \"0.0.0.0:8080\"\ntls = { cert = \"a\", key = \"b\" }", false).unwrap();
    open("[listen]\nhttp = \"127.0.0.2:8080\"", false).unwrap();
}

mod loading {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair};
    use tempfile::TempDir;

    use super::*;

    fn folder_with(text: &str) -> (TempDir, PathBuf) {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("serve.toml");
        fs::write(&file, text).unwrap();
        (folder, file)
    }

    fn write_pair(folder: &Path) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["device".to_owned()]).unwrap().self_signed(&key).unwrap();
        fs::write(folder.join("device.pem"), certificate.pem()).unwrap();
        fs::write(folder.join("device.key"), key.serialize_pem()).unwrap();
    }

    #[test]
    fn settings_come_from_files_and_where_they_are_more_than_texts_as_json() {
        let (folder, file) = folder_with(
            "[config]\nplatform = \"aliyun\"\ntimeout_ms = 30000\ndevice_secret = { file = \"secret\" }\n\
             [[config.devices]]\nname = \"pump-1\"\ndevice_secret = { file = \"secret\" }\nretained = true",
        );
        fs::write(folder.path().join("secret"), "hush\r\n").unwrap();
        let settings = Loader::default().load(Config::read(&file).unwrap()).unwrap().settings.unwrap();
        assert_eq!(settings["platform"], "aliyun");
        assert_eq!(settings["timeout_ms"], "30000");
        assert_eq!(settings["device_secret"], "hush");
        assert_eq!(settings["devices"], r#"[{"device_secret":"hush","name":"pump-1","retained":true}]"#);
    }

    #[test]
    fn what_a_file_lacks_is_named_with_the_line_that_names_the_file() {
        let refusal = |text: &str, content: &[u8]| {
            let (folder, file) = folder_with(text);
            fs::write(folder.path().join("there"), content).unwrap();
            Loader::default().load(Config::read(&file).unwrap()).err().unwrap().to_string()
        };
        for (text, content, said) in [
            ("\n[config]\ntoken = { file = \"nowhere\" }", &b""[..], "serve.toml:3: config.token: "),
            ("[config]\ntoken = { file = \"there\" }", b"\n", "there is empty"),
            ("[config]\ntoken = { file = \"there\" }", b"\xc3(", "there is no text in UTF-8"),
            ("[config]\ntoken = { file = \"there\" }", &[b'a'; 70_000], "larger than 64 KiB"),
            (
                "[config]\ntoken = { env = \"THINGPOST_TEST_NOT_SET\" }",
                b"",
                "the variable THINGPOST_TEST_NOT_SET is not set",
            ),
            ("[config]\ntoken = { env = \"\" }", b"", "config.token: the variable  is not set"),
            (
                "[[route]]\nendpoint = \"a\"\ncert = \"there\"\nkey = \"there\"",
                b"hunter2",
                "serve.toml:4: route[0].key: ",
            ),
            ("[[route]]\nendpoint = \"a\"\nca = \"there\"", b"hunter2", "serve.toml:3: route[0].ca: "),
            ("[[route]]\nendpoint = \"a b\"", b"", "serve.toml:2: route[0].endpoint: `a b` is not a host"),
            (
                "[[route]]\nendpoint = \"a\"\n[[route]]\nendpoint = \"A\"",
                b"",
                "serve.toml:4: route[1].endpoint: two routes to a;",
            ),
            ("component = \"nowhere.wasm\"", b"", "nowhere.wasm: cannot be read"),
            ("[listen]\ntls = { cert = \"there\", key = \"there\" }", b"hunter2", "serve.toml:2: listen.tls.key: "),
        ] {
            let refusal = refusal(text, content);
            assert!(
                refusal.contains(said) && !refusal.contains('\n') && !refusal.contains("hunter2"),
                "{text}: {refusal}"
            );
        }
    }

    #[test]
    fn what_has_not_changed_stays_the_same_identity_so_that_its_connections_stay() {
        let (folder, file) = folder_with(
            "[[route]]\nendpoint = \"a\"\ncert = \"device.pem\"\nkey = \"device.key\"\nca = \"device.pem\"",
        );
        write_pair(folder.path());
        let mut loader = Loader::default();
        let mut generations = || {
            let config = Config::read(&file).unwrap();
            let route = &config.routes[0];
            let identity = loader.identity(route.cert.as_ref().unwrap(), route.key.as_ref().unwrap()).unwrap();
            loader.load(config).unwrap();
            identity.generation()
        };
        let first = generations();
        assert_eq!(generations(), first);
        write_pair(folder.path());
        assert_ne!(generations(), first);
    }
}
