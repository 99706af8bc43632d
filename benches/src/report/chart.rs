//! The ratios as bars. A logarithmic axis, because curl is a thousand times slower than a kept connection and the
//! interesting bars are all between one and two.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ratio;
use crate::suite::{Bound, Case, Section};

const WIDTH: u32 = 960;
const ROW: i32 = 22;
const LABELS: i32 = 430;
const MARGIN: i32 = 14;
/// For the number at the end of a bar.
const NUMBERS: i32 = 60;

struct Bar {
    label: String,
    ratio: f64,
    bound: Option<f64>,
    holds: Option<bool>,
}

/// One bar for the last contender of each case.
pub fn svg(sections: &[Section]) -> String {
    let bars: Vec<(String, Vec<Bar>)> = sections
        .iter()
        .map(|section| (section.title.to_owned(), section.cases.iter().filter_map(bar).collect()))
        .filter(|(_, bars): &(_, Vec<_>)| !bars.is_empty())
        .collect();
    let rows = bars.iter().map(|(_, bars)| bars.len() + 1).sum::<usize>();
    let height = u32::try_from(rows).unwrap_or(u32::MAX).saturating_mul(ROW.unsigned_abs()) + 2 * MARGIN.unsigned_abs();
    let mut picture = String::new();
    draw(&SVGBackend::with_string(&mut picture, (WIDTH, height)).into_drawing_area(), &bars)
        .expect("a picture in memory has nothing that could fail");
    picture
}

fn bar(case: &Case) -> Option<Bar> {
    let last = case.measured.last()?;
    let bound = case.bound.map(|(Bound::AtMost(bound) | Bound::AtLeast(bound))| bound);
    let label = match last.name == case.title {
        true => case.title.clone(),
        false => format!("{}: {}", case.title, last.name),
    };
    Some(Bar { label, ratio: last.ratio[1], bound, holds: case.holds() })
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw(area: &Area<'_>, sections: &[(String, Vec<Bar>)]) -> Result<(), Box<dyn std::error::Error>> {
    area.fill(&WHITE)?;
    let all = sections.iter().flat_map(|(_, bars)| bars);
    let largest = all.map(|bar| bar.ratio.max(bar.bound.unwrap_or_default())).fold(2.0, f64::max);
    let room = f64::from(i32::try_from(WIDTH)? - LABELS - NUMBERS - MARGIN);
    // Bars begin at 1 and go to the right where something takes longer. There is room for one half on the left.
    let x = |ratio: f64| LABELS + (((ratio * 2.0).ln() / (largest * 2.0).ln()).clamp(0.0, 1.0) * room) as i32;
    let style = |size: i32| TextStyle::from(("sans-serif", size).into_font()).pos(Pos::new(HPos::Left, VPos::Center));
    let mut y = MARGIN;
    for (title, bars) in sections {
        area.draw(&Text::new(title.clone(), (MARGIN, y + ROW / 2), style(14).color(&BLACK)))?;
        y += ROW;
        for bar in bars {
            let middle = y + ROW / 2;
            let colour = match bar.holds {
                Some(true) => RGBColor(46, 125, 50),
                Some(false) => RGBColor(198, 97, 12),
                None => RGBColor(84, 110, 122),
            };
            area.draw(&Text::new(bar.label.clone(), (2 * MARGIN, middle), style(12).color(&BLACK)))?;
            area.draw(&Rectangle::new([(x(1.0), y + 4), (x(bar.ratio), y + ROW - 4)], colour.filled()))?;
            area.draw(&Text::new(ratio(bar.ratio), (x(bar.ratio.max(1.0)) + 6, middle), style(12).color(&BLACK)))?;
            if let Some(bound) = bar.bound {
                area.draw(&PathElement::new(vec![(x(bound), y + 1), (x(bound), y + ROW - 1)], BLACK.stroke_width(2)))?;
            }
            y += ROW;
        }
    }
    area.draw(&PathElement::new(vec![(x(1.0), MARGIN), (x(1.0), y)], BLACK.mix(0.4)))?;
    area.present()?;
    Ok(())
}
