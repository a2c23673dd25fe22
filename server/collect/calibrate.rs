//! Measures what the remedies of the catalogue save on this machine.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cpython::causes::catalogue;
use crate::profile::Python;

/// Runs the examples of every cause that holds on the interpreter: nanoseconds a call of the example
/// takes more than one of the remedy, by name. Takes a few seconds.
///
/// # Errors
/// When the interpreter cannot be started or fails.
pub fn calibrate(python: &Python) -> io::Result<BTreeMap<String, f64>> {
    let folder = tempfile::Builder::new().prefix("bytecost-").tempdir()?;
    let entries: Vec<_> = catalogue()
        .causes
        .iter()
        .filter(|cause| cause.holds_on(&python.minor) && !cause.alone)
        .filter_map(|cause| {
            let after = cause.after.as_ref()?;
            Some((
                &cause.id,
                (&cause.before.source, &cause.before.call),
                (&after.source, &after.call),
            ))
        })
        .collect();
    let program = folder.path().join("calibrate.py");
    let list = folder.path().join("entries.json");
    std::fs::write(&program, include_str!("helper/calibrate.py"))?;
    std::fs::write(&list, serde_json::to_vec(&entries)?)?;
    let output = Command::new(&python.executable)
        .arg("-I")
        .arg(&program)
        .arg(&list)
        .env("PYTHON_JIT", "0")
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(io::Error::other(format!("{} failed: {said}", python.executable)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text
        .lines()
        .filter_map(|line| {
            let (id, saved) = line.split_once('\t')?;
            Some((id.to_owned(), saved.parse().ok()?))
        })
        .collect())
}

/// Where the measurement of an interpreter's version is kept: a file in the user's cache folder;
/// none where that is not known.
#[must_use]
pub fn place(version: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache")))
        .or_else(|| set("LOCALAPPDATA").map(PathBuf::from))?;
    Some(cache.join("bytecost").join(format!("calibration-{version}.json")))
}

/// What was measured on this machine for a version; empty where nothing was.
#[must_use]
pub fn known(version: &str) -> BTreeMap<String, f64> {
    place(version)
        .and_then(|path| std::fs::read(path).ok())
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default()
}
