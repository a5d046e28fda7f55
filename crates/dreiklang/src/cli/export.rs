//! `dreiklang export`: prints a tenant's configuration as the document `dreiklang apply` takes. Secrets are never in it.

use super::api::Access;
use anyhow::Context as _;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write to this file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// As JSON instead of TOML.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    access: Access,
}

/// Fetches the document.
pub async fn run(config: Option<&Path>, args: Args) -> anyhow::Result<ExitCode> {
    let api = args.access.connect(config).await?;
    let (format, accept) = if args.json { ("json", "application/json") } else { ("toml", "application/toml") };
    let text = api.get(&format!("/configuration?format={format}"), accept).await?.text().await?;
    match &args.output {
        Some(file) => std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?,
        None => println!("{}", text.trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}
