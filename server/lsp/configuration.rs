//! Where settings come from, and which hold where.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::settings::{self, Settings};
use crate::project;

/// Workspace folders and the settings of each.
#[derive(Debug, Default)]
pub struct Configuration {
    folders: Vec<PathBuf>,
    initial: Value,
    pushed: Value,
    pulled: HashMap<PathBuf, Value>,
    cache: HashMap<PathBuf, Arc<Settings>>,
    warnings: Vec<String>,
}

impl Configuration {
    /// What came with `initialize`.
    pub fn initialize(&mut self, folders: Vec<PathBuf>, options: &Value) {
        self.folders = folders;
        self.initial = settings::section(options);
        self.cache.clear();
    }

    /// The workspace folders.
    #[must_use]
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The client has other folders now.
    pub fn change_folders(&mut self, added: Vec<PathBuf>, removed: &[PathBuf]) {
        self.folders.retain(|folder| !removed.contains(folder));
        for folder in added {
            if !self.folders.contains(&folder) {
                self.folders.push(folder);
            }
        }
        self.cache.clear();
    }

    /// The innermost workspace folder around a path.
    #[must_use]
    pub fn folder_of(&self, path: &Path) -> Option<PathBuf> {
        let around = self.folders.iter().filter(|folder| path.starts_with(folder));
        around.max_by_key(|folder| folder.components().count()).cloned()
    }

    /// What `workspace/didChangeConfiguration` brought.
    pub fn push(&mut self, configuration: &Value) {
        self.pushed = settings::section(configuration);
        self.cache.clear();
    }

    /// What `workspace/configuration` answered for a folder; none without a folder.
    pub fn pull(&mut self, folder: Option<PathBuf>, configuration: Value) {
        self.pulled.insert(folder.unwrap_or_default(), configuration);
        self.cache.clear();
    }

    /// A `pyproject.toml` has changed.
    pub fn forget_projects(&mut self) {
        self.cache.clear();
    }

    /// The settings that hold in a project.
    pub fn settings(&mut self, root: &Path) -> Arc<Settings> {
        if let Some(known) = self.cache.get(root) {
            return Arc::clone(known);
        }
        let mut warnings = Vec::new();
        let mut warn = |warning| warnings.push(warning);
        let mut found = Settings::default();
        for source in [project::section(root)].iter().chain(self.editors(root)) {
            found = found.over(source, &mut warn);
        }
        for warning in warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        let found = Arc::new(found);
        self.cache.insert(root.to_owned(), Arc::clone(&found));
        found
    }

    /// The settings the editor has for a project, without those of the project itself.
    #[must_use]
    pub fn of_editor(&self, root: &Path) -> Settings {
        let mut found = Settings::default();
        for source in self.editors(root) {
            found = found.over(source, &mut |_| {});
        }
        found
    }

    /// What was not understood since this was last asked.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    fn editors(&self, root: &Path) -> impl Iterator<Item = &Value> {
        let folder = self.folder_of(root).unwrap_or_default();
        let pulled = self
            .pulled
            .get(&folder)
            .or_else(|| self.pulled.get(Path::new("")));
        [Some(&self.initial), Some(&self.pushed), pulled]
            .into_iter()
            .flatten()
    }
}
