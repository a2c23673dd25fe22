//! The whole way with each client as it introduces itself: open, run, read, edit, undo, clear.

use serde_json::json;

use super::client::{self, Client};
use super::workspace::{GENERIC, KERN, Workspace, quick};

/// A client, and what follows from its capabilities.
struct Kind {
    recorded: &'static str,
    encoding: &'static str,
    refreshes_hints: bool,
    related: bool,
}

const fn kind(recorded: &'static str, encoding: &'static str, refreshes_hints: bool, related: bool) -> Kind {
    Kind {
        recorded,
        encoding,
        refreshes_hints,
        related,
    }
}

/// What the profile on disk says of the generic line.
fn executions(workspace: &Workspace) -> u64 {
    let folder = std::fs::read_dir(workspace.path(".bytecost")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let saved = paths
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "json"))
        .unwrap();
    let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(saved).unwrap()).unwrap();
    let mut most = 0;
    for code in saved["profile"]["files"][0]["codes"].as_array().unwrap() {
        for instruction in code["instructions"].as_array().unwrap() {
            if instruction["position"]["line"] == GENERIC + 1 && instruction["starts_line"] == true {
                most = most.max(instruction["executions"].as_u64().unwrap());
            }
        }
    }
    most
}

fn the_whole_way(kind: &Kind) {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut client = Client::connect();
    let answer = client.initialize(kind.recorded, &[&workspace.root()], quick());
    assert_eq!(answer["capabilities"]["positionEncoding"], kind.encoding);
    assert_eq!(answer["serverInfo"]["name"], "bytecost");
    client.notify("initialized", json!({}));
    client.open(&uri, KERN);
    assert_eq!(client.hints(&uri), []);
    assert_eq!(client.hover(&uri, GENERIC, 17), None);

    assert_eq!(
        client.run(json!({"uri": uri, "target": "advance"})),
        "measured kern.py::advance"
    );
    let refreshed = client
        .requests
        .iter()
        .any(|(name, _)| name == "workspace/inlayHint/refresh");
    // Of the others the client itself lets none pass.
    if kind.refreshes_hints && !refreshed {
        client.wait_for_request("workspace/inlayHint/refresh");
    }

    let found = client.diagnostics(&uri);
    let [diagnostic] = found.as_slice() else {
        panic!("one site matters: {found:#?}");
    };
    let at =
        |line: u32| json!({"start": {"line": line, "character": 17}, "end": {"line": line, "character": 24}});
    assert_eq!(diagnostic["range"], at(GENERIC));
    assert_eq!(
        (&diagnostic["source"], &diagnostic["code"]),
        (&json!("bytecost"), &json!("binary-op-remainder"))
    );
    assert!(
        diagnostic["severity"] == 3 || diagnostic["severity"] == 4,
        "{diagnostic}"
    );
    let actions = client
        .request(
            "textDocument/codeAction",
            json!({
                "textDocument": {"uri": uri},
                "range": diagnostic["range"],
                "context": {"diagnostics": [diagnostic], "only": ["quickfix"]},
            }),
        )
        .expect("actions");
    let titles: Vec<_> = actions
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|action| action["title"].as_str())
        .collect();
    assert!(titles.contains(&"Explain binary-op-remainder"), "{titles:?}");
    assert!(kind.related || diagnostic["relatedInformation"].is_null());

    let hints = client.hints(&uri);
    let (_, column, label) = hints
        .iter()
        .find(|(line, _, _)| *line == GENERIC)
        .expect("a hint")
        .clone();
    assert_eq!(column, 24, "at the end of the line");
    assert!(label.starts_with('▲') && label.chars().count() <= 24, "{label}");
    let executions = executions(&workspace);
    assert!(
        label.ends_with(&format!("×{}k", executions / 1000)),
        "{label} {executions}"
    );
    let hover = client.hover(&uri, GENERIC, 17).expect("a hover");
    assert!(
        hover.contains("b.x % 7") && !hover.contains('|') && !hover.contains('<'),
        "{hover}"
    );

    // A line above moves everything.
    client.edit(&uri, 2, [0, 0, 0, 0], "import math\n");
    assert_eq!(client.diagnostics(&uri)[0]["range"], at(GENERIC + 1));
    assert!(client.hinted(&uri).contains(&(GENERIC + 1)));
    // The line itself loses everything at once.
    client.edit(&uri, 3, [GENERIC + 1, 24, GENERIC + 1, 24], " ");
    assert_eq!(client.diagnostics(&uri), Vec::<serde_json::Value>::new());
    assert!(!client.hinted(&uri).contains(&(GENERIC + 1)));
    assert_eq!(client.hover(&uri, GENERIC + 1, 17), None);
    // Undoing brings it back.
    client.edit(&uri, 4, [GENERIC + 1, 24, GENERIC + 1, 25], "");
    assert_eq!(client.diagnostics(&uri)[0]["range"], at(GENERIC + 1));
    client.edit(&uri, 5, [0, 0, 1, 0], "");
    assert_eq!(client.diagnostics(&uri)[0]["range"], at(GENERIC));
    assert_eq!(client.hints(&uri), hints);

    client
        .execute("bytecost.clear", json!([{"uris": [uri]}]))
        .expect("cleared");
    assert_eq!(client.diagnostics(&uri), Vec::<serde_json::Value>::new());
    assert_eq!(client.hints(&uri), []);
    client.finish();
}

#[test]
fn vscode() {
    the_whole_way(&kind(client::VSCODE, "utf-16", true, true));
}

#[test]
fn neovim() {
    the_whole_way(&kind(client::NEOVIM, "utf-8", true, true));
}

#[test]
fn helix() {
    the_whole_way(&kind(client::HELIX, "utf-8", false, true));
}

#[test]
fn zed() {
    the_whole_way(&kind(client::ZED, "utf-16", true, true));
}

#[test]
fn eglot() {
    the_whole_way(&kind(client::EGLOT, "utf-8", false, false));
}
