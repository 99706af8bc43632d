//! Requests per second of our server beside `wasmtime serve`, with the same component in both; and what a thousand clients of a
//! slow cloud get of either.
//!
//! A server that is faster and gives up under load is of no use, and neither is one that holds out at a tenth of the speed. Both are
//! measured in one run, in turns, and what is told are ratios.

mod cloud;
mod load;
mod ours;
mod stock;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use cloud::SlowCloud;
pub use ours::run as serve_here;
use thingpost_measure::Failure;

/// Connections that ask as fast as they are answered.
const CONNECTIONS: usize = 32;
const ROUNDS: usize = 9;
const TURN: Duration = Duration::from_millis(1000);

/// Clients of the slow cloud, and how many messages each of them has.
const CROWD: usize = 1000;
const MESSAGES: usize = 3;

/// A server that runs, and how it is called in the table.
struct Contender {
    name: &'static str,
    address: SocketAddr,
    _process: load::Child,
}

/// Measures both, and gives the page's part about them.
pub fn measure() -> Result<String, Failure> {
    let Some(wasmtime) = stock::program() else {
        return Err("there is no wasmtime below target/hosts: `cargo xtask hosts` installs it".into());
    };
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio.block_on(async {
        let component = stock::component()?;
        let file = component.path();
        // The first is what the others are compared with.
        let contenders = [
            stock::start("`wasmtime serve`, as it comes", &wasmtime, file, &[])?,
            stock::start("`wasmtime serve`, instances reused", &wasmtime, file, &stock::REUSED)?,
            ours::start("`thingpost serve`, an instance for each request", file, 1, None)?,
            ours::start("`thingpost serve`", file, 1000, None)?,
        ];
        let speeds = speeds(&contenders).await?;
        let cloud = SlowCloud::start().await?;
        let stock = stock::start("`wasmtime serve`, as it comes", &wasmtime, file, &[])?;
        let stock = crowd(stock, &cloud.plain_settings()).await?;
        let ours = ours::start("`thingpost serve`", file, 1000, Some(&cloud))?;
        let ours = crowd(ours, &cloud.tls_settings()).await?;
        Ok(page(&contenders, &speeds, &[stock, ours]))
    })
}

/// Of each contender the requests per second and the ratios to the first, round by round.
async fn speeds(contenders: &[Contender]) -> Result<Vec<Vec<f64>>, Failure> {
    let mut speeds = vec![Vec::new(); contenders.len()];
    for contender in contenders {
        load::per_second(contender.address, CONNECTIONS, TURN / 4).await?;
    }
    for round in 0..ROUNDS {
        for turn in 0..contenders.len() {
            let who = (round + turn) % contenders.len();
            speeds[who].push(load::per_second(contenders[who].address, CONNECTIONS, TURN).await?);
        }
    }
    Ok(speeds)
}

/// What a thousand clients got, by status.
struct Crowd {
    name: &'static str,
    answers: load::Answers,
}

async fn crowd(contender: Contender, settings: &str) -> Result<Crowd, Failure> {
    let answers = load::crowd(contender.address, CROWD, MESSAGES, settings).await;
    Ok(Crowd { name: contender.name, answers })
}

fn page(contenders: &[Contender], speeds: &[Vec<f64>], crowds: &[Crowd]) -> String {
    let mut page = format!(
        "\nRequests per second with {CONNECTIONS} connections, of `/healthz` of `edge-min.wasm`; median of {ROUNDS} turns, and the \
         ratio to the first within a round (quartiles in brackets).\n\n| | per second | ratio |\n|---|---:|---:|\n"
    );
    for (contender, speed) in contenders.iter().zip(speeds) {
        let ratios: Vec<f64> = speed.iter().zip(&speeds[0]).map(|(mine, first)| mine / first).collect();
        let [low, middle, high] = quartiles(&ratios);
        let [_, per_second, _] = quartiles(speed);
        let _ = writeln!(page, "| {} | {per_second:.0} | {middle:.2} ({low:.2} to {high:.2}) |", contender.name);
    }
    let _ = write!(
        page,
        "\n{CROWD} clients with {MESSAGES} messages each for a cloud that takes two seconds, with the defaults of both; stock over \
         plain HTTP, ours over TLS.\n\n| | delivered | told to come back (503) | other answers | none |\n|---|---:|---:|---:|---:|\n"
    );
    for Crowd { name, answers } in crowds {
        let load::Answers { delivered, come_back, other, none } = answers;
        let _ = writeln!(page, "| {name} | {delivered} | {come_back} | {other} | {none} |");
    }
    page.push('\n');
    page
}

/// First quartile, median, third quartile.
fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| sorted[(sorted.len() - 1) * quarter / 4])
}
