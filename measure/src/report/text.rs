//! For terminals and for documents.

use std::fmt::Write;

use super::{Row, figure, rows};
use crate::suite::Section;

/// For a terminal.
pub fn text(section: &Section) -> String {
    let mut text = format!("{}\n", section.title);
    for Row { title, who, each, ratio, bound } in all_rows(section) {
        let bound = bound.replace("**", "");
        let who = if who.is_empty() { &title } else { &who };
        let title = if *who == title { "" } else { &title };
        let separator = if title.is_empty() { "" } else { ": " };
        let _ = writeln!(text, "  {:<70} {each:>9}  {ratio:<22} {bound}", format!("{title}{separator}{who}"));
    }
    for missing in &section.missing {
        let _ = writeln!(text, "  could not be measured: {missing}");
    }
    text
}

/// For a document: a heading and a table.
pub fn markdown(section: &Section) -> String {
    let mut text = format!("### {}\n\n", section.title);
    let is_ratios = !section.cases.is_empty();
    text.push_str(match is_ratios {
        true => "| what | who | each | ratio (quartiles) | should be |\n|---|---|---:|---|---|\n",
        false if section.figures.is_empty() => "",
        false => "| what | | should be |\n|---|---:|---|\n",
    });
    for Row { title, who, each, ratio, bound } in all_rows(section) {
        let _ = match is_ratios {
            true => writeln!(text, "| {title} | {who} | {each} | {ratio} | {bound} |"),
            false => writeln!(text, "| {title} | {each} | {bound} |"),
        };
    }
    for missing in &section.missing {
        let _ = writeln!(text, "\nCould not be measured: {missing}.");
    }
    text.push('\n');
    text
}

fn all_rows(section: &Section) -> impl Iterator<Item = Row> {
    section.cases.iter().flat_map(rows).chain(section.figures.iter().map(figure))
}

#[cfg(test)]
mod tests {
    use super::super::tests::section;
    use super::*;

    #[test]
    fn a_terminal_gets_every_contender_and_what_is_missing() {
        let text = text(&section());
        for expected in
            ["native", "component", "at most 1.40: no", "0.17 ms", "could not be measured: curl (not found)"]
        {
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn a_document_gets_a_table_with_as_many_cells_in_each_row() {
        let markdown = markdown(&section());
        let cells: Vec<_> =
            markdown.lines().filter(|line| line.starts_with('|')).map(|line| line.matches('|').count()).collect();
        assert_eq!(cells, [6; 5], "{markdown}");
    }

    #[test]
    fn a_section_in_which_nothing_could_be_measured_has_no_table() {
        let missing = Section { cases: Vec::new(), figures: Vec::new(), ..section() };
        assert_eq!(markdown(&missing), "### A <publish>\n\n\nCould not be measured: curl (not found).\n\n");
    }
}
