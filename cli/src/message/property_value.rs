//! What is typed for a property of the thing model becomes JSON, and the type of the property, which is not known here, decides
//! whether the platform takes it. What it does not take it drops without a word, and answers that all is well. So every number of
//! JSON goes as it was typed (a `21.0` that became `21` would no longer be a float), and what looks like a number or a truth and
//! is none for the platform is pointed out.

use thingpost::aliyun::is_property_value;

/// What is JSON stays as it is, digits included; everything else is a text.
pub fn as_json(typed: &str) -> String {
    match is_property_value(typed) {
        true => typed.to_owned(),
        false => serde_json::Value::from(typed).to_string(),
    }
}

/// What may not be what was meant, and what to type instead.
pub fn doubt(typed: &str) -> Option<String> {
    let value = typed.trim();
    if matches!(value.to_ascii_lowercase().as_str(), "true" | "false") {
        return Some(format!(
            "a bool of the thing model is 0 or 1, and `{value}` may be dropped without a word: type {}, or '\"{value}\"' for a text",
            u8::from(value.eq_ignore_ascii_case("true"))
        ));
    }
    if is_property_value(typed) || !looks_like_a_number(value) {
        return None;
    }
    let way_out = match number(value) {
        Some(number) => format!("type {number} for the number"),
        None => "JSON has no such number".to_owned(),
    };
    Some(format!("`{value}` is no number in JSON and goes as a text: {way_out}, or '\"{value}\"' for the text"))
}

/// As people and programs write numbers: with a plus, leading zeros, a comma, nothing before or behind the point.
fn looks_like_a_number(value: &str) -> bool {
    let bare = value.strip_prefix(['+', '-']).unwrap_or(value).to_ascii_lowercase();
    if matches!(bare.as_str(), "nan" | "inf" | "infinity") {
        return true;
    }
    let (mantissa, exponent) = bare.split_once('e').unwrap_or((&bare, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let has_digit = mantissa.bytes().any(|byte| byte.is_ascii_digit());
    let is_separated_once = mantissa.matches('.').count() <= 1 && mantissa.matches(',').count() <= 1;
    has_digit
        && is_separated_once
        && mantissa.split(['.', ',']).all(is_digits)
        && !exponent.is_empty()
        && is_digits(exponent)
}

/// The number of JSON that was meant, where that is beyond doubt.
fn number(value: &str) -> Option<String> {
    let (sign, bare) = match value.strip_prefix(['+', '-']) {
        Some(bare) => (if value.starts_with('-') { "-" } else { "" }, bare),
        None => ("", value),
    };
    if bare.contains(',') && bare.contains('.') {
        return None;
    }
    let bare = bare.replace(',', ".").to_ascii_lowercase();
    let (mantissa, exponent) = bare.split_at(bare.find('e').unwrap_or(bare.len()));
    let (whole, fraction) =
        mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let fraction = fraction.map(|fraction| if fraction.is_empty() { ".0".to_owned() } else { format!(".{fraction}") });
    let number = format!("{sign}{whole}{}{exponent}", fraction.unwrap_or_default());
    is_property_value(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json_stays_as_it_is_and_the_rest_is_text() {
        for json in [
            "21",
            "21.0",
            "21.50",
            "-0",
            "-0.0",
            "1E400",
            "1e-400",
            "1E+5",
            "123456789012345678901234567890",
            "0.1",
            "true",
            "null",
            r#"{"x":1}"#,
            "[1,2.0]",
            r#""7""#,
            " 5 ",
        ] {
            assert_eq!(as_json(json), json);
        }
        for text in ["on", "", "01", "+5", ".5", "5.", "1,5", "NaN", "-Infinity", "0x10", "1_000", "True", "é"] {
            assert_eq!(as_json(text), format!("\"{text}\""));
        }
    }

    #[test]
    fn what_looks_like_a_number_and_is_none_is_pointed_out_with_the_number() {
        for (typed, number) in [
            ("01", "1"),
            ("-007", "-7"),
            ("+5", "5"),
            (".5", "0.5"),
            ("5.", "5.0"),
            ("21,5", "21.5"),
            ("-0,5e3", "-0.5e3"),
            ("00", "0"),
        ] {
            let doubt = doubt(typed).unwrap();
            assert!(doubt.contains(&format!("type {number} for the number")), "{doubt}");
            assert!(doubt.contains(&format!("'\"{typed}\"' for the text")), "{doubt}");
        }
        for typed in ["NaN", "-inf", "Infinity", "1,234.5"] {
            assert!(doubt(typed).unwrap().contains("JSON has no such number"), "{typed}");
        }
        for typed in [
            "21",
            "21.0",
            "1E400",
            "-0",
            "on",
            "",
            "1.2.3",
            "192.168.0.1",
            "2026-11-30",
            "7 m",
            "e",
            "E5",
            "\"01\"",
            "-",
            ".",
            "null",
        ] {
            assert_eq!(doubt(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_truth_is_pointed_out_with_the_number_that_the_platform_has_for_it() {
        for (typed, number) in [("true", 1), ("false", 0), ("True", 1), ("FALSE", 0)] {
            assert!(doubt(typed).unwrap().contains(&format!("type {number},")), "{typed}");
        }
        assert_eq!((doubt("yes"), doubt("\"true\"")), (None, None));
    }
}
