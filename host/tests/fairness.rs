//! A workload that sends all the time holds, where there are few sockets, all of them. Did it hand its connections from
//! each of its requests to the next, a neighbour with one message to send would wait until it falls silent.
//!
//! The server gives one answer at a time here, so that what comes next is the order of the pool and not that of the
//! faster thread.

use thingpost_host::{Pool, PoolLimits, Route, Transport};
use tokio::task::JoinSet;

use crate::client::{config, publish, within};
use crate::pki::Authority;
use crate::server::{Do, OK, Script, Signal};

const URL: &str = "https://localhost/topics/t";
const SOCKETS: usize = 4;

#[tokio::test]
async fn a_workload_with_hundreds_of_requests_lets_each_request_of_another_go_before_most_of_them() {
    within(async {
        const MANY: usize = 300;
        const FEW: usize = 10;
        let authority = Authority::new("ca");
        let answer = Signal::new();
        let told = answer.clone();
        let server = Script::new(&authority).on_request(move |_, _| Do::AnswerWhen(told.clone(), OK)).start();
        let pool = Pool::new(PoolLimits::default().connections(SOCKETS));
        let [greedy, modest] = ["greedy", "modest"].map(|workload| {
            let routes = vec![Route::new("localhost", authority.roots())];
            Transport::new(pool.clone(), config(workload, routes, &server))
        });
        let came = |workload: &str| server.bodies().iter().filter(|body| *body == workload).count();

        let mut flood = JoinSet::new();
        for _ in 0..MANY {
            let greedy = greedy.clone();
            flood.spawn(async move { publish(&greedy, URL, "greedy").await });
        }
        let mut arrived = SOCKETS;
        server.until(|ledger| ledger.requests() == arrived).await;
        for turn in 1..=FEW {
            let modest = modest.clone();
            let request = tokio::spawn(async move { publish(&modest, URL, "modest").await });
            // Takes its place in the queue.
            tokio::task::yield_now().await;
            let before = came("greedy");
            while !request.is_finished() {
                answer.give(1);
                arrived += 1;
                server.until(|ledger| ledger.requests() == arrived).await;
                if came("modest") < turn {
                    let overtook = came("greedy") - before;
                    assert!(overtook < SOCKETS, "{overtook} greedy requests went before modest request {turn}");
                }
            }
            request.await.unwrap().unwrap();
        }
        assert!(came("greedy") < MANY / 2, "{} greedy requests went before the last modest one", came("greedy"));

        answer.give(MANY);
        flood.join_all().await.into_iter().for_each(|answer| drop(answer.unwrap()));
        assert_eq!((came("greedy"), came("modest")), (MANY, FEW));
    })
    .await;
}
