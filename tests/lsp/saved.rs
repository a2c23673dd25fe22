//! Saved profiles: loaded on start, watched, loaded and cleared by command.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{self, Client};
use super::workspace::{GENERIC, KERN, Workspace, quick};

const NONE: Vec<Value> = Vec::new();

/// A workspace with a saved profile of [`KERN`], and the file it is in.
fn measured() -> (Workspace, std::path::PathBuf) {
    let workspace = Workspace::kern();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::NEOVIM, &workspace.root(), quick());
    client.open(&uri, KERN);
    client.run(json!({"uri": uri, "target": "advance"}));
    client.diagnostics(&uri);
    client.finish();
    let saved = std::fs::read_dir(workspace.path(".bytecost")).unwrap();
    let saved = saved.map(|entry| entry.unwrap().path());
    let saved: Vec<_> = saved
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    assert_eq!(saved.len(), 1);
    (workspace, saved[0].clone())
}

#[test]
fn what_is_saved_is_there_on_start() {
    let (workspace, _) = measured();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::NEOVIM, &workspace.root(), json!({}));
    client.open(&uri, KERN);
    assert_eq!(client.diagnostics(&uri).len(), 1);
    assert!(client.hinted(&uri).contains(&GENERIC));
    client.finish();

    // The text has changed meanwhile: lines that did not keep what was measured.
    let changed = KERN
        .replace("t = 0.0", "t = 1.0")
        .replace("class Body", "\nclass Body");
    workspace.write("kern.py", &changed);
    let mut client = Client::start(client::NEOVIM, &workspace.root(), json!({}));
    client.open(&uri, &changed);
    assert_eq!(client.diagnostics(&uri)[0]["range"]["start"]["line"], GENERIC + 1);
    let hinted = client.hinted(&uri);
    assert!(
        hinted.contains(&(GENERIC + 1)) && !hinted.contains(&8),
        "{hinted:?}"
    );
    client.finish();
}

#[test]
fn a_workspace_may_move() {
    let (workspace, saved) = measured();
    let other = Workspace::kern();
    other.write(".bytecost/x.json", &std::fs::read_to_string(saved).unwrap());
    drop(workspace);
    let uri = other.uri("kern.py");
    let mut client = Client::start(client::NEOVIM, &other.root(), json!({}));
    client.open(&uri, KERN);
    assert_eq!(client.diagnostics(&uri).len(), 1);
    client.finish();
}

#[test]
fn a_profile_from_the_command_line_is_found_when_it_comes_and_goes() {
    let (workspace, saved) = measured();
    let text = std::fs::read(&saved).unwrap();
    std::fs::remove_file(&saved).unwrap();
    let uri = workspace.uri("kern.py");
    let watched = |kind: u32| json!({"changes": [{"uri": super::workspace::uri(&saved), "type": kind}]});

    // VS Code tells.
    let mut client = Client::start(client::VSCODE, &workspace.root(), json!({}));
    client.open(&uri, KERN);
    let registered = client.wait_for_request("client/registerCapability").to_string();
    assert!(registered.contains("**/.bytecost/*.json"), "{registered}");
    std::fs::write(&saved, &text).unwrap();
    client.notify("workspace/didChangeWatchedFiles", watched(1));
    assert_eq!(client.diagnostics(&uri).len(), 1);
    std::fs::remove_file(&saved).unwrap();
    client.notify("workspace/didChangeWatchedFiles", watched(3));
    assert_eq!(client.diagnostics(&uri), NONE);
    client.finish();

    // Neovim does not: it is looked at on every save, and on the command.
    let mut client = Client::start(client::NEOVIM, &workspace.root(), json!({}));
    client.open(&uri, KERN);
    client.settle(Duration::from_millis(100));
    std::fs::write(&saved, &text).unwrap();
    client.save(&uri);
    assert_eq!(client.diagnostics(&uri).len(), 1);
    std::fs::remove_file(&saved).unwrap();
    client.execute("bytecost.load", json!([])).unwrap();
    assert_eq!(client.diagnostics(&uri), NONE);
    client.finish();
}

#[test]
fn profiles_are_loaded_by_command_and_by_setting() {
    let (workspace, saved) = measured();
    let other = workspace.path("elsewhere.json");
    std::fs::rename(&saved, &other).unwrap();
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::HELIX, &workspace.root(), json!({}));
    client.open(&uri, KERN);
    assert_eq!(client.hints(&uri), []);
    client
        .execute(
            "bytecost.load",
            json!([{"uris": [super::workspace::uri(&other)]}]),
        )
        .unwrap();
    assert_eq!(client.diagnostics(&uri).len(), 1);
    client.execute("bytecost.clear", json!([])).unwrap();
    assert_eq!(client.diagnostics(&uri), NONE);
    client.execute("bytecost.load", json!([])).unwrap();
    assert_eq!(client.diagnostics(&uri).len(), 1);
    client.finish();

    let mut client = Client::start(
        client::HELIX,
        &workspace.root(),
        json!({"profiles": ["elsewhere.json"]}),
    );
    client.open(&uri, KERN);
    assert_eq!(client.diagnostics(&uri).len(), 1);
    client.finish();
}

