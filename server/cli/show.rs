//! `bytecost show`.

use std::path::Path;

use anyhow::Context;

use super::{Show, screen};
use crate::dump::{self, Content, Dump, JitLog};
use crate::present::stats;
use crate::store;
use crate::store::import::{self, Check, Imported};

/// Shows each saved profile and dump; dumps of one format are of several processes, and added up.
pub fn show(arguments: &Show) -> anyhow::Result<u8> {
    screen::check(&arguments.output)?;
    let root = match &arguments.source {
        Some(root) => root.clone(),
        None => std::env::current_dir().context("cannot tell the current folder")?,
    };
    let mut dumps: Vec<Dump> = Vec::new();
    for path in &arguments.files {
        if import::is_own(path) {
            let mut profile = store::load(path)?;
            if let Some(root) = &arguments.source {
                profile.root = root.display().to_string();
            }
            screen::report(&profile, &arguments.output)?;
            continue;
        }
        let dump = import::read(path)?;
        let alike = dumps
            .iter_mut()
            .find(|known| known.format == dump.format && can_be_added(known));
        match alike {
            Some(sum) => dump::add(sum, &dump).map_err(anyhow::Error::msg)?,
            None => dumps.push(dump),
        }
    }
    for dump in dumps {
        show_dump(dump, &root, arguments)?;
    }
    Ok(0)
}

/// Tables are shown one after the other; `bytecost stats` adds up those that can be.
fn can_be_added(dump: &Dump) -> bool {
    matches!(dump.content, Content::Located(_))
}

fn show_dump(dump: Dump, root: &Path, arguments: &Show) -> anyhow::Result<()> {
    let dump = match import::place_on(dump, root, Check::Compiled) {
        Imported::Profile(profile) => return screen::report(&profile, &arguments.output),
        Imported::Statistics(dump) => dump,
    };
    let mut about = stats::About {
        sources: vec![dump.name.clone()],
        notes: dump.problems.clone(),
        ..stats::About::default()
    };
    let tables = match &dump.content {
        Content::Statistics(statistics) => statistics.tables(),
        Content::JitLog(log) => {
            about.notes.push(JitLog::OFFSETS.to_owned());
            log.tables.clone()
        }
        Content::Located(_) => anyhow::bail!("{} has nothing to show", dump.name),
    };
    let text = match arguments.output.format {
        super::Format::Text => stats::text(&tables, &about),
        super::Format::Json => stats::json(&tables, &about),
        super::Format::Html => anyhow::bail!(
            "{} has no numbers of lines, so there is no page of it: take --format text or json",
            dump.name
        ),
    };
    screen::put(&text, arguments.output.file.as_deref())
}
