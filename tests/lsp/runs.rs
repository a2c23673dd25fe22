//! Running from the editor.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{self, Client};
use super::workspace::{GENERIC, KERN, Workspace, lives, plain, quick, wait_until_gone};

/// Says who it is, then runs until somebody ends it. A child of its own does the same.
const ENDLESS: &str = "\
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
with open('pids', 'w') as file:
    file.write(f'{os.getpid()} {child.pid}\\n')
while True:
    time.sleep(0.01)
";

#[test]
fn the_command_answers_at_once_and_the_run_is_shown_in_progress() {
    let workspace = Workspace::new(&[("endless.py", ENDLESS), ("kern.py", KERN)]);
    let uri = workspace.uri("endless.py");
    let mut client = Client::start(client::NEOVIM, &workspace.root(), plain());
    client.open(&uri, ENDLESS);
    assert_eq!(
        client.execute("bytecost.run", json!([{"uri": uri}])),
        Ok(Value::Null)
    );
    let pids = workspace.wait_for("pids");
    // All is answered while it runs.
    assert_eq!(client.hover(&uri, 0, 0), None);
    client.wait("progress", |client| client.reports(1).len() > 2);
    assert_eq!(client.reports(1)[0]["title"], "Profiling endless.py");
    assert!(
        client
            .log
            .iter()
            .any(|line| line.contains("running endless.py at most 4 times")),
        "{:?}",
        client.log
    );
    client.notify("window/workDoneProgress/cancel", json!({"token": "bytecost/1"}));
    client.wait("the end", |client| client.has_ended(1));
    for pid in pids.split(' ') {
        wait_until_gone(pid);
    }
    // And the next run is not cancelled.
    let kern = workspace.uri("kern.py");
    client.run(json!({"uri": kern, "target": "advance"}));
    assert_eq!(client.diagnostics(&kern).len(), 1);
    client.finish();
}

#[test]
fn no_process_outlives_the_server() {
    type End = fn(Client) -> bool;
    let ends: [(&str, End); 3] = [
        ("exit", Client::exit),
        ("gone", Client::vanish),
        ("shutdown", |client| {
            client.finish();
            true
        }),
    ];
    for (name, end) in ends {
        let workspace = Workspace::new(&[("endless.py", ENDLESS)]);
        let uri = workspace.uri("endless.py");
        let mut client = Client::start(client::HELIX, &workspace.root(), plain());
        client.execute("bytecost.run", json!([{"uri": uri}])).unwrap();
        let pids = workspace.wait_for("pids");
        assert!(pids.split(' ').all(lives));
        end(client);
        // The end waited for them.
        for pid in pids.split(' ') {
            assert!(!lives(pid), "{name}: {pid} lives");
        }
    }
}

#[test]
fn one_run_at_a_time_and_a_newer_request_replaces_the_one_that_waits() {
    let workspace = Workspace::new(&[
        ("endless.py", ENDLESS),
        ("kern.py", KERN),
        ("a.py", "open('a', 'w').close()\n"),
    ]);
    let mut client = Client::start(client::VSCODE, &workspace.root(), plain());
    client
        .execute("bytecost.run", json!([{"uri": workspace.uri("endless.py")}]))
        .unwrap();
    let pids = workspace.wait_for("pids");
    client
        .execute("bytecost.run", json!([{"uri": workspace.uri("a.py")}]))
        .unwrap();
    let kern = workspace.uri("kern.py");
    client
        .execute("bytecost.run", json!([{"uri": kern, "target": "advance"}]))
        .unwrap();
    client.wait_for_log("given up for a newer one");
    assert!(pids.split(' ').all(lives), "the first goes on");
    assert_eq!(client.reports(2), Vec::<Value>::new());
    client.notify("window/workDoneProgress/cancel", json!({"token": "bytecost/1"}));
    client.wait("the other", |client| client.has_ended(2));
    assert_eq!(client.reports(2)[0]["title"], "Profiling advance");
    assert!(!workspace.path("a").exists(), "the one that waited never ran");
    assert_eq!(client.diagnostics(&kern).len(), 1);
    // The command ends both the one that runs and the one that waits.
    client
        .execute("bytecost.run", json!([{"uri": workspace.uri("endless.py")}]))
        .unwrap();
    client.wait("the third", |client| !client.reports(3).is_empty());
    client
        .execute("bytecost.run", json!([{"uri": workspace.uri("a.py")}]))
        .unwrap();
    client.execute("bytecost.cancel", json!([])).unwrap();
    client.wait("its end", |client| client.has_ended(3));
    client.settle(Duration::from_millis(200));
    assert!(!workspace.path("a").exists());
    client.finish();
}

