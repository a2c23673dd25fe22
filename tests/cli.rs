//! What surrounds a run: signals, pipes, terminals, interpreters, odd folders and environments.
#![cfg(unix)]

mod support;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::binary::{bytecost, end, executions, notes, project, report, running, wait};
use support::pythons;

const LOOP: &str = "for i in range(1000):\n    i += 1  #= 1000\n";
/// Prints that it runs, then goes on for ever, with a child that does too.
const ENDLESS: &str = "\
import subprocess, sys
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'])
print('running', flush=True)
while True:
    pass
";
/// Ctrl-C and requests to end are passed over.
const STUBBORN: &str = "\
import signal
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
print('running', flush=True)
while True:
    pass
";

/// The interpreters of the machine that behave most differently.
fn two() -> Vec<(&'static str, PathBuf)> {
    let all = pythons::pythons().into_iter();
    all.filter(|(minor, _)| ["3.11", "3.14"].contains(minor))
        .collect()
}

/// Starts a run, waits until its target has printed, sends a signal; status and how long it took.
fn signalled(python: &Path, text: &str, signal: Signal) -> (i32, Duration, String) {
    let (_folder, here) = project();
    std::fs::write(here.join("target.py"), text).expect("written");
    let log = here.join("stderr");
    let mut command = bytecost(&here);
    command
        .args(["run", "target.py", "--python"])
        .arg(python)
        .env("HOSTILE_TEST", &here)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(&log).expect("a log"));
    let mut child = command.spawn().expect("it starts");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("the target prints");
    assert_eq!(line, "running\n");
    let id = Pid::from_raw(i32::try_from(child.id()).expect("small"));
    let started = Instant::now();
    kill(id, signal).expect("it runs");
    let status = wait(&mut child, started);
    while running(here.as_os_str()) > 0 && started.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let took = started.elapsed();
    (status, took, std::fs::read_to_string(log).expect("its errors"))
}

#[test]
fn a_cancelled_run_is_gone_within_a_second() {
    for (minor, python) in two() {
        for (text, what) in [(ENDLESS, "endless"), (STUBBORN, "stubborn")] {
            for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
                let (status, took, said) = signalled(&python, text, signal);
                assert_eq!(status, 130, "{minor} {what} {signal}: {said}");
                assert!(took < Duration::from_secs(1), "{minor} {what} {signal}: {took:?}");
                assert!(
                    said.ends_with("bytecost: cancelled\n"),
                    "{minor} {what} {signal}: {said}"
                );
                assert!(!said.contains('\u{1b}'), "{minor} {what} {signal}: {said:?}");
            }
        }
    }
}

/// The target itself is gone at once (Linux); a child of the target outlives a parent that had no
/// chance to end it.
#[cfg(target_os = "linux")]
#[test]
fn a_killed_run_takes_its_target_along() {
    for (minor, python) in two() {
        let (status, took, _) = signalled(&python, STUBBORN, Signal::SIGKILL);
        assert_eq!(status, -9, "{minor}");
        assert!(took < Duration::from_secs(1), "{minor}: {took:?}");
    }
}

#[test]
fn a_closed_pipe_ends_a_report_in_silence() {
    let (_folder, here) = project();
    let text = (0..3000)
        .map(|n| format!("x{n} = {n}"))
        .collect::<Vec<_>>()
        .join("\n");
    std::fs::write(here.join("long.py"), text).expect("written");
    for (_, python) in two() {
        for format in ["text", "json"] {
            let mut command = bytecost(&here);
            command
                .args(["run", "-q", "--format", format, "long.py", "--python"])
                .arg(&python);
            let mut child = command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts");
            let mut first = [0; 1];
            child
                .stdout
                .as_mut()
                .expect("piped")
                .read_exact(&mut first)
                .expect("a report");
            drop(child.stdout.take());
            let mut said = String::new();
            child
                .stderr
                .take()
                .expect("piped")
                .read_to_string(&mut said)
                .expect("text");
            assert_eq!(
                (wait(&mut child, Instant::now()), said.as_str()),
                (0, ""),
                "{format}"
            );
        }
    }
}

#[test]
fn colour_and_width_are_as_asked() {
    let (_folder, here) = project();
    std::fs::write(here.join("loop.py"), LOOP).expect("written");
    let Some((_, python)) = two().pop() else { return };
    let shown = |arguments: &[&str], variable: Option<(&str, &str)>| {
        let mut command = bytecost(&here);
        command
            .args(["run", "-q", "loop.py", "--python"])
            .arg(&python)
            .args(arguments)
            .envs(variable);
        let ended = end(&mut command, None);
        assert_eq!(ended.status, 0, "{}", ended.err());
        ended.out()
    };
    let escape = '\u{1b}';
    assert!(!shown(&[], None).contains(escape), "no terminal, no colour");
    assert!(shown(&["--color", "always"], None).contains(escape));
    assert!(
        shown(&["--color", "always"], Some(("NO_COLOR", "1"))).contains(escape),
        "asked for by name"
    );
    assert!(!shown(&["--color", "never"], Some(("CLICOLOR_FORCE", "1"))).contains(escape));
    let narrow = shown(&["--width", "40"], None);
    assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
    assert!(shown(&["--ascii"], None).is_ascii());
    let json = shown(&["--format", "json"], None);
    let report: serde_json::Value = serde_json::from_str(&json).expect("nothing but JSON");
    assert_eq!(executions(&report, "loop.py", 2), Some(1000));
}

