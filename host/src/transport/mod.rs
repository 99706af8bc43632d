//! One request, from URL to answer.
//!
//! Three clocks run, one after the other. The connect timeout ends with a usable connection and says nothing about the
//! answer; the first-byte timeout starts there; the third runs between the pieces of the body. wasmtime's stock
//! transport gives each of them ten minutes, which on an edge device is the same as none.

pub(crate) mod body;
pub(crate) mod dial;
#[cfg(feature = "hooks")]
pub(crate) mod hooks;
pub(crate) mod http_connection;
pub(crate) mod live_config;
#[cfg(feature = "hooks")]
mod transmission;
pub(crate) mod wire;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::Scheme;
use http::{HeaderValue, Method, Request, Response, Uri, Version};
use http_body::Body;
use tracing::Instrument;

use crate::clock::awake_timeout;
use crate::connect::alpn::Protocol;
use crate::connect::connect_to::ConnectTo;
use crate::connect::proxy::no_proxy::NoProxy;
use crate::connect::proxy::{Proxy, RouteProxy};
use crate::connect::{ConnectDeadline, Hops};
use crate::error::{Denial, ExchangeError, TransportError};
use crate::identity::Identity;
use crate::observe::{Observation, Observer, span};
use crate::pool::{Lease, Pool};
use crate::route::endpoint::HTTPS_PORT;
use crate::route::{Endpoint, Route, RouteTable};
use crate::transport::body::{AnswerBody, RequestBody, request_body};
use crate::transport::http_connection::SendError;
use crate::transport::live_config::{LiveConfig, LiveTarget};
use crate::x509::validity::ExpiresSoon;

/// What one workload may do: the boundary that connections, identities and TLS sessions never cross.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkloadConfig {
    /// The name of the workload. Two configurations with the same name share connections where their routes agree.
    pub name: String,
    /// What may be reached, and as whom.
    pub routes: RouteTable,
    /// Addresses to use instead of those that DNS gives. The first that matches wins. Empty by default.
    pub connect_to: Vec<ConnectTo>,
    /// The proxy through which all is reached that no route has a proxy of its own for. None by default.
    pub proxy: Option<Proxy>,
    /// What is reached without it. The names are those of URLs, whatever `connect_to` says. Empty by default.
    pub no_proxy: NoProxy,
}

impl WorkloadConfig {
    /// A workload that may reach what `routes` name, at the addresses that DNS gives.
    pub fn new(name: impl Into<String>, routes: RouteTable) -> Self {
        Self { name: name.into(), routes, connect_to: Vec::new(), proxy: None, no_proxy: NoProxy::default() }
    }

    /// Sets the addresses to use instead of those that DNS gives. The first that matches wins.
    #[must_use]
    pub fn connect_to(mut self, overrides: impl IntoIterator<Item = ConnectTo>) -> Self {
        self.connect_to = overrides.into_iter().collect();
        self
    }

    /// Sets the proxy, or none. What it is asked for is what would otherwise be connected to: the address of an override, and
    /// else host and port, which it looks up itself.
    #[must_use]
    pub fn proxy(mut self, proxy: impl Into<Option<Proxy>>) -> Self {
        self.proxy = proxy.into();
        self
    }

    /// Sets what is reached without the proxy. A [route](Route::proxy) with a proxy of its own keeps to that.
    #[must_use]
    pub fn no_proxy(mut self, exceptions: NoProxy) -> Self {
        self.no_proxy = exceptions;
        self
    }

    /// The hops to a destination of this route.
    fn hops(&self, route: &Route, to: &Endpoint) -> Hops {
        let proxy = match &route.proxy {
            RouteProxy::OfWorkload => self.proxy.clone().filter(|_| !self.no_proxy.includes(to)),
            RouteProxy::Direct => None,
            RouteProxy::Through(proxy) => Some(proxy.clone()),
        };
        Hops { address: ConnectTo::apply(&self.connect_to, to), proxy }
    }
}

