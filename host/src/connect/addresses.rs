//! One name, several addresses, and some of them bad: an IPv6 route that swallows packets, a load balancer's node that
//! accepts and says nothing, a stale entry where something else listens. A client that settles for the first address
//! that takes a TCP connection stays with it for as long as the resolver puts it first, however good the others are.
//!
//! So an address counts as good when TLS is done. They are tried in the order of the resolver; the next one begins when
//! one has failed, or has taken long, and those before it go on: a slow link is given all the time there is.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use crate::connect::ConnectDeadline;
use crate::error::{Attempt, ConnectError, Phase};

/// An address gets so much time before the next one is tried as well. A handshake over a slow mobile link takes two to
/// three seconds; a second connection beside it costs a few packets.
const HEAD_START: Duration = Duration::from_secs(3);

/// Why an address cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// It takes no TCP connection.
    Tcp(io::Error),
    /// It takes one, and the handshake fails.
    Tls(ConnectError),
    /// This machine has no socket for it.
    Here(ConnectError),
}

/// The connection to whichever address is the first to give one. `open` makes it; `has_tcp` says whether one of them has
/// come as far as TLS, which is for the error alone.
pub(crate) async fn first_usable<T, Opening>(
    addresses: &[SocketAddr],
    deadline: ConnectDeadline,
    open: impl Fn(SocketAddr) -> Opening,
    has_tcp: impl Fn() -> bool,
) -> Result<T, ConnectError>
where
    Opening: Future<Output = Result<T, Unusable>>,
{
    let mut untried = addresses.iter().copied();
    let mut opening = FuturesUnordered::new();
    let (mut pending, mut refused) = (Vec::new(), Vec::new());
    loop {
        if let Some(address) = untried.next() {
            pending.push(address);
            let attempt = open(address);
            opening.push(async move { (address, attempt.await) });
        }
        // With little time left each of those that remain gets its share of it.
        let now = Instant::now();
        let share = deadline.at.saturating_duration_since(now) / u32::try_from(untried.len() + 1).unwrap_or(u32::MAX);
        tokio::select! {
            biased;
            ended = opening.next() => match ended {
                Some((_, Ok(opened))) => return Ok(opened),
                Some((address, Err(error))) => {
                    pending.retain(|pending| *pending != address);
                    refused.push((address, error));
                }
                None => return Err(verdict(refused, &pending)),
            },
            () = sleep_until(deadline.at) => {
                let phase = if has_tcp() { Phase::Tls } else { Phase::Tcp };
                let has_told = refused.iter().any(|(_, error)| matches!(error, Unusable::Tls(_) | Unusable::Here(_)));
                return Err(match has_told || (phase == Phase::Tcp && !refused.is_empty()) {
                    true => verdict(refused, &pending),
                    false => ConnectError::Timeout { phase, after: deadline.after },
                });
            }
            () = sleep_until(now + HEAD_START.min(share)), if untried.len() > 0 => {}
        }
    }
}

/// What to say of addresses none of which is usable. A handshake that failed tells more than a closed port.
fn verdict(refused: Vec<(SocketAddr, Unusable)>, pending: &[SocketAddr]) -> ConnectError {
    let mut attempts = Vec::new();
    for (address, error) in refused {
        match error {
            Unusable::Tls(error) | Unusable::Here(error) => return error,
            Unusable::Tcp(error) => attempts.push(Attempt { address, error: Some(error) }),
        }
    }
    attempts.extend(pending.iter().map(|&address| Attempt { address, error: None }));
    ConnectError::Unreachable(attempts)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::net::Ipv4Addr;

    use rustls::CertificateError;

    use super::*;

    fn addresses<const N: usize>() -> [SocketAddr; N] {
        std::array::from_fn(|index| (Ipv4Addr::LOCALHOST, 1 + u16::try_from(index).unwrap()).into())
    }

    /// What each address does, by its port: hang, refuse TCP, fail the handshake, or answer.
    async fn act(address: SocketAddr, acts: &str) -> Result<u16, Unusable> {
        match acts.as_bytes()[usize::from(address.port()) - 1] {
            b'h' => pending().await,
            b'r' => Err(Unusable::Tcp(io::ErrorKind::ConnectionRefused.into())),
            b'c' => Err(Unusable::Tls(ConnectError::Certificate(CertificateError::UnknownIssuer))),
            _ => Ok(address.port()),
        }
    }

    async fn outcome(acts: &str, milliseconds: u64, has_tcp: bool) -> Result<u16, ConnectError> {
        let deadline = ConnectDeadline::begin(Duration::from_millis(milliseconds));
        let addresses = addresses::<3>();
        first_usable(&addresses[..acts.len()], deadline, |address| act(address, acts), || has_tcp).await
    }

    #[tokio::test]
    async fn an_address_that_refuses_or_fails_its_handshake_or_hangs_does_not_keep_from_the_next() {
        for acts in ["ro", "co", "rro", "hco"] {
            let port = outcome(acts, 60_000, true).await.unwrap();
            assert_eq!(usize::from(port), acts.len(), "{acts}");
        }
    }

    #[tokio::test]
    async fn a_failed_handshake_is_told_before_a_closed_port_and_before_a_silent_address() {
        for acts in ["rc", "cr", "hc", "ch"] {
            let error = outcome(acts, 50, true).await.unwrap_err();
            assert!(matches!(error, ConnectError::Certificate(_)), "{acts}: {error:?}");
        }
    }

    #[tokio::test]
    async fn when_none_takes_a_connection_each_is_named() {
        for acts in ["rr", "rh", "hr"] {
            let error = outcome(acts, 50, false).await.unwrap_err();
            let ConnectError::Unreachable(attempts) = error else { panic!("{acts}: {error:?}") };
            assert_eq!(attempts.len(), 2, "{acts}");
            assert_eq!(attempts.iter().filter(|attempt| attempt.error.is_none()).count(), acts.matches('h').count());
        }
    }

    #[tokio::test]
    async fn silence_is_told_with_how_far_it_came() {
        for (has_tcp, expected) in [(true, Phase::Tls), (false, Phase::Tcp)] {
            let error = outcome("hh", 50, has_tcp).await.unwrap_err();
            assert!(matches!(error, ConnectError::Timeout { phase, .. } if phase == expected), "{error:?}");
        }
    }
}
