//! `bytecost show`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context;

use super::{Show, screen};
use crate::dump::{self, Content};
use crate::present::stats;
use crate::profile::Profile;
use crate::profile::saved;
use crate::store;

/// Shows each saved profile and dump.
pub fn show(arguments: &Show) -> anyhow::Result<u8> {
    screen::check(&arguments.output)?;
    for path in &arguments.files {
        if is_ours(path) {
            let mut profile = store::load(path)?;
            if let Some(root) = &arguments.source {
                profile.root = root.display().to_string();
            }
            screen::report(&profile, &arguments.output)?;
        } else {
            show_dump(path, arguments)?;
        }
    }
    Ok(0)
}

/// A saved profile, or nothing that could be read as something else.
fn is_ours(path: &Path) -> bool {
    let mut head = Vec::new();
    let is_file = std::fs::metadata(path).is_ok_and(|found| found.is_file());
    if !is_file
        || File::open(path)
            .and_then(|file| file.take(256).read_to_end(&mut head))
            .is_err()
    {
        return true;
    }
    String::from_utf8_lossy(&head).contains(saved::FORMAT)
}

fn show_dump(path: &Path, arguments: &Show) -> anyhow::Result<()> {
    let name = path.display().to_string();
    let input = File::open(path).with_context(|| format!("cannot read {name}"))?;
    let dump = dump::read(&name, input)?;
    match &dump.content {
        Content::Statistics(statistics) => {
            let about = stats::About {
                sources: vec![name],
                notes: dump.problems.clone(),
                ..stats::About::default()
            };
            screen::put(
                &stats::text(&statistics.tables(), &about),
                arguments.output.file.as_deref(),
            )
        }
        Content::Located(located) => {
            let root = match &arguments.source {
                Some(root) => root.clone(),
                None => std::env::current_dir().context("cannot tell the current folder")?,
            };
            let texts = store::texts::named(&root, &located.file_names());
            let texts = texts
                .iter()
                .map(|(path, text)| (path.clone(), text.as_str()))
                .collect();
            let profile: Profile = dump::place::profile(&dump, located, &root.display().to_string(), &texts);
            screen::report(&profile, &arguments.output)
        }
    }
}