#[test]
fn what_is_no_profile_is_said_and_harms_nothing() {
    let (workspace, saved) = measured();
    let uri = workspace.uri("kern.py");
    workspace.write(".bytecost/broken.json", "{\"format\": \"bytecost-pro");
    workspace.write(".bytecost/other.json", "{}");
    workspace.write(
        ".bytecost/newer.json",
        "{\"format\": \"bytecost-profile\", \"version\": 99}",
    );
    let mut client = Client::start(client::NEOVIM, &workspace.root(), json!({}));
    client.open(&uri, KERN);
    assert_eq!(client.diagnostics(&uri).len(), 1);
    for name in ["broken.json", "other.json", "newer.json"] {
        client.wait_for_log(name);
    }
    // Asked for by name, it is a message.
    client
        .execute(
            "bytecost.load",
            json!([{"uris": [workspace.uri(".bytecost/other.json")]}]),
        )
        .unwrap();
    assert!(client.message().contains("other.json"));
    client
        .execute(
            "bytecost.load",
            json!([{"uris": [workspace.uri("missing.json")]}]),
        )
        .unwrap();
    assert!(client.message().contains("missing.json does not exist"));
    client.finish();
    assert!(saved.exists());
}

#[test]
fn a_profile_without_texts_is_shown_once_a_text_is_the_measured_one() {
    let (workspace, saved) = measured();
    let mut profile: Value = serde_json::from_slice(&std::fs::read(&saved).unwrap()).unwrap();
    profile["profile"]["files"][0]
        .as_object_mut()
        .unwrap()
        .remove("text");
    std::fs::write(&saved, profile.to_string()).unwrap();
    workspace.write("kern.py", "print(1)\n");
    let uri = workspace.uri("kern.py");
    let mut client = Client::start(client::NEOVIM, &workspace.root(), json!({}));
    client.open(&uri, "print(1)\n");
    client.settle(Duration::from_millis(300));
    assert_eq!(client.hints(&uri), []);
    // The editor goes back to the text that was measured.
    let change = json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": KERN}]});
    client.notify("textDocument/didChange", change);
    client.save(&uri);
    assert_eq!(client.diagnostics(&uri).len(), 1);
    assert!(client.hinted(&uri).contains(&GENERIC));
    client.finish();
}

/// Every line of the loop that a sampler saw has a hint, and the hover says where its numbers are from.
#[test]
fn dumps_are_loaded_as_profiles_are() {
    let spin = include_str!("../fixtures/dump/app/spin.py");
    let workspace = Workspace::new(&[("spin.py", spin)]);
    let stack = "tid:7;<frozen runpy>:_run_code:87;spin.py:<module>:10;spin.py:spin";
    workspace.write("spin.collapsed", &format!("{stack}:6 343\n{stack}:5 68\n"));
    let uri = workspace.uri("spin.py");
    let mut client = Client::start(client::NEOVIM, &workspace.root(), json!({}));
    client.open(&uri, spin);
    let load = |client: &mut Client, name: &str| {
        let uris = json!([{"uris": [workspace.uri(name)]}]);
        client.execute("bytecost.load", uris).unwrap();
    };
    load(&mut client, "spin.collapsed");
    let hinted = client.until("hints", |client| {
        Some(client.hinted(&uri)).filter(|hinted| !hinted.is_empty())
    });
    assert!(hinted.contains(&4) && hinted.contains(&5), "{hinted:?}");
    let hover = client.hover(&uri, 5, 9).unwrap();
    assert!(hover.contains("imported"), "{hover}");
    // What belongs to no line is said to, and where it can be seen.
    workspace.write("stats.txt", "opcode[NOP].execution_count : 5\n");
    load(&mut client, "stats.txt");
    assert!(client.message().contains("`bytecost stats` shows it"));
    client.finish();
}

/// What a pystats build counted of a family stands in the hover of a site of it, as what it is.
#[test]
fn facts_of_a_family_are_told_as_those_of_the_whole_process() {
    let spin = include_str!("../fixtures/dump/app/spin.py");
    let workspace = Workspace::new(&[("spin.py", spin)]);
    let packed = include_bytes!("../fixtures/dump/tachyon/3.15.0-spin-opcodes.tach.gz");
    std::fs::write(workspace.root().join("spin.tach.gz"), packed).unwrap();
    let family = "opcode[BINARY_OP].";
    let counters = [
        "specializable : 1",
        "execution_count : 500",
        "specialization.hit : 990",
        "specialization.miss : 10",
        "specialization.deferred : 500",
        "specialization.failure : 7",
        "specialization.failure_kinds[2] : 7",
    ];
    let text = counters.map(|counter| format!("{family}{counter}\n")).concat();
    workspace.write("stats.txt", &text);
    let uri = workspace.uri("spin.py");
    let mut client = Client::start(client::NEOVIM, &workspace.root(), json!({}));
    client.open(&uri, spin);
    for name in ["spin.tach.gz", "stats.txt"] {
        let uris = json!([{"uris": [workspace.uri(name)]}]);
        client.execute("bytecost.load", uris).unwrap();
    }
    // `acc += data["k"] * i % 7`, on the product.
    let told = "Process-wide, every `BINARY_OP` of the run that `stats.txt` is of";
    let hover = client.until(told, |client| {
        client.hover(&uri, 5, 16).filter(|hover| hover.contains(told))
    });
    assert!(
        hover.contains("10 misses of 1,000 specialized executions (1.0%)"),
        "{hover}"
    );
    assert!(
        hover.contains("500 generic executions") && hover.contains(" 7."),
        "{hover}"
    );
    // Not on a line without that family.
    let other = client.hover(&uri, 1, 4);
    assert!(other.is_none_or(|text| !text.contains("Process-wide")));
    client.finish();
}
