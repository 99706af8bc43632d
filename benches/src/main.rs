//! Measures everything and writes docs/performance.md: the tables between the marks, and the picture beside it. Or
//! publishes in one way, for a profiler to look at.

mod hostile;
mod serving;

use std::env;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{fs, io};

use thingpost::Qos;
use thingpost_host::Pool;
use thingpost_host::runtime::{CompilationCache, PublisherPre, Runtime};
use thingpost_host::wasmtime::{Cache, CacheConfig, Config, Engine};
use thingpost_measure::suite::{DEVICES, Effort, Section};
use thingpost_measure::{Client, Cloud, Failure, Load, Way, leave_the_last_core, report, server, suite};

const BEGIN: &str = "<!-- measured: written by `cargo xtask bench` -->\n";
const END: &str = "<!-- end of what was measured -->";

const USAGE: &str = "give nothing, to measure publishing, `serving` to measure the server, `hostile` what a hostile guest costs, or `publish WHO TIMES`, for a profiler to look at; \
    WHO is native, component, uninterrupted, instances, native-batch or batch; \
    or mqtt-native, mqtt-component or mqtt-rumqttc, with -one or -qos0 behind it or nothing";

const BATCH: usize = 1000;
const PAYLOAD: usize = 200;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["serve", config] => serving::serve_here(config),
        ["serving"] => serving::measure().and_then(|page| write_part("serving", &page)),
        ["hostile"] => {
            server().map_err(Into::into).and_then(hostile::measure).and_then(|page| write_part("hostile", &page))
        }
        ["server"] => server::run(DEVICES).map_err(Into::into),
        ["publish", who, times] => match times.parse() {
            Ok(times) => publish(who, times),
            Err(_) => Err(format!("TIMES is `{times}`, give a number from 1 to 4294967295").into()),
        },
        [] => measure(),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the benchmarks end here: {error}");
            ExitCode::FAILURE
        }
    }
}

fn server() -> io::Result<Command> {
    let mut program = Command::new(env::current_exe()?);
    program.arg("server");
    Ok(program)
}

/// Does one thing and no other: instructions counted from outside do not depend on what else the machine does.
fn publish(who: &str, times: NonZeroU32) -> Result<(), Failure> {
    let cloud = Cloud::start(server()?)?;
    let runtime = Runtime::new(&CompilationCache::System)?;
    leave_the_last_core();
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(who) = who.strip_prefix("mqtt-") {
        return tokio.block_on(publish_over_mqtt(&cloud, &runtime, who, times));
    }
    let component = runtime.load(thingpost_artifacts::PUBLISHER.bytes)?;
    let (device, pool) = (cloud.device(Way::AwsCertificate, 0), Pool::default());
    tokio.block_on(async {
        let reused = Client::reused(&component, &device, &pool).await?;
        let mut load = match who {
            "native" => Load::one(Client::native(&device, &pool), PAYLOAD),
            "component" => Load::one(reused, PAYLOAD),
            "uninterrupted" => Load::one(Client::reused(&uninterrupted()?, &device, &pool).await?, PAYLOAD),
            "instances" => Load::one(Client::fresh(&component, &device, &pool), PAYLOAD),
            "native-batch" => Load::batches(Client::native(&device, &pool), BATCH, PAYLOAD),
            "batch" => Load::batches(reused, BATCH, PAYLOAD),
            _ => return Err(USAGE.into()),
        };
        println!("{:.2} µs each", load.run(times.get()).await?.each() * 1e6);
        Ok(())
    })
}

/// The component in an engine whose guests look at no epoch, and so cannot be interrupted.
fn uninterrupted() -> Result<PublisherPre, Failure> {
    let mut config = Config::new();
    config.cache(Some(Cache::new(CacheConfig::new())?));
    let runtime = Runtime::with_engine(Engine::new(&config)?)?;
    Ok(runtime.load(thingpost_artifacts::PUBLISHER.bytes)?)
}

/// With 20 messages in flight, with one, or with as many as the connection takes.
async fn publish_over_mqtt(cloud: &Cloud, runtime: &Runtime, who: &str, times: NonZeroU32) -> Result<(), Failure> {
    let device = cloud.mqtt_device()?;
    let (who, qos, messages) = match who.split_once('-') {
        None => (who, Qos::AtLeastOnce, BATCH),
        Some((who, "one")) => (who, Qos::AtLeastOnce, 1),
        Some((who, "qos0")) => (who, Qos::AtMostOnce, BATCH),
        Some(_) => return Err(USAGE.into()),
    };
    let client = match who {
        "native" => Client::mqtt_native(&device, qos).await?,
        "component" => {
            let component = runtime.load_mqtt(thingpost_artifacts::MQTT.bytes)?;
            Client::mqtt_component(&component, &device, qos).await?
        }
        "rumqttc" => Client::rumqttc(&device, qos).await?,
        _ => return Err(USAGE.into()),
    };
    let mut load = Load::batches(client, messages, PAYLOAD);
    println!("{:.2} µs each", load.run(times.get()).await?.each() * 1e6);
    Ok(())
}

fn measure() -> Result<(), Failure> {
    let mut sections: Vec<Section> = Vec::new();
    suite::run(server()?, Effort::THOROUGH, |section| {
        println!("{}", report::text(section));
        sections.push(section.clone());
    })?;

    let tables: String = sections.iter().map(report::markdown).collect();
    write(BEGIN, END, &format!("\n{tables}"))?;
    fs::write(docs().join("performance.svg"), report::svg(&sections))?;
    Ok(())
}

/// Shows it, and writes it to its place in the page.
fn write_part(part: &str, page: &str) -> Result<(), Failure> {
    println!("{page}");
    write(
        &format!("<!-- {part}: written by `cargo xtask bench {part}` -->\n"),
        &format!("<!-- end of {part} -->"),
        page,
    )
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Puts what was measured between two marks of the page.
fn write(begin: &str, end: &str, measured: &str) -> Result<(), Failure> {
    let file = docs().join("performance.md");
    let page = fs::read_to_string(&file)?;
    let (before, rest) = page.split_once(begin).ok_or("docs/performance.md has no place for what was measured")?;
    let (_, after) = rest.split_once(end).ok_or("docs/performance.md has no end of what was measured")?;
    fs::write(file, format!("{before}{begin}{measured}{end}{after}"))?;
    Ok(())
}
