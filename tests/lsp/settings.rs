//! Settings from every source, and several folders.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::client::{self, Client};
use super::pythons;
use super::workspace::{GENERIC, KERN, Workspace, python, quick, uri};

const NONE: Vec<Value> = Vec::new();

#[test]
fn settings_take_effect_when_they_change() {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::NEOVIM, &workspace.root(), quick());
    client.open(&uri, KERN);
    client.run(json!({"uri": uri, "target": "advance"}));
    let before = client.diagnostics(&uri);
    let change = |client: &mut Client, settings: Value| {
        client.notify("workspace/didChangeConfiguration", json!({"settings": settings}));
    };
    let label = |client: &mut Client| {
        let hints = client.hints(&uri);
        hints
            .into_iter()
            .find(|hint| hint.0 == GENERIC)
            .map(|hint| hint.2)
    };
    change(
        &mut client,
        json!({"bytecost": {"hints": {"share": false, "mark": false}, "diagnostics": {"enabled": false}}}),
    );
    assert_eq!(client.diagnostics(&uri), NONE);
    assert!(label(&mut client).unwrap().starts_with('×'));
    change(
        &mut client,
        json!({"bytecost": {"ascii": true, "diagnostics": {"strong": "warning", "weak": "warning"}}}),
    );
    assert_eq!(client.diagnostics(&uri)[0]["severity"], 2);
    assert!(label(&mut client).unwrap().is_ascii());
    change(&mut client, json!({"bytecost": {"hints": {"enabled": false}}}));
    assert_eq!(client.diagnostics(&uri), before);
    assert_eq!(client.hints(&uri), []);
    change(
        &mut client,
        json!({"bytecost": {"hints": {"minShare": 20}, "diagnostics": {"minExecutions": 1_000_000_000}}}),
    );
    assert_eq!(client.diagnostics(&uri), NONE);
    let few = client.hints(&uri).len();
    assert!((1..4).contains(&few), "{few}");
    // What cannot be is said, and the rest stays.
    change(
        &mut client,
        json!({"bytecost": {"hints": {"minShare": "much"}, "colour": 1}}),
    );
    client.wait_for_log("bytecost.hints.minShare cannot be \"much\"");
    client.wait_for_log("bytecost.colour is not a setting of bytecost");
    assert_eq!(client.diagnostics(&uri), before);
    client.finish();
}

#[test]
fn the_project_says_what_the_editor_does_not() {
    let workspace = Workspace::kern();
    let project = format!(
        "[tool.bytecost]\npython = {:?}\ntime = 0.05\nascii = true\n[tool.bytecost.hints]\nmaxLength = 20\n",
        python().display().to_string()
    );
    workspace.write("pyproject.toml", &project);
    let uri = workspace.uri("kern.py");
    // VS Code sends the defaults of what is not set.
    let mut client = Client::connect();
    client.configuration.insert(
        String::new(),
        json!({"ascii": false, "hints": {"maxLength": 24, "mark": false}}),
    );
    client.initialize(client::VSCODE, &[&workspace.root()], json!({}));
    client.notify("initialized", json!({}));
    client.open(&uri, KERN);
    client.run(json!({"uri": uri, "target": "advance"}));
    client.diagnostics(&uri);
    let hints = client.hints(&uri);
    assert!(
        hints
            .iter()
            .all(|hint| hint.2.is_ascii() && hint.2.len() <= 20 && !hint.2.starts_with('!')),
        "{hints:?}"
    );
    assert!(
        !client.log.iter().any(|line| line.contains("is not a setting")),
        "{:?}",
        client.log
    );
    workspace.write(
        "pyproject.toml",
        &project.replace("ascii = true", "ascii = false"),
    );
    client.notify(
        "workspace/didChangeWatchedFiles",
        json!({"changes": [{"uri": workspace.uri("pyproject.toml"), "type": 2}]}),
    );
    client.settle(std::time::Duration::from_millis(100));
    assert!(client.hints(&uri).iter().any(|hint| hint.2.contains('×')));
    client.finish();
}

#[test]
fn every_folder_has_its_own_interpreter() {
    let found = pythons::pythons();
    let [(_, first), .., (minor, last)] = found.as_slice() else {
        eprintln!("skipped: two interpreters are needed");
        return;
    };
    let text = "# bytecost: f()\ndef f():\n    import sys\n    open('version', 'w').write('%d.%d\\n' % sys.version_info[:2])\n";
    let (a, b) = (
        Workspace::new(&[("a.py", text)]),
        Workspace::new(&[("b.py", text)]),
    );
    let mut client = Client::connect();
    for (workspace, python) in [(&a, first), (&b, last)] {
        let folder = uri(&workspace.root());
        client
            .configuration
            .insert(folder, json!({"python": python, "time": 0.05}));
    }
    let (root_a, root_b) = (a.root(), b.root());
    let roots: [&Path; 2] = [&root_a, &root_b];
    client.initialize(client::VSCODE, &roots, json!({}));
    client.notify("initialized", json!({}));
    client.wait_for_request("workspace/configuration");
    client.run(json!({"uri": a.uri("a.py"), "target": "f"}));
    client.run(json!({"uri": b.uri("b.py"), "target": "f"}));
    assert_eq!(a.wait_for("version"), found[0].0);
    assert_eq!(b.wait_for("version"), *minor);
    // A folder that comes later brings its own.
    let c = Workspace::new(&[("c.py", text)]);
    client
        .configuration
        .insert(uri(&c.root()), json!({"python": first, "time": 0.05}));
    client.notify(
        "workspace/didChangeWorkspaceFolders",
        json!({"event": {"added": [{"uri": uri(&c.root()), "name": "c"}], "removed": []}}),
    );
    client.wait_for_request("workspace/configuration");
    client.run(json!({"uri": c.uri("c.py"), "target": "f"}));
    assert_eq!(c.wait_for("version"), found[0].0);
    client.finish();
}

#[test]
fn the_command_line_reads_every_setting_of_a_project_without_complaint() {
    let mut text = String::from("[tool.bytecost]\n");
    for setting in bytecost::lsp::settings::described() {
        if !setting.default.is_null() {
            writeln!(text, "{} = {}", setting.key, setting.default).unwrap();
        }
    }
    let config =
        bytecost::collect::config::Config::parse(Path::new("/p/pyproject.toml"), &text).expect(&text);
    assert_eq!(config.warnings, []);
}

#[test]
fn the_documentation_lists_every_setting() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (start, rest) = text.split_once("<!-- settings -->\n").expect("a place for them");
    let (list, end) = rest.split_once("<!-- /settings -->").expect("its end");
    let expected = bytecost::lsp::settings::markdown();
    if std::env::var_os("BYTECOST_BLESS").is_some() {
        let text = format!("{start}<!-- settings -->\n{expected}<!-- /settings -->{end}");
        std::fs::write(&path, text).unwrap();
    } else {
        assert_eq!(list, expected, "BYTECOST_BLESS=1 writes it anew");
    }
}
