//! A network made of timers, and a clock that jumps from one to the next.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::net::{Ipv4Addr, Ipv6Addr};

use rustls::CertificateError;
use tokio::time::sleep;

use super::*;

/// What comes of TCP, or of a handshake, and after how many milliseconds.
#[derive(Clone, Copy)]
enum Act {
    Succeeds(u64),
    Fails(u64),
    /// Ends with what no other address can mend.
    FailsEverywhere(u64),
    /// Does nothing, ever.
    Hangs,
    /// Nothing comes of what begins before this moment, and all of what begins later.
    ComesBack(u64),
}
use Act::{ComesBack, Fails, FailsEverywhere, Hangs, Succeeds};

const DEAD: (Act, Act) = (Hangs, Hangs);
const GOOD: (Act, Act) = (Succeeds(20), Succeeds(40));
const CLOSED: (Act, Act) = (Fails(10), Hangs);
const MUTE: (Act, Act) = (Succeeds(20), Hangs);
const STRANGER: (Act, Act) = (Succeeds(20), Fails(20));

struct Network {
    /// TCP and TLS of each address.
    acts: Vec<(Act, Act)>,
    begun: Instant,
    /// When TCP began, and with which address.
    syns: RefCell<Vec<(u64, usize)>>,
    /// When a handshake began, and with which address.
    handshakes: RefCell<Vec<(u64, usize)>>,
    sockets: Cell<usize>,
    most_sockets: Cell<usize>,
    /// Sockets that there are.
    places: usize,
}

/// Counted while it is there.
struct Socket<'a> {
    network: &'a Network,
    index: usize,
}

impl Drop for Socket<'_> {
    fn drop(&mut self) {
        self.network.sockets.set(self.network.sockets.get() - 1);
    }
}

/// IPv6 and IPv4 in turns.
fn address(index: usize) -> SocketAddr {
    let port = 1 + u16::try_from(index).unwrap();
    match index % 2 {
        0 => (Ipv6Addr::LOCALHOST, port).into(),
        _ => (Ipv4Addr::LOCALHOST, port).into(),
    }
}

impl Network {
    fn new(acts: impl IntoIterator<Item = (Act, Act)>) -> Self {
        Self {
            acts: acts.into_iter().collect(),
            begun: Instant::now(),
            syns: RefCell::default(),
            handshakes: RefCell::default(),
            sockets: Cell::default(),
            most_sockets: Cell::default(),
            places: usize::MAX,
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap()
    }

    async fn act(&self, act: Act) -> bool {
        match act {
            Succeeds(after) | Fails(after) | FailsEverywhere(after) => sleep(Duration::from_millis(after)).await,
            ComesBack(at) if self.now() >= at => {}
            Hangs | ComesBack(_) => pending().await,
        }
        !matches!(act, Fails(_) | FailsEverywhere(_))
    }

    async fn open(&self, address: SocketAddr) -> Result<Socket<'_>, Unusable> {
        let index = usize::from(address.port()) - 1;
        self.syns.borrow_mut().push((self.now(), index));
        self.sockets.set(self.sockets.get() + 1);
        self.most_sockets.set(self.most_sockets.get().max(self.sockets.get()));
        let socket = Socket { network: self, index };
        match self.act(self.acts[index].0).await {
            true => Ok(socket),
            false => Err(Unusable::Tcp(io::ErrorKind::ConnectionRefused.into())),
        }
    }

