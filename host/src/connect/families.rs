//! In which order addresses are tried.
//!
//! A resolver lists all addresses of one family before those of the other. Where one family leads nowhere, as IPv6 does behind
//! many a router, eight dead addresses come first. So the families take turns (RFC 8305, section 4), and the one that gave
//! a connection lately goes first: without that, each new connection finds out anew that the other one is dead.
//!
//! Otherwise the family that the resolver has put first goes first. That is IPv6 where the machine has it, unless
//! `/etc/gai.conf` says otherwise.

use std::collections::HashMap;
use std::iter;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long the family that gave a connection goes first: as long as RFC 6555, section 4.2, has it. A network that was mended is
/// noticed then.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Addresses of one host that are tried. More than AWS gives, and few enough to be named in an error.
const MOST: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) fn of(address: &SocketAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// These addresses with this port in the order in which they are to be tried, each of them once.
pub(crate) fn in_order(found: &[SocketAddr], port: u16, first: Option<Family>) -> Vec<SocketAddr> {
    let mut unlike: Vec<SocketAddr> = Vec::new();
    for address in found {
        let mut address = match address.ip().to_canonical() {
            // Mapped into IPv6 it needs a machine that has IPv6.
            IpAddr::V4(ip) => SocketAddr::from((ip, port)),
            // The scope stays.
            IpAddr::V6(_) => *address,
        };
        address.set_port(port);
        if !unlike.contains(&address) {
            unlike.push(address);
        }
    }
    let first = first.or_else(|| unlike.first().map(Family::of));
    let (ones, others): (Vec<_>, Vec<_>) = unlike.into_iter().partition(|address| Some(Family::of(address)) == first);
    let (mut ones, mut others) = (ones.into_iter(), others.into_iter());
    let pairs = iter::from_fn(|| match (ones.next(), others.next()) {
        (None, None) => None,
        pair => Some(pair),
    });
    pairs.flat_map(|(one, other)| one.into_iter().chain(other)).take(MOST).collect()
}

/// The families that gave connections lately, by host.
#[derive(Default)]
pub(crate) struct Winners(Mutex<HashMap<String, Winner>>);

struct Winner {
    family: Family,
    since: Instant,
}

impl Winner {
    fn is_fresh(&self) -> bool {
        self.since.elapsed() < REMEMBERED
    }
}

impl Winners {
    /// The family that gave a connection to this host lately, where both were to be had.
    pub(crate) fn lately(&self, host: &str) -> Option<Family> {
        self.by_host().get(host).filter(|winner| winner.is_fresh()).map(|winner| winner.family)
    }

    /// A connection has come about. Of a family that went first because it is remembered that says nothing new: the other one is to
    /// have its chance when the time is over.
    pub(crate) fn note(&self, host: &str, family: Family) {
        let mut by_host = self.by_host();
        if by_host.get(host).is_some_and(|winner| winner.is_fresh() && winner.family == family) {
            return;
        }
        by_host.retain(|_, winner| winner.is_fresh());
        by_host.insert(host.to_owned(), Winner { family, since: Instant::now() });
    }

    fn by_host(&self) -> MutexGuard<'_, HashMap<String, Winner>> {
        // Nothing under this lock panics halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use thingpost_patience::Clock;

    use super::*;

    fn ordered(found: &[&str], first: Option<Family>) -> Vec<String> {
        let found: Vec<SocketAddr> = found.iter().map(|address| address.parse().unwrap()).collect();
        in_order(&found, 443, first).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn families_take_turns_from_that_of_the_first_address_on() {
        let found = ["[2001:db8::1]:0", "[2001:db8::2]:0", "[2001:db8::3]:0", "192.0.2.1:0", "192.0.2.2:0"];
        let ordered_by_resolver = ordered(&found, None);
        let expected =
            ["[2001:db8::1]:443", "192.0.2.1:443", "[2001:db8::2]:443", "192.0.2.2:443", "[2001:db8::3]:443"];
        assert_eq!(ordered_by_resolver, expected);
        assert_eq!(ordered(&["192.0.2.1:0", "[2001:db8::1]:0"], None), ["192.0.2.1:443", "[2001:db8::1]:443"]);
    }

    #[test]
    fn the_family_that_won_lately_goes_first_if_it_is_there() {
        let found = ["[2001:db8::1]:0", "192.0.2.1:0"];
        assert_eq!(ordered(&found, Some(Family::V4)), ["192.0.2.1:443", "[2001:db8::1]:443"]);
        assert_eq!(ordered(&found[..1], Some(Family::V4)), ["[2001:db8::1]:443"]);
    }

    #[test]
    fn each_address_is_tried_once_mapped_or_not_and_no_more_of_them_than_can_be_named() {
        let found = ["192.0.2.1:0", "[::ffff:192.0.2.1]:0", "192.0.2.1:80", "[::ffff:192.0.2.2]:0"];
        assert_eq!(ordered(&found, None), ["192.0.2.1:443", "192.0.2.2:443"]);
        let many: Vec<SocketAddr> = (0..200).map(|last| ([192, 0, 2, last], 0).into()).collect();
        assert_eq!(in_order(&many, 443, None).len(), MOST);
        assert!(in_order(&[], 443, None).is_empty());
    }

    #[test]
    fn the_scope_of_a_link_local_address_stays() {
        assert_eq!(ordered(&["[fe80::1%3]:0"], None), ["[fe80::1%3]:443"]);
    }

    #[tokio::test]
    async fn the_winner_is_forgotten_after_ten_minutes_however_often_it_wins_meanwhile() {
        let clock = Clock::stop();
        let winners = Winners::default();
        winners.note("a.example", Family::V4);
        for _ in 0..9 {
            clock.pass(Duration::from_secs(60)).await;
            assert_eq!(winners.lately("a.example"), Some(Family::V4));
            assert_eq!(winners.lately("b.example"), None);
            winners.note("a.example", Family::V4);
        }
        clock.pass(Duration::from_secs(61)).await;
        assert_eq!(winners.lately("a.example"), None);
    }

    #[tokio::test]
    async fn another_winner_takes_its_place_at_once() {
        let _clock = Clock::stop();
        let winners = Winners::default();
        winners.note("a.example", Family::V4);
        winners.note("a.example", Family::V6);
        assert_eq!(winners.lately("a.example"), Some(Family::V6));
    }
}
