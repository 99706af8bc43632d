//! `[[route]]`: where the requests of guests may go, and as whom.

use std::num::NonZeroU32;
#[cfg(feature = "pkcs11")]
use std::path::Path;
use std::path::PathBuf;

use thingpost_host::{ConnectTo, MinimumTls, Proxy};
use toml::de::DeValue;

use super::document::{FromToml, Placed, Section};
use super::error::{ConfigError, ConfigProblem};
use super::units::Count;

/// A route, as it is written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RouteSettings {
    /// The host, without a port.
    pub host: Placed<String>,
    /// The port. None: 443 and 8443.
    pub port: Option<u16>,
    /// The certificate that the host shows, and after it its issuers.
    pub cert: Option<Placed<KeySource>>,
    /// The key of the certificate.
    pub key: Option<Placed<KeySource>>,
    /// The only authorities to trust. None: those of the system.
    pub ca: Option<Placed<PathBuf>>,
    /// The names to offer by ALPN. None: what AWS wants on 443, and nothing elsewhere.
    pub alpn: Option<Vec<String>>,
    /// The address and port to connect to in place of the host's.
    pub connect_to: Option<ConnectTo>,
    /// The proxy to go through.
    pub proxy: Option<Placed<Proxy>>,
    /// `USER:PASSWORD` for the proxy.
    pub proxy_user: Option<Placed<Source>>,
    /// The oldest version of TLS.
    pub minimum_tls: MinimumTls,
    /// Requests per second.
    pub per_second: Option<NonZeroU32>,
}

/// A certificate or a key: in a file, or on a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// In this PEM file.
    File(PathBuf),
    /// Under this `pkcs11:` URI. There is no PIN in it.
    Token(String, Option<PathBuf>),
}

/// The place of a secret, which is never in the file itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In this file, alone.
    File(PathBuf),
    /// In this variable of the environment.
    Variable(String),
}

impl RouteSettings {
    pub(super) fn of(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let endpoint = section.get::<String>("endpoint")?;
        let endpoint = endpoint.ok_or_else(|| section.place().error(ConfigProblem::Missing("endpoint")))?;
        let (host, of_endpoint) = host_and_port(&endpoint)?;
        let port = section.get::<u16>("port")?;
        if let (Some(_), Some(port)) = (of_endpoint, &port) {
            return Err(port.place.error(ConfigProblem::Expected("in one place: the endpoint has a port already")));
        }
        let port = of_endpoint.or(port.map(|port| port.value));
        let mut key = |name| section.get::<String>(name)?.map(key_source).transpose();
        let (cert, key) = (key("cert")?, key("key")?);
        match (&cert, &key) {
            (Some(cert), None) => return Err(cert.place.error(ConfigProblem::Without("key"))),
            (None, Some(key)) => return Err(key.place.error(ConfigProblem::Without("cert"))),
            _ => {}
        }
        let connect_to = section.get::<String>("connect_to")?;
        let route = Self {
            connect_to: connect_to.map(|to| connect_to_of(&host, port, &to)).transpose()?,
            host: Placed { value: host, place: endpoint.place },
            port,
            cert,
            key,
            ca: section.path("ca")?,
            alpn: section.get("alpn")?.map(|alpn| alpn.value),
            proxy: section.get("proxy")?.map(proxy_of).transpose()?,
            proxy_user: section.section("proxy_user", Source::of)?,
            minimum_tls: section.get("minimum_tls")?.map_or(MinimumTls::default(), |version| version.value),
            per_second: section.get::<Count>("per_second")?.and_then(|count| NonZeroU32::new(count.value.0)),
        };
        match (&route.proxy, &route.proxy_user) {
            (None, Some(user)) => Err(user.place.error(ConfigProblem::Without("proxy"))),
            _ => Ok(route),
        }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        let keys = self.cert.iter().chain(&self.key).filter_map(|key| key.value.file());
        let user = self.proxy_user.as_ref().and_then(|user| user.value.file());
        keys.chain(self.ca.as_ref().map(|ca| ca.value.clone())).chain(user)
    }
}

impl Source {
    fn of(section: &mut Section<'_>) -> Result<Placed<Self>, ConfigError> {
        let place = section.place().clone();
        match (section.path("file")?, section.get::<String>("env")?) {
            (Some(file), None) => Ok(Placed { value: Self::File(file.value), place }),
            (None, Some(name)) => Ok(Placed { value: Self::Variable(name.value), place }),
            _ => Err(place.error(ConfigProblem::Expected("{ file = \"..\" } or { env = \"..\" }"))),
        }
    }

