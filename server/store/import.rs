//! Files that others wrote, as profiles of the texts in a folder.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::texts;
use crate::dump::{self, Content, Dump, place};
use crate::profile::{Profile, saved};

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
pub fn import(path: &Path, root: &Path) -> Result<Imported, dump::Error> {
    let name = path.display().to_string();
    let input = File::open(path).map_err(|error| dump::Error {
        file: name.clone(),
        problem: error.into(),
    })?;
    let dump = dump::read(&name, input)?;
    let Content::Located(located) = &dump.content else {
        return Ok(Imported::Statistics(Box::new(dump)));
    };
    let texts = texts::named(root, &located.file_names());
    let texts = texts
        .iter()
        .map(|(path, text)| (path.clone(), text.as_str()))
        .collect();
    let profile = place::profile(&dump, located, &root.display().to_string(), &texts);
    Ok(Imported::Profile(Box::new(profile)))
}
