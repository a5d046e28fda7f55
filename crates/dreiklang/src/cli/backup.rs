//! `dreiklang backup FILE`: the database, the recordings and the prompts as one compressed archive, made while the server runs.

use super::progress;
use anyhow::{Context as _, bail};
use dreiklang_server::config::Config;
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Name of the manifest in the archive.
pub const MANIFEST: &str = "manifest.json";
/// Name of the database in the archive and in the data directory.
pub const DATABASE: &str = "dreiklang.db";
/// Folders that are kept beside the database. Rendered speech is not: it can be rendered again.
pub const FOLDERS: [&str; 2] = ["recordings", "prompts"];
/// The form of archives this program writes and reads.
pub const FORMAT: u32 = 1;

/// What an archive says of itself; its first entry.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Program that wrote it.
    pub version: String,
    /// When, RFC 3339.
    pub created_at: String,
    /// Files beside the database.
    pub files: u64,
    /// Bytes of everything, uncompressed.
    pub bytes: u64,
    /// Events in all journals.
    pub events: u64,
    /// Recordings were left out on request.
    pub without_recordings: bool,
}

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The archive to write, such as dreiklang.tar.gz. An existing file is not overwritten.
    file: PathBuf,
    /// Leave the recordings out.
    #[arg(long)]
    without_recordings: bool,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Writes the archive under a preliminary name and gives it its name when it is complete.
pub async fn run(config: Option<&Path>, args: Args) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let data = config.data_directory;
    let database = data.join(DATABASE);
    if args.file.exists() {
        bail!("{} exists; name another file, or remove it first", args.file.display());
    }
    let partial = args.file.with_extension("partial");
    let copy = args.file.with_extension("db-partial");
    let result = write(&data, &database, &partial, &copy, &args).await;
    // The copy is ours and in the archive; the archive is only kept when it is whole.
    let _ = std::fs::remove_file(&copy);
    let manifest = match result {
        Ok(manifest) => manifest,
        Err(error) => {
            let _ = std::fs::remove_file(&partial);
            return Err(error);
        }
    };
    std::fs::rename(&partial, &args.file).with_context(|| format!("cannot name the archive {}", args.file.display()))?;
    let size = std::fs::metadata(&args.file)?.len();
    if args.json {
        println!("{}", serde_json::json!({ "ok": true, "file": args.file, "bytes": size, "manifest": manifest }));
    } else {
        println!("{}: {} events and {} files, {} bytes", args.file.display(), manifest.events, manifest.files, size);
    }
    Ok(ExitCode::SUCCESS)
}

async fn write(data: &Path, database: &Path, partial: &Path, copy: &Path, args: &Args) -> anyhow::Result<Manifest> {
    let _ = std::fs::remove_file(copy);
    let bar = progress::bar(1, "database", args.json);
    let shown = bar.clone();
    let summary = dreiklang_store::backup_of(database, copy, move |at| {
        shown.set_length(at.pages_total.max(1));
        shown.set_position(at.pages_done);
    })
    .await
    .with_context(|| format!("cannot copy {}; is data_directory in the configuration the right one?", database.display()))?;
    bar.finish_and_clear();
    let mut files = Vec::new();
    for folder in FOLDERS {
        if !(args.without_recordings && folder == "recordings") {
            collect(data, &data.join(folder), &mut files)?;
        }
    }
    let bytes = summary.bytes + files.iter().map(|(_, bytes)| bytes).sum::<u64>();
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at: jiff::Timestamp::now().to_string(),
        files: files.len() as u64,
        bytes,
        events: summary.events,
        without_recordings: args.without_recordings,
    };
    let file = File::create_new(partial).with_context(|| format!("cannot write {}", partial.display()))?;
    let mut archive = tar::Builder::new(GzEncoder::new(BufWriter::new(file), Compression::fast()));
    let text = serde_json::to_vec_pretty(&manifest)?;
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    archive.append_data(&mut header, MANIFEST, text.as_slice())?;
    let bar = progress::bar(bytes, "archive", args.json);
    archive.append_path_with_name(copy, DATABASE).context("cannot write the database into the archive; is the disk full?")?;
    bar.inc(summary.bytes);
    for (path, bytes) in &files {
        // A recording that grows while it is read must not tear the archive: as much as it was counted with is taken.
        let mut header = tar::Header::new_gnu();
        header.set_size(*bytes);
        header.set_mode(0o600);
        let Ok(source) = File::open(data.join(path)) else { continue };
        let exact = std::io::Read::take(source, *bytes);
        archive.append_data(&mut header, path, exact).with_context(|| format!("cannot archive {}", path.display()))?;
        bar.inc(*bytes);
    }
    bar.finish_and_clear();
    let mut writer = archive.into_inner()?.finish()?;
    writer.flush()?;
    writer.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all().context("cannot bring the archive to the disk")?;
    Ok(manifest)
}

/// Every file below `folder` with its present size, named from `data` on.
fn collect(data: &Path, folder: &Path, files: &mut Vec<(PathBuf, u64)>) -> anyhow::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(data, &path, files)?;
        } else if kind.is_file()
            && let Ok(name) = path.strip_prefix(data)
        {
            files.push((name.to_owned(), entry.metadata()?.len()));
        }
    }
    Ok(())
}
