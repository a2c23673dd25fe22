//! The page in Chromium: what it shows and does, seen by a program that drives the browser.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytecost::attribute::attribute;
use bytecost::present::json;
use bytecost::profile::{LineTotal, Method, Time, Times};

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

/// Twenty thousand lines, every fourth one generic, and every fourth missing.
fn big() -> Fixture {
    const PART: u32 = 100;
    const PARTS: u32 = 200;
    let text = |part: u32| -> String {
        let lines = (1..=PART).map(|line| match line % 4 {
            0 => format!(
                "    total = total * 3 % 7  # the number is {}\n",
                part * PART + line
            ),
            1 => "    if total > 0:\n".to_owned(),
            2 => "        total -= weights[name].value\n".to_owned(),
            _ => format!("    items.append((total, 'line {}'))\n", part * PART + line),
        });
        lines.collect()
    };
    let mut fixture = Fixture::new("big.py", "part", &text(0));
    let mut code = fixture.code("part", (1, PART), 1);
    for line in 1..=PART {
        let ran = u64::from(line) * 1_000;
        code = code.op("LOAD_FAST", "total", line, "total", ran / 2);
        code = match line % 4 {
            0 => code
                .op("BINARY_OP", "*", line, "total * 3", ran)
                .specialized("BINARY_OP_MULTIPLY_INT")
                .op("BINARY_OP", "%", line, "total * 3 % 7", ran)
                .generic(),
            1 => code
                .op("COMPARE_OP", ">", line, "total > 0", ran)
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
    let first = fixture.profile.files[0].codes[0].clone();
    let shifted = |part: u32| {
        let mut code = first.clone();
        code.qualname = format!("part_{part}");
        code.first_line += part * PART;
        code.last_line += part * PART;
        for instruction in &mut code.instructions {
            if let Some(position) = &mut instruction.position {
                position.line += part * PART;
                position.end_line += part * PART;
            }
        }
        code
    };
    fixture.profile.files[0].codes = (0..PARTS).map(shifted).collect();
    fixture.source = (0..PARTS).map(text).collect();
    fixture.profile.files[0].digest = profiles::digest(&fixture.source);
    fixture
}

/// With times: line 26 has samples enough to be split, the others have not, and line 25 calls what takes longer.
fn timed() -> Fixture {
    let mut fixture = profiles::kern();
    let file = &mut fixture.profile.files[0];
    let time = |samples: u64| Time {
        busy_ns: samples as f64 * 1e5,
        samples,
        ..Time::default()
    };
    let mut samples = 0;
    for (at, instruction) in file
        .codes
        .iter_mut()
        .flat_map(|code| &mut code.instructions)
        .enumerate()
    {
        let Some(position) = instruction.position else {
            continue;
        };
        let seen = (at as u64 + 1) * if position.line == 26 { 1_000 } else { 3 };
        instruction.time = Some(Box::new(time(seen)));
        samples += seen;
        let total = time(seen + if position.line == 25 { 900 } else { 0 });
        match file.totals.iter_mut().find(|line| line.line == position.line) {
            Some(line) => line.total.add(total),
            None => file.totals.push(LineTotal {
                line: position.line,
                total,
            }),
        }
    }
    fixture.profile.times = Some(Times {
        method: Method::Sampled,
        calls: 1,
        wall_ns: samples as f64 * 1e5,
        busy_ns: samples as f64 * 1e5,
        outside_ns: 0.0,
        waiting_ns: 0.0,
        collecting_ns: 0.0,
        elsewhere_ns: 0.0,
        threads: 1,
        samples: Some(samples),
        torn: 0,
        processes: 1,
        dispersion: 1.0,
    });
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
    write(
        "kern.json",
        json::to_string(&json::report(&kern.profile, &costs, &BTreeMap::new())),
    );
    let timed = timed();
    let costs = attribute(&timed.profile, &|path| timed.text(path));
    write(
        "timed.json",
        json::to_string(&json::report(&timed.profile, &costs, &BTreeMap::new())),
    );
    let mut stale = profiles::kern();
    stale.profile.files[0].digest = "0".repeat(64);
    let mut empty = profiles::kern();
    empty.profile.files.clear();
    for (name, fixture) in [
        ("kern", kern),
        ("timed", timed),
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
