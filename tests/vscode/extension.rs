//! The extension itself: what npm checks, and the package in a real editor.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::pythons;

/// The version whose interpreter the projects name, and one that differs from it.
const MINORS: [&str; 2] = ["3.14", "3.13"];

/// The bundle without the server must stay below this, bytes.
const LARGEST_BUNDLE: u64 = 500_000;

fn extension() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode")
}

/// Node 24 of the rig, or `None` when the rig is missing: that is said, and a failure under `CI`.
fn node() -> Option<PathBuf> {
    let rig = pythons::rigs().join("vscode");
    let is_there = rig.join(".done").is_file();
    if !is_there {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI must have VS Code: run tests/rigs/install-vscode"
        );
        eprintln!("skipped: no VS Code (tests/rigs/install-vscode gets it)");
    }
    is_there.then(|| rig.join("node_modules/node/bin/node"))
}

/// A command in the extension's folder with the rig's Node first.
fn command(node: &Path, program: impl AsRef<OsStr>) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let folder = node.parent().expect("in a folder").display().to_string();
    let mut command = Command::new(program);
    command
        .current_dir(extension())
        .env("PATH", format!("{folder}:{path}"));
    command
}

/// Runs a command to its end; its output, which is shown if it fails.
#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?}:\n{text}");
    text
}

/// Installs what the lock file names, unless it is there.
fn install(node: &Path) {
    let lock = fs::read(extension().join("package-lock.json")).expect("a lock file");
    let mark = extension().join("node_modules/.installed");
    if fs::read(&mark).is_ok_and(|installed| installed == lock) {
        return;
    }
    succeed(command(node, "npm").args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]));
    fs::write(mark, lock).expect("a file can be written");
}

/// The server under test without what only a debugger reads.
fn small_server(folder: &Path) -> PathBuf {
    let small = folder.join("bytecost");
    fs::copy(env!("CARGO_BIN_EXE_bytecost"), &small).expect("a file can be copied");
    // Without the tool it is only larger.
    let _ = Command::new("strip").arg(&small).status();
    small
}

/// Both in one test: they share `node_modules`, `dist` and `server`.
#[test]
fn the_package_works_in_a_real_editor() {
    let Some(node) = node() else { return };
    let interpreters = pythons::pythons();
    let interpreters: Vec<_> = MINORS
        .iter()
        .filter_map(|minor| interpreters.iter().find(|(found, _)| found == minor))
        .map(|(_, python)| python.display().to_string())
        .collect();
    if interpreters.len() < MINORS.len() {
        eprintln!("skipped: CPython {} are needed", MINORS.join(" and "));
        return;
    }
    install(&node);
    println!(
        "{}",
        succeed(command(&node, "npm").args(["run", "--silent", "check"]))
    );

    let folder = tempfile::tempdir().expect("a folder can be made");
    let server = small_server(folder.path());
    let platform = format!(
        "linux-{}",
        if cfg!(target_arch = "aarch64") {
            "arm64"
        } else {
            "x64"
        }
    );
    let with_server = format!("--target={platform}={}", server.display());
    let out = format!("--out={}", folder.path().display());
    let package = [
        "run",
        "--silent",
        "package",
        "--",
        &with_server,
        "--target=universal",
        &out,
    ];
    println!("{}", succeed(command(&node, "npm").args(package)));
    let bundle = fs::metadata(extension().join("dist/extension.js")).expect("a bundle");
    assert!(
        bundle.len() < LARGEST_BUNDLE,
        "the bundle has {} bytes",
        bundle.len()
    );

    let version = env!("CARGO_PKG_VERSION");
    let package = |target: &str| folder.path().join(format!("bytecost-{target}-{version}.vsix"));
    let artifacts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/artifacts/vscode");
    let mut scenarios = command(&node, &node);
    scenarios
        .args(["--test", "--test-reporter=spec", "test/editor/scenarios.test.mjs"])
        .env_remove("NODE_TEST_CONTEXT")
        .env("BYTECOST_BINARY", &server)
        .env("BYTECOST_PYTHON", &interpreters[0])
        .env("BYTECOST_PYTHONS", interpreters.join(":"))
        .env("BYTECOST_VSIX", package(&platform))
        .env("BYTECOST_VSIX_UNIVERSAL", package("universal"))
        .env("BYTECOST_ARTIFACTS", artifacts);
    println!("{}", succeed(&mut scenarios));
}
