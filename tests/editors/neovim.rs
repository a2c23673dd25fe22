//! Neovim with the plugin of `editors/neovim`.

use std::fs;
use std::path::Path;

use crate::hints::{compare, hint_of, shown};
use crate::project::{Project, Rig};
use crate::screen::Screen;
use crate::support::fixture;

/// Cells before the text: the sign column.
const GUTTER: usize = 2;

/// A function that does not end by itself for long.
const ENDLESS: &str = "# bytecost: spin(10**12)\ndef spin(n):\n    total = 0\n    while n:\n        n -= 1\n        total += n\n    return total\n";

/// Opens a file of a project at a line, with the server attached.
fn open(rig: &Rig, project: &Project, name: &str, file: &str, line: u32) -> Screen {
    let plugin = project.home().join("plugin");
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/neovim"),
        &plugin,
    );
    let mut variables = project.variables();
    variables.push(("BYTECOST_PLUGIN", plugin.display().to_string()));
    let init = fixture("editors/init.lua").display().to_string();
    let editor = rig.editor.display().to_string();
    let line = format!("+{line}");
    let command = [editor.as_str(), "--clean", "-u", &init, &line, file];
    let screen = Screen::start(name, &project.root(), &variables, &command);
    // A lens comes from the server.
    screen.wait("a code lens", |text| text.contains("Profile "));
    screen
}

/// Copies a folder, for help tags are written into it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a file can be copied");
        }
    }
}

fn read(project: &Project, file: &str) -> String {
    fs::read_to_string(project.root().join(file)).expect("the file is there")
}

#[test]
fn neovim_shows_what_a_run_measured() {
    let Some(rig) = Rig::find("nvim") else { return };
    let project = Project::with_example(&rig, "nbody.py");
    let source = read(&project, "nbody.py");
    let screen = open(&rig, &project, "neovim-run", "nbody.py", 83);
    screen.enter(":LspBytecostRun");
    let text = screen.wait("hints", |text| {
        hint_of(
            text,
            &source,
            GUTTER,
            "magnitude = dt / (square * math.sqrt(square))",
        )
        .is_some()
    });
    screen.keep("hints");
    let with_hint = compare(&text, &source, GUTTER, &project.report());
    assert!(with_hint > 15, "only {with_hint} lines have hints:\n{text}");

    let generic = |text: &str| {
        let lines = shown(text, &source, GUTTER);
        let line = lines.into_iter().find(|line| line.line == 83);
        line.is_some_and(|line| line.rest.contains('/'))
    };
    let text = screen.wait("the diagnostic of the division", generic);
    for line in shown(&text, &source, GUTTER)
        .iter()
        .filter(|line| line.line != 83)
    {
        assert_eq!(line.rest, "", "line {} has a diagnostic:\n{text}", line.line);
    }

    screen.press(&["0", "f", "/", "K"]);
    let text = screen.wait("the hover", |text| {
        text.contains("10,000") && text.contains("of an undisturbed run")
    });
    screen.keep("hover");
    assert!(
        text.contains("CPython 3.14"),
        "the interpreter is not named:\n{text}"
    );
    assert!(!text.contains("```"), "the fence is not rendered:\n{text}");
}

#[test]
fn neovim_runs_the_lens_under_the_cursor() {
    let Some(rig) = Rig::find("nvim") else { return };
    let project = Project::with_example(&rig, "tokenizer.py");
    let source = read(&project, "tokenizer.py");
    let line = 1 + source
        .lines()
        .position(|line| line.starts_with("def weigh("))
        .expect("it is there");
    let screen = open(
        &rig,
        &project,
        "neovim-lens",
        "tokenizer.py",
        u32::try_from(line).unwrap(),
    );
    screen.enter(":lua vim.lsp.codelens.run()");
    let text = screen.wait("hints", |text| {
        hint_of(text, &source, GUTTER, "total += weight(token)").is_some()
    });
    screen.keep("hints");
    assert!(compare(&text, &source, GUTTER, &project.report()) > 4, "{text}");
}

