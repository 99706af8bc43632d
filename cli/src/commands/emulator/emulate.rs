//! `thingpost emulate`: both clouds, without an account of either, on good days and on bad ones.

use std::time::Duration;

use thingpost_emulator::{Ledger, MqttLedger};

use super::clouds::{Clouds, MqttClouds, arrived, arrived_by_mqtt};
use super::examples;
use super::keys::KeyFiles;
use crate::args::{ChaosArgument, EmulateArgs};
use crate::error::{CliError, one_line};
use crate::exit::Exit;
use crate::terminal::interrupt::Interruptions;
use crate::terminal::{complain, print};

/// How soon a message shows after it arrived.
const LOOK: Duration = Duration::from_millis(100);

/// Runs until interrupted, and shows what arrives.
pub async fn run(arguments: &EmulateArgs) -> Result<Exit, CliError> {
    let clouds = Clouds::start(arguments.bind).await?;
    let mut mqtt = MqttClouds::start(&clouds).await?;
    let files = KeyFiles::write(&arguments.dir, &clouds)?;
    let interruptions = Interruptions::count();
    if let Some(chaos) = &arguments.chaos {
        begin_chaos(chaos, &clouds, mqtt.as_ref());
    }
    print("AWS IoT Core and Aliyun IoT Platform are here. Publish to them with:\n");
    for command in examples::https(&clouds, &files) {
        print(format_args!("{command}\n"));
    }
    print("A device that has only the secret of its product gets its own with:\n");
    print(format_args!("{}\n", examples::registration(&clouds, &files)));
    match &mqtt {
        Some(mqtt) => {
            print("Over MQTT, on loopback whatever --bind says, subscribe and publish with:\n");
            for command in examples::mqtt(mqtt, &files) {
                print(format_args!("{command}\n"));
            }
            print("And such a device registers over MQTT with:\n");
            print(format_args!("{}\n", examples::mqtt_registration(mqtt, &files)));
        }
        None => print(format_args!("{}\n", MqttClouds::left_out())),
    }
    if let Some(chaos) = &arguments.chaos {
        print(format_args!("Chaos: {}. See docs/emulator.md, or `thingpost emulate --help`.", one_line(&chaos.text)));
    }
    print("What arrives shows below. Ctrl-C ends it.");
    let ledgers = [clouds.aws.ledger(), clouds.aliyun.ledger()];
    let mqtt_ledgers: Vec<(&str, MqttLedger)> =
        mqtt.iter().flat_map(|it| [("AWS", it.aws.ledger()), ("Aliyun", it.aliyun.ledger())]).collect();
    let mut knows_of_the_end = false;
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
        if let Some(mqtt) = &mut mqtt
            && !knows_of_the_end
            && let Some(end) = mqtt.broker_has_ended()
        {
            knows_of_the_end = true;
            complain(format_args!("thingpost: {}", one_line(&end)));
        }
    }
}

fn begin_chaos(chaos: &ChaosArgument, clouds: &Clouds, mqtt: Option<&MqttClouds>) {
    let plan = &chaos.plan;
    clouds.aws.chaos(plan.clone());
    clouds.aliyun.chaos(plan.clone());
    if let Some(mqtt) = mqtt {
        mqtt.aws.chaos(plan.clone());
        mqtt.aliyun.chaos(plan.clone());
    }
}
