//! Which interpreter is found, and what is refused.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Instant;

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An executable shell script.
    fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
        path
    }

    fn environment(&self) -> Environment {
        Environment {
            path: Some(self.at("path").into_os_string()),
            active: None,
            virtual_env: None,
            current_directory: self.0.path().to_owned(),
        }
    }

    /// The message with the folder's name taken out.
    fn sentence(&self, error: &InterpreterError) -> String {
        error
            .to_string()
            .replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// A probe's answer of these fields, as a script prints it.
fn answer(fields: &str) -> String {
    format!("echo noise; echo bytecost-probe {fields}")
}

#[test]
fn the_first_rule_that_applies_decides() {
    let folder = Folder::new();
    for name in [
        "path/python3",
        "path/python",
        "path/python3.13",
        "bin/mine",
        "project/.venv/bin/python",
        "active/bin/python",
        "other/bin/python3",
        "conf/bin/py",
    ] {
        folder.program(name, "");
    }
    let config = Config::parse(
        &folder.at("conf/pyproject.toml"),
        "[tool.bytecost]\npython = 'bin/py'",
    )
    .expect("");
    let active = Environment {
        virtual_env: Some("active".into()),
        ..folder.environment()
    };
    let chosen = Environment {
        active: Some(folder.at("other/bin/python3").display().to_string()),
        ..active.clone()
    };
    let plain = folder.environment();
    let (project, bare) = (folder.at("project"), folder.at("bare"));
    let named = Rule::Config {
        path: config.path.clone(),
    };
    let check = |request, config, root: &Path, environment: &Environment, expected: &str, rule: &Rule| {
        let found = discover(request, config, root, environment).expect(expected);
        assert_eq!((found.path, &found.rule), (folder.at(expected), rule));
    };
    check(None, None, &project, &chosen, "other/bin/python3", &Rule::Editor);
    check(None, Some(&config), &project, &chosen, "conf/bin/py", &named);
    check(
        Some("bin/mine"),
        Some(&config),
        &project,
        &active,
        "bin/mine",
        &Rule::Flag,
    );
    check(
        Some("3.13"),
        Some(&config),
        &project,
        &active,
        "path/python3.13",
        &Rule::Flag,
    );
    check(
        Some("python3.13"),
        None,
        &project,
        &active,
        "path/python3.13",
        &Rule::Flag,
    );
    check(
        Some("other"),
        None,
        &project,
        &active,
        "other/bin/python3",
        &Rule::Flag,
    );
    check(
        Some("./project/.venv"),
        None,
        &bare,
        &active,
        "project/.venv/bin/python",
        &Rule::Flag,
    );
    check(None, Some(&config), &project, &active, "conf/bin/py", &named);
    check(
        None,
        None,
        &project,
        &active,
        "active/bin/python",
        &Rule::VirtualEnv,
    );
    let project_env = Rule::ProjectEnv {
        directory: folder.at("project/.venv"),
    };
    check(
        None,
        None,
        &project,
        &plain,
        "project/.venv/bin/python",
        &project_env,
    );
    check(None, None, &bare, &plain, "path/python3", &Rule::Path);
    fs::remove_file(folder.at("path/python3")).expect("removed");
    check(None, None, &bare, &plain, "path/python", &Rule::Path);
}

#[test]
fn what_is_not_there_is_a_sentence() {
    let folder = Folder::new();
    let config = Config::parse(&folder.at("pyproject.toml"), "[tool.bytecost]\npython = 'bin/py'").expect("");
    let advice = "give the path of a CPython 3.11 or newer, or a version on PATH such as 3.13";
    let gone = Environment {
        virtual_env: Some("gone".into()),
        ..folder.environment()
    };
    let plain = folder.environment();
    let pathless = Environment {
        path: None,
        ..folder.environment()
    };
    let none = "no Python found (no --python, virtual environment, or python3 on PATH): install CPython 3.11 or newer, or name one with --python (in editors with bytecost.python)";
    for (request, config, environment, expected) in [
        (Some("3.99"), None, &plain, format!("no Python at 3.99 (given with --python): {advice}")),
        (Some("no/python"), None, &plain, format!("no Python at no/python (given with --python): {advice}")),
        (Some(""), None, &plain, format!("no Python at  (given with --python): {advice}")),
        (None, Some(&config), &plain, format!("no Python at bin/py (named in pyproject.toml): {advice}")),
        (None, None, &gone, "VIRTUAL_ENV is gone, which has no Python: activate another environment, or name an interpreter with --python".to_owned()),
        (None, None, &plain, none.to_owned()),
        (None, None, &pathless, none.to_owned()),
    ] {
        let error = discover(request, config, &folder.at("bare"), environment).expect_err(&expected);
        assert_eq!(folder.sentence(&error), expected);
    }
}

#[test]
fn what_is_no_suitable_python_is_a_sentence() {
    let folder = Folder::new();
    let advice = "name a CPython 3.11 or newer with --python";
    let needs = "and bytecost needs CPython 3.11 or newer: name one with --python";
    for (name, script, expected) in [
        (
            "fails",
            "echo 'Unknown option: -I' >&2; exit 2".to_owned(),
            format!(
                "fails (found on PATH) does not answer like a Python (it says \"Unknown option: -I\"): {advice}"
            ),
        ),
        (
            "mute",
            "exit 3".to_owned(),
            format!("mute (found on PATH) does not answer like a Python (exit status: 3): {advice}"),
        ),
        (
            "junk",
            "printf '\\033[1m\\377hello\\n'".to_owned(),
            format!(
                "junk (found on PATH) does not answer like a Python (it says \"[1m\u{fffd}hello\"): {advice}"
            ),
        ),
        (
            "flood",
            "while :; do echo y; done".to_owned(),
            format!("flood (found on PATH) does not answer like a Python (it says \"y\"): {advice}"),
        ),
        (
            "short",
            answer("a b"),
            format!("short (found on PATH) does not answer like a Python (it says \"noise\"): {advice}"),
        ),
        (
            "escape",
            answer("'\\zz;' 1 1 1 1 1 1 1"),
            format!("escape (found on PATH) does not answer like a Python (it says \"noise\"): {advice}"),
        ),
        (
            "hangs",
            "exec sleep 60".to_owned(),
            format!("hangs (found on PATH) did not answer within 1 s: {advice}"),
        ),
        (
            "old",
            answer("- 3.10.4 3.10 50988272 cpython 0 0 none"),
            format!("old (found on PATH) is CPython 3.10.4, {needs}"),
        ),
        (
            "pypy",
            answer("- 3.11.9 3.11 51055088 pypy 0 0 none"),
            format!("pypy (found on PATH) is PyPy 3.11.9, {needs}"),
        ),
        (
            "number",
            answer("- 3.11.9 3.11 lots cpython 0 0 none"),
            format!("number (found on PATH) is CPython 3.11.9, {needs}"),
        ),
    ] {
        let candidate = Candidate {
            path: folder.program(name, &script),
            rule: Rule::Path,
        };
        let started = Instant::now();
        let error = probe_within(&candidate, Duration::from_secs(1)).expect_err(name);
        assert_eq!(folder.sentence(&error), expected);
        assert!(started.elapsed() < Duration::from_secs(5), "{name}");
    }
    let plain = folder.at("plain");
    fs::write(&plain, "not a program").expect("a file");
    let error = probe(&Candidate {
        path: plain,
        rule: Rule::Flag,
    })
    .expect_err("not executable");
    assert_eq!(
        folder.sentence(&error),
        format!("plain (given with --python) cannot be run (Permission denied (os error 13)): {advice}")
    );
}

#[test]
fn a_child_that_keeps_the_pipes_open_is_not_waited_for() {
    let folder = Folder::new();
    let script = format!("sleep 5 & {}", answer("- 3.12.0 3.12 51118320 cpython 0 0 none"));
    let candidate = Candidate {
        path: folder.program("python", &script),
        rule: Rule::Path,
    };
    let started = Instant::now();
    let interpreter = probe(&candidate).expect("an interpreter");
    assert!(started.elapsed() < Duration::from_secs(4));
    assert_eq!(interpreter.executable, candidate.path);
}

#[test]
fn every_field_of_the_answer_is_read() {
    let folder = Folder::new();
    let script = answer("'/a\\20;b/\\e9;' 3.15.0rc1+ 3.15 51314881 cpython 1 1 on");
    let candidate = Candidate {
        path: folder.program("python", &script),
        rule: Rule::Path,
    };
    let interpreter = probe(&candidate).expect("an interpreter");
    // `/a b/é` does not exist, so what was found is run.
    assert_eq!(
        interpreter,
        Interpreter {
            executable: candidate.path.clone(),
            version: "3.15.0rc1+".to_owned(),
            minor: "3.15".to_owned(),
            hexversion: 51_314_881,
            implementation: "cpython".to_owned(),
            free_threaded: true,
            pystats: true,
            jit: Jit::On,
        }
    );
    assert_eq!(unescape("/a\\20;b/\\e9;").as_deref(), Some("/a b/é"));
}

/// The interpreters of this machine that are new enough, by `sysconfig`-free means.
fn pythons() -> Vec<PathBuf> {
    let listed = std::env::var_os("BYTECOST_PYTHONS");
    let named = listed
        .map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>())
        .unwrap_or_default();
    let on_path = (11..=15).filter_map(|minor| which::which(format!("python3.{minor}")).ok());
    let all: Vec<PathBuf> = named
        .into_iter()
        .chain(on_path)
        .filter(|path| path.is_file())
        .collect();
    assert!(
        !all.is_empty() || std::env::var_os("CI").is_none(),
        "no CPython to test with"
    );
    all
}

