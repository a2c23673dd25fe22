//! The page in Chromium: what it shows and does, seen by a program that drives the browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use bytecost::attribute::attribute;
use bytecost::present::json;

use crate::profiles::{self, Fixture};
use crate::support::pythons;
use crate::{hostile, render, two_files};

/// Node and Chromium, if both are there with what connects them.
fn programs() -> Option<(PathBuf, PathBuf)> {
    let modules = pythons::rigs().join("vscode/node_modules");
    let node = modules.join("node/bin/node");
    let chromium =
        std::env::var_os("BYTECOST_CHROMIUM").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from);
    let missing = [&node, &modules.join("playwright-core"), &chromium]
        .into_iter()
        .find(|path| !path.exists())
        .cloned();
    let Some(missing) = missing else {
        return Some((node, chromium));
    };
    assert!(
        std::env::var_os("CI").is_none(),
        "CI must have {}: run tests/rigs/install-vscode",
        missing.display()
    );
    eprintln!(
        "skipped: the report in Chromium, no {} (tests/rigs/install-vscode gets it)",
        missing.display()
    );
    None
}

/// Twenty thousand lines, every fourth one generic.
fn big() -> Fixture {
    let lines = 20_000;
    let source: String = (1..=lines)
        .map(|line| match line % 4 {
            0 => format!("    total = total * {line} % 7  # the number is {line}\n"),
            1 => format!("    if total > {line}:\n"),
            2 => "        total -= weights[name].value\n".to_owned(),
            _ => format!("    items.append((\"line {line}\", total, 'text'))\n"),
        })
        .collect();
    let mut fixture = Fixture::new("big.py", "run", &source);
    // Of a builder that looks for earlier instructions of the line at each: a code object a chunk.
    for first in (1..=lines).step_by(100) {
        let last = first + 99;
        let mut code = fixture.code(&format!("part_{first}"), (first, last), 1);
        for line in first..=last {
            let ran = u64::from(line) * 10;
            code = code.op("LOAD_FAST", "total", line, "total", ran);
            code = match line % 4 {
                0 => code
                    .op("BINARY_OP", "*", line, "total * ", ran)
                    .specialized("BINARY_OP_MULTIPLY_INT")
                    .op("BINARY_OP", "%", line, "total * ", ran)
                    .generic(),
                1 => code
                    .op("COMPARE_OP", ">", line, "total > ", ran)
                    .specialized("COMPARE_OP_INT"),
                2 => code
                    .op("LOAD_ATTR", "value", line, "weights[name].value", ran)
                    .missing("LOAD_ATTR_SLOT", &[("LOAD_ATTR_SLOT", ran / 2)]),
                _ => code
                    .op("CALL", "1", line, "items.append", ran)
                    .specialized("CALL_LIST_APPEND"),
            };
            code = code.op("STORE_FAST", "total", line, "total", ran);
        }
    }
    fixture
}

#[test]
fn it_works_in_chromium() {
    let Some((node, chromium)) = programs() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).expect("written");
    let kern = profiles::kern();
    let costs = attribute(&kern.profile, &|path| kern.text(path));
    write("kern.json", json::to_string(&json::report(&kern.profile, &costs)));
    let mut stale = profiles::kern();
    stale.profile.files[0].digest = "0".repeat(64);
    let mut empty = profiles::kern();
    empty.profile.files.clear();
    for (name, fixture) in [
        ("kern", kern),
        ("two", two_files()),
        ("uncounted", profiles::kern().uncounted()),
        ("stale", stale),
        ("empty", empty),
        ("hostile", hostile()),
        ("big", big()),
    ] {
        write(&format!("{name}.html"), render(&fixture));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let screens = root.join("tests/artifacts/html");
    std::fs::create_dir_all(&screens).expect("a folder");
    let output = Command::new(node)
        .arg(root.join("tests/html/browser.mjs"))
        .args([folder.path(), &screens])
        .arg(pythons::rigs().join("vscode"))
        .arg(chromium)
        .output()
        .expect("Node starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(
        output.status.success() && said.contains("\nall done"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
