//! `cargo xtask tidy`: the rules of the house that no compiler knows.
//!
//! Each rule is a file; this one collects what they find and honors exceptions. An exception stands in the file it is for, on
//! the line it is for or the line above, and says why: `tidy: allow(<rule>): <reason>` inside a comment.

mod error_pages;
mod file_shape;
mod graph;
mod licenses;
mod links;
mod lock_files;
mod places;
mod purity;
mod repository;
mod rust_source;
mod test_habits;
mod words;

use anyhow::Result;
use repository::{Repository, TextFile};
use std::{fmt, path::Path};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    /// Printed, and no reason to fail.
    Warning,
    /// Makes the task fail.
    Failure,
}

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// Counted from 1.
    line: usize,
    rule: &'static str,
    /// What is wrong and what to do about it.
    advice: String,
    severity: Severity,
}

impl Finding {
    fn new(path: &str, line: usize, rule: &'static str, advice: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, rule, advice: advice.into(), severity: Severity::Failure }
    }

    fn warning(path: &str, line: usize, rule: &'static str, advice: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::new(path, line, rule, advice) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.severity == Severity::Warning { "warning: " } else { "" };
        write!(out, "{}:{}: {severity}{}: {}", self.path, self.line, self.rule, self.advice)
    }
}

/// Checks every rule, prints what there is to do, and says whether nothing has to be done.
pub fn run(root: &Path) -> Result<bool> {
    let repository = Repository::load(root)?;
    let metadata = graph::metadata(root)?;
    let mut findings = check_sources(&repository);
    findings.extend(graph::check(&metadata, root));
    findings.extend(licenses::check(&metadata));
    findings.sort_by(|a, b| (&a.path, a.line, a.rule).cmp(&(&b.path, b.line, b.rule)));
    for finding in &findings {
        println!("{finding}");
    }
    let failures = findings.iter().filter(|finding| finding.severity == Severity::Failure).count();
    match failures {
        0 => println!("tidy: {} files are in order", repository.files.len()),
        1 => println!("tidy: 1 thing to mend"),
        many => println!("tidy: {many} things to mend"),
    }
    Ok(failures == 0)
}

/// The rules that need nothing but the repository's own text.
fn check_sources(repository: &Repository) -> Vec<Finding> {
    let rules: [fn(&Repository) -> Vec<Finding>; 8] = [
        purity::check,
        words::check,
        places::check,
        file_shape::check,
        error_pages::check,
        links::check,
        lock_files::check,
        test_habits::check,
    ];
    let found = rules.iter().flat_map(|rule| rule(repository)).collect();
    settle_exceptions(repository, found)
}

const EXCEPTION: &str = "tidy: allow(";

/// Drops the findings that an exception covers, and reports exceptions without a reason or without anything to except.
fn settle_exceptions(repository: &Repository, found: Vec<Finding>) -> Vec<Finding> {
    let mut left = found;
    for file in repository.files.iter().filter(|file| !file.path.starts_with("xtask/") && !file.path.ends_with(".md")) {
        for (line, rule, reason) in exceptions(file) {
            let before = left.len();
            left.retain(|finding| finding.path != file.path || finding.rule != rule || !(line..=line + 1).contains(&finding.line));
            if left.len() == before {
                left.push(Finding::new(&file.path, line, "exception", format!("nothing here breaks `{rule}`; remove the exception")));
            } else if reason.is_empty() {
                let advice = format!("say why `{rule}` may be broken here: `tidy: allow({rule}): <reason>`");
                left.push(Finding::new(&file.path, line, "exception", advice));
            }
        }
    }
    left
}

fn exceptions(file: &TextFile) -> Vec<(usize, &str, &str)> {
    let lines = file.text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let (_, rest) = line.split_once(EXCEPTION)?;
            let (rule, reason) = rest.split_once(')')?;
            Some((index + 1, rule, reason.trim_start_matches(':').trim()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(files: &[(&str, &str)]) -> Vec<String> {
        check_sources(&Repository::of(files)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn an_exception_with_a_reason_silences_its_own_and_the_next_line_only() {
        let text = "//! Head.\n// tidy: allow(words): the port's own name\nconst A: &str = \"sip\";\nconst B: &str = \"sip\";\n";
        let found = shown(&[("crates/core/src/a.rs", text)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/core/src/a.rs:4: words: "), "{found:?}");
    }

    #[test]
    fn an_exception_without_a_reason_or_without_need_is_a_finding() {
        let text = "//! Head.\n// tidy: allow(words)\nconst A: &str = \"sip\";\n// tidy: allow(purity): not needed\n";
        let found = shown(&[("crates/core/src/a.rs", text)]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|line| line.contains(": exception: ")), "{found:?}");
    }
}
