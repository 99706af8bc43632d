//! From a configuration to a component that can be instantiated.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use thingpost_host::Transport;
use thingpost_host::runtime::Runtime;

use super::{BuiltIn, StartError};
use crate::config::{Config, Loaded};
use crate::guests::Workload;
use crate::interfaces::{Grants, GuestLog};
use crate::store::{Buckets, StoreSettings};

/// All that instances are made of, beside routes. While it stays the same, so may the instances.
#[derive(PartialEq, Eq)]
pub(super) struct Making {
    /// None: the component is the one that is built in.
    file: Option<PathBuf>,
    component: Vec<u8>,
    settings: Option<HashMap<String, String>>,
    /// The names of the buckets, if there is a store.
    buckets: Option<Vec<String>>,
    has_log: bool,
}

impl Making {
    pub(super) fn new(
        config: &Config,
        component: Option<Vec<u8>>,
        settings: Option<HashMap<String, String>>,
        has_store: bool,
        built_in: Option<BuiltIn>,
    ) -> Result<Self, StartError> {
        let is_built_in = component.is_none();
        let of_program = || built_in.map(|built_in| built_in.component.to_vec());
        let buckets = store(config, built_in).filter(|_| has_store).map(|store| store.buckets);
        Ok(Self {
            file: config.component.clone(),
            component: component.or_else(of_program).ok_or(StartError::NoComponent)?,
            // It reads its settings from there, and says itself which are missing.
            settings: settings.or_else(|| is_built_in.then(HashMap::new)),
            buckets,
            has_log: config.log.guest,
        })
    }

    /// Compiles the component, or takes it from the cache, and grants what it is to have.
    pub(super) fn workload(
        &self,
        runtime: &Runtime,
        transport: &Transport,
        store: Option<&Buckets>,
        log: &GuestLog,
    ) -> Result<Workload<Grants>, StartError> {
        let buckets = store.zip(self.buckets.as_ref()).map(|(store, names)| store.with_names(names));
        let grants =
            Grants::default().settings(self.settings.clone()).buckets(buckets).log(self.has_log.then(|| log.clone()));
        let mut linker = runtime.handler_linker().map_err(StartError::Runtime)?;
        grants.offer(&mut linker).map_err(StartError::Runtime)?;
        let component = runtime
            .load_handler(&self.component, &linker)
            .map_err(|error| StartError::Component { file: self.file.clone(), error })?;
        Ok(Workload { component, transport: transport.clone(), data: Arc::new(move || grants.clone()) })
    }
}

/// The store of this configuration. What is built in keeps tokens, in memory where nothing else is said.
pub(super) fn store(config: &Config, built_in: Option<BuiltIn>) -> Option<StoreSettings> {
    let is_built_in = config.component.is_none() && built_in.is_some();
    config.store.clone().or_else(|| is_built_in.then(StoreSettings::default))
}

/// Whether the component lets only those publish who have a token.
pub(super) fn is_guarded(loaded: &Loaded, built_in: Option<BuiltIn>) -> bool {
    let is_built_in = loaded.component.is_none() && built_in.is_some();
    // What any other component makes of a setting is not known here.
    is_built_in && loaded.settings.as_ref().is_some_and(has_tokens)
}

/// Whether each device has a token that its callers have to show.
fn has_tokens(settings: &HashMap<String, String>) -> bool {
    let has_token = |settings: &Value| settings["token"].as_str().is_some_and(|token| !token.is_empty());
    let devices = settings.get("devices").map(|devices| serde_json::from_str::<Vec<Value>>(devices));
    let devices = match devices.transpose() {
        Ok(devices) => devices.unwrap_or_default(),
        // The function refuses to publish with them.
        Err(_) => return false,
    };
    let default =
        settings.contains_key("platform").then(|| settings.get("token").is_some_and(|token| !token.is_empty()));
    let mut all = default.into_iter().chain(devices.iter().map(has_token)).peekable();
    all.peek().is_some() && all.all(|has_token| has_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_guarded_if_each_of_its_devices_has_a_token() {
        let of = |settings: &[(&str, &str)]| {
            has_tokens(&settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        assert!(of(&[("platform", "aws"), ("token", "t")]));
        assert!(!of(&[("platform", "aws")]));
        assert!(!of(&[("platform", "aws"), ("token", "")]));
        assert!(!of(&[("token", "t")]), "it is the token of no device");
        assert!(of(&[("devices", r#"[{"name":"a","token":"t"}]"#)]));
        assert!(!of(&[("devices", r#"[{"name":"a","token":"t"},{"name":"b"}]"#)]));
        assert!(!of(&[("platform", "aws"), ("devices", r#"[{"name":"a","token":"t"}]"#)]));
        assert!(of(&[("platform", "aws"), ("token", "t"), ("devices", "[]")]));
        assert!(!of(&[("platform", "aws"), ("token", "t"), ("devices", "{")]));
        assert!(!of(&[]));
    }
}
