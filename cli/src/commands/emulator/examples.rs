//! What can be pasted into a shell: each way to authenticate once, against ports that could not be known before.

use std::path::Path;

use super::clouds::{
    ALIYUN_ENDPOINT, ALIYUN_MQTT_ENDPOINT, ALIYUN_REGION, ALIYUN_TOPIC, AUTHORIZER, AWS_ENDPOINT, AWS_REGION,
    AWS_TOPIC, Clouds, DEVICE_NAME, IOT_ID, MqttClouds, NEW_DEVICE_NAME, PRODUCT_KEY, ROLE_ALIAS, TOKEN_CLIENT_ID,
    TOKEN_DEVICE_NAME, TOKEN_DEVICE_TOPIC, TOKEN_NAME,
};
use super::keys::{KeyFiles, PROFILE};
use crate::device::network::is_proxy_set;

/// Publications over HTTPS.
pub fn https(clouds: &Clouds, files: &KeyFiles) -> [String; 6] {
    let ca = quoted(&files.ca);
    let (cert, key) = (quoted(&files.certificate), quoted(&files.private_key));
    let message = format!("--topic {AWS_TOPIC} --message '21.5' --ca {ca}");
    let aws = |port: u16, address| {
        let connect_to = Clouds::connect_to(AWS_ENDPOINT, port, address);
        format!(
            "thingpost publish aws --endpoint {AWS_ENDPOINT} --port {port} \\\n    {message} --cert {cert} --key {key} \
             \\\n    --connect-to {connect_to}"
        )
    };
    let alpn = Clouds::connect_to(AWS_ENDPOINT, 443, clouds.aws.addr_alpn());
    // With all that variables of the user's own could say otherwise.
    let access_key = quoted(&files.access_key);
    let signed = format!(
        "AWS_SHARED_CREDENTIALS_FILE={access_key} \\\n    thingpost publish aws --endpoint {AWS_ENDPOINT} \\\n    {message} \
         \\\n    --sigv4 --profile {PROFILE} --region {AWS_REGION} \\\n    --connect-to {alpn}"
    );
    let provider = clouds.aws.credentials_server_name();
    let to_provider = Clouds::connect_to(provider, 443, clouds.aws.addr_credentials());
    let role_alias = format!(
        "thingpost publish aws --endpoint {AWS_ENDPOINT} \\\n    {message} --cert {cert} --key {key} \\\n    --role-alias \
         {ROLE_ALIAS} --credentials-endpoint {provider} \\\n    --connect-to {alpn} \\\n    --connect-to {to_provider}"
    );
    let token = quoted(&files.authorizer_token);
    let authorizer = format!(
        "thingpost publish aws --endpoint {AWS_ENDPOINT} \\\n    {message} \\\n    --authorizer {AUTHORIZER} --token-name \
         {TOKEN_NAME} --token-file {token} \\\n    --connect-to {alpn}"
    );
    let secret = quoted(&files.device_secret);
    let connect_to = Clouds::connect_to(ALIYUN_ENDPOINT, 443, clouds.aliyun.addr());
    let aliyun = format!(
        "thingpost publish aliyun --endpoint {ALIYUN_ENDPOINT} --product-key {PRODUCT_KEY} \\\n    --device-name \
         {DEVICE_NAME} --device-secret-file {secret} \\\n    --topic {ALIYUN_TOPIC} --message '21.5' --ca {ca} \\\n    \
         --connect-to {connect_to}"
    );
    [aws(8443, clouds.aws.addr_mutual_tls()), aws(443, clouds.aws.addr_alpn()), aliyun, signed, role_alias, authorizer]
        .map(past_proxies)
}

