//! Which of our crates may know which, and what the core may depend on at all.
//!
//! A new arrow is a decision: it needs a record in `docs/adr` and then a word in the table here.

use super::Finding;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{path::Path, process::Command};

const RULE: &str = "crate-graph";

/// Our crates and which of ours each may depend on; dev-dependencies count as well.
const ALLOWED: &[(&str, &[&str])] = &[
    ("dreiklang-core", &[]),
    ("dreiklang-sip", &[]),
    ("dreiklang-media", &[]),
    ("dreiklang-microsoft", &[]),
    ("dreiklang-lines", &["dreiklang-core", "dreiklang-sip", "dreiklang-media", "dreiklang-microsoft"]),
    ("dreiklang-store", &["dreiklang-core"]),
    ("dreiklang-lab", &["dreiklang-sip", "dreiklang-media"]),
    ("dreiklang-sim", &["dreiklang-core"]),
    ("dreiklang-server", &["dreiklang-core", "dreiklang-store", "dreiklang-lines"]),
    ("xtask", &[]),
];

/// Crates that may know every other.
const FREE: &[&str] = &["dreiklang", "dreiklang-tests", "dreiklang-bench"];

/// Everything the core needs from outside, apart from its tests.
const CORE_NEEDS: &[&str] = &["serde", "thiserror", "jiff", "uuid"];

/// What `cargo metadata` knows about this workspace.
pub fn metadata(root: &Path) -> Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("cannot start cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")
}

/// All arrows between our crates.
pub fn check(metadata: &Value, root: &Path) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours: Vec<&Value> = packages.iter().filter(|package| package["source"].is_null()).collect();
    let names: Vec<&str> = ours.iter().map(|package| text(package, "name")).collect();
    let mut findings = Vec::new();
    for package in ours {
        let name = text(package, "name");
        let manifest = Path::new(text(package, "manifest_path"));
        let manifest = manifest.strip_prefix(root).unwrap_or(manifest).display().to_string();
        let mut find = |advice: String| findings.push(Finding::new(&manifest, 1, RULE, advice));
        let allowed = ALLOWED.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed);
        if allowed.is_none() && !FREE.contains(&name) {
            find(format!("{name} is a new crate; add it to the table in xtask/src/tidy/graph.rs, with a record in docs/adr"));
        }
        for dependency in package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let needed = text(dependency, "name");
            if names.contains(&needed) {
                if allowed.is_some_and(|allowed| !allowed.contains(&needed)) {
                    find(format!("{name} must not know {needed}; move the code, or decide on the new arrow in docs/adr"));
                }
            } else if name == "dreiklang-core" && text(dependency, "kind") != "dev" && !CORE_NEEDS.contains(&needed) {
                find(format!("the core gets along with {}; {needed} belongs to another crate", CORE_NEEDS.join(", ")));
            }
        }
    }
    findings
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<Value> = dependencies.iter().map(|(name, kind)| json!({ "name": name, "kind": kind })).collect();
        json!({ "name": name, "source": null, "manifest_path": format!("/house/{name}/Cargo.toml"), "dependencies": dependencies })
    }

    fn found(packages: &[Value]) -> Vec<String> {
        check(&json!({ "packages": packages }), Path::new("/house")).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn allowed_arrows_are_in_order() {
        let core = package("dreiklang-core", &[("serde", None), ("proptest", Some("dev"))]);
        assert!(found(&[core.clone(), package("dreiklang-store", &[("dreiklang-core", None), ("rusqlite", None)])]).is_empty());
        assert!(found(&[core, package("dreiklang-tests", &[("dreiklang-core", None)])]).is_empty());
    }

    #[test]
    fn an_arrow_that_is_not_in_the_table_is_found_even_for_tests_only() {
        let found = found(&[package("dreiklang-sip", &[]), package("dreiklang-core", &[("dreiklang-sip", Some("dev"))])]);
        assert_eq!(
            found,
            [
                "dreiklang-core/Cargo.toml:1: crate-graph: dreiklang-core must not know dreiklang-sip; move the code, or decide on the new arrow in docs/adr"
            ]
        );
    }

    #[test]
    fn unknown_crates_and_new_needs_of_the_core_are_found() {
        assert_eq!(found(&[package("dreiklang-clever", &[])]).len(), 1);
        assert_eq!(found(&[package("dreiklang-core", &[("tokio", None)])]).len(), 1);
    }
}
