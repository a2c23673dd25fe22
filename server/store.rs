//! Saved profiles on disk: `.bytecost/` at the workspace root.

pub mod import;
pub mod texts;

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::profile::{Profile, saved};

/// The folder at the workspace root.
pub const FOLDER: &str = ".bytecost";

/// Larger files are not read, bytes. A profile of 100,000 instructions has about 30 MB.
const LARGEST: u64 = 1 << 30;

/// Why a profile was not saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refused.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// `read` or `write`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The path names no ordinary file.
    #[error("{} is not a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file is too large to be a profile.
    #[error("{} is too large to be a saved profile: more than {LARGEST} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a profile this bytecost reads.
    #[error("{}: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: saved::Error,
    },
}

/// Where the profile of a target is saved: always the same file for the same target, and
/// different ones for different targets, on file systems that ignore case too.
#[must_use]
pub fn path(root: &Path, target: &str) -> PathBuf {
    let mut name = String::new();
    for part in target.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))) {
        let part = part.trim_start_matches('.');
        if !part.is_empty() && name.len() + part.len() < 80 {
            if !name.is_empty() {
                name.push('-');
            }
            name.push_str(part);
        }
    }
    let hash = Sha256::digest(target.as_bytes());
    let hash = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    let gap = if name.is_empty() { "" } else { "~" };
    root.join(FOLDER).join(format!("{name}{gap}{hash:08x}.json"))
}

/// Saves a profile for its target below the root and says where.
pub fn save(root: &Path, profile: &Profile) -> Result<PathBuf, Error> {
    let path = path(root, &profile.workload.target);
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|source| failed("write", &folder, source))?;
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        write_atomically(&ignore, b"*\n")?;
    }
    write_atomically(&path, saved::to_string(profile).as_bytes())?;
    Ok(path)
}

/// Loads a saved profile.
pub fn load(path: &Path) -> Result<Profile, Error> {
    let failed = |source| failed("read", path, source);
    // Asked before opening: opening a pipe waits for a writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::NotAFile {
            path: path.to_owned(),
        });
    }
    let mut bytes = Vec::new();
    fs::File::open(path)
        .map_err(failed)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::TooLarge {
            path: path.to_owned(),
        });
    }
    saved::from_slice(&bytes).map_err(|source| Error::Format {
        path: path.to_owned(),
        source,
    })
}

/// Replaces a file whole: a reader sees the old content or the new, never a part, and a failure
/// leaves the old. The folder must exist.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<(), Error> {
    let failed = |source| failed("write", path, source);
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".bytecost-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As for any new file; the user's mask is taken off.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io {
        what,
        path: path.to_owned(),
        source,
    }
}
