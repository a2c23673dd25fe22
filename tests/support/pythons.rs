//! The interpreters that tests run on.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Minor versions every test must cover.
pub const MINORS: [&str; 5] = ["3.11", "3.12", "3.13", "3.14", "3.15"];

/// Where `tests/rigs/install-pythons` puts things.
pub fn rigs() -> PathBuf {
    std::env::var_os("BYTECOST_RIGS").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/bytecost-rigs"),
        PathBuf::from,
    )
}

/// The interpreters found, by minor version. One that is missing is named on stderr; under
/// `CI=true` that is a failure.
pub fn pythons() -> Vec<(&'static str, PathBuf)> {
    let mut found = Vec::new();
    for minor in MINORS {
        if let Some(python) = find(minor) {
            found.push((minor, python));
        } else {
            assert!(
                std::env::var_os("CI").is_none(),
                "CI must have CPython {minor}: run tests/rigs/install-pythons"
            );
            eprintln!("skipped: no CPython {minor} (tests/rigs/install-pythons gets it)");
        }
    }
    found
}

/// Why something is skipped on an interpreter that is not [`native`].
pub const NOT_NATIVE: &str = "WebAssembly here, without processes, threads, signals and asyncio's sockets";

/// Whether the interpreter is a process like any other, which forks, starts threads and takes
/// signals. The WebAssembly build that stands in for 3.12 where no native one is found is not.
pub fn native(python: &Path) -> bool {
    Command::new(python)
        .args(["-I", "-S", "-c", "import sys; print(sys.platform)"])
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() != b"emscripten")
}

/// As [`pythons`], without those that are not [`native`]; what is left out is said by name.
pub fn native_pythons(what: &str) -> Vec<(&'static str, PathBuf)> {
    let mut found = pythons();
    found.retain(|(minor, python)| {
        let native = native(python);
        if !native {
            eprintln!("skipped: {what} on {minor}: {NOT_NATIVE}");
        }
        native
    });
    found
}

/// Of [`native_pythons`] the oldest and the newest, for what is decided outside the interpreter.
pub fn oldest_and_newest(what: &str) -> Vec<(&'static str, PathBuf)> {
    let mut found = native_pythons(what);
    if found.len() > 2 {
        found.drain(1..found.len() - 1);
    }
    found
}

fn find(minor: &str) -> Option<PathBuf> {
    let name = format!("python{minor}");
    let rig = rigs().join("bin").join(&name);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(&name));
    std::iter::once(rig)
        .chain(on_path)
        .find(|path| path.is_file() && is_version(path, minor))
}

/// Shims of version managers exist for versions that are not selected: ask.
fn is_version(path: &Path, minor: &str) -> bool {
    let script = "import sys; print('%d.%d' % sys.version_info[:2])";
    Command::new(path)
        .args(["-I", "-S", "-c", script])
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == minor)
}
