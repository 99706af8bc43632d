//! The result for those who read it.

mod chart;
mod html;
mod text;

pub use chart::svg;
pub use html::html;
pub use text::{markdown, text};

use crate::suite::{Bound, Case, Figure};

/// What a table has of one contender.
struct Row {
    title: String,
    who: String,
    each: String,
    ratio: String,
    bound: String,
}

/// One line for each contender; the title and the bound stand once.
fn rows(case: &Case) -> Vec<Row> {
    let last = case.measured.len() - 1;
    let row = |(index, measured): (usize, &crate::Measured)| Row {
        title: if index == 0 { case.title.clone() } else { String::new() },
        who: measured.name.clone(),
        each: duration(measured.each),
        ratio: match index {
            0 => "1".to_owned(),
            _ => {
                let [low, middle, high] = measured.ratio.map(ratio);
                format!("{middle} ({low} to {high})")
            }
        },
        bound: if index == last { bound(case.bound, case.holds()) } else { String::new() },
    };
    case.measured.iter().enumerate().map(row).collect()
}

fn figure(figure: &Figure) -> Row {
    Row {
        title: figure.title.clone(),
        who: String::new(),
        each: format!("{} {}", significant(figure.value), figure.unit),
        ratio: String::new(),
        bound: bound(figure.bound, figure.holds()),
    }
}

fn bound(bound: Option<Bound>, holds: Option<bool>) -> String {
    let Some(bound) = bound else { return String::new() };
    let bound = match bound {
        Bound::AtMost(bound) => format!("at most {}", significant(bound)),
        Bound::AtLeast(bound) => format!("at least {}", significant(bound)),
    };
    match holds {
        Some(true) => bound + ": yes",
        _ => bound + ": **no**",
    }
}

fn ratio(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { format!("{ratio:.0}") }
}

fn duration(seconds: f64) -> String {
    let microseconds = seconds * 1e6;
    match microseconds {
        ..1.0 => format!("{:.0} ns", microseconds * 1e3),
        ..1e3 => format!("{} µs", significant(microseconds)),
        _ => format!("{} ms", significant(microseconds / 1e3)),
    }
}

/// Three digits are more than a run repeats.
fn significant(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Measured;
    use crate::suite::Section;

    pub fn section() -> Section {
        let measured = |name: &str, micros, ratio| Measured {
            name: name.to_owned(),
            each: micros * 1e-6,
            ratio: [ratio - 0.1, ratio, ratio + 0.1],
        };
        let case = Case {
            title: "one in flight".to_owned(),
            measured: vec![measured("native", 20.0, 1.0), measured("component", 30.0, 1.5)],
            bound: Some(Bound::AtMost(1.4)),
        };
        let figure = Figure { title: "load".to_owned(), value: 0.17, unit: "ms", bound: Some(Bound::AtMost(1.0)) };
        Section {
            title: "A <publish>",
            cases: vec![case],
            figures: vec![figure],
            missing: vec!["curl (not found)".to_owned()],
        }
    }

    #[test]
    fn a_bound_that_is_not_kept_is_said_to_be() {
        let rows = rows(&section().cases[0]);
        assert_eq!(rows[0].bound, "");
        assert_eq!(rows[1].bound, "at most 1.40: **no**");
        assert_eq!(rows[1].ratio, "1.50 (1.40 to 1.60)");
        assert_eq!(figure(&section().figures[0]).bound, "at most 1.00: yes");
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        assert_eq!([512e-9, 15.04e-6, 1.52e-3].map(duration), ["512 ns", "15.0 µs", "1.52 ms"]);
    }
}
