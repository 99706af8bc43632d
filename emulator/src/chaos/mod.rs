//! A fault that a test orders strikes once, at a known message. A bad day is another thing: one answer in ten is a 503,
//! every acknowledgement is late, a second has its quota, and all of it goes on while a client tries to get its work
//! done. [`Chaos`] says what such a day is like; the same for both clouds, over HTTPS and over MQTT, for tests by its
//! fields and for people by a text.
//!
//! | Where | What |
//! |---|---|
//! | `plan.rs` | [`Chaos`]: what a bad day is like |
//! | `share.rs`, `rate.rs` | how often something strikes, and how much a time may have |
//! | `items.rs` | the table of what can be asked for by a text: help, documentation and tests are made from it |
//! | `spec.rs`, `value.rs` | the text is read, and what is wrong with it is said |
//! | `conditions.rs` | the bad day as it goes on: what strikes next |
//! | `draws.rs` | the sequences that chance is drawn from |
//! | `page.rs` | the page that a gateway shows in place of an answer |

mod conditions;
mod draws;
mod items;
mod page;
mod plan;
mod rate;
mod share;
mod spec;
mod value;

pub(crate) use conditions::{Acknowledging, Conditions, Receiving};
pub use items::{ChaosItem, ChaosOver};
pub use plan::{Chaos, Excess, Late, RetryAfter};
pub(crate) use rate::Allowance;
pub use rate::Rate;
pub use share::Share;
pub use spec::ChaosError;
pub use value::CHAOS_VALUES;
