//! The way out of this machine's network, as the user and the environment say it.
//!
//! Many networks have no way out but a proxy, and say so in variables that were there before this command. They are read as curl
//! reads them (<https://curl.se/docs/manpage.html#ENVIRONMENT>), for MQTT as well: a device whose messages get through must not
//! lose its way because it speaks another protocol.

use std::env::{self, VarError};
use std::path::Path;

use thingpost_host::{ConnectTo, NoProxy, Proxy, WorkloadConfig};

use super::secret::{SecretForm, from_file};
use crate::args::NetworkArgs;
use crate::error::CliError;

/// The first of them that has something in it counts.
const PROXY_VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
/// For http:// alone, which nothing here is. Its upper case is not read by curl, and by much else.
const HTTP_PROXY_VARIABLES: [&str; 2] = ["http_proxy", "HTTP_PROXY"];
const NO_PROXY_VARIABLES: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The addresses that are dialed in place of others, and the proxy.
#[derive(Clone, Default)]
pub struct Network {
    connect_to: Vec<ConnectTo>,
    proxy: Option<FoundProxy>,
    exceptions: Exceptions,
    /// The variable that names a proxy for http:// where none names one for this.
    for_http: Option<&'static str>,
}

/// A proxy, and the option or variable that it comes from.
#[derive(Clone)]
pub struct FoundProxy {
    pub proxy: Proxy,
    pub source: &'static str,
}

#[derive(Clone, Default)]
struct Exceptions {
    list: NoProxy,
    source: &'static str,
}

/// The proxy for one destination.
pub enum ProxyChoice {
    /// There is none.
    None {
        /// The variable that names one for http:// alone.
        for_http: Option<&'static str>,
    },
    /// There is one, and a list with this name lets the destination go past it.
    Past(FoundProxy, &'static str),
    Through(FoundProxy),
}

impl Network {
    /// What the options say, and where they do not, the variables.
    pub fn of(arguments: &NetworkArgs) -> Result<Self, CliError> {
        Self::with_variables(arguments, variable)
    }

    fn with_variables(
        arguments: &NetworkArgs,
        variable: impl Fn(&'static str) -> Result<Option<String>, CliError>,
    ) -> Result<Self, CliError> {
        let first = |names: &[&'static str]| -> Result<Option<(&'static str, String)>, CliError> {
            for &name in names {
                if let Some(value) = variable(name)? {
                    return Ok(Some((name, value)));
                }
            }
            Ok(None)
        };
        let proxy = match &arguments.proxy {
            // In place of the variables even if it is none.
            Some(url) => Some(("--proxy", url.clone())).filter(|(_, url)| !url.is_empty()),
            None => first(&PROXY_VARIABLES)?,
        };
        let mut proxy = proxy.map(|(source, url)| found(source, &url)).transpose()?;
        if let Some(file) = &arguments.proxy_user_file {
            match &mut proxy {
                Some(found) => found.proxy = with_user(found.proxy.clone(), file)?,
                None if arguments.proxy.is_some() => {}
                None => {
                    return Err(CliError::sentence(
                        "--proxy-user-file is of use only with a proxy: give --proxy or set HTTPS_PROXY, or leave it out",
                    ));
                }
            }
        }
        let exceptions = match &arguments.noproxy {
            Some(list) => Some(("--noproxy", list.clone())),
            // Without a proxy the list is not needed, and one that is wrong does no harm.
            None if proxy.is_none() => None,
            None => first(&NO_PROXY_VARIABLES)?,
        };
        let exceptions = match exceptions {
            Some((source, list)) => {
                Exceptions { list: list.parse().map_err(|error| CliError::new(source, error))?, source }
            }
            None => Exceptions::default(),
        };
        let is_wanted = proxy.is_none() && arguments.proxy.is_none();
        let for_http = if is_wanted { first(&HTTP_PROXY_VARIABLES).ok().flatten().map(|(name, _)| name) } else { None };
        Ok(Self { connect_to: arguments.connect_to.clone(), proxy, exceptions, for_http })
    }

    /// Past all proxies, whatever the variables say: to a server on this machine.
    #[cfg(feature = "emulator")]
    pub fn without_proxy(connect_to: ConnectTo) -> Self {
        Self { connect_to: vec![connect_to], ..Self::default() }
    }

    /// A workload that goes this way.
    pub fn apply_to(self, workload: WorkloadConfig) -> WorkloadConfig {
        let proxy = self.proxy.map(|found| found.proxy);
        workload.connect_to(self.connect_to).proxy(proxy).no_proxy(self.exceptions.list)
    }

    /// The addresses that are dialed in place of others.
    pub fn connect_to(&self) -> &[ConnectTo] {
        &self.connect_to
    }

    /// The proxy for this destination.
    pub fn proxy_for(&self, host: &str, port: u16) -> ProxyChoice {
        match self.proxy.clone() {
            None => ProxyChoice::None { for_http: self.for_http },
            Some(proxy) if self.exceptions.list.matches(host, port) => ProxyChoice::Past(proxy, self.exceptions.source),
            Some(proxy) => ProxyChoice::Through(proxy),
        }
    }
}

/// Whether a variable names a proxy, be it a right one or not.
#[cfg(feature = "emulator")]
pub fn is_proxy_set() -> bool {
    PROXY_VARIABLES.into_iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// One with nothing in it is as good as none, as curl has it.
fn variable(name: &'static str) -> Result<Option<String>, CliError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(CliError::new(name, "it is not text; set it anew, or unset it")),
    }
}

fn found(source: &'static str, url: &str) -> Result<FoundProxy, CliError> {
    // The error has nothing of the URL that could be a password.
    let proxy: Proxy = url.parse().map_err(|error| CliError::new(source, error))?;
    Ok(FoundProxy { proxy, source })
}

fn with_user(proxy: Proxy, file: &Path) -> Result<Proxy, CliError> {
    let option = "--proxy-user-file";
    let secret = from_file("user and password of the proxy", file, SecretForm::Password)?;
    let Some((user, password)) = secret.split_once(':') else {
        return Err(CliError::new(option, "no colon in it; write USER:PASSWORD, and nothing percent-encoded"));
    };
    proxy.credentials(user, password).map_err(|error| CliError::new(option, error))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        network: NetworkArgs,
    }

