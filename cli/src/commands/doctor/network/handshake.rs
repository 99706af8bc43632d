//! The handshake, made as every publication makes it, and watched. TLS tells an application that it failed and little else:
//! not whether a certificate was asked for, which is the difference between the right port and the wrong one, and not
//! which ALPN protocol was chosen.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, Error, InvalidMessage, SignatureScheme};
use thingpost_host::{ConnectError, Phase, Route, UntrustedCertificate};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::CertificateDetails;
use super::{Destination, Platform, milliseconds, seconds};

/// What is made of a socket.
pub struct Handshake {
    pub tls: TlsStream<TcpStream>,
    pub offered: Vec<Vec<u8>>,
    pub was_asked: bool,
    pub has_sent: bool,
    pub took: Duration,
}

/// Watches the certificate of this side go out, or not.
struct Watch {
    inner: Arc<dyn ResolvesClientCert>,
    was_asked: AtomicBool,
    has_sent: AtomicBool,
}

impl ResolvesClientCert for Watch {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.was_asked.store(true, Ordering::SeqCst);
        let key = self.inner.resolve(issuers, schemes);
        self.has_sent.store(key.is_some(), Ordering::SeqCst);
        key
    }

    fn has_certs(&self) -> bool {
        self.inner.has_certs()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// Shakes hands over this socket.
pub async fn shake(
    to: &Destination,
    route: &Route,
    tcp: TcpStream,
    limit: Duration,
) -> Result<Handshake, ConnectError> {
    let mut config = to.tls_config(route);
    let inner = Arc::clone(&config.client_auth_cert_resolver);
    let watch = Arc::new(Watch { inner, was_asked: AtomicBool::default(), has_sent: AtomicBool::default() });
    config.client_auth_cert_resolver = watch.clone();
    let offered = config.alpn_protocols.clone();
    let begin = Instant::now();
    let tls = connect(to, config, tcp, limit).await?;
    Ok(Handshake {
        tls,
        offered,
        was_asked: watch.was_asked.load(Ordering::SeqCst),
        has_sent: watch.has_sent.load(Ordering::SeqCst),
        took: begin.elapsed(),
    })
}

/// Shakes hands by this configuration.
pub(super) async fn connect(
    to: &Destination,
    config: ClientConfig,
    tcp: TcpStream,
    limit: Duration,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let name = ServerName::try_from(to.endpoint.host.clone())
        .map_err(|error| ConnectError::Tls(Error::General(error.to_string())))?;
    let addresses = tcp.peer_addr().into_iter().collect();
    timeout(limit, TlsConnector::from(Arc::new(config)).connect(name, tcp))
        .await
        .map_err(|_elapsed| ConnectError::Timeout { phase: Phase::Tls, addresses, after: limit })?
        .map_err(ConnectError::from_handshake)
}

impl Handshake {
    /// `TLS 1.3, AES_256_GCM_SHA384, 12 ms`
    pub fn protocol(&self) -> String {
        let (_, connection) = self.tls.get_ref();
        let version = match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
            _ => "an unknown version of TLS".to_owned(),
        };
        let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        format!("{version}, {}, {}", suite.unwrap_or("an unknown cipher suite"), milliseconds(self.took))
    }

    /// What the server chose of what was offered.
    pub fn chosen(&self) -> Option<&[u8]> {
        self.tls.get_ref().1.alpn_protocol()
    }

    /// `ALPN: offered x-amzn-http-ca, chosen x-amzn-http-ca`
    pub fn alpn(&self) -> String {
        if self.offered.is_empty() {
            return "ALPN: none offered".to_owned();
        }
        let offered: Vec<_> = self.offered.iter().map(|name| String::from_utf8_lossy(name)).collect();
        let chosen = self.chosen().map_or("none".into(), String::from_utf8_lossy);
        format!("ALPN: offered {}, chosen {chosen}", offered.join(", "))
    }

    /// The server's own certificate.
    pub fn server(&self) -> Option<CertificateDetails> {
        self.tls.get_ref().1.peer_certificates()?.first().and_then(|der| CertificateDetails::of(der))
    }
}

