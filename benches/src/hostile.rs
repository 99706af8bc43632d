//! What a hostile guest costs the good one beside it.
//!
//! That every message of the good guest arrives is what `tests/hostile/` asserts. How much longer it takes is a number, and it
//! depends on whether the two share a thread: a guest that computes gives way every 10 ms, and a publish is handed from the guest to
//! the host and back some ten times.

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use thingpost_host::Pool;
use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, Message, Platform, Qos};
use thingpost_host::runtime::{CallBudget, CompilationCache, PublisherPre, Runtime};
use thingpost_host::{RouteTable, Transport, WorkloadConfig};
use thingpost_measure::{Client, Cloud, Failure, Way, leave_the_last_core};
use tokio::runtime;

/// As the guest of the tests calls them; and what they do.
const ATTACKS: [(&str, &str); 4] = [
    ("cpu", "computes without end"),
    ("host call", "has the host look through a long list, again and again"),
    ("denied hosts", "asks for hosts that it may not reach"),
    ("bodies", "fills bodies of requests that it never sends"),
];

const ROUNDS: usize = 7;
const TURN: Duration = Duration::from_millis(500);
const PAYLOAD: usize = 200;

/// Measures, and gives the page's part about it.
pub fn measure(server: Command) -> Result<String, Failure> {
    let cloud = Cloud::start(server)?;
    let engine = Runtime::new(&CompilationCache::System)?;
    let good = engine.load(thingpost_artifacts::PUBLISHER.bytes)?;
    // It is stopped when its turn is over, and not before.
    let patient = CallBudget::default().cpu(Duration::from_secs(3600));
    let hostile = engine.load(thingpost_hostile_guest::GUEST)?.call_budget(patient);
    leave_the_last_core();
    let mut page = format!(
        "\nTime of one message beside an attack, divided by its time alone in the same round; median of {ROUNDS} rounds of {} ms \
         (quartiles in brackets).\n\n| the other guest | on one thread | on two threads |\n|---|---:|---:|\n",
        TURN.as_millis()
    );
    let one = runtime::Builder::new_current_thread().enable_all().build()?;
    let two = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for (attack, what) in ATTACKS {
        let _ = write!(page, "| {what} |");
        for tokio in [&one, &two] {
            let [low, middle, high] = tokio.block_on(ratios(&cloud, &good, &hostile, attack))?;
            let _ = write!(page, " {middle:.2} ({low:.2} to {high:.2}) |");
        }
        page.push('\n');
    }
    page.push('\n');
    Ok(page)
}

async fn ratios(
    cloud: &Cloud,
    good: &PublisherPre,
    hostile: &PublisherPre,
    attack: &'static str,
) -> Result<[f64; 3], Failure> {
    let pool = Pool::default();
    let mut client = Client::reused(good, &cloud.device(Way::AwsCertificate, 0), &pool).await?;
    let mut ratios = Vec::new();
    each(&mut client).await?;
    for _ in 0..ROUNDS {
        let alone = each(&mut client).await?;
        let attacking = tokio::spawn(attack_on(hostile.clone(), pool.clone(), attack));
        let beside = each(&mut client).await?;
        attacking.abort();
        let _ = attacking.await;
        ratios.push(beside / alone);
    }
    ratios.sort_by(f64::total_cmp);
    Ok([1, 2, 3].map(|quarter| ratios[(ratios.len() - 1) * quarter / 4]))
}

/// The seconds that one message takes.
async fn each(client: &mut Client) -> Result<f64, Failure> {
    let begun = Instant::now();
    let mut count = 0_u32;
    while begun.elapsed() < TURN {
        client.publish(1, PAYLOAD).await?;
        count += 1;
    }
    Ok(begun.elapsed().as_secs_f64() / f64::from(count))
}

/// Again and again, with a new instance each time: it ends only by being dropped.
async fn attack_on(hostile: PublisherPre, pool: Pool, attack: &'static str) {
    let routes = RouteTable::new(Vec::new()).expect("there is none that could be wrong");
    let transport = Transport::new(pool, WorkloadConfig::new("hostile", routes));
    let authentication = AwsAuthentication::Certificate;
    let platform = Platform::Aws(AwsConfig { endpoint: "iot.example".to_owned(), port: 8443, authentication });
    let order = Message::new(attack, *b"iot.example", Qos::AtMostOnce);
    loop {
        if let Ok(mut guest) = hostile.builder(transport.clone(), &platform).open().await {
            let _ = guest.publish(&order).await;
        }
        tokio::task::yield_now().await;
    }
}