/// A subscription and publications over MQTT.
pub fn mqtt(mqtt: &MqttClouds, files: &KeyFiles) -> [String; 7] {
    let ca = quoted(&files.ca);
    let aws = |words: &str, port: u16, address, more: &str| {
        let (cert, key) = (quoted(&files.certificate), quoted(&files.private_key));
        let connect_to = Clouds::connect_to(AWS_ENDPOINT, port, address);
        format!(
            "thingpost mqtt {words} --endpoint {AWS_ENDPOINT} --port {port} \\\n    --topic {more} --ca {ca} --cert {cert} \
             --key {key} \\\n    --connect-to {connect_to}"
        )
    };
    let publication = format!("{AWS_TOPIC} --message '21.5'");
    let token = quoted(&files.authorizer_token);
    let connect_to = Clouds::connect_to(AWS_ENDPOINT, 443, mqtt.aws.addr_alpn());
    let authorizer = format!(
        "thingpost mqtt publish --endpoint {AWS_ENDPOINT} \\\n    --topic {publication} --ca {ca} \\\n    --authorizer \
         {AUTHORIZER} --token-name {TOKEN_NAME} --token-file {token} \\\n    --connect-to {connect_to}"
    );
    let connect_to = Clouds::connect_to(ALIYUN_MQTT_ENDPOINT, 443, mqtt.aliyun.addr());
    let aliyun = |device_name: &str, log_in: &str, topic: &str| {
        format!(
            "thingpost mqtt publish --endpoint {ALIYUN_MQTT_ENDPOINT} \\\n    --product-key {PRODUCT_KEY} --device-name \
             {device_name} {log_in} \\\n    --topic {topic} --message '21.5' --ca {ca} \\\n    --connect-to {connect_to}"
        )
    };
    let by_secret = format!("--device-secret-file {}", quoted(&files.device_secret));
    let by_device_token = format!("--client-id {TOKEN_CLIENT_ID} --device-token-file {}", quoted(&files.device_token));
    let by_iot_token = format!("--iot-id {IOT_ID} --iot-token-file {}", quoted(&files.iot_token));
    [
        aws("subscribe", 8883, mqtt.aws.addr_mutual_tls(), "'sensors/#'"),
        aws("publish", 8883, mqtt.aws.addr_mutual_tls(), &publication),
        aws("publish", 443, mqtt.aws.addr_alpn(), &publication),
        authorizer,
        aliyun(DEVICE_NAME, &by_secret, ALIYUN_TOPIC),
        aliyun(TOKEN_DEVICE_NAME, &by_device_token, TOKEN_DEVICE_TOPIC),
        aliyun(DEVICE_NAME, &by_iot_token, ALIYUN_TOPIC),
    ]
    .map(past_proxies)
}

/// For a device that has no secret. What an earlier emulator has given out is worth nothing, so it is replaced.
pub fn registration(clouds: &Clouds, files: &KeyFiles) -> String {
    let connect_to = Clouds::connect_to(clouds.aliyun.iot_auth_server_name(), 443, clouds.aliyun.addr_iot_auth());
    register("thingpost register aliyun", &files.new_device_secret, &connect_to, files)
}

/// For such a device, over MQTT.
pub fn mqtt_registration(mqtt: &MqttClouds, files: &KeyFiles) -> String {
    let connect_to = Clouds::connect_to(ALIYUN_MQTT_ENDPOINT, 443, mqtt.aliyun.addr());
    register("thingpost register aliyun --mqtt", &files.new_mqtt_device_secret, &connect_to, files)
}

fn register(command: &str, secret: &Path, connect_to: &str, files: &KeyFiles) -> String {
    let (ca, product_secret, secret) = (quoted(&files.ca), quoted(&files.product_secret), quoted(secret));
    past_proxies(format!(
        "{command} --region {ALIYUN_REGION} --product-key {PRODUCT_KEY} \\\n    --device-name \
         {NEW_DEVICE_NAME} --product-secret-file {product_secret} \\\n    --secret-file {secret} --force --ca {ca} \
         \\\n    --connect-to {connect_to}"
    ))
}

/// No proxy leads to the loopback of this machine, and in the shell where this is printed one may be set.
fn past_proxies(command: String) -> String {
    match is_proxy_set() {
        true => format!("{command} \\\n    --noproxy '*'"),
        false => command,
    }
}

/// For a shell.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+".contains(character);
    match path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}
