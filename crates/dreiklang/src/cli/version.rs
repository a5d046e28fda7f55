//! `dreiklang version`.

use std::process::ExitCode;

/// Arguments of `version`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Prints the version.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    if args.json {
        println!("{}", serde_json::json!({ "name": "dreiklang", "version": version }));
    } else {
        println!("dreiklang {version}");
    }
    Ok(ExitCode::SUCCESS)
}
