//! Another certificate, or another secret, while a connection is kept.
//!
//! The connection could stay as it is until it ends by itself. But then it is at night that the new certificate turns out to be
//! none, and the old one cannot be revoked before. So a goodbye is said, when all that is under way has its answer, and the next
//! connection is made as the new device. A message that had none is sent again, as after any loss.

use std::time::Duration;

use tokio::time::Instant;

use super::{Run, trapped};
use crate::error::CliError;
use crate::terminal::complain;

/// How long answers are waited for before that. What a broker refuses for now may have none for long.
const DRAINING: Duration = Duration::from_secs(5);

/// How far it is.
pub(super) enum Replacement {
    /// No more is sent, and answers are waited for.
    Draining {
        by: Instant,
        /// The session has a secret that is no longer right.
        has_old_session: bool,
    },
    /// The new connection is on its way.
    Connecting,
}

impl Run<'_> {
    /// Takes up what has changed of the device, and goes on with a replacement that can.
    pub(super) async fn replace_if_due(&mut self) -> Result<(), CliError> {
        if self.heeded > 0 {
            // It is about to end.
            self.replacement = None;
            return Ok(());
        }
        if std::mem::take(&mut self.is_reload_due) {
            self.reload().await;
        }
        let Some(Replacement::Draining { by, has_old_session }) = self.replacement else { return Ok(()) };
        if self.connection.is_up && self.outstanding.count() > 0 && Instant::now() < by {
            return Ok(());
        }
        self.session.disconnect().await.map_err(trapped)?;
        self.receive_rest().await?;
        if has_old_session {
            let unfinished = self.session.unfinished().await.map_err(trapped)?;
            self.session = self.factory.open_again(&unfinished).await?;
        }
        self.session.keep_connecting().await.map_err(trapped)?;
        self.connection.is_up = false;
        self.quiet_since = Instant::now();
        self.replacement = Some(Replacement::Connecting);
        Ok(())
    }

    async fn reload(&mut self) {
        let progress = self.outstanding.recorder().progress.clone();
        let say = |line: &str| progress.suspend(|| complain(line));
        if let Some(reloaded) = self.reload.look(say) {
            let summary = reloaded.summary();
            match self.factory.take_up(reloaded).await {
                Ok(needs_session) => {
                    say(&summary);
                    let had_old_session =
                        matches!(self.replacement, Some(Replacement::Draining { has_old_session: true, .. }));
                    let has_old_session = needs_session || had_old_session;
                    self.replacement = Some(Replacement::Draining { by: Instant::now() + DRAINING, has_old_session });
                }
                Err(not_taken_up) => self.reload.refuse(not_taken_up, say),
            }
        }
        if let Some(warning) = self.reload.reminder(self.factory.expires_soon()) {
            say(&warning);
        }
    }

    /// Until when answers are waited for.
    pub(super) fn replace_at(&self) -> Option<Instant> {
        match self.replacement {
            Some(Replacement::Draining { by, .. }) => Some(by),
            Some(Replacement::Connecting) | None => None,
        }
    }

    /// Whether messages are held back: without a queue, the session would refuse them in this moment.
    pub(super) fn is_being_replaced(&self) -> bool {
        self.heeded == 0 && matches!(self.replacement, Some(Replacement::Connecting))
    }

    /// The new connection has come, or has not: from here on it is one like any other.
    pub(super) fn replaced(&mut self) {
        if matches!(self.replacement, Some(Replacement::Connecting)) {
            self.replacement = None;
        }
    }
}
