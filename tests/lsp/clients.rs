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
    if kind.refreshes_hints && !refreshed {
        client.wait_for_request("workspace/inlayHint/refresh");
    }
    assert_eq!(refreshed && !kind.refreshes_hints, false);

    let found = client.diagnostics(&uri);
    let [diagnostic] = found.as_slice() else {
        panic!("one site matters: {found:#?}");
    };
    let at =
        |line: u32| json!({"start": {"line": line, "character": 17}, "end": {"line": line, "character": 24}});
    assert_eq!(diagnostic["range"], at(GENERIC));
    assert_eq!(
        (&diagnostic["source"], &diagnostic["code"]),
        (&json!("bytecost"), &json!("unspecialized"))
    );
    assert!(
        diagnostic["severity"] == 3 || diagnostic["severity"] == 4,
        "{diagnostic}"
    );
    assert!(kind.related || diagnostic["relatedInformation"].is_null());

    let hints = client.hints(&uri);
    let (_, column, label) = hints
        .iter()
        .find(|(line, _, _)| *line == GENERIC)
        .expect("a hint")
        .clone();
    assert_eq!(column, 26, "at the end of the line");
    assert!(label.starts_with('▲') && label.chars().count() <= 24, "{label}");
    assert!(label.contains("×400") || label.contains('×'), "{label}");
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
    client.edit(&uri, 3, [GENERIC + 1, 26, GENERIC + 1, 26], " ");
    assert_eq!(client.diagnostics(&uri), Vec::<serde_json::Value>::new());
    assert!(!client.hinted(&uri).contains(&(GENERIC + 1)));
    assert_eq!(client.hover(&uri, GENERIC + 1, 17), None);
    // Undoing brings it back.
    client.edit(&uri, 4, [GENERIC + 1, 26, GENERIC + 1, 27], "");
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
