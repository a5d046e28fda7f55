//! `cargo xtask check`: what has to hold before anything is tested.
//!
//! Runs all parts even when one fails, so that one round shows everything there is to mend.

use anyhow::{Context, Result};
use std::{path::Path, process::Command};

/// Runs the parts and says whether all of them passed.
pub fn run(root: &Path) -> Result<bool> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let parts: [(&str, &[&str]); 2] = [
        ("format", &["fmt", "--all", "--check"]),
        ("clippy", &["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"]),
    ];
    let mut failed = Vec::new();
    for (name, arguments) in parts {
        println!("check: {name}");
        let status = Command::new(&cargo)
            .args(arguments)
            .current_dir(root)
            .status()
            .with_context(|| format!("cannot start cargo {}", arguments.join(" ")))?;
        if !status.success() {
            failed.push(name);
        }
    }
    println!("check: tidy");
    if !crate::tidy::run(root)? {
        failed.push("tidy");
    }
    if failed.is_empty() {
        println!("check: all passed");
    } else {
        println!("check: failed: {}", failed.join(", "));
    }
    Ok(failed.is_empty())
}
