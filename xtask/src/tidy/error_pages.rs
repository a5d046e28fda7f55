//! Every error code has a page in `docs/errors`, and every page has a code that can occur.

use super::{Finding, repository::Repository};
use std::collections::BTreeMap;

const RULE: &str = "error-page";
const PAGES: &str = "docs/errors/";

/// Names from standards that look like error codes.
const NOT_CODES: &[&str] = &["SHA", "AES", "ISO", "RFC", "UTF"];

/// Both directions.
pub fn check(repository: &Repository) -> Vec<Finding> {
    let mut used: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for (file, rust) in repository.product_rust() {
        for (line, text) in rust.strings.iter().filter(|(line, _)| !rust.is_test(*line)) {
            if let Some(code) = code_at_start(text) {
                used.entry(code.to_owned()).or_insert_with(|| (file.path.clone(), *line));
            }
        }
    }
    let mut findings = Vec::new();
    let mut pages = Vec::new();
    for file in &repository.files {
        let Some(name) = file.path.strip_prefix(PAGES).and_then(|name| name.strip_suffix(".md")).filter(|name| *name != "README") else {
            continue;
        };
        pages.push(name);
        if !used.contains_key(name) {
            findings.push(Finding::new(&file.path, 1, RULE, format!("no source uses {name}; remove the page or correct its name")));
        }
        let heading = file.text.lines().next().and_then(|line| line.strip_prefix("# ")).and_then(code_at_start);
        if heading != Some(name) {
            findings.push(Finding::new(&file.path, 1, RULE, format!("begin with `# {name}: <what happened>`")));
        }
    }
    for (code, (path, line)) in used.iter().filter(|(code, _)| !pages.contains(&code.as_str())) {
        let advice = format!("{code} has no page; write {PAGES}{code}.md: what happened, why, what to do");
        findings.push(Finding::new(path, *line, RULE, advice));
    }
    findings
}

/// The code a text begins with, such as `CORE-001`.
fn code_at_start(text: &str) -> Option<&str> {
    let area = text.find('-').filter(|&end| end >= 2 && text[..end].bytes().all(|byte| byte.is_ascii_uppercase()))?;
    let code = text.get(..area + 4)?;
    let digits = code[area + 1..].bytes().all(|byte| byte.is_ascii_digit());
    let ends = text[area + 4..].bytes().next().is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'-');
    (digits && ends && !NOT_CODES.contains(&&text[..area])).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: (&str, &str) = ("crates/core/src/refusal.rs", "//! H.\nconst A: [&str; 2] = [\"CORE-001\", \"SHA-256\"];");

    fn shown(files: &[(&str, &str)]) -> Vec<String> {
        check(&Repository::of(files)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_code_with_its_page_is_in_order() {
        assert!(shown(&[SOURCE, ("docs/errors/CORE-001.md", "# CORE-001: not found\n"), ("docs/errors/README.md", "# Errors")]).is_empty());
    }

    #[test]
    fn a_code_without_a_page_is_found_where_it_is_used() {
        let found = shown(&[SOURCE]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/core/src/refusal.rs:2: error-page: CORE-001"), "{found:?}");
    }

    #[test]
    fn a_page_without_a_code_or_with_the_wrong_heading_is_found() {
        let found = shown(&[SOURCE, ("docs/errors/CORE-001.md", "# CORE-002"), ("docs/errors/CORE-009.md", "# CORE-009")]);
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
