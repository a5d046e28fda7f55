//! Links between documents lead somewhere.

use super::{Finding, repository::Repository};

const RULE: &str = "link";

/// Every relative link of every Markdown file.
pub fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repository.files.iter().filter(|file| file.path.ends_with(".md")) {
        for (index, line) in file.text.lines().enumerate() {
            for target in targets(line) {
                let path = resolved(&file.path, target);
                let folder = format!("{path}/");
                if !path.is_empty() && !repository.files.iter().any(|other| other.path == path || other.path.starts_with(&folder)) {
                    findings.push(Finding::new(&file.path, index + 1, RULE, format!("there is no {path}; correct or remove the link")));
                }
            }
        }
    }
    findings
}

/// What a line links to inside the repository, without the part after `#`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', '#', ' ']).next()?;
        (!target.is_empty() && !target.contains(':')).then_some(target)
    })
}

/// A link's target from the root of the repository.
fn resolved(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_and_folders_are_resolved_from_where_they_stand() {
        let text = "[a](../README.md) [b](adr) [c](kpi.md#wait) [d](https://example.com/x) [e](#here) [f](missing.md)";
        let repository = Repository::of(&[("docs/tour.md", text), ("README.md", ""), ("docs/adr/0001.md", ""), ("docs/kpi.md", "")]);
        let found: Vec<String> = check(&repository).iter().map(Finding::to_string).collect();
        assert_eq!(found, ["docs/tour.md:1: link: there is no docs/missing.md; correct or remove the link"]);
    }
}
