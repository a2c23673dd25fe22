//! The embedded Python helper, unpacked into a folder of its own for one run.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const FILES: [(&str, &str); 21] = [
    ("boot.py", include_str!("helper/boot.py")),
    ("bytecost_compile.py", include_str!("helper/bytecost_compile.py")),
    ("bytecost_copies.py", include_str!("helper/bytecost_copies.py")),
    ("bytecost_count.py", include_str!("helper/bytecost_count.py")),
    ("bytecost_events.py", include_str!("helper/bytecost_events.py")),
    ("bytecost_files.py", include_str!("helper/bytecost_files.py")),
    ("bytecost_jit.py", include_str!("helper/bytecost_jit.py")),
    ("bytecost_kinds.py", include_str!("helper/bytecost_kinds.py")),
    ("bytecost_main.py", include_str!("helper/bytecost_main.py")),
    ("bytecost_misses.py", include_str!("helper/bytecost_misses.py")),
    ("bytecost_opcodes.py", include_str!("helper/bytecost_opcodes.py")),
    ("bytecost_pystats.py", include_str!("helper/bytecost_pystats.py")),
    ("bytecost_report.py", include_str!("helper/bytecost_report.py")),
    ("bytecost_rewrite.py", include_str!("helper/bytecost_rewrite.py")),
    ("bytecost_stack.py", include_str!("helper/bytecost_stack.py")),
    ("bytecost_tables.py", include_str!("helper/bytecost_tables.py")),
    ("bytecost_trace.py", include_str!("helper/bytecost_trace.py")),
    ("bytecost_types.py", include_str!("helper/bytecost_types.py")),
    (
        "bytecost_types_trace.py",
        include_str!("helper/bytecost_types_trace.py"),
    ),
    ("bytecost_wire.py", include_str!("helper/bytecost_wire.py")),
    (
        "bytecost_workload.py",
        include_str!("helper/bytecost_workload.py"),
    ),
];

/// Variables every pass starts with: the JIT off but in its own pass, one hash seed for all passes. The helper takes
/// them back before the target can see them.
pub(super) fn environment() -> Vec<(String, String)> {
    let mut variables = vec![("PYTHON_JIT".to_owned(), "0".to_owned())];
    if std::env::var_os("PYTHONHASHSEED").is_none() {
        let seed = RandomState::new().build_hasher().finish() % 4_294_967_296;
        variables.push(("PYTHONHASHSEED".to_owned(), seed.to_string()));
    }
    variables
}

/// The unpacked helper and the files it exchanges with us; removed on drop.
pub struct Helper {
    folder: TempDir,
}

impl Helper {
    /// Unpacks the helper.
    pub fn unpack() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bytecost-").tempdir()?;
        for (name, text) in FILES {
            std::fs::write(folder.path().join(name), text)?;
        }
        Ok(Self { folder })
    }

    /// The program to run.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.folder.path().join("boot.py")
    }

    /// A file of this run.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder, to recognize the helper's own frames.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A job file: one `key<TAB>hexadecimal` a line, so that no value can break the form.
#[derive(Debug, Default, Clone)]
pub struct Job {
    text: String,
}

impl Job {
    /// Adds a value; a key may have several.
    pub fn add(&mut self, key: &str, value: impl AsRef<[u8]>) -> &mut Self {
        use std::fmt::Write;
        self.text.push_str(key);
        self.text.push('\t');
        for byte in value.as_ref() {
            let _ = write!(self.text, "{byte:02x}");
        }
        self.text.push('\n');
        self
    }

    /// Replaces what was added under a key.
    pub fn set(&mut self, key: &str, value: impl AsRef<[u8]>) -> &mut Self {
        let start = format!("{key}\t");
        self.text = self
            .text
            .split_inclusive('\n')
            .filter(|line| !line.starts_with(&start))
            .collect();
        self.add(key, value)
    }

    /// The file's content.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A path as a job holds it.
#[cfg(unix)]
#[must_use]
pub fn bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_vec()
}

/// A path as a job holds it.
#[cfg(not(unix))]
#[must_use]
pub fn bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

/// `FRACTION CALLS`, as the helper writes it now and then.
#[must_use]
pub fn read_progress(path: &Path) -> (Option<f64>, u64) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut words = text.split(' ');
    let fraction = words.next().and_then(|word| word.parse().ok());
    (
        fraction,
        words.next().and_then(|word| word.parse().ok()).unwrap_or(0),
    )
}