#[test]
fn unsaved_text_is_not_run_before_it_is_saved() {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::VSCODE, &workspace.root(), quick());
    client.open(&uri, KERN);
    let edited = format!("import math\n{KERN}");
    client.edit(&uri, 2, [0, 0, 0, 0], "import math\n");

    client.choices.push_back(json!({"title": "Do not run"}));
    client
        .execute("bytecost.run", json!([{"uri": uri, "target": "advance"}]))
        .unwrap();
    let question = client.wait_for_request("window/showMessageRequest");
    let text = question["message"].as_str().unwrap();
    assert!(text.contains("kern.py has unsaved changes"), "{text}");
    client.wait_for_log("cancelled");

    // Dismissed is not run either.
    client.log.clear();
    client.choices.push_back(Value::Null);
    client
        .execute("bytecost.run", json!([{"uri": uri, "target": "advance"}]))
        .unwrap();
    client.wait_for_log("cancelled");

    client.choices.push_back(json!({"title": "Run once it is saved"}));
    client
        .execute("bytecost.run", json!([{"uri": uri, "target": "advance"}]))
        .unwrap();
    client.settle(Duration::from_millis(200));
    assert!(client.reports(1).is_empty(), "it waits");
    workspace.write("kern.py", &edited);
    client.save(&uri);
    assert_eq!(client.diagnostics(&uri)[0]["range"]["start"]["line"], GENERIC + 1);

    // On request what is on disk runs; lines that are others on the screen show nothing of it.
    client.edit(&uri, 3, [GENERIC + 1, 24, GENERIC + 1, 24], "5");
    assert_eq!(client.diagnostics(&uri), Vec::<Value>::new());
    client.choices.push_back(json!({"title": "Run what is saved"}));
    client.run(json!({"uri": uri, "target": "advance"}));
    let hinted = client.hinted(&uri);
    assert!(
        hinted.contains(&GENERIC) && !hinted.contains(&(GENERIC + 1)),
        "{hinted:?}"
    );
    client.finish();
}

#[test]
fn what_goes_wrong_is_said_in_one_message() {
    let workspace = Workspace::new(&[
        (
            "raises.py",
            "def f():\n    for i in range(1000):\n        x = i % 7\n    raise ValueError('no')\n",
        ),
        ("needs.py", "def f(a, b):\n    return a + b\n"),
        ("broken.py", "def f(:\n"),
    ]);
    let mut client = Client::start(client::NEOVIM, &workspace.root(), quick());
    let raises = workspace.uri("raises.py");
    client.open(&raises, &workspace.read("raises.py"));
    client.run(json!({"uri": raises, "target": "f"}));
    let message = client.message();
    assert!(
        message.contains("ValueError: no") && message.contains("raises.py"),
        "{message}"
    );
    assert!(client.hinted(&raises).contains(&2), "what was measured is shown");
    assert_eq!(client.diagnostics(&raises).len(), 1);

    client.run(json!({"uri": workspace.uri("needs.py"), "target": "f"}));
    let message = client.message();
    assert!(
        message.contains("# bytecost: f(a=..., b=...)") && !message.contains('\n'),
        "{message}"
    );

    client
        .execute(
            "bytecost.run",
            json!([{"uri": workspace.uri("needs.py"), "position": {"line": 9, "character": 0}}]),
        )
        .unwrap();
    assert!(client.message().contains("nothing that can be run is in line 10"));

    client.run(json!({"uri": raises, "target": "f", "python": "/no/python"}));
    let message = client.message();
    assert!(message.contains("/no/python"), "{message}");

    client.run(json!({"uri": workspace.uri("missing.py")}));
    let message = client.message();
    assert!(message.contains("missing.py does not exist"), "{message}");

    for (arguments, part) in [
        (json!([{"target": "f"}]), "missing field `uri`"),
        (json!([{"uri": "file:///x.py", "traget": "f"}]), "unknown field"),
    ] {
        let error = client.execute("bytecost.run", arguments).expect_err(part);
        assert_eq!(error["code"], -32602);
        assert!(error["message"].as_str().unwrap().contains(part), "{error}");
    }
    assert_eq!(
        client.execute("bytecost.fly", json!([])).expect_err("unknown")["code"],
        -32602
    );
    client.finish();
}

