//! `[limits]`: what clients and guests may take.

use std::ops::RangeInclusive;

use super::document::Section;
use super::error::{ConfigError, ConfigProblem};
use super::units::{Bytes, Count};
use crate::front::FrontLimits;
use crate::guests::GuestSettings;

/// More instances than that reserve more addresses than a process has.
const MOST_INSTANCES: u32 = 10_000;

pub(super) fn of(section: &mut Section<'_>) -> Result<(FrontLimits, GuestSettings), ConfigError> {
    let (mut front, mut guests) = (FrontLimits::default(), GuestSettings::default());
    set_count(section, "connections", &mut front.connections)?;
    section.set("header_timeout", &mut front.header_timeout)?;
    set_bytes(section, "header_bytes", 8 << 10..=1 << 20, "from \"8KiB\" to \"1MiB\"", &mut front.header_bytes)?;
    set_count(section, "headers", &mut front.headers)?;
    if let Some(bytes) = section.get::<Bytes>("body_bytes")? {
        front.body_bytes = bytes.value.0;
    }
    section.set("stall_timeout", &mut front.stall_timeout)?;
    section.set("body_timeout", &mut front.body_timeout)?;
    section.set("drain_timeout", &mut front.drain_timeout)?;
    if let Some(instances) = section.get::<Count>("instances")? {
        if instances.value.0 > MOST_INSTANCES {
            return Err(instances.place.error(ConfigProblem::OutOfRange("from 1 to 10000")));
        }
        guests.instances = instances.value.into();
    }
    if let Some(per_device) = section.get::<Count>("per_device")? {
        guests.per_device = Some(per_device.value.into());
    }
    set_count(section, "queue", &mut guests.queue)?;
    section.set("queue_timeout", &mut guests.queue_timeout)?;
    if let Some(requests) = section.get::<Count>("requests_per_instance")? {
        guests.requests_per_instance = requests.value.0.into();
    }
    section.set("idle_timeout", &mut guests.idle_timeout)?;
    set_bytes(section, "memory_bytes", 1 << 20..=4 << 30, "from \"1MiB\" to \"4GiB\"", &mut guests.memory_bytes)?;
    section.set("cpu", &mut guests.cpu)?;
    section.set("deadline", &mut guests.deadline)?;
    Ok((front, guests))
}

impl From<Count> for usize {
    fn from(count: Count) -> Self {
        Self::try_from(count.0).unwrap_or(Self::MAX)
    }
}

fn set_count(section: &mut Section<'_>, key: &'static str, value: &mut usize) -> Result<(), ConfigError> {
    if let Some(count) = section.get::<Count>(key)? {
        *value = count.value.into();
    }
    Ok(())
}

fn set_bytes(
    section: &mut Section<'_>,
    key: &'static str,
    range: RangeInclusive<u64>,
    words: &'static str,
    value: &mut usize,
) -> Result<(), ConfigError> {
    if let Some(bytes) = section.get::<Bytes>(key)? {
        if !range.contains(&bytes.value.0) {
            return Err(bytes.place.error(ConfigProblem::OutOfRange(words)));
        }
        *value = usize::try_from(bytes.value.0).unwrap_or(usize::MAX);
    }
    Ok(())
}
