//! A device is given the name of one endpoint and meets three: messages go to one host, registrations to another, and
//! the MQTT host that those name is a third. The other names follow from the first one here.

/// Of the service that registers devices, wherever they are.
pub(super) const GLOBAL_IOT_AUTH: &str = "iot-auth-global.aliyuncs.com";
/// The port that the documentation's sample answers name.
pub(super) const MQTT_PORT: u16 = 1883;

/// The host that registers the devices of an endpoint. The name of an instance does not say its region; registering
/// over HTTPS is documented for Shanghai only, so that is where it is.
pub(super) fn iot_auth(server_name: &str) -> String {
    match server_name.split_once('.') {
        Some(("iot-as-http", region)) => format!("iot-auth.{region}"),
        _ if server_name.ends_with(".http.iothub.aliyuncs.com") => "iot-auth.cn-shanghai.aliyuncs.com".to_owned(),
        _ => format!("iot-auth.{server_name}"),
    }
}

/// The MQTT host of a product: one of its own at a public endpoint, and the instance's at that of an instance.
pub(super) fn mqtt(server_name: &str, product_key: &str) -> String {
    if let Some(("iot-as-http", region)) = server_name.split_once('.') {
        return format!("{product_key}.iot-as-mqtt.{region}");
    }
    match server_name.strip_suffix(".http.iothub.aliyuncs.com") {
        Some(instance) => format!("{instance}.mqtt.iothub.aliyuncs.com"),
        None => format!("mqtt.{server_name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_names_of_an_endpoint_follow_from_its_own() {
        for (name, iot_auth_name, mqtt_name) in [
            (
                "iot-as-http.cn-shanghai.aliyuncs.com",
                "iot-auth.cn-shanghai.aliyuncs.com",
                "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com",
            ),
            (
                "iot-06z00d9wc4x18a6.http.iothub.aliyuncs.com",
                "iot-auth.cn-shanghai.aliyuncs.com",
                "iot-06z00d9wc4x18a6.mqtt.iothub.aliyuncs.com",
            ),
            ("emulator.test", "iot-auth.emulator.test", "mqtt.emulator.test"),
        ] {
            assert_eq!(iot_auth(name), iot_auth_name);
            assert_eq!(mqtt(name, "pk"), mqtt_name);
        }
    }
}
