//! A project in a temporary folder, opened in an editor.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::pythons;

/// The version whose interpreter the projects name.
pub const MINOR: &str = "3.14";

/// How long a run may take to get somewhere: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(25);

/// Programs an editor test needs.
pub struct Rig {
    /// The editor.
    pub editor: PathBuf,
    python: PathBuf,
}

impl Rig {
    /// The programs, or `None` when one is missing: that is named on stderr, and a failure
    /// under `CI`.
    pub fn find(editor: &str) -> Option<Self> {
        let missing = |program: &str| {
            assert!(
                std::env::var_os("CI").is_none(),
                "CI must have {program}: run tests/rigs/install-editors"
            );
            eprintln!("skipped: no {program} (tests/rigs/install-editors gets it)");
        };
        let program = pythons::rigs().join("bin").join(editor);
        let python = pythons::pythons().into_iter().find(|(minor, _)| *minor == MINOR);
        let has_tmux = Command::new("tmux").arg("-V").output().is_ok();
        if !program.is_file() || !has_tmux {
            missing(if has_tmux { editor } else { "tmux" });
            return None;
        }
        let Some((_, python)) = python else {
            missing(MINOR);
            return None;
        };
        Some(Self {
            editor: program,
            python,
        })
    }
}

/// A folder with a `pyproject.toml` and one module, and a home of its own beside it.
pub struct Project {
    folder: TempDir,
}

impl Project {
    /// A project with a copy of a file of `examples/`.
    pub fn with_example(rig: &Rig, name: &str) -> Self {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
        Self::with_file(
            rig,
            name,
            &fs::read_to_string(example).expect("the example is there"),
        )
    }

    /// A project with a file.
    pub fn with_file(rig: &Rig, name: &str, text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let project = Self { folder };
        fs::create_dir_all(project.root()).expect("a folder can be made");
        fs::create_dir_all(project.home()).expect("a folder can be made");
        let settings = format!(
            "[tool.bytecost]\npython = '{}'\ntime = 0.1\n",
            rig.python.display()
        );
        fs::write(project.root().join("pyproject.toml"), settings).expect("a file can be written");
        fs::write(project.root().join(name), text).expect("a file can be written");
        project
    }

    /// The root, without links: editors resolve them.
    pub fn root(&self) -> PathBuf {
        let folder = self.folder.path().canonicalize().expect("the folder is there");
        folder.join("project")
    }

    /// The home of the editor.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// What the editor is started with: nothing of the user's, and the program under test first.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let home = self.home();
        let program = Path::new(env!("CARGO_BIN_EXE_bytecost"));
        let folder = program.parent().expect("in a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let below = |name: &str| home.join(name).display().to_string();
        vec![
            ("PATH", format!("{}:{path}", folder.display())),
            ("HOME", home.display().to_string()),
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("XDG_CONFIG_HOME", below("config")),
            ("XDG_DATA_HOME", below("data")),
            ("XDG_STATE_HOME", below("state")),
            ("XDG_CACHE_HOME", below("cache")),
        ]
    }

    /// The report of what the last run saved, by `bytecost show`.
    pub fn report(&self) -> Value {
        let begin = Instant::now();
        let saved = loop {
            if let Some(saved) = self.saved() {
                break saved;
            }
            assert!(begin.elapsed() < PATIENCE, "the run saved no profile");
            thread::sleep(Duration::from_millis(40));
        };
        let mut show = Command::new(env!("CARGO_BIN_EXE_bytecost"));
        show.args(["show", "--format", "json", "--source"])
            .arg(self.root())
            .arg(saved);
        let output = show.output().expect("the program runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).expect("a report is JSON")
    }

    /// The newest saved profile.
    pub fn saved(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.root().join(".bytecost")).ok()?;
        let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        let profiles = paths.filter(|path| path.extension().is_some_and(|it| it == "json"));
        profiles.max_by_key(|path| fs::metadata(path).and_then(|it| it.modified()).ok())
    }

    /// Waits until as many processes of the workload live as wanted.
    pub fn wait_for_workload(&self, what: &str, is_right: impl Fn(usize) -> bool) {
        let begin = Instant::now();
        loop {
            let alive = self.workload();
            if is_right(alive.len()) {
                return;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(25),
                "{what}: {alive:?} live"
            );
            thread::sleep(Duration::from_millis(40));
        }
    }

    /// Command lines of the Python processes that work in the project.
    fn workload(&self) -> Vec<String> {
        let root = self.root();
        let entries = fs::read_dir("/proc").expect("processes can be listed");
        let processes = entries.filter_map(Result::ok).map(|entry| entry.path());
        processes
            .filter(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&root)))
            .filter_map(|process| fs::read_to_string(process.join("cmdline")).ok())
            .filter(|command| {
                let program = command.split('\0').next().unwrap_or_default();
                program.contains("python") && !command.contains("\0lsp")
            })
            .collect()
    }
}
