//! What a project's `pyproject.toml` sets, for whoever shows reports of it: the command line and editors.

use std::path::Path;

use serde_json::Value;

/// `[tool.bytecost]` of the `pyproject.toml` of a folder; null where there is none or it cannot be read:
/// a run says what is wrong with it.
#[must_use]
pub fn section(root: &Path) -> Value {
    let text = std::fs::read_to_string(root.join("pyproject.toml")).unwrap_or_default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let Ok(table) = text.parse::<toml::Table>() else {
        return Value::Null;
    };
    table
        .get("tool")
        .and_then(|tool| tool.get("bytecost"))
        .and_then(|section| serde_json::to_value(section).ok())
        .unwrap_or_default()
}

/// Causes that the project does not want to hear of: `ignore` under `[tool.bytecost.diagnostics]`.
/// Empty where that is no list of texts.
#[must_use]
pub fn ignored(root: &Path) -> Vec<String> {
    let section = section(root);
    // A dotted key may stand in quotes.
    let list = section
        .pointer("/diagnostics/ignore")
        .or_else(|| section.get("diagnostics.ignore"));
    list.and_then(|list| serde_json::from_value(list.clone()).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::ignored;

    #[test]
    fn ignored_causes_are_a_list_of_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let with = |text: &str| {
            std::fs::write(folder.path().join("pyproject.toml"), text).expect("written");
            ignored(folder.path())
        };
        assert_eq!(
            with("[tool.bytecost.diagnostics]\nignore = ['a', 'b']"),
            ["a", "b"]
        );
        assert_eq!(
            with("\u{feff}[tool.bytecost]\n'diagnostics.ignore' = ['a']"),
            ["a"]
        );
        for nothing in [
            "",
            "x = ",
            "[tool.bytecost]\ndiagnostics = 1",
            "[tool.bytecost.diagnostics]\nignore = 'a'",
        ] {
            assert!(with(nothing).is_empty(), "{nothing}");
        }
    }
}
