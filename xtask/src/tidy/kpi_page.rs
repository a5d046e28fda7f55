//! `docs/kpi.md` prints exactly the formulas that the core computes by.

use super::{Finding, repository::Repository};

const RULE: &str = "kpi-page";
const SOURCE: &str = "crates/core/src/stats/kpi.rs";
const PAGE: &str = "docs/kpi.md";

/// Every formula has its row, in the same order, and there are no others.
pub fn check(repository: &Repository) -> Vec<Finding> {
    let text = |path: &str| repository.files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let Some(source) = text(SOURCE) else { return Vec::new() };
    let formulas: Vec<(usize, String)> = source.lines().enumerate().filter_map(|(index, line)| Some((index + 1, row_of(line)?))).collect();
    let Some(page) = text(PAGE) else { return vec![Finding::new(SOURCE, 1, RULE, format!("write {PAGE} with a row for each formula"))] };
    // The table's head and its rule are the first two rows.
    let rows: Vec<(usize, &str)> =
        page.lines().enumerate().filter(|(_, line)| line.starts_with('|')).skip(2).map(|(index, line)| (index + 1, line)).collect();
    let mut findings = Vec::new();
    for (line, row) in formulas.iter().filter(|(_, row)| !rows.iter().any(|(_, other)| other == row)) {
        findings.push(Finding::new(SOURCE, *line, RULE, format!("{PAGE} lacks the row `{row}`")));
    }
    for (line, row) in rows.iter().filter(|(_, row)| !formulas.iter().any(|(_, other)| other == row)) {
        findings.push(Finding::new(PAGE, *line, RULE, format!("{SOURCE} computes nothing by this row: `{row}`")));
    }
    findings
}

/// The row for a line such as `key: "Title" = "formula", Unit;`.
fn row_of(line: &str) -> Option<String> {
    let (_, rest) = line.trim().split_once(": \"")?;
    let (title, rest) = rest.split_once("\" = \"")?;
    let (formula, rest) = rest.split_once("\", ")?;
    let unit = rest.strip_suffix(';')?;
    Some(format!("| {title} | {formula} | {} |", unit.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMULAS: &str = "//! H.\nformulas! {\n    offered: \"Offered\" = \"visits ended\", Count;\n    longest: \"Longest\" = \"greatest wait\", Milliseconds;\n}\n";

    fn found(page: &str) -> Vec<(String, usize)> {
        check(&Repository::of(&[(SOURCE, FORMULAS), (PAGE, page)])).into_iter().map(|finding| (finding.path, finding.line)).collect()
    }

    #[test]
    fn a_page_with_every_formula_is_in_order() {
        assert!(found("| Figure | Formula | Unit |\n|---|---|---|\n| Offered | visits ended | count |\n| Longest | greatest wait | milliseconds |\n").is_empty());
    }

    #[test]
    fn a_formula_without_a_row_and_a_row_without_a_formula_are_found() {
        let found = found(
            "| Figure | Formula | Unit |\n|---|---|---|\n| Offered | all visits | count |\n| Longest | greatest wait | milliseconds |\n",
        );
        assert_eq!(found, [(SOURCE.to_owned(), 3), (PAGE.to_owned(), 3)]);
    }
}
