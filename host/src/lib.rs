//! The host's half of thingpost: everything that must not be in a sandbox.
//!
//! A component that publishes to AWS IoT Core or Aliyun IoT Platform knows topics, tokens and answers. If it also had the
//! device's key, every plugin of the gateway that it runs in could publish in the device's name. So certificates, private
//! keys, trust roots and sockets are here, and the destination of a request decides, alone, which of them it gets.
//!
//! ```text
//!       sandbox                              host
//! ┌────────────────┐            ┌────────────────────────────────┐
//! │ component      │ wasi:http  │ TransportHooks                 │
//! │  topics        ├───────────▶│   │     ┌───────────────────┐  │
//! │  tokens        │            │   └────▶│ Transport         │  │
//! │  answers       │ dialer     │   ┌────▶│  may it go there, │  │
//! │                ├───────────▶│   │     │  and as whom?     │  │
//! │ no key,        │            │ dial    │  RouteTable ──────┼──┼── Identity, TrustRoots (PEM files)
//! │ no socket      │            │         └────────┬──────────┘  │
//! └────────────────┘            │                  ▼             │
//!                               │  Pool: connections, per        │
//!                               │  workload and identity  ───────┼──▶ TCP, TLS, the platform
//!                               └────────────────────────────────┘
//! ```
//!
//! Of platforms it knows nothing but the [ALPN names](Alpn) of one. Any wasmtime embedder can use it for any component.
//!
//! # In an existing wasmtime host
//!
//! A store that has `wasi:http` gets [`TransportHooks`] for it, and [`GuestLimits`] where it would have defaults of wasmtime's:
//! with those, a guest that wants to harm its host takes gigabytes of it.
//!
#![cfg_attr(feature = "runtime", doc = "```no_run")]
#![cfg_attr(not(feature = "runtime"), doc = "```ignore")]
//! use thingpost_host::{
//!     GuestLimiter, GuestLimits, Identity, Pool, Route, RouteTable, Transport, TransportHooks, TrustRoots, WorkloadConfig,
//! };
//! use wasmtime::component::{Linker, ResourceTable};
//! use wasmtime::{Engine, Store};
//! use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
//! use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
//!
//! /// The hooks, and what a store holds anyway.
//! struct State {
//!     hooks: TransportHooks,
//!     limiter: GuestLimiter,
//!     table: ResourceTable,
//!     wasi: WasiCtx,
//!     http: WasiHttpCtx,
//! }
//!
//! impl WasiView for State {
//!     fn ctx(&mut self) -> WasiCtxView<'_> {
//!         WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
//!     }
//! }
//!
//! impl WasiHttpView for State {
//!     fn http(&mut self) -> WasiHttpCtxView<'_> {
//!         WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Once: who this device is, and the one host that gets to see it.
//! let device = Identity::from_pem_files("device.pem.crt".as_ref(), "private.pem.key".as_ref())?;
//! let host = "a3k7odshaiipe8-ats.iot.us-west-2.amazonaws.com";
//! let routes = RouteTable::new(vec![Route::new(host, TrustRoots::system_or_webpki()?).identity(device)])?;
//! let transport = Transport::new(Pool::default(), WorkloadConfig::new("thermometer", routes));
//!
//! // For each store.
//! let engine = Engine::default();
//! let mut linker = Linker::<State>::new(&engine);
//! wasmtime_wasi_http::p2::add_to_linker_async(&mut linker)?;
//! GuestLimits::bound_request_lines(&mut linker)?;
//! let limits = GuestLimits::default();
//! let mut store = Store::new(
//!     &engine,
//!     State {
//!         hooks: TransportHooks::new(transport.clone()).limits(&limits),
//!         limiter: limits.limiter(),
//!         table: limits.table(),
//!         wasi: WasiCtx::default(),
//!         http: limits.http(),
//!     },
//! );
//! limits.apply(&mut store, |state| &mut state.limiter);
//! # let _ = (linker, store);
//! # Ok(())
//! # }
//! ```
//!
//! # Without wasmtime
//!
//! [`Transport::send`] takes a request of the crate `http`, and [`Transport::dial`] gives a connection for MQTT, or for
//! any other protocol that is not HTTP.
//!
//! ```no_run
//! use http_body_util::Full;
//! use thingpost_host::http::Request;
//! use thingpost_host::{Pool, Route, RouteTable, Transport, TransportError, TrustRoots, WorkloadConfig};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let routes = RouteTable::new(vec![Route::new("iot.example.com", TrustRoots::system_or_webpki()?)])?;
//! let transport = Transport::new(Pool::default(), WorkloadConfig::new("thermometer", routes));
//! let request = Request::post("https://iot.example.com/topics/temperature").body(Full::from("21.5"))?;
//! match transport.send(request).await {
//!     Ok(answer) => println!("the server says {}", answer.status()),
//!     Err(error @ TransportError::Exchange { .. }) => println!("it may have arrived: {error}"),
//!     Err(error) => println!("it has not: {error}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! All but `incoming-handler`, `interpreter` and `pkcs11` are on by default. Without any there is nothing of wasmtime here.
//!
//! | feature | what it adds | what it needs |
//! |---|---|---|
//! | none | [`Transport`], [`Pool`], [`RouteTable`], [`Identity`], [`TrustRoots`], the reader of PEM | hyper, rustls, tokio |
//! | `hooks` | `TransportHooks`, the codes of WASI | `wasmtime-wasi-http`, no compiler |
//! | `runtime` | `runtime`: thingpost's components, compiled beforehand | wasmtime, no compiler |
//! | `compiler` | `runtime::Runtime::new`, `load` and `precompile` | Cranelift, the compilation cache |
//! | `incoming-handler` | `runtime::HandlerPre`: components of anybody's that serve HTTP | nothing more than `runtime` |
//! | `interpreter` | `runtime::Runtime::interpreted`, which `new` chooses where the machine forbids memory that is made executable | wasmtime's Pulley |
//! | `mqtt` | the streams of dialed connections as `wasi:io` has them; with `runtime`, sessions on MQTT brokers | wasmtime |
//! | `pkcs11` | `Pkcs11Key`: identities whose key is on a PKCS#11 token | cryptoki, which loads the library of the token |
//! | `signer` | `runtime::DeviceSecrets`: the host signs for a device on Aliyun IoT Platform | HMAC |
//!
//! # The parts, from the outside in
//!
//! `TransportHooks` and [`Transport`] take a request; the [`RouteTable`] says whether and as whom it may go; the [`Pool`]
//! finds or opens a connection; [`TransportError`] says what went wrong, and on which side of the line between *not sent*
//! and *unknown*.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]
#![deny(missing_docs)]
#![warn(clippy::missing_errors_doc)]
#![doc(test(attr(deny(warnings))))]

