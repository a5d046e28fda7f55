//! `dreiklang apply FILE`: brings a tenant's configuration to what a document says, or shows what that would change.

use super::api::Access;
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Arguments of `apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The document: TOML, or JSON when its name ends in .json.
    file: PathBuf,
    /// Only show what would change.
    #[arg(long)]
    dry_run: bool,
    /// Also remove what the document does not name.
    #[arg(long)]
    prune: bool,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    access: Access,
}

/// Sends the document to the server. Applying twice changes nothing the second time.
pub async fn run(config: Option<&Path>, args: Args) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let is_json = args.file.extension().is_some_and(|extension| extension == "json");
    // What is not even a document is better complained about here, with the line in the file.
    let kind = if is_json {
        if let Err(error) = serde_json::from_str::<Value>(&text) {
            bail!("{}: {error}", args.file.display());
        }
        "application/json"
    } else {
        if let Err(error) = toml::from_str::<toml::Table>(&text) {
            bail!("{}: {error}", args.file.display());
        }
        "application/toml"
    };
    let api = args.access.connect(config).await?;
    let path = format!("/configuration?dry_run={}&prune={}", args.dry_run, args.prune);
    let applied: Value =
        api.post(&path, kind, text).await.with_context(|| format!("{} was not applied", args.file.display()))?.json().await?;
    if args.json {
        println!("{applied}");
    } else {
        print(&applied, args.dry_run);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(applied: &Value, dry_run: bool) {
    let changes = applied["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
    for change in changes {
        let mark = match change["action"].as_str() {
            Some("create") => '+',
            Some("remove") => '-',
            _ => '~',
        };
        println!("{mark} {} \"{}\"", text(&change["kind"]), text(&change["name"]));
        for (field, values) in change["fields"].as_object().into_iter().flatten() {
            println!("    {field}: {} → {}", values[0], values[1]);
        }
    }
    let verb = if dry_run { "would change" } else { "changed" };
    println!("{} {verb}, {} as they should be", changes.len(), applied["unchanged"]);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
