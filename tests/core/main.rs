//! The core as others see it: what is public has to be enough.

mod layers;
mod made_up_platform;
