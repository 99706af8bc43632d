//! Values as people write them: `"10s"`, `"64KiB"`, and numbers for what is counted. A number alone says nothing of its unit, so
//! where there is one it has to stand there.

use std::num::NonZeroU32;
use std::time::Duration;

use toml::de::DeValue;

use super::document::FromToml;
use super::error::ConfigProblem;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes(pub u64);

/// A number that is at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub u32);

const DURATION: &str = "a time with its unit, in quotes: \"500ms\", \"10s\", \"5m\" or \"1h\", up to a day";
const BYTES: &str = "a size with its unit, in quotes: \"512B\", \"64KiB\" or \"16MiB\"";

impl FromToml for String {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem> {
        value.as_str().map(str::to_owned).ok_or(ConfigProblem::Expected("a text, in quotes"))
    }
}

impl FromToml for bool {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem> {
        value.as_bool().ok_or(ConfigProblem::Expected("true or false, without quotes"))
    }
}

impl FromToml for Count {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem> {
        integer(value)
            .and_then(|number| NonZeroU32::new(u32::try_from(number).ok()?))
            .map(|number| Self(number.get()))
            .ok_or(ConfigProblem::Expected("a number from 1 to 4294967295, without quotes"))
    }
}

impl FromToml for u16 {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem> {
        let port = integer(value).and_then(|number| Self::try_from(number).ok()).filter(|port| *port > 0);
        port.ok_or(ConfigProblem::Expected("a port from 1 to 65535, without quotes"))
    }
}

impl FromToml for Duration {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem> {
        const DAY: Duration = Duration::from_secs(86_400);
        let duration = value.as_str().and_then(|text| {
            let (number, unit) = number_and_unit(text)?;
            match unit {
                "ms" => Some(Duration::from_millis(number)),
                "s" => Some(Duration::from_secs(number)),
                "m" | "min" => Some(Duration::from_secs(number.checked_mul(60)?)),
                "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
                _ => None,
            }
        });
        duration.filter(|duration| !duration.is_zero() && *duration <= DAY).ok_or(ConfigProblem::Expected(DURATION))
    }
}

impl FromToml for Bytes {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem> {
        let bytes = value.as_str().and_then(|text| {
            let (number, unit) = number_and_unit(text)?;
            let factor: u64 = match unit {
                "B" => 1,
                "KB" | "kB" => 1000,
                "KiB" => 1 << 10,
                "MB" => 1_000_000,
                "MiB" => 1 << 20,
                "GB" => 1_000_000_000,
                "GiB" => 1 << 30,
                _ => return None,
            };
            number.checked_mul(factor)
        });
        bytes.filter(|bytes| *bytes > 0).map(Self).ok_or(ConfigProblem::Expected(BYTES))
    }
}

impl FromToml for Vec<String> {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, ConfigProblem> {
        let texts = value.as_array().and_then(|list| {
            list.iter().map(|element| element.get_ref().as_str().map(str::to_owned)).collect::<Option<Self>>()
        });
        texts.ok_or(ConfigProblem::Expected("a list of texts: [\"..\", \"..\"]"))
    }
}

pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}
