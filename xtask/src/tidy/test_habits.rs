//! Tests run, and wait for what they expect instead of for time to pass.

use super::{Finding, repository::Repository};

const RULE: &str = "test-habit";

/// Test code of every crate.
pub fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &repository.files {
        let Some(rust) = file.rust.as_ref() else { continue };
        let all_tests = file.path.contains("/tests/") || file.path.starts_with("tests/") || repository.is_test_module(file);
        for (line, path) in rust.paths().into_iter().filter(|(line, _)| all_tests || rust.is_test(*line)) {
            if path.len() > 1 && path.last().is_some_and(|name| name == "sleep") {
                findings.push(Finding::warning(
                    &file.path,
                    line,
                    RULE,
                    "wait for what you expect, with a limit in time, instead of sleeping",
                ));
            }
        }
        for (at, _) in rust.code.match_indices("#[ignore") {
            let line = super::rust_source::line_of(&rust.code, at);
            findings.push(Finding::new(&file.path, line, RULE, "a test that does not run is none; mend it or remove it"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Repository::of(&[(path, text)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn sleeping_tests_are_found_and_sleeping_products_are_not() {
        let text = "fn f() { std::thread::sleep(d); }\n#[cfg(test)]\nmod tests {\n    fn g() { tokio::time::sleep(d); }\n}";
        assert_eq!(lines("crates/media/src/a.rs", text), [4]);
        assert_eq!(lines("crates/media/tests/a.rs", "fn f() { std::thread::sleep(d); }"), [1]);
    }

    #[test]
    fn tests_that_do_not_run_are_found() {
        assert_eq!(lines("crates/media/tests/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"), [2]);
    }
}
