//! Requests beside the protocol.

use serde_json::{Value, json};

use super::client::{self, Client};
use super::workspace::{GENERIC, KERN, Workspace, python, quick};

fn of_document(uri: &str) -> Value {
    json!({"textDocument": {"uri": uri}})
}

fn at(uri: &str, line: u32, character: u32) -> Value {
    json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}})
}

fn measured(workspace: &Workspace) -> (Client, String) {
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::VSCODE, &workspace.root(), quick());
    client.open(&uri, KERN);
    client.run(json!({"uri": uri, "target": "advance"}));
    client.diagnostics(&uri);
    (client, uri)
}

/// Shares of the lines of the saved profile's report, by 0-based line.
fn shares(workspace: &Workspace) -> Vec<(u64, f64)> {
    let mut saved = std::fs::read_dir(workspace.path(".bytecost")).unwrap();
    let saved = saved.find_map(|entry| {
        let path = entry.unwrap().path();
        path.extension().is_some_and(|end| end == "json").then_some(path)
    });
    let profile = bytecost::store::load(&saved.expect("a saved profile")).unwrap();
    let costs = bytecost::attribute::attribute(&profile, &|_| Some(KERN.to_owned()));
    let lines = costs.files[0].lines.values().filter(|line| line.line > 0);
    lines
        .filter_map(|line| Some((u64::from(line.line - 1), rounded(line.weight()?))))
        .filter(|(_, share)| *share > 0.0)
        .collect()
}

/// What is written and read again differs in the last digit.
fn rounded(share: f64) -> f64 {
    (share * 1e12).round() / 1e12
}

#[test]
fn they_are_announced() {
    let workspace = Workspace::kern();
    let mut client = Client::connect();
    let answer = client.initialize(client::VSCODE, &[&workspace.root()], json!({}));
    let announced = &answer["capabilities"]["experimental"]["bytecost"]["requests"];
    assert_eq!(
        *announced,
        json!([
            "bytecost/heat",
            "bytecost/bytecode",
            "bytecost/runnables",
            "bytecost/report"
        ])
    );
    client.notify("initialized", json!({}));
    client.finish();
}

#[test]
fn heat_is_the_shares_of_the_lines_that_were_not_edited() {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::VSCODE, &workspace.root(), quick());
    client.open(&uri, KERN);
    let heat = |client: &mut Client| client.request("bytecost/heat", of_document(&uri)).unwrap();
    assert_eq!(heat(&mut client), Value::Null);
    client.run(json!({"uri": uri, "target": "advance"}));
    client.diagnostics(&uri);
    let lines = |heat: Value| -> Vec<(u64, f64)> {
        let lines = heat["lines"].as_array().expect("lines").clone();
        let pair = |line: &Value| {
            (
                line["line"].as_u64().unwrap(),
                rounded(line["share"].as_f64().unwrap()),
            )
        };
        lines.iter().map(pair).collect()
    };
    let before = heat(&mut client);
    assert!(before["of"].as_str().unwrap().starts_with("of "), "{before}");
    let before = lines(before);
    assert_eq!(before, shares(&workspace));
    assert!(
        before
            .iter()
            .any(|(line, share)| *line == u64::from(GENERIC) && *share > 0.2)
    );

    // A line above is new, and the generic one is another now.
    client.edit(&uri, 2, [0, 0, 0, 0], "# new\n");
    assert_eq!(client.diagnostics(&uri).len(), 1);
    client.edit(&uri, 3, [GENERIC + 1, 0, GENERIC + 1, 0], "  ");
    assert_eq!(client.diagnostics(&uri), Vec::<Value>::new());
    let moved: Vec<_> = before
        .iter()
        .filter(|(line, _)| *line != u64::from(GENERIC))
        .map(|(line, share)| (line + 1, *share))
        .collect();
    assert_eq!(lines(heat(&mut client)), moved);

    client.notify(
        "workspace/didChangeConfiguration",
        json!({"settings": {"bytecost": {"heat": {"enabled": false}}}}),
    );
    client
        .configuration
        .insert(String::new(), json!({"heat": {"enabled": false}}));
    assert_eq!(heat(&mut client), Value::Null);
    client.finish();
}

