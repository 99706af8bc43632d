//! `[listen]`: where the server listens, and how.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use toml::de::DeValue;

use super::document::{FromToml, Placed, Section};
use super::error::{ConfigError, ConfigProblem};
use super::nowhere;
use super::route::{KeySource, key_source};

/// Where a server listens.
#[derive(Debug, Clone)]
pub struct Listen {
    /// For requests. Default 127.0.0.1:8080.
    pub http: Placed<SocketAddr>,
    /// For operators. Default none.
    pub admin: Option<Placed<SocketAddr>>,
    /// In TLS. Default not.
    pub tls: Option<ListenTls>,
    /// Whether it may be open to everybody. Default false.
    pub insecure: bool,
}

/// What a server shows its clients, and whom it lets in.
#[derive(Debug, Clone)]
pub struct ListenTls {
    /// The certificate, and after it its issuers.
    pub cert: Placed<PathBuf>,
    /// The key of the certificate.
    pub key: Placed<KeySource>,
    /// The authorities of the clients. None: clients show no certificate.
    pub client_ca: Option<Placed<PathBuf>>,
}

const ADDRESS: &str =
    "an address and a port, in quotes: \"127.0.0.1:8080\" for this machine, \"0.0.0.0:8080\" or \"[::]:8080\" for all";

impl Default for Listen {
    fn default() -> Self {
        let http = Placed { value: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), place: nowhere() };
        Self { http, admin: None, tls: None, insecure: false }
    }
}

impl Listen {
    pub(super) fn of(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let default = Self::default();
        let mut listen = Self {
            http: section.get("http")?.unwrap_or(Placed { place: section.place().clone(), ..default.http }),
            admin: section.get("admin")?,
            tls: section.section("tls", ListenTls::of)?,
            insecure: false,
        };
        section.set("insecure", &mut listen.insecure)?;
        Ok(listen)
    }
}

impl ListenTls {
    fn of(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let place = section.place().clone();
        let missing = |key| place.error(ConfigProblem::Missing(key));
        let cert = section.path("cert")?.ok_or_else(|| missing("cert"))?;
        let key = section.get("key")?.ok_or_else(|| missing("key"))?;
        Ok(Self { cert, key: key_source(key)?, client_ca: section.path("client_ca")? })
    }

    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        let of_clients = self.client_ca.as_ref().map(|ca| ca.value.clone());
        [self.cert.value.clone()].into_iter().chain(self.key.value.file()).chain(of_clients)
    }
}

impl FromToml for SocketAddr {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem> {
        let text = value.as_str().map(|text| text.replace("localhost:", "127.0.0.1:"));
        text.and_then(|text| text.parse().ok()).ok_or(ConfigProblem::Expected(ADDRESS))
    }
}
