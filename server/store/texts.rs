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
    find(root, &|name| names.contains(name), &|_, _| true)
}

/// As [`named`], and the Python files in which every one of `definitions` is made by `def` or `class`.
#[must_use]
pub fn named_or_defining(
    root: &Path,
    names: &BTreeSet<String>,
    definitions: &BTreeSet<String>,
) -> BTreeMap<String, String> {
    let defines = |text: &str| {
        definitions.iter().all(|name| {
            let is_it = |line: &str, word: &str| {
                let rest = line.trim_start().strip_prefix(word);
                let rest = rest.and_then(|rest| rest.trim_start().strip_prefix(name.as_str()));
                rest.is_some_and(|rest| rest.starts_with(['(', ':', '[', ' ']))
            };
            text.lines().any(|line| {
                ["def ", "class ", "async def "]
                    .iter()
                    .any(|word| is_it(line, word))
            })
        })
    };
    let is_python = |name: &str| Path::new(name).extension().is_some_and(|end| end == "py");
    find(root, &is_python, &|name, text| {
        names.contains(name) || defines(text)
    })
}

fn find(
    root: &Path,
    is_wanted: &dyn Fn(&str) -> bool,
    is_it: &dyn Fn(&str, &str) -> bool,
) -> BTreeMap<String, String> {
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
            } else if is_wanted(&name)
                && fs::metadata(&path).is_ok_and(|known| known.is_file() && known.len() <= LARGEST)
                && let Ok(below) = path.strip_prefix(root)
                && let Ok(text) = fs::read_to_string(&path)
                && is_it(&name, &text)
            {
                found.insert(below.to_string_lossy().replace('\\', "/"), text);
            }
        }
    }
    found
}
