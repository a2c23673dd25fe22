//! Texts of a folder that a dump may be about.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Entries of folders that are looked at.
const ENTRIES: usize = 200_000;
/// Larger files are no source, bytes.
const LARGEST: u64 = 1 << 23;

/// The Python files below a folder that have one of these names, by path below it, `/` separated.
/// Hidden folders, virtual environments and what is no UTF-8 are left out; links to folders are not
/// followed.
#[must_use]
pub fn named(root: &Path, names: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    let mut looked = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            looked += 1;
            if looked > ENTRIES {
                return found;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            if kind.is_dir() {
                let skipped = name.starts_with('.') || name == "node_modules" || name == "__pycache__";
                if !skipped && !path.join("pyvenv.cfg").exists() {
                    folders.push(path);
                }
            } else if names.contains(&name)
                && fs::metadata(&path).is_ok_and(|known| known.is_file() && known.len() <= LARGEST)
                && let Ok(below) = path.strip_prefix(root)
                && let Ok(text) = fs::read_to_string(&path)
            {
                found.insert(below.to_string_lossy().replace('\\', "/"), text);
            }
        }
    }
    found
}