    fn file(&self) -> Option<PathBuf> {
        match self {
            Self::File(file) => Some(file.clone()),
            Self::Variable(_) => None,
        }
    }
}

impl KeySource {
    /// The file of the key, or that of its PIN.
    pub(super) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::File(file) => Some(file.clone()),
            Self::Token(_, pin) => pin.clone(),
        }
    }
}

impl Section<'_> {
    /// A path, from the folder of the file on.
    pub fn path(&mut self, key: &'static str) -> Result<Option<Placed<PathBuf>>, ConfigError> {
        Ok(self.get::<String>(key)?.map(|path| Placed { value: path.place.path(&path.value), place: path.place }))
    }
}

/// A path, or a URI that begins with `pkcs11:`. A file of such a name is written as `./pkcs11:..`.
pub(super) fn key_source(given: Placed<String>) -> Result<Placed<KeySource>, ConfigError> {
    let Placed { value, place } = given;
    let is_uri = value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("pkcs11:"));
    let value = match is_uri {
        true => token(&value).map_err(|problem| place.error(problem))?,
        false => KeySource::File(place.path(&value)),
    };
    Ok(Placed { value, place })
}

#[cfg(feature = "pkcs11")]
fn token(text: &str) -> Result<KeySource, ConfigProblem> {
    let uri: thingpost_host::Pkcs11Uri = text.parse()?;
    if uri.has_pin_value() {
        return Err(ConfigProblem::SecretAsText("write the PIN to a file, and pin-source=file:PATH into the URI"));
    }
    Ok(KeySource::Token(text.to_owned(), uri.pin_file().map(Path::to_owned)))
}

#[cfg(not(feature = "pkcs11"))]
fn token(_: &str) -> Result<KeySource, ConfigProblem> {
    Err(ConfigProblem::Expected("a file: this server is built without PKCS#11 (cargo feature pkcs11)"))
}

/// `HOST` or `HOST:PORT`, perhaps as a URL, as people paste what they have.
fn host_and_port(endpoint: &Placed<String>) -> Result<(String, Option<u16>), ConfigError> {
    const WANTED: ConfigProblem =
        ConfigProblem::Expected("the name of a host, perhaps with a port: \"HOST\" or \"HOST:PORT\"");
    let text = endpoint.value.trim();
    let text = text.strip_prefix("https://").unwrap_or(text);
    let text = text.strip_suffix('/').unwrap_or(text);
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && (!host.contains(':') || host.ends_with(']')) => {
            let port = port.parse().ok().filter(|port| *port > 0);
            (host, Some(port.ok_or_else(|| endpoint.place.error(WANTED))?))
        }
        _ => (text, None),
    };
    // What is more than a host is refused where the table of routes is made; user and password are not to be repeated there.
    if host.is_empty() || host.contains(['@', '/']) {
        return Err(endpoint.place.error(WANTED));
    }
    Ok((host.to_owned(), port))
}

fn connect_to_of(host: &str, port: Option<u16>, to: &Placed<String>) -> Result<ConnectTo, ConfigError> {
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    let port = port.map(|port| port.to_string()).unwrap_or_default();
    let parsed = format!("{host}:{port}:{}", to.value).parse();
    parsed.map_err(|_| to.place.error(ConfigProblem::Expected("an address and a port, in quotes: \"192.0.2.1:8443\"")))
}

fn proxy_of(given: Placed<String>) -> Result<Placed<Proxy>, ConfigError> {
    let Placed { value, place } = given;
    if value.contains('@') {
        let way_out = "write USER:PASSWORD to a file, and proxy_user = { file = \"..\" } beside proxy";
        return Err(place.error(ConfigProblem::SecretAsText(way_out)));
    }
    let value = value.parse().map_err(|error: thingpost_host::ProxyUrlError| place.error(error))?;
    Ok(Placed { value, place })
}

impl FromToml for MinimumTls {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem> {
        match value.as_str() {
            Some("1.2") => Ok(Self::V1_2),
            Some("1.3") => Ok(Self::V1_3),
            _ => Err(ConfigProblem::NoneOf(&["\"1.2\"", "\"1.3\""])),
        }
    }
}