/// The times to wait where the request does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a usable connection: a free place, DNS, TCP and TLS together. Default 10 s: a handshake over a slow mobile
    /// link takes two to three, and one lost packet doubles that.
    pub connect: Duration,
    /// From there to the head of the answer. Default 30 s: brokers answer within one, or are in trouble.
    pub first_byte: Duration,
    /// Between two pieces of the answer's body. Default 30 s, as for its head.
    pub between_bytes: Duration,
    /// The most that a guest gets for each of them when it asks. Default 10 minutes: no broker takes so long, and a
    /// guest that waits for a year holds connections that others wait for.
    pub maximum: Duration,
    /// For connecting, the longest that a guest may wait, beside [`maximum`](Self::maximum). Default 60 s: a handshake that takes
    /// longer does not come about, and while it is waited for it has a place that others wait for.
    pub maximum_connect: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(30),
            between_bytes: Duration::from_secs(30),
            maximum: Duration::from_secs(600),
            maximum_connect: Duration::from_secs(60),
        }
    }
}

impl Timeouts {
    /// Sets [`connect`](Self::connect).
    #[must_use]
    pub fn connect(mut self, connect: Duration) -> Self {
        self.connect = connect;
        self
    }

    /// Sets [`first_byte`](Self::first_byte).
    #[must_use]
    pub fn first_byte(mut self, first_byte: Duration) -> Self {
        self.first_byte = first_byte;
        self
    }

    /// Sets [`between_bytes`](Self::between_bytes).
    #[must_use]
    pub fn between_bytes(mut self, between_bytes: Duration) -> Self {
        self.between_bytes = between_bytes;
        self
    }

    /// Sets [`maximum`](Self::maximum).
    #[must_use]
    pub fn maximum(mut self, maximum: Duration) -> Self {
        self.maximum = maximum;
        self
    }

    /// Sets [`maximum_connect`](Self::maximum_connect).
    #[must_use]
    pub fn maximum_connect(mut self, maximum: Duration) -> Self {
        self.maximum_connect = maximum;
        self
    }

    /// The longest that a guest may wait for a connection.
    fn longest_connect(&self) -> Duration {
        self.maximum.min(self.maximum_connect)
    }

    fn with(self, wanted: RequestTimeouts) -> Self {
        let bounded = |wanted: Option<Duration>, otherwise| wanted.map_or(otherwise, |wanted| wanted.min(self.maximum));
        Self {
            connect: wanted.connect.map_or(self.connect, |wanted| wanted.min(self.longest_connect())),
            first_byte: bounded(wanted.first_byte, self.first_byte),
            between_bytes: bounded(wanted.between_bytes, self.between_bytes),
            ..self
        }
    }
}

/// The times that one request waits, in place of the transport's [`Timeouts`]. None, the default, leaves it at those; more than
/// their [`maximum`](Timeouts::maximum) counts as that, and for connecting more than [`maximum_connect`](Timeouts::maximum_connect).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestTimeouts {
    /// In place of [`Timeouts::connect`].
    pub connect: Option<Duration>,
    /// In place of [`Timeouts::first_byte`].
    pub first_byte: Option<Duration>,
    /// In place of [`Timeouts::between_bytes`].
    pub between_bytes: Option<Duration>,
}

/// Whether a request with this path may be written.
type Permit = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Sends requests, and dials, for one workload. Cheap to clone; all clones go by one configuration.
#[derive(Clone)]
pub struct Transport {
    pub(crate) pool: Pool,
    pub(crate) config: Arc<LiveConfig>,
    permit: Option<Permit>,
    pub(crate) timeouts: Timeouts,
    pub(crate) observation: Observation,
}

impl Transport {
    /// A transport for the workload `config` over the connections of `pool`.
    pub fn new(pool: Pool, config: WorkloadConfig) -> Self {
        Self {
            observation: Observation::counting(pool.counters()),
            pool,
            config: Arc::new(LiveConfig::new(config)),
            permit: None,
            timeouts: Timeouts::default(),
        }
    }

