//! The README says what the program says.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use bytecost::profile::State;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("README.md")
}

fn help(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bytecost"))
        .args([command, "--help"])
        .output()
        .expect("bytecost starts");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// `-o`, `--output` and the like at the head of the lines that `head` finds.
fn options<'t>(text: &'t str, head: impl Fn(&'t str) -> Option<&'t str>) -> BTreeSet<String> {
    text.lines()
        .filter_map(head)
        .flat_map(|line| line.split([' ', ',', '`', '|']))
        .filter(|word| word.starts_with('-') && word.len() > 1)
        .map(str::to_owned)
        .collect()
}

fn section(name: &str) -> String {
    let readme = readme();
    let (_, rest) = readme.split_once(&format!("\n## {name}\n")).expect(name);
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

#[test]
fn the_table_of_options_is_that_of_the_help() {
    let help = help("run");
    let said = options(&help, |line| {
        let line = line.strip_prefix("  ")?.trim_start();
        // The description stands two cells off.
        line.starts_with('-')
            .then(|| line.split("  ").next().unwrap_or_default())
    });
    let table = section("Command line");
    let listed = options(&table, |line| {
        line.strip_prefix("| `-")
            .map(|_| line.split(" | ").next().unwrap_or_default())
    });
    assert!(said.len() > 20, "{said:?}");
    assert_eq!(listed, said);
    for word in ["--source", "--format", "--output"] {
        assert!(self::help("show").contains(word));
    }
}

#[test]
fn what_it_points_at_is_there() {
    let readme = readme();
    let mut paths: Vec<_> = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.starts_with("http") && !link.starts_with('#'))
        .collect();
    for path in [
        "./.ci/run",
        "examples/nbody.py",
        "tests/rigs/install-pythons",
        "schemas/report.schema.json",
        "schemas/profile.schema.json",
        "benches/overhead.py",
        "scripts/picture",
        "tests/tidy.rs",
    ] {
        assert!(readme.contains(path), "{path}");
        paths.push(path);
    }
    for path in paths {
        assert!(root().join(path).exists(), "{path}");
    }
}

#[test]
fn every_state_is_explained() {
    let table = section("Reading the report");
    for state in State::ALL {
        let name = serde_json::to_value(state).expect("a name");
        let name = name.as_str().expect("a string");
        assert!(table.contains(&format!("| `{name}` |")), "{name}");
    }
}

/// The picture and the excerpts are output of the program at hand: their fixed words are its own.
#[test]
fn the_picture_shows_what_is_printed_today() {
    let picture = std::fs::read_to_string(root().join("docs/nbody.svg")).expect("the picture");
    let source = std::fs::read_to_string(root().join("examples/nbody.py")).expect("the example");
    let (before, rest) = source.split_once("def advance(").expect("the function");
    let body = rest.split("\n\n\n").next().unwrap_or_default();
    let first = before.matches('\n').count() + 1;
    for (at, line) in body.lines().enumerate().skip(2) {
        let shown = line
            .trim()
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        assert!(
            picture.contains(&shown),
            "scripts/picture must draw it again: {shown}"
        );
        assert!(
            picture.contains(&format!(">{}<", first + at)),
            "line {}",
            first + at
        );
    }
    for words in [bytecost::explain::times::SAMPLED, "What costs", "executions"] {
        assert!(
            picture.contains(words),
            "scripts/picture must draw it again: {words}"
        );
    }
}
