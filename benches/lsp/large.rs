//! A large file and the profile of a run of it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use bytecost::profile::{
    Code, File, Instruction, Method, Misses, Outcome, Pass, PassKind, Position, Profile, Python, Site, State,
    Workload, WorkloadKind,
};
use bytecost::store;
use sha2::{Digest, Sha256};

/// Lines of the file.
pub const LINES: usize = 10_000;
/// Lines of a function; every second one is measured.
const FUNCTION: usize = 20;

/// A workspace with the file and its profile, removed at the end.
pub struct Large {
    folder: tempfile::TempDir,
    profiles: u64,
}

impl Large {
    /// Writes everything.
    pub fn write() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("it exists");
        std::fs::write(root.join("pyproject.toml"), "[project]\nname = \"x\"\n").expect("a file");
        let mut profiles = 0;
        // The second fills the workspace's profiles up to 20 MB.
        for (name, functions) in [("large.py", LINES / FUNCTION), ("other.py", 950)] {
            let text = text(functions);
            std::fs::write(root.join(name), &text).expect("a file");
            let saved = store::save(&root, &profile(&root, name, &text, functions)).expect("saved");
            profiles += saved.metadata().expect("it exists").len();
        }
        Self { folder, profiles }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("it exists")
    }

    pub fn uri(&self) -> String {
        format!("file://{}", self.root().join("large.py").display())
    }

    pub fn text(&self) -> String {
        std::fs::read_to_string(self.root().join("large.py")).expect("it exists")
    }

    /// Of all profiles.
    pub fn profile_bytes(&self) -> u64 {
        self.profiles
    }
}

/// 0-based number of the `n`th measured line.
pub fn measured_line(n: usize) -> usize {
    n / (FUNCTION / 2) * FUNCTION + n % (FUNCTION / 2) * 2
}

fn text(functions: usize) -> String {
    let mut text = String::new();
    for function in 0..functions {
        for line in 0..FUNCTION {
            let _ = match line {
                0 => writeln!(text, "def function_{function:04}(a, b, total):"),
                19 => writeln!(text),
                n if n % 2 == 0 => writeln!(text, "    total = a.value + b % {n:02} - total"),
                n => writeln!(text, "    # a line that does nothing, number {n}"),
            };
        }
    }
    text
}

fn profile(root: &Path, name: &str, text: &str, functions: usize) -> Profile {
    let pass = |kind| Pass {
        kind,
        calls: 100,
        wall_ns: 1_000_000_000,
        call_ns: Some(10_000_000.0),
        outcome: Outcome::Completed,
    };
    let digest = Sha256::digest(text.as_bytes());
    Profile {
        python: Python {
            version: "3.14.0".to_owned(),
            minor: "3.14".to_owned(),
            executable: "/usr/bin/python3.14".to_owned(),
            jit: "off".to_owned(),
            free_threaded: false,
            pystats: false,
            known: true,
        },
        workload: Workload {
            kind: WorkloadKind::Script,
            target: name.to_owned(),
            file: Some(name.to_owned()),
            qualname: None,
            call: None,
            setup: None,
            arguments: Vec::new(),
        },
        passes: vec![pass(PassKind::Natural), pass(PassKind::Count)],
        times: None,
        notes: Vec::new(),
        root: root.display().to_string(),
        files: vec![File {
            path: name.to_owned(),
            digest: digest.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            }),
            text: Some(text.to_owned()),
            totals: Vec::new(),
            codes: (0..functions).map(code).collect(),
        }],
    }
}

fn code(function: usize) -> Code {
    let first = u32::try_from(function * FUNCTION + 1).expect("small");
    let mut instructions = Vec::new();
    for line in (0..20).step_by(2) {
        let number = first + line;
        let calls = 1000 + u64::from(line) * 37 + function as u64;
        let parts: [(&str, &str, (u32, u32)); 6] = if line == 0 {
            [("RESUME", "0", (0, 0)); 6]
        } else {
            [
                ("LOAD_FAST", "a", (12, 13)),
                ("LOAD_ATTR", "value", (12, 19)),
                ("LOAD_FAST", "b", (22, 23)),
                ("BINARY_OP", "%", (22, 28)),
                ("BINARY_OP", "+", (12, 28)),
                ("STORE_FAST", "total", (4, 9)),
            ]
        };
        for (index, (opcode, argument, columns)) in parts.into_iter().enumerate() {
            let generic = argument == "%" && (line == 4 || line == 12);
            let family = matches!(opcode, "LOAD_ATTR" | "BINARY_OP");
            let form = if opcode == "LOAD_ATTR" {
                "LOAD_ATTR_INSTANCE_VALUE"
            } else {
                "BINARY_OP_ADD_INT"
            };
            instructions.push(Instruction {
                offset: u32::try_from(instructions.len() * 10).expect("small"),
                opcode: opcode.to_owned(),
                argument: argument.to_owned(),
                position: Some(Position {
                    line: number,
                    end_line: number,
                    columns: Some(columns),
                }),
                starts_line: index == 0,
                executions: Some(calls),
                time: None,
                state: match (family, generic) {
                    (true, true) => State::Unspecialized,
                    (true, false) => State::Specialized,
                    (false, _) => State::Basic,
                },
                site: family.then(|| {
                    Box::new(Site {
                        form: (!generic).then(|| form.to_owned()),
                        forms_seen: if generic {
                            std::iter::empty().collect()
                        } else {
                            std::iter::once((form.to_owned(), 0)).collect()
                        },
                        misses: Some(Misses {
                            count: 0,
                            method: Method::Counted,
                            at_least: false,
                        }),
                        deferred: Some(if generic { calls } else { 0 }),
                        failed_attempts: generic.then_some(7),
                        types: Vec::new(),
                    })
                }),
            });
        }
    }
    Code {
        qualname: format!("function_{function:04}"),
        first_line: first,
        last_line: first + 18,
        digest: format!("{function:016x}"),
        calls: Some(1000),
        withheld: false,
        failures: None,
        jit: None,
        total: None,
        instructions,
    }
}
