//! A test that waits for something must end when it never comes, and must not fail where it comes late: on machines whose
//! system calls take eight times as long, with all cores busy, under `nice` beside a build. So all tests wait equally
//! long, and this is the only place that says how long. It bounds a hang and nothing else: that something happens in time
//! is asserted with a [`Clock`] of the test's own, or not at all.

mod clock;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

pub use clock::Clock;

/// A build beside the tests takes all cores for two to five minutes, and what runs under `nice` meanwhile gets a
/// thirtieth of one.
const HANG: Duration = Duration::from_secs(600);

/// Multiplies it, for machines that are slower still.
const FACTOR: &str = "THINGPOST_TEST_PATIENCE";

/// How long a test waits before it takes something for hung.
///
/// # Panics
/// When the environment variable `THINGPOST_TEST_PATIENCE` is set to something else than a number from 1 to 1000.
pub fn patience() -> Duration {
    HANG * factor(std::env::var_os(FACTOR).map(|value| value.to_string_lossy().into_owned()).as_deref())
}

/// Does it, and fails by name if it hangs: for whatever becomes of the clock of the runtime.
///
/// # Panics
/// When it hangs.
pub async fn within<T>(work: impl Future<Output = T>) -> T {
    let (done, is_done) = mpsc::channel::<()>();
    let (hung, hangs) = oneshot::channel();
    thread::spawn(move || {
        if is_done.recv_timeout(patience()) == Err(RecvTimeoutError::Timeout) {
            let _ = hung.send(());
        }
    });
    tokio::select! {
        result = work => {
            drop(done);
            result
        }
        Ok(()) = hangs => panic!("a test waits for nothing that long"),
    }
}

fn factor(value: Option<&str>) -> u32 {
    let Some(value) = value else { return 1 };
    match value.trim().parse() {
        Ok(factor @ 1..=1000) => factor,
        _ => panic!("{FACTOR} is `{value}`, give a whole number from 1 to 1000"),
    }
}

#[cfg(test)]
mod tests {
    use super::factor;

    #[test]
    fn the_variable_multiplies() {
        assert_eq!([factor(None), factor(Some("1")), factor(Some(" 8 ")), factor(Some("1000"))], [1, 1, 8, 1000]);
    }

    #[test]
    fn what_would_be_no_patience_is_not_taken() {
        for value in ["0", "-1", "", "0.5", "1001", "long"] {
            assert!(std::panic::catch_unwind(|| factor(Some(value))).is_err(), "{value}");
        }
    }
}
