//! How a platform is reached, for all verbs alike.

use std::path::PathBuf;

use clap::Args;
use thingpost_host::ConnectTo;

#[derive(Args)]
pub struct NetworkArgs {
    /// The only certificate authorities to trust [default: those of SSL_CERT_FILE and SSL_CERT_DIR, or else the system's]
    #[arg(long, value_name = "PEM")]
    pub ca: Option<PathBuf>,
    /// Connect to ADDR:PORT instead of HOST:PORT, and leave all else as it is; may be repeated
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT")]
    pub connect_to: Vec<ConnectTo>,
    /// Connect through this proxy, by CONNECT (http) or SOCKS5 (socks5h) [default: that of https_proxy, HTTPS_PROXY, all_proxy or
    /// ALL_PROXY; '' is none]. Other users of this machine can read a password here; a variable or --proxy-user-file hides it
    #[arg(long, value_name = "[SCHEME://]HOST:PORT")]
    pub proxy: Option<String>,
    /// A file with USER:PASSWORD for the proxy, as they are, in place of those in its URL
    #[arg(long, value_name = "PATH")]
    pub proxy_user_file: Option<PathBuf>,
    /// Names, addresses and networks to connect to without the proxy, with commas between, or * for all [default: those of no_proxy
    /// or NO_PROXY]
    #[arg(long, value_name = "LIST")]
    pub noproxy: Option<String>,
    /// How long one message or question may take, all attempts together
    #[arg(long, value_name = "SECONDS", default_value = "30", allow_negative_numbers = true, value_parser = parse_seconds)]
    pub timeout: u32,
}

/// A port that can be connected to.
pub(super) fn parse_port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("give a number from 1 to 65535".to_owned()),
        Ok(port) => Ok(port),
    }
}

/// Seconds, with decimals if need be, as milliseconds.
pub(super) fn parse_seconds(text: &str) -> Result<u32, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    let milliseconds = (seconds * 1000.0).round();
    if !(1.0..=f64::from(u32::MAX)).contains(&milliseconds) {
        return Err("give between 0.001 and 4294967 seconds".to_owned());
    }
    Ok(milliseconds as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_positive_and_finite() {
        assert_eq!(parse_seconds("1.5"), Ok(1500));
        for wrong in ["0", "-1", "nan", "inf", "1e9", "", "5s"] {
            assert!(parse_seconds(wrong).is_err(), "{wrong}");
        }
    }
}
