//! The ratios as bars. A logarithmic axis, because curl is a thousand times slower than a kept connection and the
//! interesting bars are all between one and two. The numbers stand in a column of their own: at the ends of the bars they
//! would lie under the marks of the aims.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ratio;
use crate::suite::{Bound, Case, Section};

const TITLE: &str = "What the sandbox costs, and what people use today";
const AXIS: &str = "times as long as the first contender of the same work (logarithmic; 1 is as fast)";

const WIDTH: u32 = 960;
const ROW: i32 = 22;
const LABELS: i32 = 430;
const MARGIN: i32 = 14;
/// The column of the numbers.
const NUMBERS: i32 = 60;
/// Title, legend, caption and numbers of the axis.
const HEAD: i32 = 106;
/// The numbers of the axis once more.
const FOOT: i32 = 24;

const KEPT: RGBColor = RGBColor(46, 125, 50);
const NOT_KEPT: RGBColor = RGBColor(198, 97, 12);
const NO_AIM: RGBColor = RGBColor(84, 110, 122);
const GRID: RGBColor = RGBColor(208, 214, 218);

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
    let height = i32::try_from(rows).unwrap_or(i32::MAX).saturating_mul(ROW).saturating_add(HEAD + FOOT);
    let height = height.unsigned_abs();
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

/// Where a ratio is on the axis. Bars begin at 1 and go to the right where something takes longer.
struct Axis {
    largest: f64,
}

impl Axis {
    const BEGIN: i32 = LABELS;
    const END: i32 = WIDTH as i32 - NUMBERS - MARGIN;
    /// There is room for one half on the left of 1.
    const SMALLEST: f64 = 0.5;

    fn x(&self, ratio: f64) -> i32 {
        let share = (ratio / Self::SMALLEST).ln() / (self.largest / Self::SMALLEST).ln();
        Self::BEGIN + (share.clamp(0.0, 1.0) * f64::from(Self::END - Self::BEGIN)) as i32
    }

    /// The ratios that have a line and a number.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let decades = (-1..9).map(|power| 10_f64.powi(power));
        let ticks = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|step| step * decade));
        ticks.filter(|tick| (Self::SMALLEST..=self.largest).contains(tick))
    }
}

fn style(size: i32, pos: HPos) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size).into_font()).pos(Pos::new(pos, VPos::Center)).color(&BLACK)
}

fn draw(area: &Area<'_>, sections: &[(String, Vec<Bar>)]) -> Result<(), Box<dyn std::error::Error>> {
    area.fill(&WHITE)?;
    let all = sections.iter().flat_map(|(_, bars)| bars);
    let largest = all.map(|bar| bar.ratio.max(bar.bound.unwrap_or_default())).fold(2.0, f64::max);
    let axis = Axis { largest: largest * 1.05 };
    let rows: usize = sections.iter().map(|(_, bars)| bars.len() + 1).sum();
    let bottom = HEAD + i32::try_from(rows)? * ROW;
    draw_head(area)?;
    draw_numbers(area, &axis, bottom)?;
    let numbers = WIDTH as i32 - MARGIN;
    let mut y = HEAD;
    for (title, bars) in sections {
        area.draw(&Text::new(title.clone(), (MARGIN, y + ROW / 2), style(14, HPos::Left)))?;
        y += ROW;
        draw_grid(area, &axis, y, y + i32::try_from(bars.len())? * ROW)?;
        for bar in bars {
            let middle = y + ROW / 2;
            let colour = match bar.holds {
                Some(true) => KEPT,
                Some(false) => NOT_KEPT,
                None => NO_AIM,
            };
            area.draw(&Text::new(bar.label.clone(), (2 * MARGIN, middle), style(12, HPos::Left)))?;
            area.draw(&Rectangle::new([(axis.x(1.0), y + 4), (axis.x(bar.ratio), y + ROW - 4)], colour.filled()))?;
            area.draw(&Text::new(ratio(bar.ratio), (numbers, middle), style(12, HPos::Right)))?;
            if let Some(bound) = bar.bound {
                draw_aim(area, axis.x(bound), y)?;
            }
            y += ROW;
        }
    }
    area.present()?;
    Ok(())
}

/// The title, and what the colours and marks are.
fn draw_head(area: &Area<'_>) -> Result<(), Box<dyn std::error::Error>> {
    area.draw(&Text::new(TITLE, (MARGIN, MARGIN + 8), style(20, HPos::Left)))?;
    let y = MARGIN + 24;
    let entries =
        [(Some(KEPT), "the aim is kept"), (Some(NOT_KEPT), "not kept"), (Some(NO_AIM), "no aim"), (None, "the aim")];
    for (place, (colour, words)) in (0..).zip(entries) {
        let x = MARGIN + place * 150;
        match colour {
            Some(colour) => area.draw(&Rectangle::new([(x, y + 4), (x + 24, y + ROW - 4)], colour.filled()))?,
            None => draw_aim(area, x + 12, y)?,
        }
        area.draw(&Text::new(words, (x + 32, y + ROW / 2), style(12, HPos::Left)))?;
    }
    area.draw(&Text::new(AXIS, (Axis::END, HEAD - 30), style(12, HPos::Right)))?;
    Ok(())
}

/// The numbers of the axis, above and below.
fn draw_numbers(area: &Area<'_>, axis: &Axis, bottom: i32) -> Result<(), Box<dyn std::error::Error>> {
    for tick in axis.ticks() {
        for y in [HEAD - 10, bottom + 12] {
            area.draw(&Text::new(tick.to_string(), (axis.x(tick), y), style(12, HPos::Center)))?;
        }
    }
    Ok(())
}

/// Lines behind the bars of a section, the one at 1 darker.
fn draw_grid(area: &Area<'_>, axis: &Axis, top: i32, bottom: i32) -> Result<(), Box<dyn std::error::Error>> {
    for tick in axis.ticks() {
        let (x, colour) = (axis.x(tick), if tick == 1.0 { NO_AIM } else { GRID });
        area.draw(&PathElement::new(vec![(x, top), (x, bottom)], colour))?;
    }
    Ok(())
}

/// The mark of an aim.
fn draw_aim(area: &Area<'_>, x: i32, y: i32) -> Result<(), Box<dyn std::error::Error>> {
    area.draw(&PathElement::new(vec![(x, y + 1), (x, y + ROW - 1)], BLACK.stroke_width(2)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::section;
    use super::*;

    #[test]
    fn the_picture_says_what_it_shows_and_how_to_read_it() {
        let picture = svg(&[section()]);
        for text in
            [TITLE, AXIS, "the aim is kept", "not kept", "no aim", "the aim", "one in flight: component", "1.50", "2"]
        {
            assert!(picture.lines().any(|line| line == text), "{text} is not in {picture}");
        }
    }

    #[test]
    fn an_axis_has_its_numbers_at_steps_that_are_easy_to_read() {
        let axis = Axis { largest: 12.0 };
        assert_eq!(axis.ticks().collect::<Vec<f64>>(), [0.5, 1.0, 2.0, 5.0, 10.0]);
        assert_eq!((axis.x(0.1), axis.x(100.0)), (Axis::BEGIN, Axis::END));
    }
}