mod clock;
mod connect;
mod error;
mod files;
mod identity;
#[cfg(feature = "hooks")]
mod limits;
mod observe;
mod percent;
mod pool;
mod reload;
mod route;
#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(feature = "mqtt")]
mod streams;
mod transport;
mod trust;
mod x509;

pub use connect::alpn::{AWS_HTTPS_WITH_CERTIFICATE, AWS_MQTT_WITH_AUTHORIZER, AWS_MQTT_WITH_CERTIFICATE, Alpn};
pub use connect::connect_to::{ConnectTo, ConnectToError, ConnectToReason};
pub use connect::proxy::no_proxy::{NoProxy, NoProxyError};
pub use connect::proxy::{Proxy, ProxyError, ProxyProtocol, ProxyRefusal, ProxyUrlError};
pub use connect::resolver::{Resolver, Resolving, SystemResolver, is_temporary_lookup_error};
pub use error::{Attempt, ConnectError, Denial, ExchangeError, LossError, Phase, TransportError, UntrustedCertificate};
pub use files::encoding::Encoding;
pub use files::path::{file_hint, is_out_of_descriptors};
pub use files::pem::{PemContents, PemError, PemSource};
pub use identity::key::PrivateKeyError;
pub use identity::{Identity, IdentityError, IdentitySource};
#[cfg(feature = "pkcs11")]
pub use identity::{ObjectKind, PinError, Pkcs11Error, Pkcs11Key, Pkcs11Uri, Pkcs11UriError};
#[cfg(feature = "hooks")]
pub use limits::{GuestLimiter, GuestLimits, LimitExceeded};
pub use observe::{Handshake, Observer, Statistics};
pub use pool::{Pool, PoolLimits};
pub use reload::{ExpiresSoon, ExpiryReminder, POLL_INTERVAL, ReloadEvent, Reloader, WatchedFiles};
pub use route::{Endpoint, MinimumTls, Route, RouteError, RouteTable};
pub use transport::body::AnswerBody;
pub use transport::dial::DialedConnection;
#[cfg(feature = "hooks")]
pub use transport::hooks::TransportHooks;
pub use transport::{RequestTimeouts, Timeouts, Transport, WorkloadConfig};
pub use trust::roots::{LeftOut, RootsError, TrustRoots};
pub use x509::certificate::CertificateFormatError;
pub use x509::validity::OutsideValidity;

// What stands in the signatures of this crate.
#[cfg(any(feature = "hooks", feature = "mqtt"))]
pub use wasmtime;
#[cfg(feature = "hooks")]
pub use wasmtime_wasi_http;
#[cfg(feature = "mqtt")]
pub use wasmtime_wasi_io;
pub use {bytes, http, http_body, hyper, rustls};
