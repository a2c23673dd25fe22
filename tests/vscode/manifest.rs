//! The extension's manifest says what the server says.

use std::fs;
use std::path::{Path, PathBuf};

use bytecost::lsp::settings::{self, Described};
use serde_json::{Map, Value, json};

fn extension() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode")
}

/// Settings of the extension alone: the server has no use for them.
fn own() -> Vec<(&'static str, Value)> {
    vec![
        (
            "bytecost.path",
            json!({
                "type": "string",
                "default": "",
                "scope": "machine-overridable",
                "markdownDescription": "The `bytecost` program to use instead of the one that comes with the extension: an absolute path, or a name on `PATH`. Leave it empty unless you build bytecost yourself.",
            }),
        ),
        (
            "bytecost.trace.server",
            json!({
                "type": "string",
                "enum": ["off", "messages", "verbose"],
                "default": "off",
                "scope": "window",
                "markdownDescription": "Write what the editor and the server say to each other to the log. For bug reports.",
            }),
        ),
    ]
}

/// A setting of the server as VS Code wants it.
fn property(setting: &Described) -> Value {
    let mut types = setting.types.clone();
    if setting.default.is_null() {
        types.push("null".to_owned());
    }
    let mut property = Map::new();
    property.insert(
        "type".to_owned(),
        match types.as_slice() {
            [one] => json!(one),
            several => json!(several),
        },
    );
    if types.first().is_some_and(|name| name == "array") {
        property.insert("items".to_owned(), json!({"type": "string"}));
    }
    if !setting.values.is_empty() {
        property.insert("enum".to_owned(), json!(setting.values));
    }
    property.insert("default".to_owned(), setting.default.clone());
    // What names a program is not for a workspace to say unasked.
    let scope = if setting.key == "python" {
        "machine-overridable"
    } else {
        "resource"
    };
    property.insert("scope".to_owned(), json!(scope));
    property.insert("markdownDescription".to_owned(), json!(setting.description));
    Value::Object(property)
}

fn properties() -> Value {
    let server = settings::described();
    let server = server
        .iter()
        .map(|setting| (format!("bytecost.{}", setting.key), property(setting)));
    let own = own().into_iter().map(|(key, value)| (key.to_owned(), value));
    Value::Object(server.chain(own).collect())
}

#[test]
fn the_settings_are_those_of_the_server() {
    let path = extension().join("package.json");
    let text = fs::read_to_string(&path).expect("package.json");
    let (head, rest) = text
        .split_once("      \"properties\": ")
        .expect("a place for the settings");
    // The object ends where its indentation does.
    let end = rest.find("\n      }").map_or(2, |at| at + "\n      }".len());
    let written = serde_json::to_string_pretty(&properties()).expect("JSON");
    let written = written.replace('\n', "\n      ");
    let expected = format!("{head}      \"properties\": {written}{}", &rest[end..]);
    if std::env::var_os("BYTECOST_BLESS").is_some() {
        fs::write(&path, &expected).expect("package.json can be written");
        return;
    }
    assert!(
        text.replace("\r\n", "\n") == expected,
        "the settings in editors/vscode/package.json are not the server's; BYTECOST_BLESS=1 rewrites them"
    );
}
