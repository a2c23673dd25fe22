//! Helix with the configuration of `editors/helix`.

use std::fs;
use std::path::Path;

use crate::hints::{compare, hint_of, shown};
use crate::project::{Project, Rig};
use crate::screen::Screen;

/// Cells before the text: diagnostics, line numbers, changes.
const GUTTER: usize = 7;

/// The files that the README shows.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/editors/helix");

/// Opens a file of a project at a line.
fn open(rig: &Rig, project: &Project, name: &str, file: &str, line: usize) -> Screen {
    let config = project.home().join("config/helix");
    fs::create_dir_all(&config).expect("a folder can be made");
    for name in ["config.toml", "languages.toml"] {
        fs::copy(Path::new(FOLDER).join(name), config.join(name)).expect("a file can be copied");
    }
    let editor = rig.editor.display().to_string();
    let place = format!("{file}:{line}");
    let command = [editor.as_str(), &place];
    let screen = Screen::start(name, &project.root(), &project.variables(), &command);
    screen.wait_for("NOR");
    screen
}

/// Runs the function at the cursor as soon as the server has told its commands.
fn run(screen: &Screen) {
    loop {
        screen.press(&[" ", "B", "b"]);
        let text = screen.wait("an answer", |text| {
            text.contains("Profiling ") || text.contains("is not supported for any")
        });
        if !text.contains("is not supported for any language server") {
            return;
        }
        // The message goes with the next key.
        screen.press(&["Escape"]);
        screen.wait("a free command line", |text| {
            !text.contains("is not supported for any")
        });
    }
}

/// Makes Helix ask for hints again.
fn refresh(screen: &Screen) {
    screen.press(&[" ", "B", "r"]);
}

fn read(project: &Project, file: &str) -> String {
    fs::read_to_string(project.root().join(file)).expect("the file is there")
}

#[test]
fn helix_shows_what_a_run_measured() {
    let Some(rig) = Rig::find("hx") else { return };
    let project = Project::with_example(&rig, "nbody.py");
    let source = read(&project, "nbody.py");
    let screen = open(&rig, &project, "helix-run", "nbody.py", 83);
    run(&screen);
    // Diagnostics come by themselves, hints only when asked for.
    let text = screen.wait("the diagnostic of the division", |text| {
        let lines = shown(text, &source, GUTTER);
        lines
            .iter()
            .any(|line| line.line == 83 && line.rest.contains('/'))
    });
    for line in shown(&text, &source, GUTTER)
        .iter()
        .filter(|line| line.line != 83)
    {
        assert_eq!(line.rest, "", "line {} has a diagnostic:\n{text}", line.line);
    }
    refresh(&screen);
    let text = screen.wait("hints", |text| {
        hint_of(text, &source, GUTTER, "pull = other.mass * magnitude").is_some()
    });
    screen.keep("hints");
    let with_hint = compare(&text, &source, GUTTER, &project.report());
    assert!(with_hint > 15, "only {with_hint} lines have hints:\n{text}");

    screen.press(&["g", "h", "f", "/", " ", "k"]);
    let text = screen.wait("the hover", |text| {
        text.contains("10,000") && text.contains("+ 4 basic")
    });
    screen.keep("hover");
    assert!(!text.contains("```"), "the fence is not rendered:\n{text}");
}

#[test]
fn helix_runs_from_the_code_actions_and_follows_edits() {
    let Some(rig) = Rig::find("hx") else { return };
    let project = Project::with_example(&rig, "tokenizer.py");
    let source = read(&project, "tokenizer.py");
    let line = 1 + source
        .lines()
        .position(|line| line.starts_with("def weigh("))
        .expect("it is there");
    let screen = open(&rig, &project, "helix-action", "tokenizer.py", line);
    screen.wait("the menu of code actions", |text| {
        if text.contains("Profile weigh") {
            return true;
        }
        // Pressed before the server is up, it says that there is none.
        screen.press(&[" ", "a"]);
        false
    });
    screen.keep("menu");
    screen.press(&["Enter"]);
    screen.wait_for("named tuple field");
    let edited = "total += weight(token)";
    let other = "kinds[token.kind] += 1";
    let hint = |text: &str, line: &str| hint_of(text, &source, GUTTER, line);
    refresh(&screen);
    let text = screen.wait("hints", |text| hint(text, edited).is_some());
    screen.keep("hints");
    assert!(compare(&text, &source, GUTTER, &project.report()) > 4, "{text}");

    let row = 1 + source
        .lines()
        .position(|line| line.trim() == edited)
        .expect("it is there");
    screen.enter(&format!(":{row}"));
    screen.press(&["A"]);
    screen.type_text("  # sum");
    screen.press(&["Escape"]);
    let changed = format!("{edited}  # sum");
    let text = screen.wait("the edited line without its hint", |text| {
        text.lines().any(|row| row.ends_with(&changed))
    });
    screen.keep("edited");
    assert!(
        hint(&text, other).is_some(),
        "another line lost its hint:\n{text}"
    );
    screen.press(&["u"]);
    screen.wait("the hint after undoing", |text| hint(text, edited).is_some());
}

#[test]
fn helix_cancels_a_run() {
    let Some(rig) = Rig::find("hx") else { return };
    let spin = "# bytecost: spin(10**12)\ndef spin(n):\n    while n:\n        n -= 1\n";
    let project = Project::with_file(&rig, "spin.py", spin);
    let screen = open(&rig, &project, "helix-cancel", "spin.py", 2);
    run(&screen);
    project.wait_for_workload("the workload starts", |alive| alive > 0);
    screen.wait("progress", |text| {
        text.lines()
            .last()
            .is_some_and(|line| line.contains('%') && line.contains("spin"))
    });
    screen.keep("running");
    screen.press(&[" ", "B", "c"]);
    project.wait_for_workload("the workload ends with its run", |alive| alive == 0);

    run(&screen);
    project.wait_for_workload("the workload starts again", |alive| alive > 0);
    screen.enter(":quit-all!");
    project.wait_for_workload("the workload ends with the editor", |alive| alive == 0);
}

#[test]
fn the_readme_of_helix_shows_the_files_that_work() {
    let read = |name: &str| fs::read_to_string(Path::new(FOLDER).join(name)).expect("the file is there");
    let readme = read("README.md");
    for name in ["config.toml", "languages.toml"] {
        let block = format!("```toml\n{}```", read(name));
        assert!(readme.contains(&block), "README.md does not show {name}");
    }
}
