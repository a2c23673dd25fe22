//! Dependencies are under licences that this project may be distributed with, and come from the
//! registry. Needs no network once `cargo fetch` has run; advisories need a database and are not looked up.

use std::process::Command;

use serde_json::Value;

/// Licences that ask for no more than their text and a notice.
const ALLOWED: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Zlib",
];

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

/// Whether an SPDX expression can be met with the licences allowed. `OR` binds least; older
/// manifests write `/` for it.
fn allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let outer = split(&expression, "OR");
    if outer.len() > 1 {
        return outer.iter().any(|part| allowed(part));
    }
    let inner = split(&expression, "AND");
    if inner.len() > 1 {
        return inner.iter().all(|part| allowed(part));
    }
    let one = expression.trim();
    match one.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inside) => allowed(inside),
        None => ALLOWED.contains(&one),
    }
}

/// Parts between a word that stands outside parentheses.
fn split(expression: &str, word: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![Vec::new()], 0_i32);
    for token in expression.split_whitespace() {
        if depth == 0 && token == word {
            parts.push(Vec::new());
            continue;
        }
        for c in token.chars() {
            depth += i32::from(c == '(') - i32::from(c == ')');
        }
        parts.last_mut().expect("one").push(token);
    }
    parts.iter().map(|tokens| tokens.join(" ")).collect()
}

#[test]
fn expressions_are_read_as_spdx_has_them() {
    assert!(allowed("MIT"));
    assert!(allowed("GPL-3.0-only OR MIT"));
    assert!(allowed("Unlicense/MIT"));
    assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(allowed("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only"));
    assert!(!allowed("MIT AND GPL-3.0-only"));
    assert!(!allowed("(MIT OR Apache-2.0) AND LGPL-3.0-only"));
    assert!(!allowed("MPL-2.0"));
    assert!(!allowed(""));
}

#[test]
fn every_dependency_may_be_distributed_with_this() {
    let packages = packages();
    let mut wrong = Vec::new();
    for package in &packages {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or_default();
        if !allowed(licence) {
            wrong.push(format!("{name}: licence {licence:?}"));
        }
        let source = package["source"].as_str();
        if *name != "bytecost" && source != Some("registry+https://github.com/rust-lang/crates.io-index") {
            wrong.push(format!("{name}: from {source:?}"));
        }
    }
    assert!(packages.len() > 50, "only {} packages", packages.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The two texts that `MIT OR Apache-2.0` in Cargo.toml names are here.
#[test]
fn our_own_licences_are_here() {
    let read = |name| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        std::fs::read_to_string(path).expect(name)
    };
    assert!(read("LICENSE-MIT").contains("Permission is hereby granted, free of charge"));
    assert!(read("LICENSE-APACHE").contains("Version 2.0, January 2004"));
    assert!(read("Cargo.toml").contains("license = \"MIT OR Apache-2.0\""));
}
