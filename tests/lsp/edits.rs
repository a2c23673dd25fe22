//! Results belong to the text they were measured on.

use serde_json::{Value, json};

use super::client::{self, Client};
use super::workspace::{GENERIC, KERN, Workspace, plain, quick};

const NONE: Vec<Value> = Vec::new();

#[test]
fn columns_are_counted_as_the_client_counts_them() {
    let text = KERN
        .replace("t += b.x % 7", "é🦀 = 'é🦀'; t += b.x % 7")
        .replace("é🦀 =", "é =");
    for (recorded, encoding) in [
        (client::VSCODE, "utf-16"),
        (client::NEOVIM, "utf-8"),
        (client::EGLOT, "utf-32"),
    ] {
        let workspace = Workspace::new(&[("kern.py", &text)]);
        let uri = workspace.uri("kern.py");
        // A client that offers one encoding only.
        let mut params: Value = serde_json::from_str(recorded).unwrap();
        params["capabilities"]["general"]["positionEncodings"] = json!([encoding]);
        let mut client = Client::start(&params.to_string(), &workspace.root(), quick());
        client.open(&uri, &text);
        client.run(json!({"uri": uri, "target": "advance"}));
        let line = text.lines().nth(GENERIC as usize).unwrap();
        let length = |part: &str| match encoding {
            "utf-8" => part.len(),
            "utf-16" => part.encode_utf16().count(),
            _ => part.chars().count(),
        };
        let start = length(&line[..line.find("b.x % 7").unwrap()]);
        let range = json!({
            "start": {"line": GENERIC, "character": start},
            "end": {"line": GENERIC, "character": start + 7},
        });
        assert_eq!(client.diagnostics(&uri)[0]["range"], range, "{encoding}");
        let hints = client.hints(&uri);
        let hint = hints
            .iter()
            .find(|(line, _, _)| *line == GENERIC)
            .expect("a hint");
        assert_eq!(hint.1 as usize, length(line), "{encoding}");
        let column = u32::try_from(start + 4).unwrap();
        let hover = client.hover(&uri, GENERIC, column).expect("a hover");
        assert!(hover.contains("b.x % 7"), "{hover}");
        // An edit behind the crab hits the right place: the line is touched, the one above not.
        let end = u32::try_from(length(line)).unwrap();
        client.edit(&uri, 2, [GENERIC, end, GENERIC, end], "00");
        assert_eq!(client.diagnostics(&uri), NONE);
        assert!(client.hinted(&uri).contains(&(GENERIC - 1)));
        client.edit(&uri, 3, [GENERIC, end, GENERIC, end + 2], "");
        assert_eq!(client.diagnostics(&uri)[0]["range"], range, "{encoding}");
        client.finish();
    }
}

#[test]
fn line_endings_of_windows_are_line_endings() {
    let text = KERN.replace('\n', "\r\n");
    let workspace = Workspace::new(&[("kern.py", &text)]);
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::VSCODE, &workspace.root(), quick());
    client.open(&uri, &text);
    client.run(json!({"uri": uri, "target": "advance"}));
    assert_eq!(
        client.diagnostics(&uri)[0]["range"]["start"],
        json!({"line": GENERIC, "character": 17})
    );
    let hints = client.hints(&uri);
    assert!(
        hints
            .iter()
            .any(|(line, column, _)| (*line, *column) == (GENERIC, 24)),
        "{hints:?}"
    );
    client.edit(&uri, 2, [0, 0, 0, 0], "\r\n");
    assert_eq!(client.diagnostics(&uri)[0]["range"]["start"]["line"], GENERIC + 1);
    client.finish();
}

#[test]
fn a_byte_order_mark_moves_nothing() {
    // Helix and others keep it in the text they send; VS Code does not.
    let text = "\u{feff}t = sum(x % 7 for x in [0.5] * 2000)\nprint(t)\n";
    for sent in [text, text.trim_start_matches('\u{feff}')] {
        let workspace = Workspace::new(&[("kern.py", text)]);
        let uri = workspace.uri("kern.py");
        let mut client = Client::start(client::HELIX, &workspace.root(), plain());
        client.open(&uri, sent);
        client.run(json!({"uri": uri}));
        let column = sent.find("x % 7").unwrap();
        let start = &client.diagnostics(&uri)[0]["range"]["start"];
        assert_eq!(*start, json!({"line": 0, "character": column}));
        assert!(client.hinted(&uri).contains(&0));
        client.finish();
    }
}