    async fn handshake<'a>(&self, socket: Socket<'a>) -> Result<Socket<'a>, Unusable> {
        self.handshakes.borrow_mut().push((self.now(), socket.index));
        let act = self.acts[socket.index].1;
        match (self.act(act).await, act) {
            (true, _) => Ok(socket),
            (false, FailsEverywhere(_)) => Err(Unusable::Everywhere(ConnectError::Tls(rustls::Error::EncryptError))),
            (false, _) => Err(Unusable::Tls(ConnectError::Certificate(CertificateError::UnknownIssuer))),
        }
    }

    /// Which address is the first to be usable, and when.
    async fn first(&self, seconds: u64) -> Result<(usize, u64), ConnectError> {
        let addresses: Vec<_> = (0..self.acts.len()).map(address).collect();
        let deadline = ConnectDeadline::begin(Duration::from_secs(seconds));
        let has_room = |count| count <= self.places;
        let found =
            first_usable(&addresses, deadline, has_room, |to| self.open(to), |socket| self.handshake(socket)).await;
        let found = found.map(|(address, socket)| {
            assert_eq!(usize::from(address.port()) - 1, socket.index);
            assert_eq!(self.sockets.get(), 1, "the others are closed");
            (socket.index, self.now())
        });
        assert_eq!(self.sockets.get(), 0);
        assert!(self.most_sockets.get() <= AT_ONCE.min(self.places) + 1, "one may be about to be closed");
        found
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_family_costs_a_quarter_of_a_second() {
    let found = Network::new([DEAD, GOOD]).first(10).await.unwrap();
    assert_eq!(found, (1, 250 + 20 + 40));
}

#[tokio::test(start_paused = true)]
async fn a_good_address_is_the_only_one_that_is_asked() {
    let network = Network::new([GOOD, DEAD, GOOD]);
    assert_eq!(network.first(10).await.unwrap(), (0, 60));
    assert_eq!(network.syns.borrow().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_the_next_address_is_tried_at_once() {
    assert_eq!(Network::new([CLOSED, GOOD]).first(10).await.unwrap(), (1, 10 + 60));
    assert_eq!(Network::new([STRANGER, GOOD]).first(10).await.unwrap(), (1, 40 + 60));
    assert_eq!(Network::new([CLOSED, CLOSED, STRANGER, GOOD]).first(10).await.unwrap(), (3, 20 + 40 + 60));
}

#[tokio::test(start_paused = true)]
async fn an_earlier_attempt_goes_on_and_may_win() {
    let slow = (Succeeds(400), Succeeds(400));
    assert_eq!(Network::new([slow, DEAD, DEAD]).first(10).await.unwrap(), (0, 800));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_accepts_and_says_nothing_keeps_from_the_next_for_a_head_start() {
    let network = Network::new([MUTE, GOOD]);
    assert_eq!(network.first(10).await.unwrap(), (1, 20 + 3_000 + 60));
    assert_eq!(*network.syns.borrow(), [(0, 0), (3_020, 1)], "TCP is there, so the link is slow and not dead");
}

#[tokio::test(start_paused = true)]
async fn on_a_slow_link_one_handshake_has_the_link_for_itself_until_it_takes_four_round_trips() {
    let slow = (Succeeds(1_500), Succeeds(25_000));
    let network = Network::new([slow, slow, slow, slow]);
    assert_eq!(network.first(60).await.unwrap(), (0, 26_500));
    assert_eq!(network.handshakes.borrow()[..2], [(1_500, 0), (1_500 + 6_000, 1)]);
    assert_eq!(network.syns.borrow().len(), 4);

    let alone = Network::new([slow]);
    assert_eq!(alone.first(60).await.unwrap(), (0, 26_500));
    assert_eq!(alone.syns.borrow().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_sixteen_addresses_of_aws_have_more_than_a_repeated_syn_each_and_the_last_one_is_still_reached() {
    let network = Network::new([DEAD; 15].into_iter().chain([GOOD]));
    let (index, at) = network.first(10).await.unwrap();
    assert_eq!(index, 15);
    assert!(at < 8_000, "{at}");
    // An address that was put off for another one had three seconds.
    let syns = network.syns.borrow();
    assert!(syns.windows(AT_ONCE + 1).all(|some| some[AT_ONCE].0 - some[0].0 >= 3_000), "{syns:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_packet_does_not_cost_an_address() {
    // The SYN is repeated after a second.
    let lossy = (Succeeds(1_600), Succeeds(3_200));
    assert_eq!(Network::new([lossy; 16]).first(10).await.unwrap(), (0, 4_800));
}

#[tokio::test(start_paused = true)]
async fn of_addresses_that_are_all_dead_each_is_named() {
    let network = Network::new([DEAD; 16]);
    let error = network.first(10).await.unwrap_err();
    let ConnectError::Timeout { phase: Phase::Tcp, addresses, after } = &error else { panic!("{error:?}") };
    assert_eq!(*addresses, (0..16).map(address).collect::<Vec<_>>());
    assert_eq!(*after, Duration::from_secs(10));
    assert_eq!(network.now(), 10_000);
    assert!(error.to_string().contains("[::1]:1, 127.0.0.1:2, [::1]:3, "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_network_that_comes_back_is_noticed_by_a_connection_that_has_much_time() {
    let back = (ComesBack(15_000), Succeeds(100));
    for count in [1, 3] {
        let network = Network::new(vec![back; count]);
        let (_, at) = network.first(600).await.unwrap();
        assert!(at < 35_000, "{at}");
        assert!(network.syns.borrow().len() <= 4 * count, "{:?}", network.syns.borrow());
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_place_for_a_second_socket_addresses_are_tried_one_after_the_other() {
    let mut network = Network::new([DEAD, CLOSED, GOOD]);
    network.places = 1;
    assert_eq!(network.first(10).await.unwrap(), (2, 3_000 + 10 + 60));
}

#[tokio::test(start_paused = true)]
async fn with_little_time_each_address_gets_its_share() {
    let addresses: Vec<_> = (0..4).map(address).collect();
    let network = Network::new([DEAD, DEAD, DEAD, (Succeeds(10), Succeeds(10))]);
    let deadline = ConnectDeadline::begin(Duration::from_millis(200));
    let open = |to| network.open(to);
    let found = first_usable(&addresses, deadline, |_| true, open, |socket| network.handshake(socket)).await;
    assert!(found.is_ok());
}

#[tokio::test(start_paused = true)]
async fn attempts_that_are_given_up_leave_no_socket() {
    let network = Network::new([DEAD, MUTE, DEAD]);
    assert!(tokio::time::timeout(Duration::from_secs(5), network.first(60)).await.is_err());
    assert_eq!(network.sockets.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_failed_handshake_is_told_before_a_closed_port_and_before_a_silent_address() {
    for acts in [[CLOSED, STRANGER], [STRANGER, CLOSED], [DEAD, STRANGER], [STRANGER, DEAD]] {
        let error = Network::new(acts).first(10).await.unwrap_err();
        assert!(matches!(error, ConnectError::Certificate(_)), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_other_address_can_mend_ends_the_race() {
    let refused = (Succeeds(20), FailsEverywhere(20));
    for acts in [[refused, GOOD, GOOD], [STRANGER, refused, GOOD]] {
        let network = Network::new(acts);
        let error = network.first(10).await.unwrap_err();
        assert!(matches!(error, ConnectError::Tls(_)), "{error:?}");
        assert!(network.syns.borrow().iter().all(|(_, index)| *index < 2), "{:?}", network.syns.borrow());
        assert!(network.now() <= 80, "{}", network.now());
    }
}

#[tokio::test(start_paused = true)]
async fn when_none_takes_a_connection_each_is_named() {
    for (acts, silent) in [([CLOSED, CLOSED], 0), ([CLOSED, DEAD], 1), ([DEAD, CLOSED], 1)] {
        let error = Network::new(acts).first(10).await.unwrap_err();
        let ConnectError::Unreachable(attempts) = error else { panic!("{error:?}") };
        assert_eq!(attempts.len(), 2);
        assert_eq!(attempts.iter().filter(|attempt| attempt.error.is_none()).count(), silent);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_told_with_how_far_it_came_and_with_whom() {
    for (acts, expected, whom) in
        [([MUTE, DEAD], Phase::Tls, 1), ([MUTE, MUTE], Phase::Tls, 2), ([DEAD; 2], Phase::Tcp, 2)]
    {
        let error = Network::new(acts).first(10).await.unwrap_err();
        let ConnectError::Timeout { phase, addresses, .. } = &error else { panic!("{error:?}") };
        assert_eq!((*phase, addresses.len()), (expected, whom), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_at_once_is_told_though_no_time_is_left() {
    let deadline = ConnectDeadline::begin(Duration::ZERO);
    let open = |_| async { Err::<(), _>(Unusable::Here(ConnectError::OutOfDescriptors)) };
    let handshake = |()| async { Ok::<(), _>(()) };
    let error = first_usable(&[address(0), address(1)], deadline, |_| true, open, handshake).await.unwrap_err();
    assert!(matches!(error, ConnectError::OutOfDescriptors), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn the_places_of_attempts_that_failed_are_given_back_while_a_handshake_goes_on() {
    let network = Network::new([MUTE, (Fails(4_000), Hangs), (Fails(4_000), Hangs)]);
    let addresses: Vec<_> = (0..3).map(address).collect();
    let told = RefCell::new(Vec::new());
    let has_room = |count| {
        told.borrow_mut().push(count);
        true
    };
    let deadline = ConnectDeadline::begin(Duration::from_secs(30));
    let race = first_usable(&addresses, deadline, has_room, |to| network.open(to), |socket| network.handshake(socket));
    assert!(race.await.is_err());
    let told = told.into_inner();
    assert_eq!((told.iter().max(), told.last()), (Some(&3), Some(&1)), "{told:?}");
}
