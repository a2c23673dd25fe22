//! The program itself, started as a user starts it.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest time anything here may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// How a program ended and what it wrote.
#[derive(Debug)]
pub struct Ended {
    /// Exit status; the negative number of the signal that killed it.
    pub status: i32,
    /// Standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// Standard error, byte for byte.
    pub stderr: Vec<u8>,
    /// How long it took.
    pub took: Duration,
}

impl Ended {
    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// `bytecost` with these arguments in this folder, apart from the settings of whoever runs the tests.
pub fn bytecost(folder: &Path) -> Command {
    apart(Command::new(env!("CARGO_BIN_EXE_bytecost")), folder)
}

/// Any program likewise.
pub fn apart(mut command: Command, folder: &Path) -> Command {
    command.current_dir(folder).env_remove("VIRTUAL_ENV");
    for name in [
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "FORCE_COLOR",
        "PYTHONHASHSEED",
        "PYTHONPATH",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs to the end. Output goes through files: whoever still holds them open delays nobody.
pub fn end(command: &mut Command, input: Option<&Path>) -> Ended {
    let logs = tempfile::tempdir().expect("a folder");
    let log = |name: &str| {
        (
            logs.path().join(name),
            File::create(logs.path().join(name)).expect("a log"),
        )
    };
    let ((out, stdout), (err, stderr)) = (log("out"), log("err"));
    let started = Instant::now();
    let mut child = command
        .stdin(input.map_or_else(Stdio::null, |path| File::open(path).expect("input").into()))
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .expect("it starts");
    let status = wait(&mut child, started);
    Ended {
        status,
        took: started.elapsed(),
        stdout: std::fs::read(out).expect("its output"),
        stderr: std::fs::read(err).expect("its errors"),
    }
}

/// Waits, not for ever; status as in [`Ended`].
pub fn wait(child: &mut std::process::Child, started: Instant) -> i32 {
    loop {
        if let Some(status) = child.try_wait().expect("waitable") {
            return number(status);
        }
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            return number(child.wait().expect("killed"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn number(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| -status.signal().unwrap_or(0))
}

/// A run with its JSON report, quiet, under this interpreter.
pub fn report(
    folder: &Path,
    python: &Path,
    arguments: &[&str],
    input: Option<&Path>,
    prepare: &dyn Fn(&mut Command),
) -> (Ended, Option<Value>) {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("report.json");
    let mut command = bytecost(folder);
    command
        .args(["run", "--quiet", "--format", "json", "-o"])
        .arg(&path)
        .arg("--python")
        .arg(python);
    // Times take seconds: only tests of times ask for them.
    if !arguments.contains(&"--passes") && !arguments.contains(&"--pid") {
        command.args(["--passes", "natural,count"]);
    }
    // What follows `--` is the target's.
    command.args(arguments);
    prepare(&mut command);
    let ended = end(&mut command, input);
    let text = std::fs::read(&path).ok();
    let report = text.map(|text| serde_json::from_slice(&text).expect("the report is JSON"));
    (ended, report)
}

/// The object of a file in a report.
pub fn file<'a>(report: &'a Value, path: &str) -> Option<&'a Value> {
    let files = report["files"].as_array()?;
    files.iter().find(|file| file["path"] == path)
}

/// Executions of a line of a file: 0 when the report has nothing on it, none when not counted.
pub fn executions(report: &Value, path: &str, line: usize) -> Option<u64> {
    let lines = file(report, path).map(|file| &file["lines"]);
    let found = lines
        .and_then(Value::as_array)
        .and_then(|lines| lines.iter().find(|one| one["line"] == line));
    found.map_or(Some(0), |line| line["executions"].as_u64())
}

/// The notes of a report, one a line.
pub fn notes(report: &Value) -> String {
    let notes = report["notes"].as_array().expect("notes");
    notes
        .iter()
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Lines that end in `#= N` or `#= >N` and what the report says of each that differs.
pub fn wrong_lines(report: &Value, path: &str, text: &str) -> Vec<String> {
    let marked = text.lines().enumerate().filter_map(|(at, line)| {
        let (_, wanted) = line.rsplit_once("#= ")?;
        Some((at + 1, wanted.trim()))
    });
    let differs = |(line, wanted): (usize, &str)| {
        let got = executions(report, path, line);
        let right = match wanted.strip_prefix('>') {
            Some(least) => got > Some(least.parse().expect("a number")),
            None => got == Some(wanted.parse().expect("a number")),
        };
        (!right).then(|| format!("line {line} ran {got:?} times, expected {wanted}"))
    };
    marked.filter_map(differs).collect()
}

/// A folder that is a project of its own.
pub fn project() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().canonicalize().expect("it exists");
    std::fs::write(path.join("pyproject.toml"), "").expect("written");
    (folder, path)
}

/// Does all jobs on two threads; what is wrong, all together.
pub fn all<T: Sync>(jobs: &[T], check: impl Fn(&T) -> Vec<String> + Sync) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = check(job);
                    wrong.lock().expect("no panic").extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    println!("{} runs", jobs.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Processes that have inherited this value of `HOSTILE_TEST` (Linux).
pub fn running(mark: &OsStr) -> usize {
    let wanted = [b"HOSTILE_TEST=", mark.as_encoded_bytes()].concat();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let environments = entries.filter_map(|entry| std::fs::read(entry.ok()?.path().join("environ")).ok());
    environments
        .filter(|environment| environment.split(|&byte| byte == 0).any(|one| one == wanted))
        .count()
}