    /// Tells `observer` what becomes of requests and dialed connections, in place of the one that was told before.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observation = self.observation.with(observer);
        self
    }

    /// Sets how long requests wait that do not say so themselves.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Makes this a rehearsal: a request whose path is not permitted is withheld at the last moment, when it has a connection
    /// over which it would be sent. So a component can go all the way that a message goes, authentication and TLS
    /// included, and the message itself stays here.
    #[must_use]
    pub fn permit_only(mut self, permits: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.permit = Some(Arc::new(permits));
        self
    }

    /// Puts another configuration in the place of the one that there is, for this transport and all its clones, and so for every
    /// store that has one of them: another identity, other roots or other routes.
    ///
    /// Requests and dials that come after it go by it, and so do those that are still waiting for a connection. A request
    /// that is written already ends as it began, over the connection that it has, which is then closed. Idle connections of which
    /// the new configuration knows nothing are closed at once. [Dialed](Self::dial) connections stay as they are until
    /// they end, or until [`close_outdated`](Self::close_outdated). While the last requests of the old identity are under way, there
    /// may be twice as many connections as the [limit per key](crate::PoolLimits::connections_per_key) says.
    ///
    /// An identity or roots that are loaded again are others, even from the same files: give clones of what has not changed, or
    /// its connections are opened anew. A [pace](crate::Route::max_per_second) that stays the same goes on.
    pub fn reconfigure(&self, config: WorkloadConfig) {
        let (before, now) = self.config.replace(config);
        self.pool.close_outdated(&before, &now);
    }

    /// The configuration that is in force, to be changed and [given back](Self::reconfigure).
    pub fn config(&self) -> WorkloadConfig {
        self.config.current().config.clone()
    }

    /// The identity of this configuration whose certificate ends first, if that is soon.
    pub fn expires_soon(&self) -> Option<ExpiresSoon> {
        let current = self.config.current();
        current.config.routes.identities().filter_map(Identity::expires_soon).min_by_key(ExpiresSoon::not_after)
    }

    /// Ends the [dialed](Self::dial) connections that are not as the configuration would have them now, as soon as they have
    /// nothing more to be read: their guests learn of a [`LossError::Outdated`](crate::LossError::Outdated), which they take for a
    /// lost connection, and come back with the new identity.
    ///
    /// What a guest has not said is not said then, an MQTT DISCONNECT among it, so a broker publishes the last will. A holder
    /// of an MQTT session has a better way: `disconnect`, and then `keep_connecting`.
    pub fn close_outdated(&self) {
        self.config.close_outdated();
    }

    /// Sends one request. It is written to at most one connection: what may have reached a server is never sent again
    /// from here, whether that is right being known only to the sender of the message.
    ///
    /// # Errors
    ///
    /// [`TransportError::Denied`] and [`TransportError::Connect`] if the server has certainly not acted on the request,
    /// [`TransportError::Exchange`] if it may have.
    pub async fn send<B>(&self, request: Request<B>) -> Result<Response<AnswerBody>, TransportError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.send_within(request, RequestTimeouts::default()).await
    }

    /// Sends one request, with timeouts of its own.
    ///
    /// # Errors
    ///
    /// As with [`send`](Self::send).
    pub async fn send_within<B>(
        &self,
        request: Request<B>,
        timeouts: RequestTimeouts,
    ) -> Result<Response<AnswerBody>, TransportError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let under_way = self.observation.request();
        let span = span::request(&request);
        let answered = self.send_unobserved(request.map(request_body), timeouts).instrument(span.clone()).await;
        under_way.ended();
        span::record_answer(&span, &answered);
        self.observation.request_ended(&answered);
        answered
    }

    async fn send_unobserved(
        &self,
        request: Request<RequestBody>,
        timeouts: RequestTimeouts,
    ) -> Result<Response<AnswerBody>, TransportError> {
        let timeouts = self.timeouts.with(timeouts);
        let mut live = self.target(&request).map_err(TransportError::Denied)?;
        let mut request = on_the_wire(request, &live.target.to);
        let deadline = ConnectDeadline::begin(timeouts.connect);
        if let Some(rate_limiter) = &live.target.route.rate_limiter {
            let turn = rate_limiter.turn(deadline).await;
            turn.map_err(|error| TransportError::Connect { to: live.target.to.clone(), error })?;
        }
        loop {
            let mut lease = self.acquire(&mut live, deadline).await?;
            let first = !lease.connection.has_answered();
            if first {
                self.observation.connected(&live.target.to, lease.connection.handshake());
            }
            if self.permit.as_ref().is_some_and(|permits| !permits(request.uri().path())) {
                return Err(TransportError::Denied(Denial::Withheld(live.target.to)));
            }
            let may_be_refused = lease.connection.may_be_refused();
            self.observation.written(&live.target.to);
            match awake_timeout(timeouts.first_byte, lease.connection.send(request)).await {
                Ok(Ok(answer)) => {
                    let (pause, observation) = (timeouts.between_bytes, self.observation.clone());
                    return Ok(answer.map(|body| AnswerBody::new(body, live, lease, pause, observation)));
                }
                // Died while it was idle: no message has been written to it, so none is lost or doubled. Each turn
                // takes one from a finite supply of idle connections, or opens a new one and does not come back here.
                Ok(Err(SendError::Unsent(unsent, error))) => {
                    self.observation.withdrawn(&live.target.to);
                    if first {
                        return Err(TransportError::unsent(live.target.to, error));
                    }
                    request = *unsent;
                }
                Ok(Err(SendError::Unanswered(error))) => {
                    if !first {
                        self.pool.forget_idle(&live.target);
                    }
                    let error = TransportError::unanswered(live.target.to, error, may_be_refused);
                    if let TransportError::Connect { to, .. } = &error {
                        self.observation.withdrawn(to);
                    }
                    return Err(error);
                }
                Err(_elapsed) => {
                    return Err(TransportError::Exchange {
                        to: live.target.to,
                        error: ExchangeError::NoAnswer { after: timeouts.first_byte },
                    });
                }
            }
        }
    }

    /// A connection to the target as it is, and if it becomes another meanwhile, to that one.
    async fn acquire(&self, live: &mut LiveTarget, deadline: ConnectDeadline) -> Result<Lease, TransportError> {
        loop {
            let (target, outdated) = live.while_current();
            tokio::select! {
                // What is ready in the moment in which the configuration is replaced goes by the new one.
                biased;
                () = outdated => {}
                lease = self.pool.acquire(target, deadline) => {
                    return lease.map_err(|error| TransportError::Connect { to: target.to.clone(), error });
                }
            }
            live.find_again().map_err(TransportError::Denied)?;
        }
    }

    fn target(&self, request: &Request<RequestBody>) -> Result<LiveTarget, Denial> {
        let uri = request.uri();
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => {}
            Some(other) => return Err(Denial::Scheme(other.to_string())),
            None => return Err(Denial::Url),
        }
        if *request.method() == Method::CONNECT {
            return Err(Denial::Method);
        }
        let authority = uri.authority().ok_or(Denial::Url)?;
        let to = Endpoint::of_authority(authority.as_str(), Some(HTTPS_PORT)).ok_or(Denial::Url)?;
        self.config.target(Protocol::Https, to)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("config", &self.config.current().config)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// The request as HTTP/1.1 writes it: origin form, and `Host` written anew from where it goes, whatever the guest had set. A
/// guest that chose its own `Host` would speak, over a connection to a host that a route allows, to one that none does.
fn on_the_wire(mut request: Request<RequestBody>, to: &Endpoint) -> Request<RequestBody> {
    let host = HeaderValue::try_from(to.host_header()).expect("what a certificate can name is printable");
    request.headers_mut().insert(HOST, host);
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    *request.version_mut() = Version::HTTP_11;
    request
}
