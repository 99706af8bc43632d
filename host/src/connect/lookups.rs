//! One lookup for all that wait for the same name.
//!
//! Thirty messages that begin at once ask thirty times for one name, and where the name server is silent, as in a network
//! that is about to come up, each of them takes a thread for it. So those that come while a lookup is under way wait for
//! that one, and it goes on when they have given up, for those that come after them.
//!
//! No answer is kept when nothing waits for it any more. The resolver of the machine has a cache of its own where one is
//! wanted, which knows how long answers are good for; connections are kept, so lookups are rare; and a device that has
//! changed its network must not be sent to where the old one has led.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::connect::resolver::Resolver;

/// A lookup that has taken so long asks, it may be, name servers of a network that is gone; those that come later get one
/// more. A resolver asks each server for 5 seconds, twice.
const STALE: Duration = Duration::from_secs(10);

/// Lookups of one name at once. If both hang, all wait for the younger one: a third would ask the same servers.
const PER_NAME: usize = 2;

/// What came of a lookup, for each of those that wait.
type Answer = Result<Arc<[SocketAddr]>, Arc<io::Error>>;

/// The lookups of a pool.
pub(crate) struct Lookups {
    resolver: Arc<dyn Resolver>,
    under_way: Arc<Mutex<UnderWay>>,
}

#[derive(Default)]
struct UnderWay {
    next_id: u64,
    /// For each name the youngest last.
    by_host: HashMap<String, Vec<Lookup>>,
}

struct Lookup {
    id: u64,
    begun: Instant,
    told: watch::Receiver<Option<Answer>>,
}

/// A lookup as its task has it. However that ends, the lookup is under way no more.
struct Running {
    id: u64,
    host: String,
    tell: watch::Sender<Option<Answer>>,
    under_way: Arc<Mutex<UnderWay>>,
}

impl Lookups {
    pub(crate) fn new(resolver: Arc<dyn Resolver>) -> Self {
        Self { resolver, under_way: Arc::default() }
    }

    /// The addresses of `host`, which is a name. Their ports do not count.
    pub(crate) async fn addresses(&self, host: &str) -> io::Result<Arc<[SocketAddr]>> {
        loop {
            let (mut told, is_own) = self.join(host);
            match told.wait_for(Option::is_some).await {
                Ok(answer) => {
                    let answer = answer.as_ref().expect("it was waited for");
                    return answer.clone().map_err(|error| again(&error));
                }
                Err(_) if is_own => return Err(io::Error::other("the lookup broke off")),
                // It ran in a runtime that is gone, or panicked.
                Err(_) => {}
            }
        }
    }

    /// A lookup to wait for, and whether it begins now.
    fn join(&self, host: &str) -> (watch::Receiver<Option<Answer>>, bool) {
        let mut under_way = lock(&self.under_way);
        let lookups = under_way.by_host.entry(host.to_owned()).or_default();
        if let Some(youngest) = lookups.last()
            && (youngest.begun.elapsed() < STALE || lookups.len() >= PER_NAME)
        {
            return (youngest.told.clone(), false);
        }
        let (tell, told) = watch::channel(None);
        let id = under_way.next_id;
        under_way.next_id += 1;
        let lookups = under_way.by_host.entry(host.to_owned()).or_default();
        lookups.push(Lookup { id, begun: Instant::now(), told: told.clone() });
        drop(under_way);
        let running = Running { id, host: host.to_owned(), tell, under_way: Arc::clone(&self.under_way) };
        let resolving = self.resolver.resolve(host);
        tokio::spawn(async move {
            let answer = resolving.await;
            running.tell.send_replace(Some(answer.map(Arc::from).map_err(Arc::new)));
        });
        (told, true)
    }
}

impl Drop for Running {
    /// Before the channel closes, so that a request that finds it closed does not find this again.
    fn drop(&mut self) {
        let mut under_way = lock(&self.under_way);
        if let Some(lookups) = under_way.by_host.get_mut(&self.host) {
            lookups.retain(|lookup| lookup.id != self.id);
            if lookups.is_empty() {
                under_way.by_host.remove(&self.host);
            }
        }
    }
}

