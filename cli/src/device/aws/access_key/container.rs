//! In a task of ECS, a pod of EKS and a component of Greengrass no file has a key: a server beside the program gives one out for
//! some hours, and variables say where it listens and what it wants to see. People who move a program there find that it works
//! with every SDK.
//!
//! The question and the key travel in plain text, so only addresses are asked that never leave this machine.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use x509_cert::der::DateTime;

use super::plain_http::{self, Answer};
use super::{AccessKey, EXPORT, variable};
use crate::error::{CliError, one_line};

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Where ECS and EKS have their servers: link-local addresses.
const ECS: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 2);
const EKS: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 23);
const EKS_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23);

/// As AWS's tools do. A server that has just been started answers the second time.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(250);

/// A key is renewed so long before its end, or when three quarters of its time are over.
const MARGIN: Duration = Duration::from_secs(300);

/// The pause before a server that could not be asked is asked again.
const NEXT_TRY: Duration = Duration::from_secs(30);

/// Of each of the texts with which a server says no.
const MOST_SAID: usize = 200;

/// A server that gives out keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Container {
    /// To name it. The path is private: in ECS it is all that another process would need.
    variable: &'static str,
    addresses: Vec<SocketAddr>,
    host: String,
    path: String,
    renew_at: Option<SystemTime>,
}

impl Container {
    /// The one that the variables name, if they name one.
    pub(super) fn of_variables() -> Result<Option<Self>, CliError> {
        if let Some(path) = variable(RELATIVE)? {
            // Otherwise it would go on with the address, and be a port or another host.
            if !path.starts_with('/') {
                return Err(CliError::new(RELATIVE, format!("it is no path like /v2/credentials/ID; {EXPORT}")));
            }
            let uri = format!("http://{ECS}{path}");
            return Self::at(RELATIVE, &uri).map(Some);
        }
        variable(FULL)?.map(|uri| Self::at(FULL, &uri)).transpose()
    }

    fn at(variable: &'static str, uri: &str) -> Result<Self, CliError> {
        let malformed = || CliError::new(variable, format!("it is no URL like http://localhost:1234/path; {EXPORT}"));
        let (scheme, rest) = uri.trim().split_once("://").ok_or_else(malformed)?;
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(CliError::new(
                variable,
                format!("at an address of {scheme} only `aws` asks for a key; {EXPORT}"),
            ));
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| malformed())?),
            _ => (authority, 80),
        };
        if host.is_empty() {
            return Err(malformed());
        }
        let addresses = local(host).ok_or_else(|| {
            let allowed = format!("localhost, {ECS}, {EKS} or [{EKS_V6}]");
            CliError::new(
                variable,
                format!("a key is asked for in plain text only at {allowed}, and this is another host; {EXPORT}"),
            )
        })?;
        let is_printable = |character: char| character.is_ascii_graphic();
        if !path.chars().all(is_printable) {
            return Err(malformed());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        Ok(Self { variable, addresses, host: authority.to_owned(), path, renew_at: None })
    }

    /// A key, asked for now.
    pub(super) fn key(&mut self) -> Result<AccessKey, CliError> {
        let is_first = self.renew_at.is_none();
        self.put_off();
        // Each time: what put it there puts others there.
        let token = token()?;
        let answer = self.ask(token.as_deref())?;
        let (key, end) = read(&answer.body).ok_or_else(|| {
            let said = said(&answer.body, &self.secrets(token.as_deref()));
            self.error(format!("its answer has no key in it{said}"))
        })?;
        let pause = if is_first { Duration::ZERO } else { NEXT_TRY };
        self.renew_at = end.map(|end| renew_at(SystemTime::now(), end, pause));
        Ok(key)
    }

    /// Asks for no other key for a while.
    pub(super) fn put_off(&mut self) {
        self.renew_at = Some(SystemTime::now() + NEXT_TRY);
    }

    /// Whether the key will soon be of no use.
    pub(super) fn is_due(&self) -> bool {
        self.renew_at.is_some_and(|at| at <= SystemTime::now())
    }

    /// What a server may quote, and no user is to see.
    fn secrets<'a>(&'a self, token: Option<&'a str>) -> Vec<&'a str> {
        let path = Some(self.path.as_str()).filter(|path| path.len() > 1);
        token.into_iter().chain(path).collect()
    }

    fn ask(&self, token: Option<&str>) -> Result<Answer, CliError> {
        let mut headers = vec![("host", self.host.as_str()), ("accept", "application/json")];
        headers.extend(token.map(|token| ("authorization", token)));
        let mut attempt = 1;
        loop {
            let error = match plain_http::get(&self.addresses, &self.path, &headers) {
                Ok(answer) if answer.status == 200 => return Ok(answer),
                Ok(Answer { status, body }) => {
                    let said = said(&body, &self.secrets(token));
                    let error = self.error(format!("it answers with status {status}{said}"));
                    match status {
                        500.. | 429 => error,
                        400..=403 => return Err(self.error(format!(
                            "it answers with status {status}{said}; check that {TOKEN_FILE} or {TOKEN} is what it wants to see"
                        ))),
                        _ => return Err(error),
                    }
                }
                Err(error) => self.error(format!(
                    "{error}; it listens only beside the container or the component for which the variable was set"
                )),
            };
            if attempt == ATTEMPTS {
                return Err(error);
            }
            attempt += 1;
            thread::sleep(PAUSE);
        }
    }

    fn error(&self, why: impl fmt::Display) -> CliError {
        CliError::new(format!("no access key from the server that {} names", self.variable), why)
    }
}

