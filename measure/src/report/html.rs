//! A page that stands alone.

use super::chart::svg;
use super::{figure, rows};
use crate::suite::Section;

const HEAD: &str = "<!doctype html>\n<html lang=en><meta charset=utf-8><title>thingpost bench</title>\n\
    <style>body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}\
    table{border-collapse:collapse}th{text-align:left}td,th{padding:.2em .8em .2em 0;vertical-align:top}\
    td:nth-child(3){text-align:right;white-space:nowrap}svg{max-width:100%;height:auto}</style>\n\
    <h1>thingpost bench</h1>\n";

/// A page that is sent on must say what it shows.
fn origin() -> String {
    let (version, system, processor) = (env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    let warning =
        crate::CAVEAT.map(|caveat| format!(" <strong>Mind that {}.</strong>", escaped(caveat))).unwrap_or_default();
    format!("<p>Version {version}, {system}, {processor}.{warning}</p>\n")
}

const LEGEND: &str = "\n<p>Bars: the median ratio of the last contender to the first, from 1 on, on a logarithmic axis. The long line \
    is 1, the short ones are aims: green where kept, orange where not. In brackets: the quartiles.</p>\n";

const COLUMNS: &str = "<tr><th>what<th>who<th>each<th>ratio<th>should be</tr>\n";

/// All sections: the picture first, then the tables.
pub fn html(sections: &[Section]) -> String {
    let mut page = HEAD.to_owned() + &origin() + &svg(sections) + LEGEND;
    for section in sections {
        page.push_str(&format!("<h2>{}</h2>\n<table>\n{COLUMNS}", escaped(section.title)));
        let figures = section.figures.iter().map(figure);
        for row in section.cases.iter().flat_map(rows).chain(figures) {
            let bound = row.bound.replace("**", "");
            let cells = [row.title, row.who, row.each, row.ratio, bound];
            page.push_str("<tr>");
            cells.iter().for_each(|cell| page.push_str(&format!("<td>{}</td>", escaped(cell))));
            page.push_str("</tr>\n");
        }
        page.push_str("</table>\n");
        for missing in &section.missing {
            page.push_str(&format!("<p>Could not be measured: {}.</p>\n", escaped(missing)));
        }
    }
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::tests::section;
    use super::*;

    #[test]
    fn a_page_has_the_picture_and_nothing_that_breaks_it() {
        let page = html(&[section()]);
        assert!(page.contains("<svg") && page.contains("</svg>"), "{page}");
        assert!(page.contains("A &lt;publish&gt;") && !page.contains("A <publish>"), "{page}");
        assert!(page.contains("1.50 (1.40 to 1.60)") && page.contains("measured: curl (not found)."), "{page}");
    }
}
