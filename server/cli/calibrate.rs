//! `bytecost calibrate`.

use anyhow::Context;

use super::{Calibrate, screen};
use crate::collect::interpreter::Environment;
use crate::collect::{calibrate, prepare};
use crate::store;

/// Measures what the remedies save with an interpreter on this machine, and keeps it.
pub fn calibrate(arguments: &Calibrate) -> anyhow::Result<u8> {
    let environment = Environment::of_process().context("the current folder cannot be read")?;
    let python = prepare::interpreter(arguments.python.as_deref(), &environment)?;
    screen::say(&format!(
        "timing the examples of the catalogue under CPython {}",
        python.version
    ));
    let table = calibrate::calibrate(&python)
        .with_context(|| format!("the examples cannot be timed with {}", python.executable))?;
    let path =
        calibrate::place(&python.version).context("there is no folder for caches: set XDG_CACHE_HOME")?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    store::write_atomically(&path, &serde_json::to_vec_pretty(&table)?)?;
    screen::say(&format!(
        "{} causes timed, kept in {}",
        table.len(),
        path.display()
    ));
    Ok(0)
}