#[test]
fn bytecode_has_a_row_for_each_line_of_its_text() {
    let workspace = Workspace::kern();
    let (mut client, uri) = measured(&workspace);
    let answer = client.request("bytecost/bytecode", at(&uri, GENERIC, 0)).unwrap();
    assert_eq!(answer["title"], "advance (kern.py:7)");
    let text: Vec<_> = answer["text"].as_str().unwrap().lines().collect();
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(text.len(), rows.len());
    let (generic, row) = text
        .iter()
        .zip(rows)
        .find(|(text, _)| text.starts_with('▲'))
        .expect("a marked row");
    assert!(
        generic.contains("BINARY_OP") && generic.contains("generic"),
        "{generic}"
    );
    let line = KERN.lines().nth(GENERIC as usize).unwrap();
    let start = line.find("b.x % 7").unwrap();
    assert_eq!(row["line"], GENERIC);
    assert_eq!(
        row["range"],
        json!({"start": {"line": GENERIC, "character": start}, "end": {"line": GENERIC, "character": start + 7}})
    );

    // The rows move with the text, and lose an edited line.
    client.edit(&uri, 2, [0, 0, 0, 0], "# new\n");
    let moved = client
        .request("bytecost/bytecode", at(&uri, GENERIC + 1, 0))
        .unwrap();
    let at_row = text.iter().position(|text| text.starts_with('▲')).unwrap();
    client.diagnostics(&uri);
    assert_eq!(moved["rows"][at_row]["line"], GENERIC + 1);
    assert_eq!(moved["rows"][at_row]["range"]["end"]["line"], GENERIC + 1);
    client.edit(&uri, 3, [GENERIC + 1, 0, GENERIC + 1, 0], "  ");
    let edited = client
        .request("bytecost/bytecode", at(&uri, GENERIC + 1, 0))
        .unwrap();
    assert_eq!(client.diagnostics(&uri), Vec::<Value>::new());
    assert_eq!(edited["text"], answer["text"]);
    assert_eq!(edited["rows"][at_row], json!({"line": null, "range": null}));

    assert_eq!(
        client.request("bytecost/bytecode", at(&workspace.uri("other.py"), 0, 0)),
        Ok(Value::Null)
    );
    client.finish();
}

#[test]
fn runnables_say_what_only_the_user_knows() {
    let text = "def a(): pass\n\n\ndef b(x):\n    return x\n\n\ndef c(x): pass\n\n\ndef test_d(): pass\n\n\nif __name__ == '__main__':\n    a()\n";
    let workspace = Workspace::new(&[("test_x.py", text)]);
    workspace.write(
        "pyproject.toml",
        "[tool.bytecost.workloads]\n\"test_x.py::c\" = \"c(1)\"\n",
    );
    let uri = workspace.uri("test_x.py");
    let mut client = Client::start(client::VSCODE, &workspace.root(), quick());
    client.open(&uri, text);
    let found = client.request("bytecost/runnables", of_document(&uri)).unwrap();
    let brief: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["kind"], it["target"], it["needsCall"], it["call"]]))
        .collect();
    assert_eq!(
        json!(brief),
        json!([
            ["function", "a", false, "a()"],
            ["function", "b", true, "b(x=...)"],
            ["function", "c", false, "c(x=...)"],
            ["test", "pytest:test_x.py::test_d", false, null],
            ["file", "", false, null],
        ])
    );
    assert_eq!(
        found[1]["range"],
        json!({"start": {"line": 3, "character": 0}, "end": {"line": 4, "character": 12}})
    );
    assert_eq!(found[1]["title"], "Profile b");
    client.finish();

    let mut settings = quick();
    settings["trusted"] = json!(false);
    let mut client = Client::start(client::VSCODE, &workspace.root(), settings);
    client.open(&uri, text);
    assert_eq!(
        client.request("bytecost/runnables", of_document(&uri)),
        Ok(json!([]))
    );
    client.finish();
}

#[test]
fn the_report_is_that_of_the_command_line() {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::VSCODE, &workspace.root(), quick());
    client.open(&uri, KERN);
    assert_eq!(
        client.request("bytecost/report", of_document(&uri)),
        Ok(Value::Null)
    );
    client.run(json!({"uri": uri, "target": "advance"}));
    client.diagnostics(&uri);
    let report = client.request("bytecost/report", of_document(&uri)).unwrap();
    assert_eq!(report["title"], "kern.py::advance");
    let html = report["html"].as_str().expect("a document");
    assert!(
        html.starts_with("<!doctype html>") && html.contains("b.x % 7"),
        "{html}"
    );
    client.finish();
}

#[test]
fn the_environment_of_the_editor_is_used_where_nothing_names_an_interpreter() {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::VSCODE, &workspace.root(), json!({"time": 0.05}));
    client.open(&uri, KERN);
    let environment = python().display().to_string();
    client.run(json!({"uri": uri, "target": "advance", "environment": environment}));
    assert_eq!(client.diagnostics(&uri).len(), 1);
    client.run(json!({"uri": uri, "target": "advance", "environment": "/nowhere/python"}));
    let message = client.message();
    assert!(
        message.contains("/nowhere/python") && message.contains("active in the editor"),
        "{message}"
    );
    // What the project names goes before it.
    workspace.write(
        "pyproject.toml",
        &format!("[tool.bytecost]\npython = {environment:?}\n"),
    );
    assert_eq!(client.execute("bytecost.clear", json!([])), Ok(Value::Null));
    assert_eq!(client.diagnostics(&uri), Vec::<Value>::new());
    assert_eq!(
        client.run(json!({"uri": uri, "target": "advance", "environment": "/nowhere/python"})),
        "measured kern.py::advance"
    );
    assert_eq!(client.diagnostics(&uri).len(), 1);
    client.finish();
}
