//! `bytecost stats`.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Stats, StatsFormat, screen};
use crate::dump::{Refused, Sum};
use crate::present::stats::{self, About};
use crate::stats::{Statistics, compare};

/// Prints the tables of the files, or compares them with others.
pub fn stats(arguments: &Stats) -> anyhow::Result<u8> {
    let mut notes = Vec::new();
    let head = read(&arguments.files, &mut notes)?;
    let minor = match &head {
        Statistics::Counters(counters) => counters.minor.clone(),
        _ => None,
    };
    let tables = if arguments.compare.is_empty() {
        head.tables()
    } else {
        let base = read(&arguments.compare, &mut notes)?;
        compare::compare(&base, &head)?
    };
    let names = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect();
    let about = About {
        minor,
        sources: names(&arguments.files),
        base: names(&arguments.compare),
        notes,
    };
    let text = match arguments.format {
        StatsFormat::Text => stats::text(&tables, &about),
        StatsFormat::Markdown => stats::markdown(&tables, &about),
        StatsFormat::Json => stats::json(&tables, &about),
    };
    screen::put(&text, arguments.file.as_deref())?;
    Ok(0)
}

/// Files that are worth a thread.
const SHARE: usize = 8;

/// All files together; folders stand for the files in them.
fn read(paths: &[PathBuf], notes: &mut Vec<String>) -> anyhow::Result<Statistics> {
    let files = files(paths)?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let parts = threads.min(files.len() / SHARE).max(1);
    let sum = match in_parts(&files, parts) {
        // Which file is to blame is known when they are read one after the other.
        Err(_) if parts > 1 => in_parts(&files, 1)?,
        Ok(sum) if sum.is_over && parts > 1 => in_parts(&files, 1)?,
        sum => sum?,
    };
    let (sum, mut found) = sum.finish();
    notes.append(&mut found);
    sum.context("none of the files could be read")
}

fn in_parts(files: &[PathBuf], parts: usize) -> anyhow::Result<Sum> {
    let is_one = files.len() == 1;
    let parts: Vec<_> = files.chunks(files.len().div_ceil(parts).max(1)).collect();
    if let [files] = parts[..] {
        return part(files, is_one);
    }
    std::thread::scope(|scope| {
        let parts: Vec<_> = parts
            .into_iter()
            .map(|files| (&files[0], scope.spawn(|| part(files, false))))
            .collect();
        let mut sum = Sum::new();
        for (first, part) in parts {
            let part = part.join().map_err(|_| anyhow::anyhow!("a reader stopped"))?;
            sum.join(&first.display().to_string(), part?)?;
        }
        Ok(sum)
    })
}

fn part(files: &[PathBuf], is_one: bool) -> anyhow::Result<Sum> {
    let mut sum = Sum::new();
    for path in files {
        let name = path.display().to_string();
        let input = File::open(path).with_context(|| format!("cannot read {name}"))?;
        match sum.add(&name, input) {
            Ok(()) => {}
            // One bad file in many costs itself only.
            Err(Refused::Unread(error)) if !is_one => sum.notes.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(sum)
}

fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = inside(path).with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::ensure!(!inside.is_empty(), "{} has no files", path.display());
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

fn inside(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}
