//! As much of certificates as it takes to speak of them: what something is that was given for one, by what names its
//! algorithms go, and whether the clock is within its time. Verifying is left to rustls.

pub(crate) mod algorithm;
pub(crate) mod certificate;
pub(crate) mod der;
pub(crate) mod validity;