#[test]
fn real_interpreters_describe_themselves() {
    for path in pythons() {
        let output = std::process::Command::new(&path)
            .args(["-I", "-S", "-V"])
            .output()
            .expect("it runs");
        let stated = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        // A version manager's shim of a version that is not installed says so and fails.
        if !output.status.success() {
            eprintln!("skipped: {} does not run", path.display());
            continue;
        }
        let interpreter = probe(&Candidate {
            path: path.clone(),
            rule: Rule::Path,
        })
        .expect("a CPython");
        assert_eq!(format!("Python {}", interpreter.version), stated);
        assert!(
            interpreter
                .version
                .starts_with(&format!("{}.", interpreter.minor))
        );
        let [major, minor, ..] = interpreter.hexversion.to_be_bytes();
        assert_eq!(format!("{major}.{minor}"), interpreter.minor);
        assert!(interpreter.executable.is_absolute());
        if minor < 13 {
            assert!(interpreter.jit == Jit::None && !interpreter.free_threaded);
        }
    }
}

#[test]
fn shims_give_way_to_the_interpreter_and_links_do_not() {
    let Some(python) = pythons().into_iter().find_map(|path| {
        let probed = probe(&Candidate {
            path,
            rule: Rule::Path,
        });
        probed.ok().map(|interpreter| interpreter.executable)
    }) else {
        eprintln!("skipped: no CPython");
        return;
    };
    let folder = Folder::new();
    let shim = folder.program("shim", &format!("exec '{}' \"$@\"", python.display()));
    let shim = probe(&Candidate {
        path: shim,
        rule: Rule::Path,
    })
    .expect("an interpreter");
    assert_eq!(shim.executable, python);
    fs::create_dir(folder.at("bin")).expect("a folder");
    let link = folder.at("bin/python");
    symlink(&python, &link).expect("a link");
    fs::write(
        folder.at("pyvenv.cfg"),
        format!("home = {}\n", python.parent().expect("a folder").display()),
    )
    .expect("");
    let linked = probe(&Candidate {
        path: link.clone(),
        rule: Rule::VirtualEnv,
    })
    .expect("an interpreter");
    assert_eq!(linked.executable, link);
}
