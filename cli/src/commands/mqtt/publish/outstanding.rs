//! Messages that the session has taken and that have no outcome yet: the session knows them by number, and a reader of the
//! report knows them as lines.

use std::collections::HashMap;

use thingpost_host::runtime::types::mqtt::Unfinished;
use thingpost_host::runtime::types::{Delivery, Error, Message, Receipt};

use super::feed::NextMessage;
use crate::lines::recorder::{OutcomeRecorder, TOO_LONG};
use crate::lines::source::{Line, Text};

/// What a message is to a reader of the report.
pub enum Origin {
    /// One of the copies of the only message.
    Copy,
    /// A line. Its text is there if it is to be kept.
    Line(Line),
    /// Left by an earlier run. Without its payload.
    Earlier(Message),
}

impl Origin {
    fn line(&self) -> Option<&Line> {
        match self {
            Self::Line(line) => Some(line),
            Self::Copy | Self::Earlier(_) => None,
        }
    }
}

pub struct Outstanding {
    origins: HashMap<u64, Origin>,
    recorder: OutcomeRecorder,
    /// Whether the text of a line is of use after it was sent.
    keeps_lines: bool,
    /// How often a message was taken or answered.
    pub changes: u64,
    /// They are kept in a file of their own: to keep their lines as well would be to send them twice.
    pub are_kept: bool,
}

impl Outstanding {
    pub fn new(recorder: OutcomeRecorder, keeps_lines: bool, earlier: &[Unfinished]) -> Self {
        let origin = |it: &Unfinished| (it.id, Origin::Earlier(Message { payload: Vec::new(), ..it.message.clone() }));
        Self { origins: earlier.iter().map(origin).collect(), recorder, keeps_lines, changes: 0, are_kept: false }
    }

    pub fn count(&self) -> usize {
        self.origins.len()
    }

    pub fn recorder(&mut self) -> &mut OutcomeRecorder {
        &mut self.recorder
    }

    pub fn into_tally(self) -> OutcomeRecorder {
        self.recorder
    }

    /// The message of what was fed, and where it is from. None if there is none.
    pub fn message(&mut self, fed: NextMessage) -> Option<(Message, Origin)> {
        let mut line = match fed {
            NextMessage::Copy(payload) => return Some((self.recorder.message(payload), Origin::Copy)),
            NextMessage::Line(line) => line,
        };
        if line.is_empty() {
            self.recorder.progress.inc(line.bytes);
            return None;
        }
        let payload = match std::mem::replace(&mut line.text, Text::Gone) {
            Text::Held(text) => text,
            text => {
                line.text = text;
                self.recorder.give_up(&line, Delivery::NotSent, TOO_LONG);
                return None;
            }
        };
        if self.keeps_lines {
            line.text = Text::Held(payload.clone());
        }
        Some((self.recorder.message(payload), Origin::Line(line)))
    }

    /// The session has taken a message, or has refused it.
    pub fn taken(&mut self, origin: Origin, taken: Result<u64, Error>) {
        match taken {
            Ok(id) => {
                self.changes += 1;
                self.origins.insert(id, origin);
            }
            Err(error) => self.settle(origin, &Err(error)),
        }
    }

    /// A message has its outcome.
    pub fn answered(&mut self, id: u64, outcome: &Result<Receipt, Error>) {
        if let Some(origin) = self.origins.remove(&id) {
            self.changes += 1;
            self.settle(origin, outcome);
        }
    }

    fn settle(&mut self, origin: Origin, outcome: &Result<Receipt, Error>) {
        match origin {
            Origin::Line(mut line) => {
                self.leave_where_it_is(&mut line);
                self.recorder.settle(&line, outcome);
            }
            Origin::Copy => {
                let message = self.recorder.message(Vec::new());
                self.recorder.settle_message(&message, outcome);
            }
            Origin::Earlier(message) => self.recorder.settle_message(&message, outcome),
        }
    }

    fn leave_where_it_is(&self, line: &mut Line) {
        if self.are_kept {
            line.text = Text::Gone;
        }
    }

    /// Lines are kept at once, whatever becomes of them.
    pub fn keep_for_now(&mut self) {
        let mut lines: Vec<&Line> = self.origins.values().filter_map(Origin::line).collect();
        lines.sort_unstable_by_key(|line| line.number);
        self.recorder.keep_for_now(lines.into_iter());
    }

    /// The session has nothing more to say of those that are left.
    pub fn give_up(&mut self, reason: &str, delivery: impl Fn(u64) -> Delivery) {
        let mut origins: Vec<_> = std::mem::take(&mut self.origins).into_iter().collect();
        origins.sort_unstable_by_key(|(id, _)| *id);
        for (id, origin) in origins {
            let delivery = delivery(id);
            match origin {
                Origin::Line(mut line) => {
                    self.leave_where_it_is(&mut line);
                    self.recorder.give_up(&line, delivery, reason);
                }
                Origin::Copy => {
                    let message = self.recorder.message(Vec::new());
                    self.recorder.give_up_message(&message, delivery, reason);
                }
                Origin::Earlier(message) => self.recorder.give_up_message(&message, delivery, reason),
            }
        }
    }
}
