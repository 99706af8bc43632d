//! `503=10%,retry-after=2`. The person who types that at a machine that misbehaves wants to know at once which item is
//! wrong, what it should have been, and what else there is.

use std::fmt;
use std::str::FromStr;

use super::items::{ChaosItem, ITEMS, Sets};
use super::plan::{Chaos, Excess};
use super::share::Share;
use super::value;

/// What is wrong with a text that asks for chaos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChaosError {
    /// Nothing stands between two commas, or there is nothing at all.
    Empty,
    /// There is no such item.
    Unknown {
        /// As it was given.
        item: String,
        /// What was most likely meant.
        meant: Vec<&'static str>,
    },
    /// Its value has not the right form, or is out of bounds.
    Value {
        /// As it was given.
        item: String,
        /// What it should be like.
        form: String,
        /// An example, or what was most likely meant.
        example: String,
    },
    /// It is given more than once.
    Twice {
        /// Its name, with the code where there is one.
        name: String,
    },
    /// It says something about another that is missing.
    Alone {
        /// Its name.
        name: &'static str,
        /// Both.
        example: &'static str,
    },
    /// Two that exclude each other.
    Both(&'static str, &'static str),
    /// Shares of the same things that are more than all of them.
    TooMuch {
        /// Whose shares.
        what: &'static str,
    },
}

impl fmt::Display for ChaosError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                f.write_str("an item is missing: write them with one comma between, as in 503=10%,page=40KB")
            }
            Self::Unknown { item, meant } => {
                write!(f, "there is no {item}")?;
                if !meant.is_empty() {
                    write!(f, ", perhaps {} was meant", meant.join(" or "))?;
                }
                f.write_str("; there are ")?;
                for (index, item) in ITEMS.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}{}", item.name)?;
                }
                Ok(())
            }
            Self::Value { item, form, example } => write!(f, "{item} should be {form}, as in {example}"),
            Self::Twice { name } => write!(f, "{name} is given more than once"),
            Self::Alone { name, example } => write!(f, "{name} does nothing by itself; write {example}"),
            Self::Both(one, other) => write!(f, "{one} and {other} exclude each other; leave one of them out"),
            Self::TooMuch { what } => write!(f, "the shares of {what} are more than 100% together"),
        }
    }
}

impl std::error::Error for ChaosError {}

impl FromStr for Chaos {
    type Err = ChaosError;

    fn from_str(text: &str) -> Result<Self, ChaosError> {
        let mut chaos = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for item in text.split(',').map(str::trim) {
            let name = read_item(&mut chaos, item)?;
            if seen.contains(&name) {
                return Err(ChaosError::Twice { name });
            }
            seen.push(name);
        }
        let has = |name: &str| seen.iter().any(|seen| seen == name);
        check(&chaos, &has)?;
        // Whichever of the two was named first.
        if let Some(tokens) = &mut chaos.tokens {
            tokens.seed = chaos.seed;
        }
        Ok(chaos)
    }
}

/// Reads one item, and returns what it may not be given twice by.
fn read_item(chaos: &mut Chaos, text: &str) -> Result<String, ChaosError> {
    if text.is_empty() {
        return Err(ChaosError::Empty);
    }
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (text, None),
    };
    let status = status(name);
    let known = |item: &&ChaosItem| if status.is_some() { item.name == "STATUS" } else { item.name == name };
    let Some(item) = ITEMS.iter().find(known).filter(|item| status.is_some() || item.name != "STATUS") else {
        return Err(ChaosError::Unknown { item: text.to_owned(), meant: meant(name) });
    };
    let wrong =
        || ChaosError::Value { item: text.to_owned(), form: item.form(), example: meant_value(item, name, value) };
    set(chaos, item, status, value).ok_or_else(wrong)?;
    let code = value.and_then(|value| value.split_once(':')).map_or("", |(code, _)| code);
    Ok(if item.repeats() && status.is_none() { format!("{name}={code}") } else { name.to_owned() })
}