#[test]
fn a_run_can_be_named_by_position_and_repeated_without_arguments() {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::HELIX, &workspace.root(), quick());
    let error = client
        .execute("bytecost.run", json!([]))
        .expect_err("nothing to repeat");
    assert!(
        error["message"].as_str().unwrap().contains("nothing was run yet"),
        "{error}"
    );
    client.open(&uri, KERN);
    client.run(json!({"uri": uri, "position": {"line": GENERIC, "character": 0}}));
    assert_eq!(client.diagnostics(&uri).len(), 1);
    client.execute("bytecost.clear", json!([])).unwrap();
    assert_eq!(client.diagnostics(&uri).len(), 0);
    client.execute("bytecost.run", json!([])).unwrap();
    assert_eq!(client.diagnostics(&uri).len(), 1);
    client.finish();
}

#[test]
fn lenses_and_actions_run_what_they_stand_at() {
    let test = "import kern\n\nclass TestKern:\n    def test_it(self):\n        kern.advance([kern.Body(0.5)], 2000)\n";
    let main = format!("{KERN}\n\nif __name__ == \"__main__\":\n    advance([Body(1.5)], 2000)\n");
    let workspace = Workspace::new(&[("kern.py", &main), ("test_kern.py", test)]);
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::VSCODE, &workspace.root(), plain());
    // From the text on screen, mistakes and all.
    client.open(&uri, &format!("{main}\ndef f(a):\n    return a\n\ndef g(:\n"));
    let lenses = client
        .request("textDocument/codeLens", json!({"textDocument": {"uri": uri}}))
        .unwrap();
    let lenses: Vec<_> = lenses
        .as_array()
        .unwrap()
        .iter()
        .map(|lens| {
            let command = &lens["command"];
            assert_eq!(command["command"], "bytecost.run");
            (
                lens["range"]["start"]["line"].as_u64().unwrap(),
                command["arguments"][0].clone(),
            )
        })
        .collect();
    let target = |name: &str| json!({"uri": uri, "target": name});
    assert!(lenses.contains(&(6, target("advance"))), "{lenses:#?}");
    assert!(lenses.contains(&(14, target(""))), "{lenses:#?}");

    let actions = |client: &mut Client, line: u32, only: Option<&str>| {
        let at = json!({"line": line, "character": 0});
        let mut context = json!({"diagnostics": []});
        if let Some(only) = only {
            context["only"] = json!([only]);
        }
        let params =
            json!({"textDocument": {"uri": uri}, "range": {"start": at, "end": at}, "context": context});
        client
            .request("textDocument/codeAction", params)
            .unwrap()
            .as_array()
            .unwrap()
            .clone()
    };
    let found = actions(&mut client, GENERIC, None);
    assert_eq!(found[0]["kind"], "bytecost.run");
    assert_eq!(found[0]["command"]["arguments"][0], target("advance"));
    assert_eq!(
        actions(&mut client, GENERIC, Some("quickfix")),
        Vec::<Value>::new()
    );
    assert_eq!(actions(&mut client, GENERIC, Some("bytecost")), found);
    let found = actions(&mut client, 18, Some("refactor"));
    let edit = &found[0]["edit"]["changes"][&uri][0];
    assert_eq!(edit["newText"], "# bytecost: f(a=...)\n");
    assert_eq!(edit["range"]["start"], json!({"line": 17, "character": 0}));

    // The program itself.
    client.choices.push_back(json!({"title": "Run what is saved"}));
    client.edit(&uri, 2, [0, 0, 0, 0], "");
    client.run(lenses.iter().find(|(line, _)| *line == 14).unwrap().1.clone());
    assert_eq!(client.diagnostics(&uri).len(), 1);
    client.finish();
}

#[test]
fn the_target_cannot_reach_the_protocol() {
    let text = "import os, sys\nprint('to stdout')\nos.write(1, b'raw\\n')\nos.write(2, b'to stderr\\n')\n\
        print(repr(sys.stdin.read()))\nprint('x' * 500000)\nfor i in range(1000):\n    i % 7\n";
    let workspace = Workspace::new(&[("loud.py", text)]);
    let uri = workspace.uri("loud.py");
    let mut client = Client::start(client::VSCODE, &workspace.root(), plain());
    client.open(&uri, text);
    client.run(json!({"uri": uri}));
    assert_eq!(client.diagnostics(&uri).len(), 1);
    for line in [
        "to stdout",
        "raw",
        "to stderr",
        "''",
        "(further output is not shown)",
    ] {
        client.wait_for_log(line);
    }
    assert!(client.hinted(&uri).contains(&7));
    client.finish();
}

