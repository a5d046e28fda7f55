//! The house's own tasks: `cargo xtask tidy` and `cargo xtask check`.
//!
//! Decides which task to run and turns its outcome into an exit code. What a task looks at is its own module's matter.
#![forbid(unsafe_code)]

mod check;
mod tidy;

use std::{path::PathBuf, process::ExitCode};

const USAGE: &str = "\
cargo xtask <task>

  tidy    check the rules of the house: crate graph, pure crates, words, places, files, error pages, licenses
  check   cargo fmt --check, cargo clippy with warnings as errors, and tidy
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["tidy"] => tidy::run(&workspace_root()),
        ["check"] => check::run(&workspace_root()),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder with the workspace's `Cargo.toml`.
fn workspace_root() -> PathBuf {
    // Set by `cargo run`; the built-in value serves whoever starts the executable by itself.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(manifest).parent().map(PathBuf::from).unwrap_or_default()
}
