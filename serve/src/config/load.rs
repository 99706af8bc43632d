//! What the files hold that a configuration names.
//!
//! A server looks at them again and again while it runs. What has not changed has to stay the very same identity and the very same
//! roots then: connections belong to those, and one that was loaded again would open all of them anew.

use std::collections::HashMap;
use std::env;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::{Path, PathBuf};

use thingpost_host::{Alpn, Encoding, Identity, RootsError, Route, RouteTable, TrustRoots, WorkloadConfig};

use super::document::Placed;
use super::error::{ConfigError, ConfigProblem};
use super::route::{KeySource, RouteSettings, Source};
use super::{Config, ListenTls};

/// A configuration with all that its files hold.
pub struct Loaded {
    /// What is written.
    pub config: Config,
    /// The bytes of the component. None: the one that is built in.
    pub component: Option<Vec<u8>>,
    /// What guests see by `wasi:config`. None: they have no such interface.
    pub settings: Option<HashMap<String, String>>,
    /// Where the requests of guests may go, and as whom.
    pub workload: WorkloadConfig,
    /// What the server shows its clients, and the authorities of those whom it lets in.
    pub tls: Option<(Identity, Option<TrustRoots>)>,
}

/// Loads, and remembers what it has loaded for as long as the files stay the same.
#[derive(Default)]
pub struct Loader {
    key: RandomState,
    identities: HashMap<[KeySource; 2], (Contents, Identity)>,
    /// Those of the system under no name.
    roots: HashMap<Option<PathBuf>, (Contents, TrustRoots)>,
}

/// Of what a file held no more is kept than a keyed hash.
type Contents = Vec<Option<u64>>;

/// More than any secret has.
const LARGEST_SECRET: u64 = 64 * 1024;

impl Loader {
    /// Loads what this configuration names.
    ///
    /// # Errors
    ///
    /// A file cannot be read or holds something else, a variable is not set, or two routes are for one destination.
    pub fn load(&mut self, config: Config) -> Result<Loaded, ConfigError> {
        let unreadable = |file: &Path, error| ConfigError::of_file(file, ConfigProblem::Unreadable(error));
        let component = config.component.as_deref();
        let component = component.map(|file| fs::read(file).map_err(|error| unreadable(file, error))).transpose()?;
        let tls = config.listen.tls.as_ref().map(|tls| self.server_tls(tls)).transpose()?;
        let settings = config.settings.as_ref();
        let settings = settings
            .map(|settings| settings.iter().map(|(name, setting)| Ok((name.clone(), setting.resolve()?))).collect())
            .transpose()?;
        let workload = self.workload(&config.routes)?;
        self.forget_others(&config);
        Ok(Loaded { config, component, settings, workload, tls })
    }

    fn workload(&mut self, settings: &[RouteSettings]) -> Result<WorkloadConfig, ConfigError> {
        let mut routes = Vec::new();
        for settings in settings {
            routes.push(self.route(settings)?);
            // At the line of the one that is too many.
            RouteTable::new(routes.clone()).map_err(|error| settings.host.place.error(error))?;
        }
        let table = RouteTable::new(routes).expect("it was one with each of them");
        let overrides = settings.iter().filter_map(|settings| settings.connect_to.clone());
        Ok(WorkloadConfig::new("guest", table).connect_to(overrides))
    }

    fn route(&mut self, settings: &RouteSettings) -> Result<Route, ConfigError> {
        let mut route = Route::new(&settings.host.value, self.roots(settings)?).minimum_tls(settings.minimum_tls);
        if let Some(port) = settings.port {
            route = route.port(port);
        }
        if let (Some(cert), Some(key)) = (&settings.cert, &settings.key) {
            route = route.identity(self.identity(cert, key)?);
        }
        if let Some(alpn) = &settings.alpn {
            route = route.alpn(Alpn::Offer(alpn.iter().map(|name| name.clone().into_bytes()).collect()));
        }
        if let Some(per_second) = settings.per_second {
            route = route.max_per_second(per_second);
        }
        let Some(proxy) = &settings.proxy else { return Ok(route) };
        let Some(user) = &settings.proxy_user else { return Ok(route.proxy(proxy.value.clone())) };
        let secret = match &user.value {
            Source::File(file) => secret_of_file(file),
            Source::Variable(name) => secret_of_variable(name),
        };
        let secret = secret.map_err(|problem| user.place.error(problem))?;
        let Some((name, password)) = secret.split_once(':') else {
            let wanted = ConfigProblem::Expected("something with a colon: USER:PASSWORD, and nothing percent-encoded");
            return Err(user.place.error(wanted));
        };
        let proxy = proxy.value.clone().credentials(name, password).map_err(|error| user.place.error(error))?;
        Ok(route.proxy(proxy))
    }