fn lock(under_way: &Mutex<UnderWay>) -> MutexGuard<'_, UnderWay> {
    // Nothing under this lock panics halfway through a change.
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error once more, with the number by which a shortage of descriptors is known.
fn again(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use thingpost_patience::{Clock, within};
    use tokio::sync::Semaphore;
    use tokio::time::timeout;

    use super::*;
    use crate::connect::resolver::Resolving;

    /// Answers as often as it is told to, and counts.
    struct Patient {
        asked: AtomicUsize,
        answers: Arc<Semaphore>,
    }

    impl Patient {
        fn answering(count: usize) -> Arc<Self> {
            Arc::new(Self { asked: AtomicUsize::new(0), answers: Arc::new(Semaphore::new(count)) })
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    impl Resolver for Patient {
        fn resolve(&self, host: &str) -> Resolving {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let (answers, fails) = (Arc::clone(&self.answers), host.starts_with("no."));
            Box::pin(async move {
                answers.acquire().await.unwrap().forget();
                match fails {
                    true => Err(io::Error::from_raw_os_error(24)),
                    false => Ok(vec![([192, 0, 2, 1], 0).into()]),
                }
            })
        }
    }

    #[tokio::test]
    async fn many_requests_for_one_name_are_one_lookup_and_share_its_answer_or_its_error() {
        within(async {
            let resolver = Patient::answering(0);
            let lookups = Lookups::new(Arc::clone(&resolver) as Arc<dyn Resolver>);
            let told = Arc::clone(&resolver.answers);
            let asking = join_all((0..50).map(|_| lookups.addresses("a.example")));
            let (found, ()) = tokio::join!(asking, async { told.add_permits(1) });
            assert!(found.iter().all(|found| found.as_ref().unwrap().len() == 1));
            assert_eq!(resolver.asked(), 1);

            let asking = join_all((0..50).map(|_| lookups.addresses("no.example")));
            let (found, ()) = tokio::join!(asking, async { told.add_permits(1) });
            assert!(found.iter().all(|found| found.as_ref().unwrap_err().raw_os_error() == Some(24)));
            assert_eq!(resolver.asked(), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn an_answer_is_not_kept() {
        let resolver = Patient::answering(3);
        let lookups = Lookups::new(Arc::clone(&resolver) as Arc<dyn Resolver>);
        for asked in 1..=3 {
            lookups.addresses("a.example").await.unwrap();
            assert_eq!(resolver.asked(), asked);
        }
        assert!(lock(&lookups.under_way).by_host.is_empty());
    }

    #[tokio::test]
    async fn a_lookup_that_hangs_is_waited_for_by_those_that_come_after_it_and_asked_anew_when_it_is_stale() {
        let clock = Clock::stop();
        let resolver = Patient::answering(0);
        let lookups = Lookups::new(Arc::clone(&resolver) as Arc<dyn Resolver>);
        let mut counts = Vec::new();
        for _ in 0..6 {
            let given_up = timeout(Duration::from_secs(4), lookups.addresses("a.example"));
            let (given_up, ()) = tokio::join!(given_up, clock.pass(Duration::from_secs(5)));
            assert!(given_up.is_err());
            counts.push(resolver.asked());
        }
        assert_eq!(counts, [1, 1, 2, 2, 2, 2], "two at most");
        // Another name is not held up.
        let told = Arc::clone(&resolver.answers);
        let (found, ()) = tokio::join!(lookups.addresses("b.example"), async { told.add_permits(4) });
        found.unwrap();
        lookups.addresses("a.example").await.unwrap();
    }

    #[test]
    fn a_lookup_that_went_with_its_runtime_is_made_again() {
        struct Once(AtomicUsize);
        impl Resolver for Once {
            fn resolve(&self, _: &str) -> Resolving {
                match self.0.fetch_add(1, Ordering::SeqCst) {
                    0 => Box::pin(pending()),
                    _ => Box::pin(async { Ok(Vec::new()) }),
                }
            }
        }
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let lookups = Lookups::new(Arc::new(Once(AtomicUsize::new(0))));
        let (first, second) = (runtime(), runtime());
        first.block_on(async {
            drop(lookups.join("a.example"));
            tokio::task::yield_now().await;
        });
        let (mut told, is_own) = second.block_on(async { lookups.join("a.example") });
        assert!(!is_own);
        drop(first);
        assert!(second.block_on(told.changed()).is_err());
        assert!(second.block_on(lookups.addresses("a.example")).unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_resolver_that_panics_is_an_error() {
        struct Panics;
        impl Resolver for Panics {
            fn resolve(&self, _: &str) -> Resolving {
                Box::pin(async { panic!("on purpose") })
            }
        }
        let error = Lookups::new(Arc::new(Panics)).addresses("a.example").await.unwrap_err();
        assert!(error.to_string().contains("broke off"), "{error}");
    }
}
