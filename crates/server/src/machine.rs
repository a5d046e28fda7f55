//! Facts of the machine that checks need.

use std::path::Path;

/// Bytes the present user may still write where `path` lies.
///
/// # Errors
/// When the path does not exist or the system does not tell.
pub fn free_bytes(path: &Path) -> std::io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// How many files this process may have open.
pub fn open_files_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum
}