/// What the failure of a handshake comes from, as far as advice depends on it.
pub enum HandshakeError {
    /// The server's certificate leads to no authority that is trusted.
    Untrusted,
    /// It is for another name.
    OtherName,
    /// It is not in its time, or the clock is wrong.
    Time,
    /// Something else is wrong with it.
    Certificate,
    /// What answers does not speak TLS.
    NotTls,
    Silence(Duration),
    Closed,
    /// Everything else, which explains itself.
    Other,
}

impl HandshakeError {
    pub fn of(error: &ConnectError) -> Self {
        use CertificateError as C;
        match error {
            ConnectError::Certificate(C::UnknownIssuer) => Self::Untrusted,
            error if error.untrusted().is_some() => Self::Untrusted,
            ConnectError::Certificate(C::NotValidForName | C::NotValidForNameContext { .. }) => Self::OtherName,
            ConnectError::Certificate(
                C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
            ) => Self::Time,
            ConnectError::Certificate(_) => Self::Certificate,
            ConnectError::Tls(Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            )) => Self::NotTls,
            ConnectError::Timeout { after, .. } => Self::Silence(*after),
            ConnectError::Closed(_) => Self::Closed,
            _ => Self::Other,
        }
    }

    /// What happened, and what to do about it. `presented` is the server's certificate, where one was shown.
    pub fn explain(
        &self,
        error: &ConnectError,
        to: &Destination,
        presented: Option<&CertificateDetails>,
    ) -> (String, String) {
        let host = &to.endpoint.host;
        let port = to.endpoint.port;
        match self {
            Self::Untrusted => (
                match error.untrusted().and_then(UntrustedCertificate::trusted_instead) {
                    None => "the server's certificate leads to no authority that is trusted here".to_owned(),
                    Some(setting) => format!(
                        "the server's certificate leads to no authority that is trusted here: {setting} is set in the \
                         environment, and names all that are; unset it for those of this system"
                    ),
                },
                match presented {
                    Some(details) => format!(
                        "if {} is meant to be trusted, give its certificate with --ca; if it is the proxy of a company \
                         that looks into TLS, have it let {host} pass, as it cannot show a device's certificate",
                        details.issuer
                    ),
                    None => "give the server's authority with --ca".to_owned(),
                },
            ),
            Self::OtherName => {
                let names = presented.map(|details| details.names.join(", ")).unwrap_or_default();
                let names = if names.is_empty() { "another name".to_owned() } else { names };
                (
                    format!("the server's certificate is not for {host}, but for {names}"),
                    "check the spelling of the endpoint, and --connect-to if it is given; in a network for guests, log in \
                     on its page first"
                        .to_owned(),
                )
            }
            Self::Time => {
                let age =
                    presented.map(|details| details.age().text()).unwrap_or_else(|| "is not in its time".to_owned());
                (
                    format!("the server's certificate {age}"),
                    "set this machine's clock; if it is right, the server needs a new certificate".to_owned(),
                )
            }
            Self::Certificate => (
                split(&error.to_string()).0,
                "the server needs another certificate; if a proxy is in between, have it let the endpoint pass"
                    .to_owned(),
            ),
            Self::NotTls => (
                format!("what answers on port {port} does not speak TLS"),
                format!("check host and port: {}", to.spoken.ports_of(to.platform())),
            ),
            Self::Silence(after) => (
                format!("the connection was accepted, and then nothing came within {}", seconds(*after)),
                "check host and port, and whether a firewall or a proxy holds the connection".to_owned(),
            ),
            Self::Closed => (
                "the connection was closed during the handshake, without a word".to_owned(),
                match to.platform() {
                    Platform::Aliyun => "check the spelling of the endpoint, and whether a firewall cuts TLS off",
                    Platform::Aws | Platform::Unknown => {
                        "check the spelling of the endpoint, as AWS closes on names that it does not have, and whether a \
                         firewall cuts TLS off"
                    }
                }
                .to_owned(),
            ),
            Self::Other => split(&error.to_string()),
        }
    }
}

/// The errors of the host are `what; what to do`.
fn split(sentence: &str) -> (String, String) {
    let (cause, step) = sentence.split_once("; ").unwrap_or((sentence, "check host and port"));
    (cause.to_owned(), step.to_owned())
}
