//! What has become of the messages.

use super::item::Item;
use super::{ErrorContext, Exchange, Progress, RequestKind};
use crate::error::{Cause, Error, Stage};
use crate::operation::Reply;
use crate::outcome::{Delivery, Receipt, Retry};

impl Exchange {
    /// The outcomes in the order of the messages, with the subject of each. A message that has none yet is *unknown*
    /// where a request of it is under way, and otherwise as its last attempt left it.
    pub fn outcomes(&self) -> impl Iterator<Item = (&ErrorContext, Result<Receipt, Error>)> {
        self.slots.iter().enumerate().map(move |(index, slot)| {
            let outcome = match &slot.progress {
                Progress::Finished(outcome) => outcome.clone(),
                Progress::Open(item) => Err(abandoned(item, self.is_under_way(index))),
            };
            (&slot.context, outcome)
        })
    }

    fn is_under_way(&self, index: usize) -> bool {
        let is_of = |kind: &RequestKind| matches!(kind, RequestKind::Publication { item, .. } if *item == index);
        self.under_way.iter().any(|request| is_of(&request.kind))
    }

    /// What an operation has given.
    pub fn reply(&self) -> Option<(&ErrorContext, Result<Reply, Error>)> {
        let (context, outcome) = self.outcomes().next()?;
        let reply = self.reply.clone();
        Some((context, outcome.map(|receipt| reply.unwrap_or_else(|| Reply::new(receipt, ())))))
    }
}

fn abandoned(item: &Item, under_way: bool) -> Error {
    let (delivery, stage) = match under_way {
        true => (Delivery::Unknown, Stage::Publication),
        false => (Delivery::NotSent, Stage::Preparation),
    };
    item.account(Error {
        cause: Cause::Abandoned,
        stage,
        delivery,
        retry: Retry::AfterMs(0),
        attempts: 0,
        answer: None,
        detail: None,
    })
}