/// Never the path.
impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container").field("variable", &self.variable).finish_non_exhaustive()
    }
}

/// When a key that ends then is to be replaced, but not before a pause is over. The clock of this machine may be ahead of the end
/// of every key: the first one is asked for anew at once, as its server may have kept it for too long, and the others are not, or
/// each call would begin with a question and a new component.
fn renew_at(now: SystemTime, end: SystemTime, pause: Duration) -> SystemTime {
    let life = end.duration_since(now).unwrap_or_default();
    now + (life * 3 / 4).max(life.saturating_sub(MARGIN)).max(pause)
}

/// The addresses of a host that is on this machine, or beside it.
fn local(host: &str) -> Option<Vec<IpAddr>> {
    if host.eq_ignore_ascii_case("localhost") {
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let address: IpAddr = bare.parse().ok()?;
    let is_local = address.is_loopback()
        || address == IpAddr::V4(ECS)
        || address == IpAddr::V4(EKS)
        || address == IpAddr::V6(EKS_V6);
    is_local.then(|| vec![address])
}

/// What the server wants to see. The file goes before the variable.
fn token() -> Result<Option<String>, CliError> {
    let token = match variable(TOKEN_FILE)?.map(PathBuf::from) {
        Some(path) => {
            let text = fs::read_to_string(&path).map_err(|error| {
                let what = format!("cannot read {} ({TOKEN_FILE})", path.display());
                match error.kind() {
                    io::ErrorKind::InvalidData => CliError::new(what, "it is not text in UTF-8; save it as such"),
                    _ => CliError::new(what, format_args!("{error}; name another file")),
                }
            });
            Some(text?)
        }
        None => variable(TOKEN)?,
    };
    let token = token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
    match token.as_ref().is_some_and(|token| token.chars().any(char::is_control)) {
        true if env::var_os(TOKEN_FILE).is_some() => {
            Err(CliError::new(TOKEN_FILE, "the file has more than one line: leave the token alone in it"))
        }
        true => Err(CliError::new(TOKEN, "it has a line break in it: set it to the token alone")),
        false => Ok(token),
    }
}

/// The key in an answer, and when it ends.
fn read(body: &[u8]) -> Option<(AccessKey, Option<SystemTime>)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |name| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let key = AccessKey {
        id: text("AccessKeyId")?.to_owned(),
        secret: text("SecretAccessKey")?.to_owned(),
        session_token: text("Token").map(str::to_owned),
    };
    let end = text("Expiration").and_then(moment);
    Some((key, end))
}

/// What the server gives as its reason, to stand behind what it did: ` (AccessDenied: no role)`. A line of a terminal, whatever
/// came. A half of a key is no reason.
fn said(body: &[u8], secrets: &[&str]) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return String::new() };
    let text = |names: [&str; 2]| {
        let text = names.iter().find_map(|name| body.get(name)?.as_str())?;
        let text = secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "(hidden)"));
        let text = one_line(&text);
        let start: String = text.chars().take(MOST_SAID).collect();
        Some(if start.len() < text.len() { format!("{start}..") } else { start }).filter(|text| !text.is_empty())
    };
    let said: Vec<String> = [text(["Code", "code"]), text(["Message", "message"])].into_iter().flatten().collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(": ")) }
}