#[test]
fn a_report_into_a_file_leaves_stdout_to_the_target() {
    let (_folder, here) = project();
    std::fs::write(here.join("loud.py"), format!("{LOOP}print('mine')\n")).expect("written");
    for (minor, python) in two() {
        let mut command = bytecost(&here);
        command
            .args(["run", "loud.py", "-o", "report.txt", "--python"])
            .arg(&python);
        let ended = end(&mut command, None);
        assert_eq!(ended.out(), "mine\n", "{minor}");
        let said = ended.err();
        assert!(
            said.lines().all(|line| line.starts_with("bytecost: ")),
            "{minor}: {said}"
        );
        let written = std::fs::read_to_string(here.join("report.txt")).expect("the report");
        assert!(
            written.contains("1,000") && !written.contains("mine\n"),
            "{minor}: {written}"
        );
        // With both on stdout, the target's comes first and whole.
        let mut command = bytecost(&here);
        let both = end(
            command.args(["run", "-q", "loud.py", "--python"]).arg(&python),
            None,
        )
        .out();
        assert!(both.starts_with("mine\nloud.py · "), "{minor}: {both}");
        let mut command = bytecost(&here);
        command
            .args(["run", "-q", "loud.py", "-o", "no/such/folder/r.txt", "--python"])
            .arg(&python);
        let ended = end(&mut command, None);
        assert_eq!(
            (ended.status, ended.err().lines().count()),
            (2, 1),
            "{minor}: {}",
            ended.err()
        );
    }
}

#[test]
fn input_from_a_pipe_is_given_to_every_pass() {
    let (_folder, here) = project();
    let text = "import sys\nfor line in sys.stdin:\n    int(line)\nprint(line)\n";
    std::fs::write(here.join("sum.py"), text).expect("written");
    for (minor, python) in two() {
        let mut command = Command::new("sh");
        let script = "seq 5000 | \"$0\" run -q --format json -o out.json sum.py --python \"$1\"";
        command
            .current_dir(&here)
            .arg("-c")
            .arg(script)
            .arg(env!("CARGO_BIN_EXE_bytecost"))
            .arg(&python);
        let ended = end(&mut command, None);
        assert_eq!(
            (ended.status, ended.out().as_str()),
            (0, "5000\n\n"),
            "{minor}: {}",
            ended.err()
        );
        let json = std::fs::read(here.join("out.json")).expect("a report");
        let report = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(executions(&report, "sum.py", 3), Some(5000), "{minor}");
    }
}

#[test]
fn what_is_no_cpython_is_refused_in_one_sentence() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, here) = project();
    std::fs::write(here.join("loop.py"), LOOP).expect("written");
    std::fs::write(here.join("text"), "no program\n").expect("written");
    std::fs::write(here.join("crash"), "#!/bin/sh\nkill -9 $$\n").expect("written");
    std::fs::set_permissions(here.join("crash"), std::fs::Permissions::from_mode(0o755)).expect("permitted");
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let versions = std::fs::read_dir(home.join(".pyenv/versions"))
        .into_iter()
        .flatten()
        .flatten();
    let old = versions
        .map(|entry| entry.path().join("bin/python"))
        .filter(|path| {
            let name = path.display().to_string();
            ["/2.7", "/3.6", "/3.10"].iter().any(|minor| name.contains(minor))
        });
    let fixed = [
        "/bin/ls",
        "/bin/cat",
        "/bin/true",
        "./text",
        "./crash",
        "/no/such",
        "3.2",
        "nonsense",
        "",
    ];
    for python in fixed.iter().map(PathBuf::from).chain(old) {
        let mut command = bytecost(&here);
        let ended = end(command.args(["run", "loop.py", "--python"]).arg(&python), None);
        let said = ended.err();
        assert_eq!(ended.status, 2, "{}: {said}", python.display());
        assert_eq!(said.lines().count(), 1, "{}: {said}", python.display());
        assert!(said.contains("3.11 or newer"), "{}: {said}", python.display());
        assert_eq!(ended.out(), "");
    }
}

