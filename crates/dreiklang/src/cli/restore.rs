//! `dreiklang restore FILE`: puts a backup into an empty data directory, after looking at all of it.

use super::{
    backup::{DATABASE, FOLDERS, FORMAT, MANIFEST, Manifest},
    progress,
};
use anyhow::{Context as _, bail};
use dreiklang_server::config::Config;
use flate2::read::GzDecoder;
use std::{
    fs::File,
    io::{BufReader, Read as _},
    path::{Component, Path, PathBuf},
    process::ExitCode,
};

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The archive to read.
    file: PathBuf,
    /// Look at everything, write nothing that stays.
    #[arg(long)]
    dry_run: bool,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Unpacks beside the data directory, checks, and moves into place. What is there already is never overwritten.
pub async fn run(config: Option<&Path>, args: Args) -> anyhow::Result<ExitCode> {
    let data = Config::load(config)?.data_directory;
    if !args.dry_run && data.join(DATABASE).exists() {
        bail!("{} holds a database already; move it away, or name an empty data_directory in the configuration", data.display());
    }
    std::fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
    let staging = data.join(".restoring");
    if staging.exists() {
        std::fs::remove_dir_all(&staging).with_context(|| format!("cannot clear {}", staging.display()))?;
    }
    let result = unpack(&args.file, &staging, args.json).and_then(|manifest| {
        let summary = dreiklang_store::verify_backup(staging.join(DATABASE))?;
        if !args.dry_run {
            for folder in FOLDERS {
                let source = staging.join(folder);
                let target = data.join(folder);
                if source.exists() {
                    if target.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
                        bail!("{} is not empty; move it away first", target.display());
                    }
                    // Only an empty folder is removed by this; anything else made us stop above.
                    let _ = std::fs::remove_dir(&target);
                    std::fs::rename(&source, &target).with_context(|| format!("cannot put {} into place", target.display()))?;
                }
            }
            // Last, because its presence says that the directory is in use.
            std::fs::rename(staging.join(DATABASE), data.join(DATABASE)).context("cannot put the database into place")?;
        }
        Ok((manifest, summary))
    });
    // Leftovers of ours only.
    let _ = std::fs::remove_dir_all(&staging);
    let (manifest, summary) = result?;
    if args.json {
        println!(
            "{}",
            serde_json::json!({ "ok": true, "dry_run": args.dry_run, "manifest": manifest, "tenants": summary.tenants, "events": summary.events })
        );
    } else {
        let done = if args.dry_run { "is good" } else { "was restored" };
        println!(
            "{} of {} {done}: {} tenants, {} events, {} files",
            args.file.display(),
            manifest.created_at,
            summary.tenants,
            summary.events,
            manifest.files
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn unpack(file: &Path, staging: &Path, quiet: bool) -> anyhow::Result<Manifest> {
    let source = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(source)));
    let mut entries = archive.entries()?;
    let not_ours = || format!("{} is not a backup of this program", file.display());
    let mut first = entries.next().with_context(not_ours)?.with_context(not_ours)?;
    if first.path().with_context(not_ours)? != Path::new(MANIFEST) {
        bail!(not_ours());
    }
    let mut text = String::new();
    first.by_ref().take(1_000_000).read_to_string(&mut text).with_context(not_ours)?;
    let manifest: Manifest = serde_json::from_str(&text).with_context(not_ours)?;
    if manifest.format != FORMAT {
        bail!("{} has form {}, this program reads {FORMAT}; use dreiklang {} or newer", file.display(), manifest.format, manifest.version);
    }
    drop(first);
    std::fs::create_dir_all(staging).with_context(|| format!("cannot create {}", staging.display()))?;
    let bar = progress::bar(manifest.bytes, "archive", quiet);
    for entry in entries {
        let mut entry = entry.with_context(|| format!("{} is cut short or damaged", file.display()))?;
        let name = entry.path()?.into_owned();
        // Names come from a file somebody handed us: nothing may leave the staging folder.
        if name.components().any(|part| !matches!(part, Component::Normal(_))) || !entry.header().entry_type().is_file() {
            bail!("{} contains \"{}\", which no backup of ours does", file.display(), name.display());
        }
        let target = staging.join(&name);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut out = File::create_new(&target).with_context(|| format!("cannot write {}", target.display()))?;
        let written = std::io::copy(&mut entry, &mut out)
            .with_context(|| format!("cannot unpack {}; is the archive whole and is there space?", name.display()))?;
        out.sync_all()?;
        bar.inc(written);
    }
    bar.finish_and_clear();
    Ok(manifest)
}
