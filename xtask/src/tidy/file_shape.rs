//! Files are about one thing, say so at their head, and are named after it.

use super::{
    Finding,
    repository::{Repository, TextFile},
};

/// Lines above which a file is probably about two things.
const LINES_WARN: usize = 500;
/// Lines above which it certainly is.
const LINES_MAX: usize = 700;

/// Files that people write and read as a whole.
const WRITTEN: &[&str] = &["rs", "ts", "tsx", "js", "py", "sh", "css", "html", "sql", "md"];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "types", "misc", "shared_code"];

/// Length, name and head of every file.
pub fn check(repository: &Repository) -> Vec<Finding> {
    repository.files.iter().flat_map(|file| [length(file), name(file), head(file)]).flatten().collect()
}

fn length(file: &TextFile) -> Option<Finding> {
    let extension = file.path.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_data =
        ["/data/", "/generated/", "/fixtures/", "/snapshots/"].iter().any(|part| file.path.contains(part)) || file.path.ends_with(".d.ts");
    if !WRITTEN.contains(&extension) || is_data {
        return None;
    }
    let lines = file.text.lines().count();
    let advice = |limit| format!("{lines} lines, {limit}: move one of its concerns to a file of its own");
    match lines {
        _ if lines > LINES_MAX => Some(Finding::new(&file.path, LINES_MAX, "length", advice(format!("more than {LINES_MAX}")))),
        _ if lines > LINES_WARN => Some(Finding::warning(&file.path, LINES_WARN, "length", advice(format!("more than {LINES_WARN}")))),
        _ => None,
    }
}

fn name(file: &TextFile) -> Option<Finding> {
    let mut parts: Vec<&str> = file.path.split('/').collect();
    let stem = parts.pop()?.split('.').next()?;
    parts.push(stem);
    let empty = parts.into_iter().find(|part| EMPTY_NAMES.contains(part))?;
    Some(Finding::new(&file.path, 1, "name", format!("`{empty}` says nothing; name it after what is inside")))
}

fn head(file: &TextFile) -> Option<Finding> {
    let is_module = file.rust.is_some() && !file.path.contains("/data/") && !file.path.contains("/fixtures/");
    let begins_well =
        file.text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("//! ") || line.starts_with("#!/"));
    (is_module && !begins_well)
        .then(|| Finding::new(&file.path, 1, "head", "begin with `//!`: what this module decides and what it leaves out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<(&'static str, super::super::Severity)> {
        check(&Repository::of(&[(path, text)])).iter().map(|finding| (finding.rule, finding.severity)).collect()
    }

    #[test]
    fn long_files_warn_and_very_long_ones_fail() {
        use super::super::Severity::{Failure, Warning};
        let text = |lines: usize| "//! Head.\n".repeat(lines);
        assert!(rules("crates/core/src/a.rs", &text(500)).is_empty());
        assert_eq!(rules("crates/core/src/a.rs", &text(501)), [("length", Warning)]);
        assert_eq!(rules("crates/core/src/a.rs", &text(701)), [("length", Failure)]);
        assert!(rules("crates/sip/tests/data/torture.txt", &text(9_000)).is_empty());
        assert!(rules("Cargo.lock", &text(9_000)).is_empty());
    }

    #[test]
    fn names_that_say_nothing_are_found_as_files_and_folders() {
        assert_eq!(rules("crates/core/src/utils.rs", "//! Head.").len(), 1);
        assert_eq!(rules("web/src/misc/clock.ts", "").len(), 1);
        assert!(rules("crates/core/src/common_cause.rs", "//! Head.").is_empty());
    }

    #[test]
    fn modules_without_a_head_are_found() {
        assert_eq!(rules("crates/core/src/a.rs", "use std::fmt;\n").len(), 1);
        assert_eq!(rules("crates/core/src/a.rs", "").len(), 1);
        assert!(rules("crates/core/src/a.rs", "\n//! Head.\n").is_empty());
    }
}
