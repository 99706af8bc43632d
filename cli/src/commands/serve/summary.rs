//! What would run, in lines that may be shown: names of settings, and none of their values.

use thingpost_serve::{KeySource, Loaded, RouteSettings, Setting};

/// A line for each part.
pub fn of(loaded: &Loaded, has_built_in: bool) -> Vec<String> {
    let config = &loaded.config;
    let component = match &config.component {
        Some(file) => file.display().to_string(),
        None if has_built_in => "the edge function that is built in".to_owned(),
        None => "none".to_owned(),
    };
    let scheme = if config.listen.tls.is_some() { "https" } else { "http" };
    let mut lines =
        vec![format!("component: {component}"), format!("listens on: {scheme}://{}", config.listen.http.value)];
    if let Some(admin) = &config.listen.admin {
        lines.push(format!("health and metrics: http://{}", admin.value));
    }
    if let Some(settings) = &config.settings {
        let names: Vec<_> = settings.keys().map(String::as_str).collect();
        let files = settings.values().map(Setting::files).map(|files| files.len()).sum::<usize>();
        lines.push(format!("settings: {} ({files} from files)", names.join(", ")));
    }
    if let Some(store) = &config.store {
        let place = store.path.as_ref().map_or("in memory".to_owned(), |path| path.display().to_string());
        lines.push(format!("store: {place}, {} bytes at most", store.max_bytes));
    }
    lines.extend(config.routes.iter().map(route));
    if config.routes.is_empty() {
        lines.push("routes: none, so the component cannot send anything".to_owned());
    }
    lines
}

fn route(route: &RouteSettings) -> String {
    let port = route.port.map_or("443 and 8443".to_owned(), |port| port.to_string());
    let identity = match (&route.cert, &route.key) {
        (Some(cert), Some(key)) => format!("as {} with {}", place(&cert.value), place(&key.value)),
        _ => "without a certificate".to_owned(),
    };
    let proxy = route.proxy.as_ref().map(|proxy| format!(", through {}", proxy.value)).unwrap_or_default();
    format!("route: {} port {port}, {identity}{proxy}", route.host.value)
}

fn place(key: &KeySource) -> String {
    match key {
        KeySource::File(file) => file.display().to_string(),
        KeySource::Token(..) => "a key on a token".to_owned(),
    }
}
