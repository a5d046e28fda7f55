//! Dreiklang: an open contact center for Microsoft Teams Phone, as one binary.
//!
//! # Layout
//!
//! `cli/` (one file per command) → `compose` (from configuration to a running product) → `demo/` (the product with a telephone
//! network and people of its own), `matrix/` (what is promised for each line, tried with real calls).
#![forbid(unsafe_code)]

mod cli;
mod compose;
mod demo;
mod facts;
mod matrix;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::from(cli::exit::FAILED);
        }
    };
    match runtime.block_on(cli.run()) {
        Ok(code) => code,
        Err(error) => {
            // The chain from what was wanted to what went wrong.
            eprintln!("error: {error:#}");
            ExitCode::from(cli::exit::FAILED)
        }
    }
}
