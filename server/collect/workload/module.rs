//! How a file is imported.

use std::path::{Path, PathBuf};

use crate::collect::config::{absolute, project_root};

/// How a file is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleSpec {
    /// Dotted name relative to `root`.
    pub name: String,
    /// The directory to put on `sys.path`.
    pub root: PathBuf,
    /// The file lies in a package: it must be imported by name for its relative imports to work.
    pub package: bool,
    /// The file itself.
    pub path: PathBuf,
}

impl ModuleSpec {
    /// The module of a file. `relative_import_level` is the largest number of dots its relative
    /// imports begin with.
    ///
    /// Directories with an `__init__.py` are packages; the first one above them is the root. When
    /// they are too few for the relative imports, the directories up to the project root or its
    /// `src` are packages too, and as many more as the imports need.
    #[must_use]
    pub fn of_file(file: &Path, relative_import_level: u32) -> Self {
        let path = absolute(file);
        let parent = path.parent().unwrap_or(Path::new("")).to_owned();
        let directories: Vec<&Path> = parent.ancestors().collect();
        let mut depth = directories
            .iter()
            .take_while(|directory| directory.join("__init__.py").is_file())
            .count();
        let needed = usize::try_from(relative_import_level).unwrap_or(usize::MAX);
        if needed > depth {
            let root = project_root(&parent);
            let source_root = root.join("src");
            let to_root = directories
                .iter()
                .position(|directory| *directory == source_root || *directory == root);
            depth = depth.max(to_root.unwrap_or(0)).max(needed);
        }
        // The root of the file system has no name.
        let depth = depth.min(directories.len() - 1);
        let name_of = |directory: &&Path| {
            directory
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        let mut names: Vec<String> = directories[..depth].iter().rev().filter_map(name_of).collect();
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if depth == 0 || stem != "__init__" {
            // A dot in a file name would read as a package.
            names.push(stem.replace('.', "_"));
        }
        Self {
            name: names.join("."),
            root: directories[depth].to_owned(),
            package: depth > 0,
            path,
        }
    }
}
