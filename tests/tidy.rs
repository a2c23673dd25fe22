//! The rules of the layers, read from the source.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a folder of the repository that git would track.
fn files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                let skipped = [
                    "target",
                    ".git",
                    "node_modules",
                    "artifacts",
                    "__pycache__",
                    ".bytecost",
                ];
                if !skipped.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push((name, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} is empty");
    found
}

/// Rust sources of the program without comments.
fn sources() -> Vec<(String, String)> {
    let rust = files("server")
        .into_iter()
        .filter(|(name, _)| has_extension(name, "rs"));
    rust.map(|(name, text)| (name, without_comments(&text))).collect()
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|found| found == extension)
}

fn without_comments(text: &str) -> String {
    let code = text.lines().map(|line| {
        if line.trim_start().starts_with("//") {
            ""
        } else {
            line
        }
    });
    code.collect::<Vec<_>>().join("\n")
}

/// Whether the file is a stage's: `server/stage.rs` or below `server/stage/`.
fn belongs(name: &str, stage: &str) -> bool {
    name == format!("server/{stage}.rs") || name.starts_with(&format!("server/{stage}/"))
}

/// Lines that name any of the words, as `file:line: word`.
fn naming(sources: &[(String, String)], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in sources {
        for (index, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                found.push(format!("{name}:{}: {word}", index + 1));
            }
        }
    }
    found
}

const NONE: [String; 0] = [];

/// Stages that compute and do nothing else.
const PURE: [&str; 8] = [
    "profile",
    "source",
    "attribute",
    "explain",
    "present",
    "cpython",
    "stats",
    "dump",
];

#[test]
fn pure_stages_touch_nothing_outside() {
    let pure: Vec<_> = sources()
        .into_iter()
        .filter(|(name, _)| PURE.iter().any(|stage| belongs(name, stage)))
        // The parser recurses: it gets a stack of its own, and nothing else happens there.
        .filter(|(name, _)| name != "server/source/outline.rs")
        .collect();
    assert!(pure.len() > 10, "the stages are not where this test looks");
    let outside = [
        "std::fs",
        "std::env",
        "std::process",
        "std::net",
        "std::thread",
        "std::time",
        "Instant::",
        "SystemTime",
        "tokio",
        "tempfile",
        "println!",
        "eprintln!",
        "crate::store",
    ];
    assert_eq!(naming(&pure, &outside), NONE);
    // `use std::{fs, …}` would hide from the list above.
    assert_eq!(naming(&pure, &["use std::{"]), NONE);
}

#[test]
fn nothing_points_back_in_the_flow() {
    let flow = ["profile", "attribute", "explain", "present"];
    for (index, stage) in flow.iter().enumerate() {
        let own: Vec<_> = sources()
            .into_iter()
            .filter(|(name, _)| belongs(name, stage))
            .collect();
        assert!(!own.is_empty(), "there is no {stage}");
        let later = flow[index + 1..].iter().chain(&["collect", "dump", "cli", "lsp"]);
        for other in later {
            let path = format!("crate::{other}");
            assert_eq!(naming(&own, &[&path, &format!("crate::{{{other}")]), NONE);
        }
    }
    let source: Vec<_> = sources()
        .into_iter()
        .filter(|(name, _)| belongs(name, "source"))
        .collect();
    let not_its = [
        "crate::profile",
        "crate::attribute",
        "crate::explain",
        "crate::present",
        "crate::collect",
    ];
    assert_eq!(naming(&source, &not_its), NONE);
}

#[test]
fn only_the_server_knows_the_protocol() {
    let others: Vec<_> = sources()
        .into_iter()
        .filter(|(name, _)| !belongs(name, "lsp"))
        .collect();
    assert_eq!(naming(&others, &["ls_types", "tower_lsp"]), NONE);
    // Without the server the command line loses one subcommand and nothing else.
    let others: Vec<_> = others
        .into_iter()
        .filter(|(name, _)| name != "server/cli/lsp.rs")
        .collect();
    assert_eq!(naming(&others, &["crate::lsp", "crate::{lsp"]), NONE);
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<_> = files("server")
        .into_iter()
        .filter(|(name, _)| !has_extension(name, "json"))
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > 600)
        .collect();
    assert_eq!(long, []);
}

#[test]
fn nothing_is_left_to_do() {
    let words = [
        "todo!",
        "unimplemented!",
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
    ];
    assert_eq!(naming(&files("server"), &words), NONE);
}

#[test]
fn the_repository_stands_alone() {
    let outside = [
        concat!("../", "shared"),
        concat!("/work/", "shared"),
        concat!("/work/", "wt"),
    ];
    assert_eq!(naming(&files("."), &outside), NONE);
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<_> = files("server")
        .into_iter()
        .filter(|(name, text)| has_extension(name, "rs") && !text.starts_with("//!"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(silent, NONE);
}
