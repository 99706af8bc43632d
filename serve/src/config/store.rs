//! `[store]`: where guests keep values.

use super::document::Section;
use super::error::{ConfigError, ConfigProblem};
use super::units::Bytes;
use crate::store::StoreSettings;

pub(super) fn of(section: &mut Section<'_>) -> Result<StoreSettings, ConfigError> {
    let mut store = StoreSettings { path: section.path("path")?.map(|path| path.value), ..StoreSettings::default() };
    if let Some(buckets) = section.get::<Vec<String>>("buckets")? {
        if buckets.value.is_empty() {
            return Err(buckets.place.error(ConfigProblem::Expected("at least one name of a bucket")));
        }
        store.buckets = buckets.value;
    }
    if let Some(bytes) = section.get::<Bytes>("max_bytes")? {
        if bytes.value.0 < StoreSettings::LEAST_BYTES {
            return Err(bytes.place.error(ConfigProblem::OutOfRange("at least \"64KiB\"")));
        }
        store.max_bytes = bytes.value.0;
    }
    Ok(store)
}