/// `2026-11-30T13:00:00Z`, perhaps with parts of a second.
fn moment(text: &str) -> Option<SystemTime> {
    let whole = text.trim_end_matches('Z').split('.').next()?;
    let moment: DateTime = format!("{whole}Z").parse().ok()?;
    Some(moment.to_system_time())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(uri: &str) -> Result<Container, String> {
        Container::at(FULL, uri).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_on_this_machine_or_beside_it_is_asked() {
        for (uri, address, host, path) in [
            ("http://127.0.0.1:33925/2016-11-01/x/", "127.0.0.1:33925", "127.0.0.1:33925", "/2016-11-01/x/"),
            ("HTTP://localhost:1", "127.0.0.1:1", "localhost:1", "/"),
            ("http://169.254.170.2/v2/credentials/a?b=c", "169.254.170.2:80", "169.254.170.2", "/v2/credentials/a?b=c"),
            ("http://169.254.170.23/v1/credentials", "169.254.170.23:80", "169.254.170.23", "/v1/credentials"),
            ("http://[fd00:ec2::23]/v1/credentials", "[fd00:ec2::23]:80", "[fd00:ec2::23]", "/v1/credentials"),
            ("http://[::1]:8080?x", "[::1]:8080", "[::1]:8080", "/?x"),
        ] {
            let container = at(uri).unwrap();
            assert_eq!(container.addresses[0], address.parse().unwrap(), "{uri}");
            assert_eq!((container.host.as_str(), container.path.as_str()), (host, path), "{uri}");
        }
    }

    #[test]
    fn nobody_else_is_asked_in_plain_text() {
        for (uri, words) in [
            ("http://169.254.170.3/x", "another host"),
            ("http://169.254.169.254/x", "another host"),
            ("http://example.com/x", "another host"),
            ("http://localhost.example.com/x", "another host"),
            ("http://127.0.0.1@example.com/x", "another host"),
            ("http://10.0.0.1:80/x", "another host"),
            ("https://localhost/x", "at an address of https only `aws` asks"),
            ("/v2/credentials", "no URL"),
            ("http://", "no URL"),
            ("http:///x", "no URL"),
            ("http://localhost:x/", "no URL"),
            ("http://localhost/a\r\nb: c", "no URL"),
        ] {
            let error = at(uri).unwrap_err();
            assert!(error.contains(words) && error.contains("export-credentials"), "{uri}: {error}");
            assert!(!error.contains("/x"), "a path may be a secret: {error}");
        }
    }

    #[test]
    fn a_path_is_not_shown_even_to_who_looks_for_mistakes() {
        let container = at("http://127.0.0.1:1/h7sh-path").unwrap();
        assert!(container.path.contains("h7sh") && !format!("{container:?}").contains("h7sh"));
    }

    #[test]
    fn a_key_is_replaced_before_its_end_and_no_more_than_twice_a_minute_if_that_is_over() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (life, pause, after) in [(400, 0, 300), (3600, 30, 3300), (0, 0, 0), (0, 30, 30), (20, 30, 30)] {
            let at = renew_at(now, now + Duration::from_secs(life), Duration::from_secs(pause));
            assert_eq!(at, now + Duration::from_secs(after), "{life} s to live");
        }
        assert_eq!(renew_at(now, SystemTime::UNIX_EPOCH, NEXT_TRY), now + NEXT_TRY);
    }

    #[test]
    fn what_a_server_says_stands_on_one_line() {
        for (body, expected) in [
            (r#"{"message":"no role"}"#, " (no role)"),
            (r#"{"Code":"AccessDenied","Message":"denied"}"#, " (AccessDenied: denied)"),
            (r#"{"code":"a","message":7}"#, " (a)"),
            (r#"{"Code":"","Message":""}"#, ""),
            ("<html>", ""),
            (r#"{"AccessKeyId":"ASIA"}"#, ""),
        ] {
            assert_eq!(said(body.as_bytes(), &[]), expected, "{body}");
        }
        let hostile = said(br#"{"Message":"a\u001b[31m\nb"}"#, &[]);
        assert!(!hostile.contains(char::is_control), "{hostile:?}");
        let long = said(format!(r#"{{"Message":"{}"}}"#, "x".repeat(5000)).as_bytes(), &[]);
        let quoted = said(br#"{"Message":"h7sh is no token for /path"}"#, &["h7sh", "/path"]);
        assert_eq!(quoted, " ((hidden) is no token for (hidden))");
        assert!(long.len() < 250 && long.ends_with("..)"), "{long}");
    }

    #[test]
    fn a_key_is_read_with_its_end() {
        let body = br#"{"RoleArn":"r","AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t","Expiration":"1970-01-02T00:00:00Z"}"#;
        let (key, end) = read(body).unwrap();
        assert_eq!((key.id.as_str(), key.secret.as_str(), key.session_token.as_deref()), ("ASIA", "s", Some("t")));
        assert_eq!(end, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)));
        assert_eq!(moment("1970-01-02T00:00:00.250Z"), end);
        assert_eq!(moment("tomorrow"), None);
        for body in ["", "{}", "[]", r#"{"AccessKeyId":"ASIA"}"#, r#"{"code":"x","message":"y"}"#] {
            assert!(read(body.as_bytes()).is_none(), "{body}");
        }
    }
}
