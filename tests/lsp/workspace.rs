//! A folder with a program to measure.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::pythons;

/// `t += b.x % 7` is generic: no version of CPython specializes `%` of floats.
pub const KERN: &str = "\
class Body:
    def __init__(self, x):
        self.x = x


# bytecost: advance([Body(i / 3) for i in range(20)], 20)
def advance(bodies, n):
    t = 0.0
    for _ in range(n):
        for b in bodies:
            t += b.x % 7
    return t
";

/// 0-based line of the generic expression in [`KERN`].
pub const GENERIC: u32 = 10;

/// A folder of its own, removed at the end.
pub struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    /// With these files and a `pyproject.toml`.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let workspace = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        workspace.write("pyproject.toml", "[project]\nname = \"x\"\n");
        for (name, text) in files {
            workspace.write(name, text);
        }
        workspace
    }

    /// With [`KERN`] as `kern.py`.
    pub fn kern() -> Self {
        Self::new(&[("kern.py", KERN)])
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("it exists")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn uri(&self, name: &str) -> String {
        uri(&self.path(name))
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Waits until a file is there and has a line.
    pub fn wait_for(&self, name: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let text = self.read(name);
            if text.ends_with('\n') {
                return text.trim().to_owned();
            }
            assert!(Instant::now() < end, "{name} was never written");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The URI of a path, as VS Code writes it.
pub fn uri(path: &Path) -> String {
    let mut uri = "file://".to_owned();
    for byte in path.to_str().expect("UTF-8").bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").expect("memory");
        }
    }
    uri
}

/// The newest interpreter there is.
pub fn python() -> PathBuf {
    pythons::pythons().pop().expect("an interpreter").1
}

/// Settings for programs, which a time would end.
pub fn plain() -> Value {
    json!({"python": python()})
}

/// Settings for short runs of functions.
pub fn quick() -> Value {
    json!({"python": python(), "time": 0.05})
}

/// Whether a process is there and not a zombie.
pub fn lives(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

/// Waits until a process is gone.
pub fn wait_until_gone(pid: &str) {
    let end = Instant::now() + Duration::from_secs(10);
    while lives(pid) {
        assert!(Instant::now() < end, "process {pid} still lives");
        std::thread::sleep(Duration::from_millis(10));
    }
}
