//! Lock files name the public registries only, so that a build anywhere fetches from the place everybody knows.

use super::{
    Finding,
    repository::{Repository, TextFile},
};

const RULE: &str = "lock-file";
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
const NPM: &str = "https://registry.npmjs.org/";

/// All lock files and the settings that would redirect them.
pub fn check(repository: &Repository) -> Vec<Finding> {
    repository.files.iter().flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> Vec<Finding> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let wrong: fn(&str) -> Option<String> = match name {
        "Cargo.lock" => |line| {
            let source = line.strip_prefix("source = \"")?.strip_suffix('"')?;
            (source != CRATES_IO).then(|| format!("`{source}` is not the crates.io index; lock against crates.io"))
        },
        "package-lock.json" => |line| {
            let address = line.trim().strip_prefix("\"resolved\": \"")?.trim_end_matches(',').strip_suffix('"')?;
            (address.contains("://") && !address.starts_with(NPM))
                .then(|| format!("`{address}` is not registry.npmjs.org; lock without addresses"))
        },
        ".npmrc" | "config.toml" | ".yarnrc" | "pip.conf" => |line| {
            let redirects = ["[source.", "replace-with", "registry=", "registry =", "index-url"].iter().any(|word| line.contains(word));
            redirects.then(|| "redirects a package registry; keep such settings on your own machine".to_owned())
        },
        _ => return Vec::new(),
    };
    let lines = file.text.lines().enumerate();
    lines.filter_map(|(index, line)| Some(Finding::new(&file.path, index + 1, RULE, wrong(line)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Repository::of(&[(path, text)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn only_the_public_registries_are_named() {
        let cargo = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\nsource = \"sparse+https://crates.example/\"";
        assert_eq!(lines("Cargo.lock", cargo), [2]);
        let npm =
            "\"resolved\": \"https://registry.npmjs.org/a.tgz\",\n\"resolved\": \"https://npm.example/b.tgz\",\n\"resolved\": \"web/c\"";
        assert_eq!(lines("web/package-lock.json", npm), [2]);
    }

    #[test]
    fn redirections_are_found_and_aliases_are_not() {
        assert_eq!(lines(".cargo/config.toml", "[alias]\nxtask = \"run\"\n[source.crates-io]\n"), [3]);
        assert_eq!(lines("web/.npmrc", "registry=https://npm.example/"), [1]);
    }
}
