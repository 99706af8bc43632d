//! A thousand devices have a thousand connections, and many systems allow a process that many files only when asked.

/// Asks for as many open files as may be had.
#[cfg(unix)]
pub(crate) fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    // Where it is not allowed, there are as many devices as there is room for.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// How many connections this process can have, besides the files that it needs itself.
#[cfg(unix)]
pub(crate) fn connections() -> usize {
    use rustix::process::{Resource, getrlimit};

    const OWN_FILES: u64 = 100;
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit.saturating_sub(OWN_FILES)).unwrap_or(usize::MAX).max(1)
}

#[cfg(not(unix))]
pub(crate) fn raise_open_files() {}

#[cfg(not(unix))]
pub(crate) fn connections() -> usize {
    usize::MAX
}
