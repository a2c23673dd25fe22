//! `bytecost stats`.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Stats, StatsFormat, screen};
use crate::dump::{self, Content, JitLog};
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

/// All files together; folders stand for the files in them.
fn read(paths: &[PathBuf], notes: &mut Vec<String>) -> anyhow::Result<Statistics> {
    let files = files(paths)?;
    let mut sum: Option<Statistics> = None;
    for path in &files {
        let name = path.display().to_string();
        let input = File::open(path).with_context(|| format!("cannot read {name}"))?;
        let dump = match dump::read(&name, input) {
            Ok(dump) => dump,
            // One bad file in many costs itself only.
            Err(error) if files.len() > 1 => {
                notes.push(error.to_string());
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        notes.extend(dump.problems.iter().map(|problem| format!("{name}: {problem}")));
        let found = match dump.content {
            Content::Statistics(found) => found,
            Content::JitLog(log) => {
                notes.push(JitLog::OFFSETS.to_owned());
                Box::new(Statistics::Report(log.tables))
            }
            Content::Located(_) => anyhow::bail!(
                "{name} is {}: it has no statistics of a process",
                dump.format.name()
            ),
        };
        sum = Some(match (sum, *found) {
            (None, found) => found,
            (Some(Statistics::Counters(mut sum)), Statistics::Counters(next)) => {
                if sum.minor.is_some() && next.minor.is_some() && sum.minor != next.minor {
                    anyhow::bail!("{name} is of another version of CPython than the files before it");
                }
                if !sum.merge(*next) {
                    notes.push(format!("{name}: the sum of a counter has more than 64 bits"));
                }
                Statistics::Counters(sum)
            }
            _ => anyhow::bail!(
                "{name} cannot be added to the others: a printed report has lost what a sum needs"
            ),
        });
    }
    sum.context("none of the files could be read")
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
