//! What was measured, and what of it is to be shown.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tower_lsp_server::ls_types::Uri;

use super::results::{FileResults, Measured, Stamp};
use super::settings::Settings;
use super::uri;
use crate::stats::family::Families;

/// All measurements, and what the user said about them.
#[derive(Debug, Default)]
pub struct Shelf {
    /// Newest first.
    measured: Vec<Arc<Measured>>,
    /// Taken away by the user: the file, of the measurement of that time.
    cleared: HashSet<(PathBuf, SystemTime)>,
    /// Files a run was asked for, as the client names them.
    asked: HashMap<PathBuf, Uri>,
    /// The measured path of files that were renamed since.
    renamed: HashMap<PathBuf, PathBuf>,
    /// Saved profiles that were asked for, wherever they are.
    extra: BTreeSet<PathBuf>,
    /// Statistics of whole processes, by their files and when those were written.
    families: Vec<(PathBuf, Stamp, Families)>,
    /// What was made of the above, by path.
    files: HashMap<PathBuf, Option<Arc<FileResults>>>,
}

impl Shelf {
    /// Takes in a measurement: it replaces an older one of the same target or file.
    pub fn add(&mut self, measured: Arc<Measured>) {
        let file = |measured: &Measured| measured.saved.as_ref().map(|(path, _)| path.clone());
        let same = |other: &Measured| {
            let (a, b) = (measured.profile(), other.profile());
            a.root == b.root && a.workload.target == b.workload.target
                || file(&measured).is_some() && file(&measured) == file(other)
        };
        // A file that is read again must not hide a run made since.
        if self
            .measured
            .iter()
            .any(|other| same(other) && other.at > measured.at)
        {
            return;
        }
        self.measured.retain(|other| !same(other));
        let at = self.measured.partition_point(|other| other.at > measured.at);
        self.measured.insert(at, measured);
        self.files.clear();
    }

    /// Takes in what a dump says of families; it replaces what the file said before.
    pub fn add_families(&mut self, path: PathBuf, stamp: Stamp, families: Families) {
        self.families.retain(|(known, ..)| *known != path);
        self.families.push((path, stamp, families));
    }

    /// Whether a dump of families was read as it is.
    #[must_use]
    pub fn has_families(&self, path: &Path, stamp: Stamp) -> bool {
        self.families
            .iter()
            .any(|(known, at, _)| known == path && *at == stamp)
    }

    /// Leaves out dumps that are gone.
    pub fn retain_families(&mut self, keep: impl Fn(&Path) -> bool) {
        self.families.retain(|(path, ..)| keep(path));
    }

    /// What dumps of whole processes say of families.
    #[must_use]
    pub fn families(&self) -> Vec<Families> {
        self.families
            .iter()
            .map(|(.., families)| families.clone())
            .collect()
    }

    /// Replaces a measurement by the same with more texts known.
    pub fn replace(&mut self, old: &Arc<Measured>, new: Arc<Measured>) {
        if let Some(place) = self.measured.iter_mut().find(|known| Arc::ptr_eq(known, old)) {
            *place = new;
            self.files.clear();
        }
    }

    /// All measurements, newest first.
    #[must_use]
    pub fn measured(&self) -> Vec<Arc<Measured>> {
        self.measured.clone()
    }

    /// Takes away the measurements that are not to be kept.
    pub fn retain(&mut self, keep: impl Fn(&Measured) -> bool) {
        self.measured.retain(|measured| keep(measured));
        self.files.clear();
    }

    /// The newest measurement of a file whose text is known.
    pub fn file(&mut self, path: &Path, settings: &Settings) -> Option<Arc<FileResults>> {
        if let Some(known) = self.files.get(path) {
            return known.clone();
        }
        let name = self.renamed.get(path).map_or(path, PathBuf::as_path);
        let found = self
            .measured
            .iter()
            .filter(|measured| !self.cleared.contains(&(name.to_owned(), measured.at)))
            .find_map(|measured| measured.file(name, settings))
            .map(Arc::new);
        self.files.insert(path.to_owned(), found.clone());
        found
    }

    /// Makes what is shown anew.
    pub fn forget_files(&mut self) {
        self.files.clear();
    }

    /// A run was asked for on this file.
    pub fn ask(&mut self, path: PathBuf, uri: Uri) {
        self.asked.insert(path, uri);
    }

    /// Files a run was asked for.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<PathBuf> {
        self.asked.keys().cloned().collect()
    }

    /// How the client names a file that a run was asked for.
    #[must_use]
    pub fn asked_as(&self, path: &Path) -> Option<Uri> {
        self.asked.get(path).cloned()
    }

    /// Saved profiles that were asked for, with `more`.
    pub fn extra(&mut self, more: Vec<PathBuf>) -> BTreeSet<PathBuf> {
        self.extra.extend(more);
        self.extra.clone()
    }

    /// Takes away the results of these files, or all.
    pub fn clear(&mut self, paths: &[PathBuf]) {
        if paths.is_empty() {
            for measured in &self.measured {
                let files = measured.paths().map(|path| (path.to_owned(), measured.at));
                self.cleared.extend(files);
            }
            self.asked.clear();
        }
        for path in paths {
            let real = uri::real(path);
            let name = self.renamed.get(&real).unwrap_or(&real);
            let times = self.measured.iter().map(|measured| (name.clone(), measured.at));
            self.cleared.extend(times.collect::<Vec<_>>());
            self.asked.remove(&real);
        }
        self.files.clear();
    }

    /// Brings back what was taken away.
    pub fn unclear(&mut self) {
        self.cleared.clear();
        self.files.clear();
    }

    /// A file has another name now; its results go with it.
    pub fn renamed(&mut self, old: &Path, new: &Path) {
        let measured = self.renamed.remove(old).unwrap_or_else(|| old.to_owned());
        self.renamed.insert(uri::real(new), measured);
        self.asked.remove(old);
        self.files.clear();
    }

    /// A file is gone.
    pub fn deleted(&mut self, path: &Path) {
        self.asked.remove(path);
        self.renamed.remove(path);
    }
}
