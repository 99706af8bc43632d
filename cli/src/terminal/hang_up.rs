//! SIGHUP has two meanings: the terminal went away, and "read your files again". A process whose standard input is a terminal hears
//! the first, a service the second, as it has none.

#[cfg(unix)]
use std::io::{self, IsTerminal};

/// What a SIGHUP is to a run that could read its files again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangUp {
    /// The end.
    Ends,
    /// A request to read files again.
    Reloads,
}

impl HangUp {
    /// What it is to this process.
    pub fn of_this_process() -> Self {
        #[cfg(unix)]
        if !io::stdin().is_terminal() {
            return Self::Reloads;
        }
        Self::Ends
    }

    /// Whether files are read again at a SIGHUP. Where it is not known whether it is ignored they are: without a handler it would
    /// kill the run, and one too many only reads files.
    #[cfg(unix)]
    fn is_to_reload(self, is_ignored: Option<bool>) -> bool {
        self == Self::Reloads && is_ignored != Some(true)
    }
}

/// The SIGHUPs that ask for files to be read again.
pub struct HangUps {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl HangUps {
    /// None of them.
    pub fn none() -> Self {
        Self {
            #[cfg(unix)]
            signal: None,
        }
    }

    /// Listens from now on, unless they are the end of this process, or it was started to survive them.
    #[cfg(unix)]
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let is_wanted = HangUp::of_this_process().is_to_reload(is_hang_up_ignored());
        Self { signal: if is_wanted { signal(SignalKind::hangup()).ok() } else { None } }
    }

    /// Where there is no such signal.
    #[cfg(not(unix))]
    pub fn listen() -> Self {
        Self::none()
    }

    /// Waits for the next one. May be given up and asked for again.
    #[cfg(unix)]
    pub async fn next(&mut self) {
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }

    /// Waits for ever.
    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        std::future::pending().await
    }
}

/// Whether `nohup` or the like is at work. To listen would undo it. None where that cannot be found out, as without `/proc`.
#[cfg(unix)]
pub(super) fn is_hang_up_ignored() -> Option<bool> {
    std::fs::read_to_string("/proc/self/status").ok().and_then(|status| ignores_hang_up(&status))
}

#[cfg(unix)]
fn ignores_hang_up(status: &str) -> Option<bool> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    // SIGHUP is signal 1, the lowest bit.
    u64::from_str_radix(mask.trim(), 16).ok().map(|mask| mask & 1 == 1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn where_it_is_not_known_whether_a_hang_up_is_ignored_a_service_listens() {
        assert!(HangUp::Reloads.is_to_reload(None));
        assert!(HangUp::Reloads.is_to_reload(Some(false)));
        assert!(!HangUp::Reloads.is_to_reload(Some(true)));
        assert!(!HangUp::Ends.is_to_reload(None));
    }

    #[test]
    fn whether_hang_ups_are_ignored_is_read_from_the_mask_or_not_known() {
        assert_eq!(ignores_hang_up("Name:\tx\nSigIgn:\t0000000000001001\n"), Some(true));
        assert_eq!(ignores_hang_up("Name:\tx\nSigIgn:\t0000000000001000\n"), Some(false));
        assert_eq!(ignores_hang_up("Name:\tx\n"), None);
        assert_eq!(ignores_hang_up("SigIgn:\tnone\n"), None);
    }
}
