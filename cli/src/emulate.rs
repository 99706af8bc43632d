//! `thingpost emulate`: both clouds, without an account of either.

use std::path::Path;
use std::time::Duration;

use thingpost_emulator::{Ledger, MqttLedger};

use super::Exit;
use super::arguments::EmulateArguments;
use super::clouds::{
    ALIYUN_ENDPOINT, ALIYUN_MQTT_ENDPOINT, ALIYUN_REGION, ALIYUN_TOPIC, AWS_ENDPOINT, AWS_REGION, AWS_TOPIC, Clouds,
    DEVICE_NAME, MqttClouds, NEW_DEVICE_NAME, PRODUCT_KEY, arrived, arrived_by_mqtt,
};
use super::interrupt::Interruptions;
use super::keys::{KeyFiles, PROFILE};
use super::problem::Problem;
use super::terminal::print;

/// How soon a message shows after it arrived.
const LOOK: Duration = Duration::from_millis(100);

/// Runs until interrupted, and shows what arrives.
pub async fn run(arguments: &EmulateArguments) -> Result<Exit, Problem> {
    let clouds = Clouds::start(arguments.bind).await?;
    let mqtt = MqttClouds::start(&clouds).await?;
    let files = KeyFiles::write(&arguments.dir, &clouds)?;
    let interruptions = Interruptions::count();
    print("AWS IoT Core and Aliyun IoT Platform are here. Publish to them with:\n");
    for command in commands(&clouds, &files) {
        print(format_args!("{command}\n"));
    }
    print("A device that has only the secret of its product gets its own with:\n");
    print(format_args!("{}\n", registration(&clouds, &files)));
    match &mqtt {
        Some(mqtt) => {
            print("Over MQTT, on loopback whatever --bind says, subscribe and publish with:\n");
            for command in mqtt_commands(mqtt, &files) {
                print(format_args!("{command}\n"));
            }
        }
        None => print(format_args!("{}\n", MqttClouds::left_out())),
    }
    print("What arrives shows below. Ctrl-C ends it.");
    let ledgers = [clouds.aws.ledger(), clouds.aliyun.ledger()];
    let mqtt_ledgers: Vec<(&str, MqttLedger)> =
        mqtt.iter().flat_map(|it| [("AWS", it.aws.ledger()), ("Aliyun", it.aliyun.ledger())]).collect();
    loop {
        let is_over = tokio::time::timeout(LOOK, interruptions.reached(1)).await.is_ok();
        for entry in ledgers.iter().flat_map(Ledger::take) {
            print(arrived(&entry));
        }
        for (cloud, ledger) in &mqtt_ledgers {
            ledger.take().iter().filter_map(|entry| arrived_by_mqtt(cloud, entry)).for_each(print);
        }
        if is_over {
            return Ok(Exit::Delivered);
        }
    }
}

/// Ready to paste.
fn commands(clouds: &Clouds, files: &KeyFiles) -> [String; 4] {
    let ca = quoted(&files.ca);
    let aws = |port: u16, address| {
        let (cert, key) = (quoted(&files.certificate), quoted(&files.private_key));
        let connect_to = Clouds::connect_to(AWS_ENDPOINT, port, address);
        format!(
            "thingpost publish aws --endpoint {AWS_ENDPOINT} --port {port} \\\n    --topic {AWS_TOPIC} --message '21.5' \
             --ca {ca} --cert {cert} --key {key} \\\n    --connect-to {connect_to}"
        )
    };
    // With all that variables of the user's own could say otherwise.
    let access_key = quoted(&files.access_key);
    let connect_to = Clouds::connect_to(AWS_ENDPOINT, 443, clouds.aws.addr_alpn());
    let signed = format!(
        "AWS_SHARED_CREDENTIALS_FILE={access_key} \\\n    thingpost publish aws --endpoint {AWS_ENDPOINT} \\\n    --topic \
         {AWS_TOPIC} --message '21.5' --ca {ca} \\\n    --sigv4 --profile {PROFILE} --region {AWS_REGION} \\\n    --connect-to \
         {connect_to}"
    );
    let secret = quoted(&files.device_secret);
    let connect_to = Clouds::connect_to(ALIYUN_ENDPOINT, 443, clouds.aliyun.addr());
    let aliyun = format!(
        "thingpost publish aliyun --endpoint {ALIYUN_ENDPOINT} --product-key {PRODUCT_KEY} \\\n    --device-name \
         {DEVICE_NAME} --device-secret-file {secret} \\\n    --topic {ALIYUN_TOPIC} --message '21.5' --ca {ca} \\\n    \
         --connect-to {connect_to}"
    );
    [aws(8443, clouds.aws.addr_mutual_tls()), aws(443, clouds.aws.addr_alpn()), aliyun, signed]
}

/// The same over MQTT.
fn mqtt_commands(mqtt: &MqttClouds, files: &KeyFiles) -> [String; 4] {
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
    let secret = quoted(&files.device_secret);
    let connect_to = Clouds::connect_to(ALIYUN_MQTT_ENDPOINT, 443, mqtt.aliyun.addr());
    let aliyun = format!(
        "thingpost mqtt publish --endpoint {ALIYUN_MQTT_ENDPOINT} \\\n    --product-key {PRODUCT_KEY} --device-name \
         {DEVICE_NAME} --device-secret-file {secret} \\\n    --topic {ALIYUN_TOPIC} --message '21.5' --ca {ca} \\\n    \
         --connect-to {connect_to}"
    );
    [
        aws("subscribe", 8883, mqtt.aws.addr_mutual_tls(), "'sensors/#'"),
        aws("publish", 8883, mqtt.aws.addr_mutual_tls(), &publication),
        aws("publish", 443, mqtt.aws.addr_alpn(), &publication),
        aliyun,
    ]
}

/// The same for a device that has no secret. What an earlier emulator has given out is worth nothing, so it is replaced.
fn registration(clouds: &Clouds, files: &KeyFiles) -> String {
    let (ca, product_secret) = (quoted(&files.ca), quoted(&files.product_secret));
    let secret = quoted(&files.new_device_secret);
    let connect_to = Clouds::connect_to(clouds.aliyun.iot_auth_server_name(), 443, clouds.aliyun.addr_iot_auth());
    format!(
        "thingpost register aliyun --region {ALIYUN_REGION} --product-key {PRODUCT_KEY} \\\n    --device-name \
         {NEW_DEVICE_NAME} --product-secret-file {product_secret} \\\n    --secret-file {secret} --force --ca {ca} \
         \\\n    --connect-to {connect_to}"
    )
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
