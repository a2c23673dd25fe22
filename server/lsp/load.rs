//! Saved profiles: on start, when they change, when asked for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tower_lsp_server::ls_types::MessageType;

use super::results::{Measured, Stamp};
use super::session::Session;
use crate::dump::{Content, Dump};
use crate::stats::family::Families;
use crate::store;
use crate::store::import::{self, Check, Imported};

/// The time and length of a file that is there.
#[must_use]
pub fn stamp(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// Looks at everything that is saved: reads what is new or changed, drops what is gone. `more`
/// are profiles that were asked for by name; what is wrong with those is told, the rest logged.
pub async fn load(session: &Arc<Session>, more: Vec<PathBuf>) {
    let _one_at_a_time = session.loading.lock().await;
    let named: BTreeSet<_> = more.iter().cloned().collect();
    let own = Arc::clone(session);
    let read = tokio::task::spawn_blocking(move || read_changed(&own, more)).await;
    let Ok((news, problems)) = read else { return };
    if news {
        session.results_changed();
    }
    for (path, problem) in problems {
        if named.contains(&path) {
            session.say(MessageType::ERROR, problem).await;
        } else {
            session.log(MessageType::WARNING, problem).await;
        }
    }
}

fn read_changed(session: &Session, more: Vec<PathBuf>) -> (bool, Vec<(PathBuf, String)>) {
    let wanted = wanted(session, more);
    let known = session.shelf().measured();
    let mut news = false;
    let mut problems = Vec::new();
    for path in &wanted {
        let Some(stamp) = stamp(path) else {
            problems.push((path.clone(), format!("{} does not exist", path.display())));
            continue;
        };
        let same = |measured: &Arc<Measured>| measured.saved.as_ref() == Some(&(path.clone(), stamp));
        if known.iter().any(same) || session.shelf().has_families(path, stamp) {
            continue;
        }
        match read(session, path, stamp) {
            Ok(Read::Measured(measured)) => {
                session.shelf().add(Arc::new(*measured));
                news = true;
            }
            Ok(Read::Families(families)) => {
                session.shelf().add_families(path.clone(), stamp, families);
                news = true;
            }
            Err(problem) => problems.push((path.clone(), problem)),
        }
    }
    let is_gone = |measured: &Measured| {
        measured
            .saved
            .as_ref()
            .is_some_and(|(path, _)| !wanted.contains(path) || !path.exists())
    };
    if known.iter().any(|measured| is_gone(measured)) {
        session.shelf().retain(|measured| !is_gone(measured));
        news = true;
    }
    session
        .shelf()
        .retain_families(|path| wanted.contains(path) && path.exists());
    (news, problems)
}

/// What a file is to the editor.
enum Read {
    /// Numbers of lines.
    Measured(Box<Measured>),
    /// Facts on families of a whole process.
    Families(Families),
}

/// What there is to load: of the workspace's folders, the projects of open files, the settings,
/// and what was asked for.
fn wanted(session: &Session, more: Vec<PathBuf>) -> BTreeSet<PathBuf> {
    let mut roots: BTreeSet<_> = session.configuration().folders().iter().cloned().collect();
    roots.extend(
        session
            .open_documents()
            .into_iter()
            .map(|open| open.document.root.clone()),
    );
    let mut wanted = session.shelf().extra(more);
    for root in roots {
        wanted.extend(saved_in(&root));
        for named in &session.settings(&root).profiles {
            wanted.insert(root.join(named));
        }
    }
    // Runs of projects that have no open file any more keep what they have.
    let saved = |measured: &Arc<Measured>| measured.saved.as_ref().map(|(path, _)| path.clone());
    let left = session
        .shelf()
        .measured()
        .iter()
        .filter_map(saved)
        .filter(|path| path.exists())
        .collect::<Vec<_>>();
    wanted.extend(left);
    wanted
}

fn saved_in(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root.join(store::FOLDER));
    entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let hidden = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'));
            !hidden && path.extension().is_some_and(|extension| extension == "json")
        })
        .collect()
}

fn read(session: &Session, path: &Path, stamp: Stamp) -> Result<Read, String> {
    let mut profile = if import::is_own(path) {
        store::load(path).map_err(|error| error.to_string())?
    } else {
        match imported(session, path)? {
            Imported::Profile(profile) => *profile,
            Imported::Statistics(dump) => return families(&dump).map(Read::Families),
        }
    };
    // A workspace may have moved since.
    let folder = path.parent().filter(|folder| folder.ends_with(store::FOLDER));
    if let Some(root) = folder.and_then(Path::parent) {
        profile.root = root.display().to_string();
    }
    let at = stamp.0.min(SystemTime::now());
    let texts = |path: &Path| session.texts(path);
    let measured = Measured::new(profile, Some((path.to_owned(), stamp)), at, &texts);
    Ok(Read::Measured(Box::new(measured)))
}

/// A dump, on the files of the workspace folder that it is in, or else of the first.
fn imported(session: &Session, path: &Path) -> Result<Imported, String> {
    let folders = session.configuration().folders().to_vec();
    let around = folders.iter().find(|folder| path.starts_with(folder));
    let root = around.or(folders.first()).map(PathBuf::as_path).or(path.parent());
    // Nothing is started in a workspace that is not trusted.
    let check = if session.capable().untrusted {
        Check::Text
    } else {
        Check::Compiled
    };
    import::import(path, root.unwrap_or(Path::new(".")), check).map_err(|error| error.to_string())
}

/// What statistics of a process say of families.
fn families(dump: &Dump) -> Result<Families, String> {
    let of_no_line = format!(
        "{} is {}: it belongs to no line. `bytecost stats` shows it",
        dump.name,
        dump.format.name()
    );
    let Content::Statistics(statistics) = &dump.content else {
        return Err(of_no_line);
    };
    let name = dump.name.rsplit(['/', '\\']).next().unwrap_or(&dump.name);
    Families::of(name.to_owned(), statistics).ok_or(of_no_line)
}