/// Nothing when the value is wrong.
fn set(chaos: &mut Chaos, item: &ChaosItem, status: Option<u16>, value: Option<&str>) -> Option<()> {
    if let Sets::Flag(set) = item.sets {
        return value.is_none().then(|| set(chaos));
    }
    let value = value?;
    match item.sets {
        Sets::Flag(_) => return None,
        Sets::Share(set) => set(chaos, value::share(value)?),
        Sets::StatusShare(set) => {
            set(chaos, status.filter(|status| (400..=599).contains(status))?, value::share(value)?)
        }
        Sets::CodeShare(set) => {
            let (code, share) = value::code_and_share(value)?;
            set(chaos, code, share);
        }
        Sets::Time(set) => set(chaos, value::time(value)?),
        Sets::Seconds(set) => set(chaos, value::number(value.strip_suffix('s').unwrap_or(value))?),
        Sets::Late(set) => set(chaos, value::late(value)?),
        Sets::Rate(set) => set(chaos, value::rate(value)?),
        Sets::Size(set) => set(chaos, value::size(value)?),
        Sets::Count(set) => set(chaos, value::number(value).filter(|&count| count > 0)?),
        Sets::Seed(set) => set(chaos, value::number(value)?),
    }
    Some(())
}

/// What does not fit together.
fn check(chaos: &Chaos, has: &dyn Fn(&str) -> bool) -> Result<(), ChaosError> {
    for (one, other) in [("quota-silent", "quota-disconnect"), ("retry-after", "retry-after-date")] {
        if has(one) && has(other) {
            return Err(ChaosError::Both(one, other));
        }
    }
    let (has_status, has_quota) = (!chaos.statuses.is_empty(), chaos.quota.is_some());
    for item in ITEMS.iter().filter(|item| has(item.name)) {
        let is_alone = match item.name {
            "quota-silent" | "quota-disconnect" => chaos.excess != Excess::Refuse && !has_quota,
            "page" => !has_status,
            "retry-after" | "retry-after-date" => !has_status && !has_quota,
            _ => false,
        };
        if is_alone {
            return Err(ChaosError::Alone { name: item.name, example: item.example });
        }
    }
    let resets = [chaos.reset_before, chaos.reset_after];
    let of = |codes: &[(u8, Share)], is_of: fn(u8) -> bool| {
        codes.iter().filter(|(code, _)| is_of(*code)).map(|(_, share)| *share).collect::<Vec<_>>()
    };
    let statuses: Vec<Share> = chaos.statuses.iter().map(|(_, share)| *share).collect();
    for (what, shares) in [
        ("statuses and resets", [&resets[..], &statuses].concat()),
        ("PUBACKs and resets", [&resets[..], &of(&chaos.pubacks, |_| true)].concat()),
        ("CONNACKs for 3.1.1", of(&chaos.connacks, |code| code < 0x80)),
        ("CONNACKs for MQTT 5", of(&chaos.connacks, |code| code >= 0x80)),
    ] {
        if shares.iter().map(|share| u64::from(share.millionths())).sum::<u64>() > Share::ALWAYS.millionths().into() {
            return Err(ChaosError::TooMuch { what });
        }
    }
    Ok(())
}

/// Three digits, as statuses of HTTP have them.
fn status(name: &str) -> Option<u16> {
    if name.len() == 3 { value::number(name) } else { None }
}

/// The items that may have been meant: those that begin like this, or else the nearest ones.
fn meant(name: &str) -> Vec<&'static str> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let names = || ITEMS.iter().map(|item| item.name).filter(|known| *known != "STATUS");
    let longer: Vec<_> = names().filter(|known| name.len() >= 3 && known.starts_with(&name)).collect();
    if !longer.is_empty() {
        return longer;
    }
    let near = names().map(|known| (distance(&name, known), known)).min();
    // Half of a word is no longer the same word.
    near.filter(|(distance, known)| *distance <= 3 && distance * 2 <= known.len())
        .map(|(_, known)| known)
        .into_iter()
        .collect()
}

