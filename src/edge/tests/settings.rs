//! What becomes of settings, right ones and wrong ones.

use crate::edge::{Device, Head, Refusal, Settings, Task, read};

const ALIYUN: &str = r#"{"platform":"aliyun","endpoint":"iot-as-http.cn-shanghai.aliyuncs.com","product_key":"a1B2c3D4e5F",
    "device_name":"pump-1","device_secret":"hunter2-hunter2","token":"hunter2-token"}"#;

fn told(json: &str) -> String {
    Settings::from_json(json).unwrap_err().to_string()
}

fn device<'a>(settings: &'a Settings, path: &str) -> Result<&'a Device, Refusal> {
    let Ok(Task::Publish(publication)) = read(&Head { method: "POST", path_with_query: path, headers: &[] }) else {
        panic!("{path}")
    };
    settings.device(&publication)
}

#[test]
fn one_object_has_all_that_one_device_needs() {
    let settings = Settings::from_json(ALIYUN).unwrap();
    let device = device(&settings, "/topics/a").unwrap();
    assert_eq!(device.name, None);
    assert_eq!(device.token.as_ref().unwrap().reveal(), "hunter2-token");
    assert_eq!(device.platform.secrets(), ["hunter2-hunter2"]);
    assert_eq!(device.options.timeout_ms, 30_000);
    assert_eq!(settings.bucket(), "");
}

#[test]
fn devices_are_found_by_their_names_and_the_default_one_without() {
    let further = r#"[{"name":"thermometer 7","platform":"aws","endpoint":"a-ats.iot.eu-west-1.amazonaws.com","timeout_ms":500}]"#;
    let with_default = format!("{},\"devices\":{further},\"bucket\":\"b\"}}", ALIYUN.trim_end_matches('}'));
    let settings = Settings::from_json(&with_default).unwrap();
    let named = device(&settings, "/devices/thermometer%207/topics/a").unwrap();
    assert_eq!((named.name.as_deref(), named.options.timeout_ms), (Some("thermometer 7"), 500));
    assert!(device(&settings, "/topics/a").unwrap().name.is_none());
    assert_eq!(settings.bucket(), "b");
    let refusal = device(&settings, "/devices/pump-1/topics/a").unwrap_err();
    assert_eq!(refusal, Refusal::NoSuchDevice(Some("pump-1".into())));
    let settings = Settings::from_json(&format!("{{\"devices\":{further}}}")).unwrap();
    assert_eq!(device(&settings, "/topics/a").unwrap_err(), Refusal::NoSuchDevice(None));
}

#[test]
fn settings_of_a_store_are_the_same_and_others_there_do_not_matter() {
    let pairs = [
        ("platform", "aws"),
        ("endpoint", "a-ats.iot.eu-west-1.amazonaws.com\n"),
        ("auth", "sigv4"),
        ("access_key_id", "AKID"),
        ("secret_access_key", "hunter2-hunter2"),
        ("path", "/usr/bin"),
        ("devices", r#"[{"name":"b","platform":"aws","endpoint":"b.example","port":443}]"#),
    ];
    let settings = Settings::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    assert_eq!(device(&settings, "/topics/a").unwrap().platform.secrets(), ["hunter2-hunter2"]);
    assert!(device(&settings, "/devices/b/topics/a").is_ok());
}

#[test]
fn what_belongs_to_a_default_device_is_not_passed_over_where_there_is_none() {
    let further = r#"[{"name":"b","platform":"aws","endpoint":"b.example"}]"#;
    for name in ["token", "endpoint", "timeout_ms", "device_secret"] {
        let pairs = [("devices", further), (name, "hunter2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let told = Settings::from_pairs(pairs).unwrap_err().to_string();
        assert_eq!(told, format!("settings: `{name}` belongs to a default device, and `platform` is missing for that"));
    }
}

#[test]
fn a_wrong_setting_is_named_and_no_value_is_told() {
    let with = |from: &str, to: &str| {
        assert!(ALIYUN.contains(from), "{from}");
        ALIYUN.replace(from, to)
    };
    for (json, expected) in [
        (String::new(), r#"settings: they are not an object in JSON, as in {"platform":"aws",..}"#),
        ("platform=aws".to_owned(), r#"settings: they are not an object in JSON, as in {"platform":"aws",..}"#),
        ("{}".to_owned(), "settings: `platform` is missing"),
        (with("\"aliyun\"", "\"azure\""), "settings: `platform` is none of aws, aliyun"),
        (with("device_secret", "devicesecret"), "settings: `device_secret` is missing"),
        (with("{\"platform", "{\"colour\":\"hunter2\",\"platform"), "settings: there is no setting `colour`"),
        (
            with("\"hunter2-token\"", "\"\""),
            "settings: `token` is wrong: it is empty, and an empty token keeps nobody out",
        ),
        (
            with("\"hunter2-token\"", "\"x\",\"port\":0"),
            "settings: `port` is wrong: it is a number, and neither 0 nor that large",
        ),
        (
            with("hunter2-hunter2", "hunter2\\u0000"),
            "settings: the device secret has white space or a control character in it or around it",
        ),
        (
            "{\"devices\":{}}".to_owned(),
            r#"settings: `devices` is not a list of objects in JSON, as in [{"name":"pump-1","platform":"aws",..}]"#,
        ),
        ("{\"devices\":[]}".to_owned(), "settings: `platform` is missing"),
        (format!("{{\"devices\":[{ALIYUN}]}}"), "settings: `name` is missing"),
        (
            format!("{{\"devices\":[{0},{0}]}}", with("{\"platform", "{\"name\":\"a\",\"platform")),
            "settings of the device a: another device has this name",
        ),
        (
            "{\"devices\":[{\"name\":\"a\",\"platform\":\"aws\",\"endpoint\":\"https://hunter2/\"}]}".to_owned(),
            "settings of the device a: the endpoint must be a host name alone, without https://, port and path",
        ),
    ] {
        let told = told(&json);
        assert_eq!(told, expected, "{json}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn nothing_that_shows_settings_shows_a_secret() {
    let settings = Settings::from_json(ALIYUN).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"), "{settings:?}");
}
