//! Files that others wrote, as profiles of the texts in a folder.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::texts;
use crate::collect::compile;
use crate::dump::place::{Compiled, Texts};
use crate::dump::{self, Content, Dump, place};
use crate::profile::{Profile, saved};

/// What instructions of a dump are checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// What an interpreter of its version compiles from the text, where one is on `PATH`.
    Compiled,
    /// The text alone: no interpreter is started.
    Text,
}

/// What a dump became.
#[derive(Debug)]
pub enum Imported {
    /// Numbers on lines of the folder's files.
    Profile(Box<Profile>),
    /// Statistics of a process, which belong to no line.
    Statistics(Box<Dump>),
}

/// Whether a file is to be read as one of our own: it says so, or there is nothing else to read.
#[must_use]
pub fn is_own(path: &Path) -> bool {
    let mut head = Vec::new();
    // Asked before opening: opening a pipe waits for a writer.
    let is_file = std::fs::metadata(path).is_ok_and(|found| found.is_file());
    let read = |file: File| file.take(256).read_to_end(&mut head);
    if !is_file || File::open(path).and_then(read).is_err() {
        return true;
    }
    String::from_utf8_lossy(&head).contains(saved::FORMAT)
}

/// Reads a dump and places it on the files below `root`.
pub fn import(path: &Path, root: &Path, check: Check) -> Result<Imported, dump::Error> {
    Ok(place_on(read(path)?, root, check))
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Dump, dump::Error> {
    let name = path.display().to_string();
    let input = File::open(path).map_err(|error| dump::Error {
        file: name.clone(),
        problem: error.into(),
    })?;
    dump::read(&name, input)
}

/// Places a dump on the files below `root`.
#[must_use]
pub fn place_on(dump: Dump, root: &Path, check: Check) -> Imported {
    let names = match &dump.content {
        Content::Located(located) => located.file_names(),
        Content::JitLog(log) => log.file_names(),
        Content::Statistics(_) => return Imported::Statistics(Box::new(dump)),
    };
    let definitions = match &dump.content {
        Content::JitLog(log) => log.definitions(),
        _ => BTreeSet::new(),
    };
    let texts = if definitions.is_empty() {
        texts::named(root, &names)
    } else {
        texts::named_or_defining(root, &names, &definitions)
    };
    let texts = texts
        .iter()
        .map(|(path, text)| (path.clone(), text.as_str()))
        .collect();
    let root = root.display().to_string();
    let placed = match &dump.content {
        Content::Located(located) => {
            let compiled = best(&place::minors(located), &texts, check, &|compiled| {
                place::fits(located, compiled)
            });
            Some(place::profile(&dump, located, &root, &texts, compiled.as_ref()))
        }
        Content::JitLog(log) => {
            let minors: Vec<_> = log.minors.iter().map(|&minor| minor.to_owned()).collect();
            let compiled = best(&minors, &texts, check, &|compiled| place::log_fits(log, compiled));
            compiled.and_then(|compiled| place::log_profile(&dump, log, &root, &texts, &compiled))
        }
        Content::Statistics(_) => None,
    };
    placed.map_or_else(
        || Imported::Statistics(Box::new(dump)),
        |profile| Imported::Profile(Box::new(profile)),
    )
}

/// Compiled by the interpreter whose code fits a dump best, the first of equals; none is run.
fn best(minors: &[String], texts: &Texts, check: Check, fits: &dyn Fn(&Compiled) -> u64) -> Option<Compiled> {
    if texts.is_empty() || check == Check::Text {
        return None;
    }
    let compiled = minors.iter().filter_map(|minor| compile::compile(minor, texts));
    let mut best: Option<(u64, Compiled)> = None;
    for compiled in compiled {
        let fit = fits(&compiled);
        if best.as_ref().is_none_or(|(most, _)| fit > *most) {
            best = Some((fit, compiled));
        }
    }
    best.map(|(_, compiled)| compiled)
}