/// How many characters have to be put in, taken out or changed.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, left) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, right) in other.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

/// The likely meaning of a value of a wrong form, or else an example.
fn meant_value(item: &ChaosItem, name: &str, value: Option<&str>) -> String {
    let value = value.unwrap_or_default();
    match item.sets {
        Sets::Flag(_) => return item.name.to_owned(),
        Sets::Share(_) | Sets::StatusShare(_) if status(name).is_none_or(|status| (400..=599).contains(&status)) => {
            if let Some(share) = value::meant_share(value) {
                return format!("{name}={share}");
            }
        }
        Sets::CodeShare(_) => {
            let (code, share) = value.split_once(':').unwrap_or((value, "10%"));
            let share = value::share(share).or_else(|| value::meant_share(share));
            let meant = share.map(|share| format!("{code}:{share}"));
            if let Some(meant) = meant.filter(|meant| value::code_and_share(meant).is_some()) {
                return format!("{name}={meant}");
            }
        }
        Sets::Rate(_) => {
            let per_second = format!("{}/s", value.trim_end_matches(|c: char| !c.is_ascii_digit()));
            if value::rate(&per_second).is_some() {
                return format!("{name}={per_second}");
            }
        }
        _ => {}
    }
    item.example.to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::plan::{Late, RetryAfter};
    use super::super::rate::Rate;
    use super::*;
    use crate::aliyun::{AliyunChaos, AliyunStrike};

    fn parse(text: &str) -> Result<Chaos, ChaosError> {
        text.parse()
    }

    #[test]
    fn every_example_of_the_table_is_read_and_changes_something() {
        for item in Chaos::items() {
            let chaos = parse(item.example).unwrap_or_else(|error| panic!("{}: {error}", item.example));
            assert_ne!(chaos, Chaos::default(), "{}", item.example);
            let is_named = item.example.split(',').any(|part| {
                let name = part.split('=').next().unwrap();
                name == item.name || (item.name == "STATUS" && status(name).is_some())
            });
            assert!(is_named, "{}", item.example);
        }
    }

    #[test]
    fn everything_can_be_asked_for_at_once() {
        let text = "503=10%, 429=5%,retry-after=2,page=40KB,reset-before=1%,reset-after=0.5%,late-answer=7s:10%,one-token,\
                    revoke-every=37,quota=100/s,quota-silent,late-puback=7s,puback=0x97:10%,puback=0x80:1%,lost-puback=2%,\
                    keep-alive-cap=1200,408-after=60s,not-listening=3s,handshake-delay=200ms,connack=3:10%,connack=0x88:20%,\
                    connects=5/m,seed=7";
        let expected = Chaos {
            seed: 7,
            not_listening: Duration::from_secs(3),
            handshake_delay: Duration::from_millis(200),
            reset_before: Share::percent(1),
            reset_after: Share::from_millionths(5_000),
            statuses: vec![(503, Share::percent(10)), (429, Share::percent(5))],
            retry_after: Some(RetryAfter::Seconds(2)),
            page_bytes: 40 * 1024,
            late_answer: Some(Late { by: Duration::from_secs(7), share: Share::percent(10) }),
            idle_408: Some(Duration::from_secs(60)),
            quota: Some(Rate::per_second(100)),
            excess: Excess::Silence,
            one_token: true,
            tokens: Some(AliyunChaos { seed: 7, every: 37..=37, strikes: vec![AliyunStrike::Revoke] }),
            pubacks: vec![(0x97, Share::percent(10)), (0x80, Share::percent(1))],
            late_puback: Some(Late { by: Duration::from_secs(7), share: Share::ALWAYS }),
            lost_puback: Share::percent(2),
            connacks: vec![(3, Share::percent(10)), (0x88, Share::percent(20))],
            connects: Some(Rate::per_minute(5)),
            keep_alive_cap: Some(Duration::from_secs(1200)),
        };
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn whatever_is_wrong_is_named_in_one_line_with_what_was_meant() {
        for (text, named, meant) in [
            ("", "an item is missing", "503=10%,page=40KB"),
            ("503=10%,,page=1KB", "an item is missing", "one comma"),
            ("503=10%,", "an item is missing", "one comma"),
            ("retry-aftr=2", "there is no retry-aftr=2", "perhaps retry-after was meant"),
            ("late_puback=7s", "there is no late_puback=7s", "perhaps late-puback was meant"),
            ("reset=1%", "there is no reset=1%", "perhaps reset-before or reset-after was meant"),
            ("Quota=1/s", "there is no Quota=1/s", "perhaps quota or quota-silent or quota-disconnect was meant"),
            ("xyzzy", "there is no xyzzy", "; there are not-listening, handshake-delay"),
            ("STATUS=10%", "there is no STATUS=10%", "; there are"),
            ("503", "503 should be STATUS=SHARE", "as in 503=10%"),
            ("503=10", "503=10 should be STATUS=SHARE", "as in 503=10%"),
            ("503=0.2", "503=0.2 should be", "as in 503=20%"),
            ("reset-after=often", "reset-after=often should be reset-after=SHARE", "as in reset-after=1%"),
            ("200=10%", "200=10% should be STATUS=SHARE", "as in 503=10%"),
            ("503=0%", "503=0% should be", "503=10%"),
            ("quota=100", "quota=100 should be quota=RATE", "as in quota=100/s"),
            ("quota=100 msg/s", "should be quota=RATE", "as in quota=100/s"),
            ("puback=0x97", "puback=0x97 should be puback=CODE:SHARE", "as in puback=0x97:10%"),
            ("puback=0x97:5", "puback=0x97:5 should be", "as in puback=0x97:5%"),
            ("late-answer=7 seconds", "should be late-answer=TIME[:SHARE]", "late-answer=7s:10%"),
            ("one-token=yes", "one-token=yes should be one-token", "as in one-token"),
            ("page=large", "page=large should be page=SIZE", "503=10%,page=40KB"),
            ("revoke-every=0", "revoke-every=0 should be revoke-every=N", "revoke-every=37"),
            ("seed=-1", "seed=-1 should be seed=N", "seed=7"),
            ("503=10%,503=20%", "503 is given more than once", ""),
            ("seed=1,seed=2", "seed is given more than once", ""),
            ("puback=0x97:1%,puback=0x97:2%", "puback=0x97 is given more than once", ""),
            ("quota-silent", "quota-silent does nothing by itself", "write quota=100/s,quota-silent"),
            ("page=1KB", "page does nothing by itself", "write 503=10%,page=40KB"),
            ("retry-after=2", "retry-after does nothing by itself", "write 503=10%,retry-after=2"),
            ("quota=1/s,quota-silent,quota-disconnect", "quota-silent and quota-disconnect exclude", "leave one"),
            ("503=10%,retry-after=1,retry-after-date=1", "retry-after and retry-after-date exclude", "leave one"),
            ("503=60%,429=40%,reset-before=1%", "statuses and resets", "more than 100%"),
            ("puback=0x97:60%,puback=0x80:41%", "PUBACKs and resets", "more than 100%"),
            ("connack=3:60%,connack=5:41%", "CONNACKs for 3.1.1", "more than 100%"),
        ] {
            let said = parse(text).expect_err(text).to_string();
            assert!(said.contains(named) && said.contains(meant), "{text}: {said}");
            assert!(!said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn shares_of_different_things_may_be_all_of_each() {
        assert!(parse("503=100%,puback=0x97:100%,connack=3:100%,connack=0x88:100%,lost-puback=100%").is_ok());
        assert!(parse("quota=1/s,retry-after=1").is_ok());
    }
}