#[test]
fn odd_names_folders_and_variables_change_nothing() {
    let (_folder, here) = project();
    let spaced = here.join("with space 'and' \"quotes\"");
    std::fs::create_dir(&spaced).expect("a folder");
    let names: Vec<OsString> = [
        &b"plain.py"[..],
        b"with space.py",
        b"quo'te\".py",
        b"new\nline.py",
        b"-dash.py",
        b"caf\xe9.py",
        "ünï.py".as_bytes(),
        b"no_suffix",
        b"dotted.name.py",
    ]
    .iter()
    .map(|name| OsStr::from_bytes(name).to_owned())
    .collect();
    let text = format!("{LOOP}\n\ndef work():\n    for i in range(10):\n        i += 1\n");
    for (minor, python) in two() {
        for name in &names {
            let file = spaced.join(name);
            std::fs::write(&file, &text).expect("written");
            for call in [false, true] {
                let mut target = file.as_os_str().to_owned();
                if call {
                    target.push("::work");
                }
                let out = here.join("out.json");
                let _ = std::fs::remove_file(&out);
                let mut command = bytecost(&here);
                command
                    .args(["run", "-q", "--format", "json", "--calls", "1", "-o"])
                    .arg(&out);
                command
                    .arg("--python")
                    .arg(&python)
                    .arg(&target)
                    .env("TMPDIR", &spaced);
                let ended = end(&mut command, None);
                if std::str::from_utf8(name.as_bytes()).is_err() {
                    // Only names that are text can be shown in a report.
                    assert_eq!(ended.status, 2, "{minor} {name:?}: {}", ended.err());
                    assert!(ended.err().starts_with("error: invalid UTF-8"), "{}", ended.err());
                    continue;
                }
                assert_eq!(ended.status, 0, "{minor} {name:?} {call}: {}", ended.err());
                let report: serde_json::Value =
                    serde_json::from_slice(&std::fs::read(&out).expect("a report")).expect("JSON");
                let path = format!("with space 'and' \"quotes\"/{}", name.to_string_lossy());
                let (line, times) = if call { (7, 10) } else { (2, 1000) };
                assert_eq!(
                    executions(&report, &path, line),
                    Some(times),
                    "{minor} {name:?} {call}"
                );
            }
            std::fs::remove_file(&file).expect("removed");
        }
        let left: Vec<_> = std::fs::read_dir(&spaced).expect("readable").collect();
        assert!(left.is_empty(), "{minor}: {left:?} left in TMPDIR");
    }
    let file = here.join("loop.py");
    std::fs::write(&file, LOOP).expect("written");
    for (minor, python) in pythons::native_pythons("odd environments") {
        for (name, value) in [
            ("PYTHONSAFEPATH", "1"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("PYTHONWARNINGS", "error"),
            ("PYTHONOPTIMIZE", "2"),
            ("PYTHONNODEBUGRANGES", "1"),
            ("PYTHONTRACEMALLOC", "5"),
            ("PYTHONDEVMODE", "1"),
            ("PYTHONUTF8", "0"),
            ("PYTHONIOENCODING", "ascii"),
            ("PYTHONHASHSEED", "0"),
            ("PYTHONPROFILEIMPORTTIME", ""),
            ("PYTHONFAULTHANDLER", "1"),
            ("PYTHONINSPECT", "1"),
            ("PYTHONSTARTUP", "/no/such"),
            ("LC_ALL", "C"),
        ] {
            let (ended, report) = report(&here, &python, &["loop.py"], None, &|command| {
                command.env(name, value);
            });
            assert_eq!(ended.status, 0, "{minor} {name}: {}", ended.err());
            assert_eq!(
                (ended.out().as_str(), ended.err().as_str()),
                ("", ""),
                "{minor} {name}"
            );
            let report = report.expect("a report");
            assert_eq!(executions(&report, "loop.py", 2), Some(1000), "{minor} {name}");
            assert_eq!(notes(&report), "", "{minor} {name}");
        }
    }
}

#[test]
fn a_current_folder_that_cannot_be_written_is_enough() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, here) = project();
    std::fs::write(here.join("loop.py"), LOOP).expect("written");
    let permit =
        |mode| std::fs::set_permissions(&here, std::fs::Permissions::from_mode(mode)).expect("permitted");
    permit(0o555);
    for (minor, python) in two() {
        let (ended, report) = report(&here, &python, &["loop.py"], None, &|_| {});
        let wrong = report.map(|report| executions(&report, "loop.py", 2));
        assert_eq!(
            (ended.status, wrong),
            (0, Some(Some(1000))),
            "{minor}: {}",
            ended.err()
        );
    }
    permit(0o755);
}

#[test]
fn a_temporary_folder_that_is_missing_is_said() {
    let (_folder, here) = project();
    std::fs::write(here.join("loop.py"), LOOP).expect("written");
    let Some((_, python)) = two().pop() else { return };
    let mut command = bytecost(&here);
    command
        .args(["run", "-q", "loop.py", "--python"])
        .arg(&python)
        .env("TMPDIR", "/no/such/folder");
    let ended = end(&mut command, None);
    assert_eq!(ended.status, 2);
    assert_eq!(ended.err().lines().count(), 1, "{}", ended.err());
    assert!(ended.err().contains("TMPDIR"), "{}", ended.err());
}