#[test]
fn a_document_reloaded_from_disk_is_compared_again() {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::NEOVIM, &workspace.root(), quick());
    client.open(&uri, KERN);
    client.run(json!({"uri": uri, "target": "advance"}));
    client.diagnostics(&uri);
    let hints = client.hints(&uri);
    let replace =
        |text: &str| json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": text}]});
    client.notify("textDocument/didChange", replace("print(1)\n"));
    assert_eq!(client.diagnostics(&uri), NONE);
    assert_eq!(client.hints(&uri), []);
    client.notify("textDocument/didChange", replace(KERN));
    assert_eq!(client.diagnostics(&uri).len(), 1);
    assert_eq!(client.hints(&uri), hints);
    // Closed and opened again.
    client.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    client.open(&uri, &format!("\n{KERN}"));
    assert_eq!(client.diagnostics(&uri)[0]["range"]["start"]["line"], GENERIC + 1);
    client.finish();
}

#[test]
fn numbers_of_edited_lines_are_kept_on_request_and_marked() {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut settings = quick();
    settings["keepStale"] = json!(true);
    let mut client = Client::start(client::NEOVIM, &workspace.root(), settings);
    client.open(&uri, KERN);
    client.run(json!({"uri": uri, "target": "advance"}));
    client.diagnostics(&uri);
    let (_, _, label) = client
        .hints(&uri)
        .into_iter()
        .find(|hint| hint.0 == GENERIC)
        .unwrap();
    client.edit(&uri, 2, [GENERIC, 24, GENERIC, 24], "5");
    let hints = client.hints(&uri);
    let kept = hints.iter().find(|hint| hint.0 == GENERIC).expect("kept");
    assert_eq!((kept.1, &kept.2), (25, &format!("was {label}")));
    let hover = client.hover(&uri, GENERIC, 17).expect("a hover");
    assert!(
        hover.starts_with("Measured before this line was edited"),
        "{hover}"
    );
    // A diagnostic is never stale.
    assert_eq!(client.diagnostics(&uri), NONE);
    // A new line was never measured.
    client.edit(&uri, 3, [GENERIC + 1, 0, GENERIC + 1, 0], "        t += 1\n");
    assert!(!client.hinted(&uri).contains(&(GENERIC + 1)));
    client.finish();
}

#[test]
fn results_follow_a_file_that_is_renamed_and_end_with_one_that_is_deleted() {
    let workspace = Workspace::kern();
    let (old, new) = (workspace.uri("kern.py"), workspace.uri("other.py"));
    let mut client = Client::start(client::VSCODE, &workspace.root(), quick());
    client.open(&old, KERN);
    client.run(json!({"uri": old, "target": "advance"}));
    let before = client.diagnostics(&old);
    std::fs::rename(workspace.path("kern.py"), workspace.path("other.py")).unwrap();
    client.notify(
        "workspace/didRenameFiles",
        json!({"files": [{"oldUri": old, "newUri": new}]}),
    );
    client.notify("textDocument/didClose", json!({"textDocument": {"uri": old}}));
    client.open(&new, KERN);
    assert_eq!(client.diagnostics(&old), NONE);
    assert_eq!(client.diagnostics(&new), before);
    assert!(client.hinted(&new).contains(&GENERIC));
    std::fs::remove_file(workspace.path("other.py")).unwrap();
    client.notify("workspace/didDeleteFiles", json!({"files": [{"uri": new}]}));
    client.notify("textDocument/didClose", json!({"textDocument": {"uri": new}}));
    assert_eq!(client.diagnostics(&new), NONE);
    client.finish();
}

#[test]
fn a_uri_that_the_framework_would_drop_is_understood() {
    let workspace = Workspace::new(&[("a [1]|é.py", KERN)]);
    // As the WHATWG URL standard writes it, and so Helix.
    let uri = workspace
        .uri("a [1]|é.py")
        .replace("%5B", "[")
        .replace("%5D", "]")
        .replace("%7C", "|");
    let mut client = Client::start(client::HELIX, &workspace.root(), quick());
    client.open(&uri, KERN);
    client.run(json!({"uri": uri, "target": "advance"}));
    let encoded = workspace.uri("a [1]|é.py");
    assert_eq!(client.diagnostics(&encoded).len(), 1);
    assert!(client.hinted(&uri).contains(&GENERIC));
    client.finish();
}
