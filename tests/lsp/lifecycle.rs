//! The beginning and the end, and what must not bring the end about.

use serde_json::{Value, json};

use super::client::{self, Client};
use super::workspace::{KERN, Workspace, quick};

#[test]
fn nothing_is_answered_before_initialize_and_after_shutdown() {
    let workspace = Workspace::kern();
    let mut client = Client::connect();
    let hover =
        json!({"textDocument": {"uri": workspace.uri("kern.py")}, "position": {"line": 0, "character": 0}});
    let error = client
        .request("textDocument/hover", hover.clone())
        .expect_err("too early");
    assert_eq!(error["code"], -32002);
    client.initialize(client::VSCODE, &[&workspace.root()], json!({}));
    let error = client
        .request("initialize", json!({"capabilities": {}}))
        .expect_err("again");
    assert_eq!(error["code"], -32600);
    assert_eq!(client.request("shutdown", Value::Null), Ok(Value::Null));
    let error = client.request("textDocument/hover", hover).expect_err("too late");
    assert_eq!(error["code"], -32600);
    assert!(client.exit());
}

#[test]
fn an_exit_without_shutdown_is_not_orderly() {
    let workspace = Workspace::kern();
    assert!(!Client::connect().exit());
    assert!(!Client::start(client::NEOVIM, &workspace.root(), json!({})).exit());
    assert!(!Client::start(client::NEOVIM, &workspace.root(), json!({})).vanish());
}

#[test]
fn broken_messages_cost_only_themselves() {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::NEOVIM, &workspace.root(), json!({}));
    let framed = |body: &[u8]| {
        let mut bytes = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(body);
        bytes
    };
    let deep = "[".repeat(100_000);
    for (bytes, code) in [
        (framed(b"{\"jsonrpc\": \"2.0\", "), -32700),
        (framed(b"\xff\xfe"), -32700),
        (framed(deep.as_bytes()), -32700),
        (framed(b"{}"), -32600),
        (framed(b"[]"), -32600),
        (framed(b"3"), -32600),
        (framed(b"{\"jsonrpc\": \"2.0\", \"method\": 3}"), -32600),
        (b"Content-Length: many\r\n\r\n".to_vec(), -32700),
        (b"Nothing: 1\r\n\r\n".to_vec(), -32700),
    ] {
        client.send_raw(&bytes);
        let error = client.answer(&Value::Null).expect_err("refused");
        assert_eq!(
            error["code"],
            code,
            "{}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(80)])
        );
    }
    // What is well-formed but wrong is answered under its id, or not at all.
    client.send(&json!({"jsonrpc": "2.0", "id": 99, "result": null}));
    client.notify("textDocument/didOpen", json!({"textDocument": 3}));
    client.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": uri, "version": 9}, "contentChanges": [{"text": "x"}]}),
    );
    client.notify("$/unknown", json!({}));
    for (method, params, code) in [
        (
            "textDocument/hover",
            json!({"textDocument": {"uri": "no uri"}}),
            -32602,
        ),
        ("textDocument/unknown", json!({}), -32601),
        ("$/unknown", json!({}), -32601),
    ] {
        if method == "$/unknown" {
            continue;
        }
        let error = client.request(method, params).expect_err(method);
        assert_eq!(error["code"], code, "{method}");
    }
    client.open(&uri, KERN);
    assert_eq!(client.hints(&uri), []);
    client.finish();
}

#[test]
fn an_oversized_message_is_read_past() {
    let workspace = Workspace::kern();
    let mut client = Client::start(client::NEOVIM, &workspace.root(), json!({}));
    let length = (256 << 20) + 1;
    client.send_raw(format!("Content-Length: {length}\r\n\r\n").as_bytes());
    let chunk = vec![b' '; 1 << 20];
    for _ in 0..256 {
        client.send_raw(&chunk);
    }
    client.send_raw(b" ");
    let error = client.answer(&Value::Null).expect_err("refused");
    assert_eq!(error["code"], -32600);
    client.finish();
}

#[test]
fn what_is_no_file_is_left_alone() {
    let workspace = Workspace::kern();
    let mut client = Client::start(client::VSCODE, &workspace.root(), quick());
    for uri in [
        "untitled:Untitled-1",
        "git:/kern.py?ref",
        "vscode-notebook-cell:/a.ipynb#1",
    ] {
        client.open(uri, KERN);
        assert_eq!(client.hints(uri), []);
        assert_eq!(client.hover(uri, 0, 0), None);
        let error = client
            .execute("bytecost.run", json!([{"uri": uri}]))
            .expect_err("no file");
        assert!(
            error["message"].as_str().unwrap().contains("save it first"),
            "{error}"
        );
    }
    client.finish();
}

#[test]
fn many_requests_at_once_are_all_answered_in_time() {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::NEOVIM, &workspace.root(), json!({}));
    client.open(&uri, KERN);
    let mut asked = Vec::new();
    for version in 2..500 {
        client.edit(&uri, version, [0, 0, 0, 0], "#\n");
        asked.push(client.ask("textDocument/codeLens", json!({"textDocument": {"uri": uri}})));
        client.notify("$/cancelRequest", json!({"id": version}));
    }
    for id in asked {
        match client.answer(&json!(id)) {
            Ok(_) => {}
            Err(error) => assert_eq!(error["code"], -32800, "{error}"),
        }
    }
    client.finish();
}
