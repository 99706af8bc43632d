//! From a name to addresses.
//!
//! `getaddrinfo`, which knows the files and name servers of the machine as nothing else does, blocks for as long as it
//! likes, and cannot be given up. On the blocking threads of the runtime, where tokio puts it, lookups that hang take the
//! places of all else that blocks, and hold up the end of the process. So they have threads of their own here, and few;
//! and an embedder that has another way to addresses gives that.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::thread;

use tokio::sync::{Semaphore, oneshot};

/// Threads that may be busy with lookups at once. One pool asks for few names, those of its routes; with a server of names that
/// answers in 20 ms, so many threads look up a thousand a second.
const THREADS: usize = 16;

/// A lookup under way.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Finds the addresses of hosts, for all workloads of a [`Pool`](crate::Pool): DNS over HTTPS, a directory of services, a table in
/// a test.
///
/// A pool asks once for a name, however many requests wait for the answer, and remembers no answer: a resolver that wants its
/// answers kept keeps them, for as long as it knows them to be good. An IP address in place of a name is not asked about. The
/// lookup runs as a task of the runtime, so it must not block, and it goes on when those that wait for it have given up.
///
/// ```
/// use std::io;
/// use std::sync::Arc;
///
/// use thingpost_host::{Pool, PoolLimits, Resolver, Resolving};
///
/// /// Knows one host.
/// struct Table;
///
/// impl Resolver for Table {
///     fn resolve(&self, host: &str) -> Resolving {
///         let known = host == "iot.example.com";
///         Box::pin(async move {
///             match known {
///                 true => Ok(vec!["[2001:db8::1]:0".parse().unwrap(), "192.0.2.1:0".parse().unwrap()]),
///                 false => Err(io::Error::new(io::ErrorKind::NotFound, "not in the table")),
///             }
///         })
///     }
/// }
///
/// let pool = Pool::with_resolver(PoolLimits::default(), Arc::new(Table));
/// # let _ = pool;
/// ```
pub trait Resolver: Send + Sync {
    /// The addresses of this host, a DNS name in lower case, best first; their ports do not count. They are tried in this
    /// order, but that the families of addresses take turns.
    fn resolve(&self, host: &str) -> Resolving;
}

/// Whether the resolver of the machine got no answer about the name (`EAI_AGAIN`), which says nothing about the name: without a network
/// all names end so. The standard library keeps of the number no more than the sentence that the C library has for it.
///
/// False for an error of any other kind, and for one of another resolver.
pub fn is_temporary_lookup_error(error: &io::Error) -> bool {
    // glibc and Android, musl, macOS and the BSDs.
    const SENTENCES: [&str; 3] =
        ["Temporary failure in name resolution", "Try again", "Name server temporarily unavailable"];
    let text = error.to_string();
    SENTENCES.iter().any(|sentence| text.ends_with(sentence))
}

/// The resolver of the machine, by `getaddrinfo`. At most 16 lookups run at once, each on a thread of its own; further ones
/// wait.
#[derive(Debug, Clone)]
pub struct SystemResolver {
    threads: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { threads: Arc::new(Semaphore::new(THREADS)) }
    }
}

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str) -> Resolving {
        let host = host.to_owned();
        Box::pin(on_a_thread(Arc::clone(&self.threads), move || {
            (host.as_str(), 0).to_socket_addrs().map(Iterator::collect)
        }))
    }
}

/// What `work` returns, on a thread of its own once there is a place for one. The place is taken until the thread is done,
/// whether or not anything still waits for it.
async fn on_a_thread<T: Send + 'static>(
    threads: Arc<Semaphore>,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let place = threads.acquire_owned().await.expect("the semaphore is never closed");
    let (tell, told) = oneshot::channel();
    thread::Builder::new().name("name lookup".to_owned()).spawn(move || {
        let found = work();
        drop(place);
        let _ = tell.send(found);
    })?;
    told.await.unwrap_or_else(|_panicked| Err(io::Error::other("the lookup broke off")))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use thingpost_patience::within;

    use super::*;

    #[tokio::test]
    async fn the_resolver_of_the_machine_knows_the_machine() {
        within(async {
            let found = SystemResolver::default().resolve("localhost").await.unwrap();
            assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
            assert!(SystemResolver::default().resolve("no such host").await.is_err());
        })
        .await;
    }

    #[tokio::test]
    async fn lookups_that_hang_take_no_more_threads_than_there_are_for_lookups_even_when_given_up() {
        within(async {
            let (threads, begun) = (Arc::new(Semaphore::new(2)), Arc::new(AtomicUsize::new(0)));
            let hung: Vec<_> = (0..5)
                .map(|_| {
                    let (release, released) = mpsc::channel::<()>();
                    let begun = Arc::clone(&begun);
                    let lookup = tokio::spawn(on_a_thread(Arc::clone(&threads), move || {
                        begun.fetch_add(1, Ordering::SeqCst);
                        let _ = released.recv();
                        Ok(())
                    }));
                    (lookup, release)
                })
                .collect();
            while begun.load(Ordering::SeqCst) < 2 {
                tokio::task::yield_now().await;
            }
            let mut releases = Vec::new();
            for (lookup, release) in hung {
                lookup.abort();
                let _ = lookup.await;
                releases.push(release);
            }
            assert_eq!(threads.available_permits(), 0, "given up, and still on their threads");
            drop(releases);
            on_a_thread(threads, || Ok(())).await.unwrap();
            assert_eq!(begun.load(Ordering::SeqCst), 2, "what was given up before its turn never began");
        })
        .await;
    }
}
