//! Every dependency may be shipped inside an Apache-2.0 program.

use super::Finding;
use serde_json::Value;

const RULE: &str = "license";

/// Licenses that ask for no more than to be named and kept. MPL-2.0 covers its own files only.
const COMPATIBLE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OpenSSL",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

/// All packages that come from outside.
pub fn check(metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let outside = packages.iter().filter(|package| !package["source"].is_null());
    outside.filter_map(|package| Some(Finding::new("Cargo.lock", 1, RULE, objection(package)?))).collect()
}

fn objection(package: &Value) -> Option<String> {
    let name = format!("{} {}", package["name"].as_str().unwrap_or("?"), package["version"].as_str().unwrap_or("?"));
    let Some(expression) = package["license"].as_str() else {
        return Some(format!("{name} names no license; read its text and replace it if in doubt"));
    };
    match Reader::new(expression).read() {
        Some(true) => None,
        Some(false) => Some(format!("{name} is under `{expression}`, which Apache-2.0 programs cannot take in; replace it")),
        None => Some(format!("{name} has a license expression nobody can read: `{expression}`")),
    }
}

/// Evaluates an SPDX expression: `OR` needs one compatible side, `AND` both; `a/b` is the old way to write `a OR b`.
struct Reader<'a> {
    words: std::iter::Peekable<std::vec::IntoIter<&'a str>>,
}

impl<'a> Reader<'a> {
    fn new(expression: &'a str) -> Reader<'a> {
        let mut words = Vec::new();
        for chunk in expression.split_whitespace() {
            let mut rest = chunk;
            while !rest.is_empty() {
                let end = match rest.find(['(', ')', '/']) {
                    Some(0) => 1,
                    Some(at) => at,
                    None => rest.len(),
                };
                words.push(&rest[..end]);
                rest = &rest[end..];
            }
        }
        Reader { words: words.into_iter().peekable() }
    }

    /// Whether the whole expression is compatible; `None` when it is not an expression.
    fn read(mut self) -> Option<bool> {
        let outcome = self.any()?;
        self.words.next().is_none().then_some(outcome)
    }

    fn any(&mut self) -> Option<bool> {
        let mut outcome = self.all()?;
        while self.words.next_if(|word| matches!(*word, "OR" | "/")).is_some() {
            outcome |= self.all()?;
        }
        Some(outcome)
    }

    fn all(&mut self) -> Option<bool> {
        let mut outcome = self.one()?;
        while self.words.next_if_eq(&"AND").is_some() {
            outcome &= self.one()?;
        }
        Some(outcome)
    }

    fn one(&mut self) -> Option<bool> {
        match self.words.next()? {
            "(" => {
                let outcome = self.any()?;
                self.words.next_if_eq(&")").map(|_| outcome)
            }
            ")" | "/" | "OR" | "AND" | "WITH" => None,
            name if self.words.next_if_eq(&"WITH").is_some() => {
                let exception = self.words.next()?;
                Some(COMPATIBLE.contains(&name) || COMPATIBLE.contains(&format!("{name} WITH {exception}").as_str()))
            }
            name => Some(COMPATIBLE.contains(&name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_are_evaluated_with_their_precedence() {
        let cases = [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("MIT OR GPL-3.0-only", Some(true)),
            ("MIT AND GPL-3.0-only", Some(false)),
            ("GPL-2.0 OR MIT AND ISC", Some(true)),
            ("(GPL-2.0 OR MIT) AND (Apache-2.0 OR ISC)", Some(true)),
            ("(MIT OR ISC) AND GPL-2.0", Some(false)),
            ("Apache-2.0 WITH LLVM-exception", Some(true)),
            ("GPL-2.0 WITH Classpath-exception-2.0", Some(false)),
            ("MIT/Apache-2.0", Some(true)),
            ("MIT OR", None),
            ("(MIT", None),
            ("MIT ISC", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(Reader::new(expression).read(), expected, "{expression}");
        }
    }

    #[test]
    fn only_packages_from_outside_are_judged() {
        let packages = json!({ "packages": [
            { "name": "ours", "version": "1.0.0", "source": null, "license": null },
            { "name": "fine", "version": "1.0.0", "source": "registry", "license": "MIT" },
            { "name": "bad", "version": "1.0.0", "source": "registry", "license": "AGPL-3.0-only" },
            { "name": "silent", "version": "1.0.0", "source": "registry", "license": null },
        ] });
        let found: Vec<String> = check(&packages).iter().map(|finding| finding.advice.clone()).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("bad 1.0.0") && found[1].starts_with("silent 1.0.0"), "{found:?}");
    }
}
