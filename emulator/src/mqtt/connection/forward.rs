//! A read brings many packets and a part of one. They are to go on as they came, in one write, without being copied one
//! by one; only what must not pass is left out. So both directions go through the same loop, and differ in what they
//! think of a packet.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::throttle::Throttle;
use crate::mqtt::packet::{Cut, Packet, cut};

/// How much is read at once.
const READ: usize = 64 * 1024;
/// What a buffer may keep when it is empty.
const KEPT: usize = 4 * READ;

/// What is to become of one packet.
pub(super) enum Step<T> {
    Pass,
    /// Not this one.
    Withhold,
    /// These bytes in its place.
    Replace(Vec<u8>),
    /// Neither this one nor any that follows.
    StopBefore(T),
    /// This one, and none that follows.
    StopAfter(T),
}

/// Why no more packets go on.
pub(super) enum Stop<T> {
    Said(T),
    /// What follows is no packet.
    Malformed,
    /// What follows is a packet that is too long.
    TooLong,
    /// The receiver does not take them.
    Broken,
}

/// Sends all whole packets on that `judge` lets pass, and leaves the rest in the buffer.
pub(super) async fn whole_packets<W, T>(
    buffer: &mut Vec<u8>,
    throttle: &mut Throttle<'_, W>,
    longest: usize,
    mut judge: impl FnMut(&Packet<'_>) -> Step<T>,
) -> Result<(), Stop<T>>
where
    W: AsyncWrite + Unpin,
{
    // Between the two lie packets that pass and have not been sent yet.
    let (mut sent, mut seen) = (0, 0);
    let stop = loop {
        let (packet, length) = match cut(&buffer[seen..]) {
            Cut::Whole(_, length) | Cut::Part(Some(length)) if length > longest => break Some(Stop::TooLong),
            Cut::Whole(packet, length) => (packet, length),
            Cut::Part(_) => break None,
            Cut::Malformed => break Some(Stop::Malformed),
        };
        match judge(&packet) {
            Step::Pass => seen += length,
            Step::Withhold => {
                throttle.send(&buffer[sent..seen]).await.map_err(|_| Stop::Broken)?;
                seen += length;
                sent = seen;
            }
            Step::Replace(bytes) => {
                throttle.send(&buffer[sent..seen]).await.map_err(|_| Stop::Broken)?;
                throttle.send(&bytes).await.map_err(|_| Stop::Broken)?;
                seen += length;
                sent = seen;
            }
            Step::StopBefore(why) => break Some(Stop::Said(why)),
            Step::StopAfter(why) => {
                seen += length;
                break Some(Stop::Said(why));
            }
        }
    };
    throttle.send(&buffer[sent..seen]).await.map_err(|_| Stop::Broken)?;
    if let Some(stop) = stop {
        return Err(stop);
    }
    buffer.drain(..seen);
    if buffer.is_empty() && buffer.capacity() > KEPT {
        // One long packet must not cost its memory for as long as the connection lives.
        *buffer = Vec::new();
    }
    Ok(())
}

/// Reads what there is, and waits only for the first of it: TLS hands its records out one by one, although many may
/// have arrived. `Ok(0)` is the end. Nothing is lost when this is not waited for to the end.
pub(super) async fn read<R: AsyncRead + Unpin>(reader: &mut R, buffer: &mut Vec<u8>) -> io::Result<usize> {
    poll_fn(|context| {
        let mut count = 0;
        while count < READ {
            buffer.reserve(READ - count);
            let polled = pin!(reader.read_buf(buffer)).poll(context);
            match polled {
                Poll::Ready(Ok(read @ 1..)) => count += read,
                // What has been read counts first. The end and errors are there next time too.
                _ if count > 0 => break,
                ended_or_waiting => return ended_or_waiting,
            }
        }
        Poll::Ready(Ok(count))
    })
    .await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mqtt::link_faults::LinkFaults;
    use crate::mqtt::packet::Kind;

    const PING: [u8; 2] = [0xc0, 0];

    /// What goes on of bytes that are read in pieces of that size, when pings are not to pass.
    async fn relayed(mut bytes: &[u8], size: usize, longest: usize) -> (Vec<u8>, Option<Stop<()>>) {
        let link = LinkFaults::default();
        let mut written = Vec::new();
        let mut throttle = Throttle::new(&mut written, &link);
        let mut buffer = Vec::new();
        let judge = |packet: &Packet<'_>| match packet.kind {
            Kind::Pingreq => Step::Withhold,
            Kind::Disconnect => Step::StopAfter(()),
            Kind::Auth => Step::StopBefore(()),
            _ => Step::Pass,
        };
        let mut stop = None;
        while stop.is_none() && !bytes.is_empty() {
            let piece;
            (piece, bytes) = bytes.split_at(size.min(bytes.len()));
            buffer.extend(piece);
            stop = whole_packets(&mut buffer, &mut throttle, longest, judge).await.err();
        }
        drop(throttle);
        (written, stop)
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    proptest! {
        #[test]
        fn packets_go_on_as_they_came_however_they_are_read(
            lengths in prop::collection::vec(prop::option::of(0_usize..40), 0..20),
            size in 1_usize..100,
        ) {
            let (mut bytes, mut expected) = (Vec::new(), Vec::new());
            for length in lengths {
                match length {
                    None => bytes.extend(PING),
                    Some(length) => {
                        let packet = [vec![0x30, length as u8], vec![b'x'; length]].concat();
                        bytes.extend(&packet);
                        expected.extend(packet);
                    }
                }
            }
            let (written, stop) = run(relayed(&bytes, size, 100));
            prop_assert_eq!(written, expected);
            prop_assert!(stop.is_none());
        }

        #[test]
        fn any_bytes_go_on_or_end_the_connection(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            size in 1_usize..100,
        ) {
            let (written, _) = run(relayed(&bytes, size, 100));
            prop_assert!(written.len() <= bytes.len());
        }
    }

    #[test]
    fn what_goes_before_an_end_goes_on() {
        let stops = |bytes: &[u8], longest| run(relayed(bytes, 100, longest));
        let (written, stop) = stops(&[0x30, 0, 0xe0, 0, 0x30, 0], 100);
        assert!(written == [0x30, 0, 0xe0, 0] && matches!(stop, Some(Stop::Said(()))));
        let (written, stop) = stops(&[0x30, 0, 0xf0, 0, 0x30, 0], 100);
        assert!(written == [0x30, 0] && matches!(stop, Some(Stop::Said(()))));
        let (written, stop) = stops(&[0x30, 0, 0x30, 9, 0], 10);
        assert!(written == [0x30, 0] && matches!(stop, Some(Stop::TooLong)));
        let (written, stop) = stops(&[0x30, 0, 0, 0], 10);
        assert!(written == [0x30, 0] && matches!(stop, Some(Stop::Malformed)));
    }

    #[tokio::test]
    async fn everything_that_has_arrived_is_read_at_once() {
        let mut reader = (&[1_u8; 10_000][..]).chain(&[2_u8; 10_000][..]);
        let mut buffer = vec![0];
        assert_eq!(read(&mut reader, &mut buffer).await.unwrap(), 20_000);
        assert_eq!(buffer.len(), 20_001);
        assert_eq!(read(&mut reader, &mut buffer).await.unwrap(), 0);
    }
}