#[test]
fn nothing_runs_in_a_workspace_that_is_not_trusted() {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    // What was measured before is shown.
    let mut client = Client::start(client::VSCODE, &workspace.root(), quick());
    client.open(&uri, KERN);
    client.run(json!({"uri": uri, "target": "advance"}));
    client.diagnostics(&uri);
    client.finish();

    let mut settings = quick();
    settings["trusted"] = json!(false);
    let mut client = Client::start(client::VSCODE, &workspace.root(), settings);
    client.open(&uri, KERN);
    assert_eq!(client.diagnostics(&uri).len(), 1);
    let lenses = client.request("textDocument/codeLens", json!({"textDocument": {"uri": uri}}));
    assert_eq!(lenses, Ok(Value::Null));
    let error = client
        .execute("bytecost.run", json!([{"uri": uri, "target": "advance"}]))
        .expect_err("refused");
    assert!(
        error["message"].as_str().unwrap().contains("not trusted"),
        "{error}"
    );
    let at = json!({"line": GENERIC, "character": 0});
    let params = json!({"textDocument": {"uri": uri}, "range": {"start": at, "end": at}, "context": {"diagnostics": []}});
    let actions = client.request("textDocument/codeAction", params).unwrap();
    assert!(
        actions
            .as_array()
            .unwrap()
            .iter()
            .all(|action| action["kind"] == "bytecost.show"),
        "{actions}"
    );
    client.finish();
}

#[test]
fn diagnostics_are_published_for_files_somebody_asked_about_only() {
    let user =
        "import kern\n\n\ndef use():\n    for _ in range(3):\n        kern.advance([kern.Body(1.5)], 1000)\n";
    let workspace = Workspace::new(&[("kern.py", KERN), ("user.py", user)]);
    let (kern, user) = (workspace.uri("kern.py"), workspace.uri("user.py"));
    let mut client = Client::start(client::NEOVIM, &workspace.root(), quick());
    client.run(json!({"uri": user, "target": "use"}));
    client.settle(Duration::from_millis(200));
    // kern.py has a finding, and nobody looks at it: finish() would find a message. Now somebody does.
    client.open(&kern, KERN);
    assert_eq!(client.diagnostics(&kern).len(), 1);
    client.notify("textDocument/didClose", json!({"textDocument": {"uri": kern}}));
    assert_eq!(client.diagnostics(&kern).len(), 0);
    // The file of a run is asked about, open or not.
    client.run(json!({"uri": kern, "target": "advance"}));
    assert_eq!(client.diagnostics(&kern).len(), 1);
    client.finish();
}

#[test]
fn the_bytecode_is_shown_as_a_document_or_in_the_answer() {
    for recorded in [client::NEOVIM, client::ZED] {
        let workspace = Workspace::kern();
        let uri = workspace.uri("kern.py");
        let mut client = Client::start(recorded, &workspace.root(), quick());
        client.open(&uri, KERN);
        let here = json!([{"uri": uri, "position": {"line": GENERIC, "character": 0}}]);
        let error = client
            .execute("bytecost.showBytecode", here.clone())
            .expect_err("nothing measured");
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("run the function first"),
            "{error}"
        );
        client.run(json!({"uri": uri, "target": "advance"}));
        client.diagnostics(&uri);
        let answer = client.execute("bytecost.showBytecode", here).unwrap();
        let (text, line) = if recorded == client::ZED {
            let at = answer["lines"]
                .as_array()
                .unwrap()
                .iter()
                .position(|line| *line == GENERIC + 1);
            (answer["text"].as_str().unwrap().to_owned(), at.unwrap())
        } else {
            let shown = client.wait_for_request("window/showDocument");
            assert_eq!(shown["uri"], answer["uri"]);
            let path = shown["uri"]
                .as_str()
                .unwrap()
                .trim_start_matches("file://")
                .to_owned();
            let path = path
                .replace("%20", " ")
                .replace("%28", "(")
                .replace("%29", ")")
                .replace("%3A", ":");
            assert!(std::fs::metadata(&path).unwrap().permissions().readonly());
            let line = shown["selection"]["start"]["line"].as_u64().unwrap();
            (
                std::fs::read_to_string(path).unwrap(),
                usize::try_from(line).unwrap(),
            )
        };
        assert!(text.contains("BINARY_OP") && text.contains("advance"), "{text}");
        assert!(line > 3, "{line}");
        client.finish();
    }
}