    fn network(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Network, CliError> {
        let line = Line::try_parse_from([&["x"], arguments].concat()).unwrap();
        Network::with_variables(&line.network, |name| {
            let value = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            Ok(value.filter(|value| !value.is_empty()))
        })
    }

    /// The proxy for a host, and where it comes from.
    fn chosen(arguments: &[&str], variables: &[(&str, &str)], host: &str) -> String {
        match network(arguments, variables).unwrap().proxy_for(host, 443) {
            ProxyChoice::None { for_http: None } => "none".to_owned(),
            ProxyChoice::None { for_http: Some(name) } => format!("none, though {name}"),
            ProxyChoice::Past(found, list) => format!("{} past {}", list, found.source),
            ProxyChoice::Through(found) => format!("{} {}", found.source, found.proxy),
        }
    }

    #[test]
    fn the_first_variable_with_something_in_it_counts_and_an_option_before_all() {
        let all = [("https_proxy", "a:1"), ("HTTPS_PROXY", "b:2"), ("all_proxy", "socks5://c:3"), ("ALL_PROXY", "d:4")];
        assert_eq!(chosen(&[], &all, "x"), "https_proxy http://a:1");
        assert_eq!(chosen(&[], &all[1..], "x"), "HTTPS_PROXY http://b:2");
        assert_eq!(chosen(&[], &all[2..], "x"), "all_proxy socks5h://c:3");
        assert_eq!(chosen(&[], &all[3..], "x"), "ALL_PROXY http://d:4");
        assert_eq!(chosen(&[], &[("https_proxy", ""), ("HTTPS_PROXY", "b:2")], "x"), "HTTPS_PROXY http://b:2");
        assert_eq!(chosen(&[], &[("http_proxy", "a:1"), ("HTTP_PROXY", "a:1")], "x"), "none, though http_proxy");
        assert_eq!(chosen(&[], &[("HTTP_PROXY", "a:1")], "x"), "none, though HTTP_PROXY");
        assert_eq!(chosen(&["--proxy", ""], &[("HTTP_PROXY", "a:1")], "x"), "none");
        assert_eq!(chosen(&["--proxy", "socks5h://e:5"], &all, "x"), "--proxy socks5h://e:5");
        assert_eq!(chosen(&["--proxy", ""], &all, "x"), "none");
    }

    #[test]
    fn exceptions_hold_for_a_proxy_from_anywhere_and_an_option_replaces_the_variable() {
        let variables = [("HTTPS_PROXY", "b:2"), ("NO_PROXY", "a.example"), ("no_proxy", "b.example")];
        assert_eq!(chosen(&[], &variables, "x.b.example"), "no_proxy past HTTPS_PROXY");
        assert_eq!(chosen(&[], &variables, "a.example"), "HTTPS_PROXY http://b:2", "the lower case wins");
        assert_eq!(chosen(&["--proxy", "e:5"], &variables, "b.example"), "no_proxy past --proxy");
        assert_eq!(chosen(&["--noproxy", ""], &variables, "b.example"), "HTTPS_PROXY http://b:2");
        assert_eq!(chosen(&["--noproxy", "*"], &variables, "a.example"), "--noproxy past HTTPS_PROXY");
        assert_eq!(chosen(&[], &variables, "127.0.0.1"), "HTTPS_PROXY http://b:2", "curl makes no exception for it");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_variable_and_without_its_password() {
        for (arguments, variables, names) in [
            (&[] as &[&str], &[("HTTPS_PROXY", "http://me:hunter2@p:99999")][..], "HTTPS_PROXY: "),
            (&[], &[("all_proxy", "ftp://me:hunter2@p:1")], "all_proxy: "),
            (&["--proxy", "me:hunter2@:1"], &[], "--proxy: "),
            (&["--proxy", "p:1", "--noproxy", "a:x"], &[], "--noproxy: "),
            (&[], &[("ALL_PROXY", "p:1"), ("NO_PROXY", "10.0.0.0/64")], "NO_PROXY: "),
            (&["--proxy-user-file", "/dev/null"], &[], "--proxy-user-file is of use only with a proxy"),
        ] {
            let error = network(arguments, variables).err().unwrap().to_string();
            assert!(error.starts_with(names) && !error.contains("hunter2") && !error.contains('\n'), "{error}");
        }
        // The list is not needed.
        assert!(network(&[], &[("NO_PROXY", "10.0.0.0/64")]).is_ok());
    }

    #[test]
    fn user_and_password_come_from_a_file_in_place_of_those_of_the_url() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("user");
        std::fs::write(&file, "me:h@nter:2%\n").unwrap();
        let arguments = ["--proxy", "http://you:x@p:1", "--proxy-user-file", file.to_str().unwrap()];
        let ProxyChoice::Through(found) = network(&arguments, &[]).unwrap().proxy_for("x", 443) else { panic!() };
        assert_eq!(found.proxy, Proxy::http("p", 1).credentials("me", "h@nter:2%").unwrap());
        std::fs::write(&file, "hunter2\n").unwrap();
        let error = network(&arguments, &[]).err().unwrap().to_string();
        assert!(error.contains("write USER:PASSWORD") && !error.contains("hunter2"), "{error}");
    }
}
