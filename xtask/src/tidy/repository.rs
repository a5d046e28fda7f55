//! The repository's own text files, as git knows them.
//!
//! Includes files that are not committed yet, so that the rules speak before the commit; leaves out what git ignores.

use super::rust_source::RustSource;
use anyhow::{Context, Result, ensure};
use std::{path::Path, process::Command};

/// Larger files are data, and no rule reads data.
const TEXT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// One text file.
pub struct TextFile {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Its whole text.
    pub text: String,
    /// Taken apart, when it is Rust.
    pub rust: Option<RustSource>,
}

impl TextFile {
    fn new(path: &str, text: &str) -> TextFile {
        let rust = path.ends_with(".rs").then(|| RustSource::read(text));
        TextFile { path: path.to_owned(), text: text.to_owned(), rust }
    }

    /// The crate's folder under `crates/` this file belongs to, such as `core`.
    pub fn product_crate(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether all of the file is test code, an example or a benchmark by where it lies.
    pub fn lies_with_tests(&self) -> bool {
        let inside = |folder: &str| self.path.starts_with(&folder[1..]) || self.path.contains(folder);
        ["/tests/", "/benches/", "/examples/"].into_iter().any(inside) || self.path.ends_with("/tests.rs")
    }
}

/// Everything git would commit that is text.
pub struct Repository {
    /// Sorted by path.
    pub files: Vec<TextFile>,
}

impl Repository {
    /// Reads all files below `root`.
    pub fn load(root: &Path) -> Result<Repository> {
        let listing = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("cannot start git")?;
        ensure!(listing.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&listing.stderr).trim());
        let mut paths: Vec<&str> =
            std::str::from_utf8(&listing.stdout).context("a file name is not UTF-8")?.split_terminator('\0').collect();
        paths.sort_unstable();
        paths.dedup();
        let mut files = Vec::new();
        for path in paths {
            let full = root.join(path);
            // A file that git still lists but that was removed or is a link to nowhere is not text of ours.
            let Ok(attributes) = full.metadata() else { continue };
            if !attributes.is_file() || attributes.len() > TEXT_BYTES_MAX {
                continue;
            }
            let bytes = std::fs::read(&full).with_context(|| format!("cannot read {path}"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(TextFile::new(path, &text));
            }
        }
        Ok(Repository { files })
    }

    /// A repository made up of these paths and texts.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Repository {
        Repository { files: files.iter().map(|(path, text)| TextFile::new(path, text)).collect() }
    }

    /// Whether a file is a module that some file next to it declares under `#[cfg(test)]`.
    pub fn is_test_module(&self, file: &TextFile) -> bool {
        let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let (parent, name) = match name {
            "mod.rs" => folder.rsplit_once('/').unwrap_or(("", folder)),
            _ => (folder, name.trim_end_matches(".rs")),
        };
        let declares = |path: String| {
            let found = self.files.iter().find(|other| other.path == path);
            found.and_then(|other| other.rust.as_ref()).is_some_and(|rust| rust.test_modules.iter().any(|module| module == name))
        };
        ["mod.rs", "lib.rs", "main.rs"].iter().any(|head| declares(format!("{parent}/{head}"))) || declares(format!("{parent}.rs"))
    }

    /// The Rust files of the product that are not test code as a whole, with their sources.
    pub fn product_rust(&self) -> impl Iterator<Item = (&TextFile, &RustSource)> {
        self.files
            .iter()
            .filter(|file| file.product_crate().is_some() && !file.lies_with_tests() && !self.is_test_module(file))
            .filter_map(|file| Some((file, file.rust.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_declared_for_tests_only_are_recognized_wherever_they_lie() {
        let repository = Repository::of(&[
            ("crates/sip/src/lib.rs", "#[cfg(test)]\nmod rig;\nmod dialog;"),
            ("crates/sip/src/rig.rs", ""),
            ("crates/sip/src/dialog.rs", "#[cfg(test)]\nmod early;"),
            ("crates/sip/src/dialog/early.rs", ""),
            ("crates/sip/tests/torture.rs", ""),
        ]);
        let product: Vec<&str> = repository.product_rust().map(|(file, _)| file.path.as_str()).collect();
        assert_eq!(product, ["crates/sip/src/lib.rs", "crates/sip/src/dialog.rs"]);
    }
}
