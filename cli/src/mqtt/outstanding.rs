//! Messages that the session has taken and that have no outcome yet: the session knows them by number, and whoever reads the
//! report knows them as lines.

use std::collections::HashMap;

use thingpost_host::runtime::types::mqtt::Unfinished;
use thingpost_host::runtime::types::{Delivery, Error, Message, Receipt};

use super::feed::Fed;
use crate::problem::Problem;
use crate::source::Line;
use crate::tally::Tally;

/// What a message is to whoever reads the report.
pub enum Origin {
    /// One of the copies of the only message.
    Copy,
    /// A line. Its text is there if it is to be kept.
    Line(Line),
    /// Left by an earlier run. Without its payload.
    Earlier(Message),
}

pub struct Outstanding {
    origins: HashMap<u64, Origin>,
    tally: Tally,
    /// Whether the text of a line is of use after it was sent.
    keeps_lines: bool,
    /// They are kept in a file of their own: to keep their lines as well would be to send them twice.
    pub are_kept: bool,
}

impl Outstanding {
    pub fn new(tally: Tally, keeps_lines: bool, earlier: &[Unfinished]) -> Self {
        let origin = |it: &Unfinished| (it.id, Origin::Earlier(Message { payload: Vec::new(), ..it.message.clone() }));
        Self { origins: earlier.iter().map(origin).collect(), tally, keeps_lines, are_kept: false }
    }

    pub fn count(&self) -> usize {
        self.origins.len()
    }

    pub fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    pub fn into_tally(self) -> Tally {
        self.tally
    }

    /// The message of what was fed, and where it is from. None if there is none.
    pub fn message(&mut self, fed: Fed) -> Result<Option<(Message, Origin)>, Problem> {
        let mut line = match fed {
            Fed::Copy(payload) => return Ok(Some((self.tally.message(payload), Origin::Copy))),
            Fed::Line(line) => line,
        };
        if line.is_empty() {
            self.tally.progress.inc(line.bytes);
            return Ok(None);
        }
        let payload = match (&line.text, self.keeps_lines) {
            (Some(text), true) => text.clone(),
            (Some(_), false) => line.text.take().unwrap_or_default(),
            (None, _) => {
                self.tally.give_up(&line, Delivery::NotSent, crate::tally::TOO_LONG)?;
                return Ok(None);
            }
        };
        Ok(Some((self.tally.message(payload), Origin::Line(line))))
    }

    /// The session has taken a message, or has refused it.
    pub fn taken(&mut self, origin: Origin, taken: Result<u64, Error>) -> Result<(), Problem> {
        match taken {
            Ok(id) => {
                self.origins.insert(id, origin);
                Ok(())
            }
            Err(error) => self.settle(origin, &Err(error)),
        }
    }

    /// A message has its outcome.
    pub fn answered(&mut self, id: u64, outcome: &Result<Receipt, Error>) -> Result<(), Problem> {
        match self.origins.remove(&id) {
            Some(origin) => self.settle(origin, outcome),
            None => Ok(()),
        }
    }

    fn settle(&mut self, origin: Origin, outcome: &Result<Receipt, Error>) -> Result<(), Problem> {
        match origin {
            Origin::Line(mut line) => {
                if self.are_kept {
                    line.text = None;
                }
                self.tally.settle(&line, outcome)
            }
            Origin::Copy => {
                let message = self.tally.message(Vec::new());
                self.tally.settle_message(&message, outcome);
                Ok(())
            }
            Origin::Earlier(message) => {
                self.tally.settle_message(&message, outcome);
                Ok(())
            }
        }
    }

    /// The session has nothing more to say of those that are left.
    pub fn give_up(&mut self, reason: &str) -> Result<(), Problem> {
        for (_, origin) in std::mem::take(&mut self.origins) {
            match origin {
                Origin::Line(line) => self.tally.give_up(&line, Delivery::Unknown, reason)?,
                Origin::Copy | Origin::Earlier(_) => self.tally.summary.count_failure(Delivery::Unknown, reason),
            }
        }
        Ok(())
    }
}