#[test]
fn neovim_keeps_hints_to_the_text_they_were_measured_on() {
    let Some(rig) = Rig::find("nvim") else { return };
    let project = Project::with_example(&rig, "nbody.py");
    let source = read(&project, "nbody.py");
    let screen = open(&rig, &project, "neovim-edit", "nbody.py", 83);
    let edited = "magnitude = dt / (square * math.sqrt(square))";
    let other = "push = one.mass * magnitude";
    let hint = |text: &str, line: &str| hint_of(text, &source, GUTTER, line);
    screen.enter(":LspBytecostRun advance(make_bodies(), 300)");
    let text = screen.wait("hints and a diagnostic", |text| {
        hint(text, edited).is_some() && text.contains("H:1")
    });
    assert_eq!(hint(&text, edited).unwrap().executions, "3k", "{text}");
    let before = hint(&text, other);

    screen.press(&["A"]);
    screen.type_text("  # half");
    screen.press(&["Escape"]);
    let changed = format!("{edited}  # half");
    let text = screen.wait("the edited line without its hint and diagnostic", |text| {
        text.lines().any(|row| row.trim() == changed)
    });
    screen.keep("edited");
    assert_eq!(hint(&text, other), before, "another line lost its hint:\n{text}");

    screen.press(&["u"]);
    screen.wait("the hint after undoing", |text| hint(text, edited).is_some());

    screen.press(&["g", "g", "O"]);
    screen.type_text("# above");
    screen.press(&["Escape", "8", "4", "G"]);
    let text = screen.wait("moved hints", |text| hint(text, other) == before);
    compare(&text, &source, GUTTER, &project.report());
    screen.keep("moved");
}

#[test]
fn neovim_cancels_a_run() {
    let Some(rig) = Rig::find("nvim") else { return };
    let project = Project::with_file(&rig, "spin.py", ENDLESS);
    let screen = open(&rig, &project, "neovim-cancel", "spin.py", 2);
    screen.enter(":LspBytecostRun");
    project.wait_for_workload("the workload starts", |alive| alive > 0);
    screen.wait("progress", |text| {
        text.lines()
            .last()
            .is_some_and(|line| line.contains('%') && line.contains("spin"))
    });
    screen.keep("running");
    screen.enter(":LspBytecostCancel");
    project.wait_for_workload("the workload ends with its run", |alive| alive == 0);

    screen.enter(":LspBytecostRun");
    project.wait_for_workload("the workload starts again", |alive| alive > 0);
    screen.enter(":qa!");
    project.wait_for_workload("the workload ends with the editor", |alive| alive == 0);
}

#[test]
fn neovim_has_the_commands_the_help_and_the_health_check() {
    let Some(rig) = Rig::find("nvim") else { return };
    let project = Project::with_example(&rig, "nbody.py");
    let source = read(&project, "nbody.py");
    let screen = open(&rig, &project, "neovim-commands", "nbody.py", 84);
    let line = "pull = other.mass * magnitude";
    let has_hint = |text: &str| hint_of(text, &source, GUTTER, line).is_some();
    let has_line = |text: &str| text.lines().any(|row| row.contains(line));
    screen.enter(":LspBytecostRun advance");
    screen.wait("hints", has_hint);
    screen.enter(":LspBytecostHints");
    screen.wait("no hints", |text| has_line(text) && !has_hint(text));
    screen.enter(":LspBytecostHints");
    screen.wait("hints again", has_hint);
    screen.enter(":LspBytecostClear");
    screen.wait("no results", |text| has_line(text) && !has_hint(text));
    let saved = project.saved().expect("the run saved its profile");
    let saved = saved.strip_prefix(project.root()).expect("it is below the root");
    screen.enter(&format!(":LspBytecostLoad {}", saved.display()));
    screen.wait("loaded results", has_hint);

    screen.enter(":LspBytecostBytecode");
    screen.wait_for("→ MULTIPLY_FLOAT");
    screen.keep("bytecode");
    screen.press(&["C-o"]);
    screen.wait("the source again", has_hint);

    screen.enter(":checkhealth bytecost");
    let text = screen.wait_for("inlay hints are on in");
    screen.keep("health");
    assert!(text.contains("OK bytecost "), "{text}");
    assert!(!text.contains("ERROR"), "{text}");
    screen.enter(":helptags ALL");
    screen.enter(":help :LspBytecostRun");
    screen.wait_for("Measure the function at the cursor.");
}