    fn server_tls(&mut self, tls: &ListenTls) -> Result<(Identity, Option<TrustRoots>), ConfigError> {
        let cert = Placed { value: KeySource::File(tls.cert.value.clone()), place: tls.cert.place.clone() };
        let identity = self.identity(&cert, &tls.key)?;
        let client_roots =
            tls.client_ca.as_ref().map(|ca| self.roots_of(Some(ca)).map_err(|error| ca.place.error(error)));
        Ok((identity, client_roots.transpose()?))
    }

    pub(super) fn identity(
        &mut self,
        cert: &Placed<KeySource>,
        key: &Placed<KeySource>,
    ) -> Result<Identity, ConfigError> {
        let source = [cert.value.clone(), key.value.clone()];
        let contents = source.iter().map(|source| self.content(source.file().as_deref())).collect();
        if let Some((before, identity)) = self.identities.get(&source)
            && *before == contents
        {
            return Ok(identity.clone());
        }
        let identity = load_identity(&cert.value, &key.value).map_err(|problem| key.place.error(problem))?;
        self.identities.insert(source, (contents, identity.clone()));
        Ok(identity)
    }

    fn roots(&mut self, settings: &RouteSettings) -> Result<TrustRoots, ConfigError> {
        let place = settings.ca.as_ref().map_or(&settings.host.place, |ca| &ca.place);
        self.roots_of(settings.ca.as_ref()).map_err(|error| place.error(error))
    }

    fn roots_of(&mut self, ca: Option<&Placed<PathBuf>>) -> Result<TrustRoots, RootsError> {
        let file = ca.map(|ca| ca.value.clone());
        let contents = vec![self.content(file.as_deref())];
        if let Some((before, roots)) = self.roots.get(&file)
            && *before == contents
        {
            return Ok(roots.clone());
        }
        let roots = match &file {
            Some(file) => TrustRoots::from_pem_file(file)?,
            None => TrustRoots::system_or_webpki()?,
        };
        self.roots.insert(file, (contents, roots.clone()));
        Ok(roots)
    }

    fn content(&self, file: Option<&Path>) -> Option<u64> {
        fs::read(file?).ok().map(|content| self.key.hash_one(content))
    }

    /// Keys that are out of use do not stay in memory.
    fn forget_others(&mut self, config: &Config) {
        let tls = config.listen.tls.iter();
        let of_server = tls.map(|tls| [KeySource::File(tls.cert.value.clone()), tls.key.value.clone()]);
        let of_routes = config
            .routes
            .iter()
            .filter_map(|route| Some([route.cert.as_ref()?.value.clone(), route.key.as_ref()?.value.clone()]));
        let used: Vec<_> = of_server.chain(of_routes).collect();
        self.identities.retain(|source, _| used.contains(source));
    }
}

fn load_identity(cert: &KeySource, key: &KeySource) -> Result<Identity, ConfigProblem> {
    match (cert, key) {
        (KeySource::File(cert), KeySource::File(key)) => Ok(Identity::from_pem_files(cert, key)?),
        #[cfg(feature = "pkcs11")]
        (KeySource::File(cert), KeySource::Token(key, _)) => {
            Ok(Identity::from_pem_file_and_token(cert, &key.parse()?)?)
        }
        #[cfg(feature = "pkcs11")]
        (KeySource::Token(cert, _), KeySource::Token(key, _)) => {
            Ok(Identity::from_token(&cert.parse()?, &key.parse()?)?)
        }
        _ => Err(ConfigProblem::Expected("on the token too, where the certificate is on one")),
    }
}

/// What a file holds, without the line end that editors write.
pub(super) fn secret_of_file(file: &Path) -> Result<String, ConfigProblem> {
    let mut content = Vec::new();
    let opened = File::open(file).and_then(|file| file.take(LARGEST_SECRET + 1).read_to_end(&mut content));
    opened.map_err(|error| ConfigProblem::UnreadableSecret(file.to_owned(), error))?;
    if content.len() as u64 > LARGEST_SECRET {
        return Err(ConfigProblem::LongSecret(file.to_owned()));
    }
    let text = String::from_utf8(Encoding::decode(&content).into_owned())
        .map_err(|_| ConfigProblem::BinarySecret(file.to_owned()))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(ConfigProblem::EmptySecret(file.to_owned())),
        secret => Ok(secret.to_owned()),
    }
}

/// What a variable holds. One with nothing in it is as good as none.
pub(super) fn secret_of_variable(name: &str) -> Result<String, ConfigProblem> {
    let missing = || ConfigProblem::NoVariable(name.to_owned());
    // The standard library panics at a name that cannot be one.
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(missing());
    }
    env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(missing)
}
