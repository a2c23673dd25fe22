//! The settings: one declaration, the same keys everywhere.
//!
//! They come, later ones over earlier ones, from the defaults, `[tool.bytecost]` of the
//! `pyproject.toml`, `initializationOptions` and the client's configuration. A value equal to the
//! default says nothing: VS Code sends the defaults of all settings that are not set.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::convert::STALE;
use crate::explain::Thresholds;
use crate::present::editor::{DiagnosticOptions, HintOptions, Severity};

/// Settings of bytecost in an editor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Interpreter: a path, a name on `PATH` or a version such as `3.14`. Without it: the virtual
    /// environment of the project, else `python3` on `PATH`.
    pub python: Option<String>,
    /// How long calls are repeated, and again while sampled, in seconds; 0.4 and 2 if not set.
    pub time: Option<f64>,
    /// A pass that takes longer is stopped, in seconds; 0 means never.
    pub deadline: f64,
    /// Globs of the files to measure, instead of the workspace's.
    pub include: Vec<String>,
    /// Saved profiles to load on start and to watch, beside those in `.bytecost`: paths, relative
    /// ones begin at the workspace folder.
    pub profiles: Vec<String>,
    /// Use ASCII marks only.
    pub ascii: bool,
    /// Keep the numbers of edited lines, with `was` in front: they were measured before the edit.
    pub keep_stale: bool,
    /// Inlay hints at the end of measured lines.
    pub hints: Hints,
    /// Diagnostics on the expressions that matter.
    pub diagnostics: Diagnostics,
    /// Colours in front of measured lines.
    pub heat: Heat,
    /// Code lenses.
    pub code_lens: CodeLens,
    /// The target's own output.
    pub output: TargetOutput,
}

/// Inlay hints at the end of measured lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_excessive_bools, reason = "one a part of the label")]
pub struct Hints {
    /// Show hints.
    pub enabled: bool,
    /// Share of the time (of instructions without times) a line must have to get one, in percent; 0 for every line
    /// that ran.
    pub min_share: f64,
    /// Mark lines with something generic or missing on them.
    pub mark: bool,
    /// Show the line's share of the time, or of the executed instructions where there are no times.
    pub share: bool,
    /// Show the line's executions.
    pub executions: bool,
    /// Most characters of a hint. VS Code cuts all hints of a line together at 43.
    pub max_length: usize,
}

/// Diagnostics on the expressions that matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostics {
    /// Show diagnostics.
    pub enabled: bool,
    /// Share of the time (of instructions without times) that the line of a site must have, in percent.
    pub min_share: f64,
    /// Executions that a site must have.
    pub min_executions: u64,
    /// Share of the time that a remedy must save at most to be advised, in percent.
    pub min_saving: f64,
    /// Severity of sites with 1,000 executions on a line with 5 % of the time (of instructions without times).
    pub strong: Level,
    /// Severity of the rest.
    pub weak: Level,
    /// Causes that are not shown, by name, as `bytecost explain` lists them.
    pub ignore: Vec<String>,
}

/// Colours in front of measured lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Heat {
    /// Show how hot a line is by a bar in front of it, in editors that can draw one (VS Code).
    pub enabled: bool,
}

/// Code lenses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeLens {
    /// Offer above functions, methods and tests to profile them.
    pub enabled: bool,
}

/// The target's own output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetOutput {
    /// Write what the target prints to the client's log; else nowhere.
    pub log: bool,
}

/// Severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Red.
    Error,
    /// Yellow.
    Warning,
    /// Blue, listed.
    Information,
    /// Faint, not listed by VS Code.
    Hint,
}

impl Default for Settings {
    fn default() -> Self {
        let thresholds = Thresholds::default();
        Self {
            python: None,
            time: None,
            deadline: 600.0,
            include: Vec::new(),
            profiles: Vec::new(),
            ascii: false,
            keep_stale: false,
            hints: Hints {
                enabled: true,
                min_share: 0.0,
                mark: true,
                share: true,
                executions: true,
                max_length: 24,
            },
            diagnostics: Diagnostics {
                enabled: true,
                min_share: thresholds.line_share * 100.0,
                min_executions: thresholds.executions,
                min_saving: thresholds.saving_share * 100.0,
                strong: Level::Information,
                weak: Level::Hint,
                ignore: Vec::new(),
            },
            heat: Heat { enabled: true },
            code_lens: CodeLens { enabled: true },
            output: TargetOutput { log: true },
        }
    }
}

impl Level {
    fn severity(self) -> Severity {
        match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Information => Severity::Information,
            Self::Hint => Severity::Hint,
        }
    }
}

impl Settings {
    /// What hints are to look like.
    #[must_use]
    pub fn hint_options(&self) -> HintOptions {
        let hints = &self.hints;
        let mark = if self.keep_stale { STALE.len() } else { 0 };
        HintOptions {
            enabled: hints.enabled,
            min_share: hints.min_share / 100.0,
            mark: hints.mark,
            share: hints.share,
            executions: hints.executions,
            ascii: self.ascii,
            max_length: hints.max_length.saturating_sub(mark).max(1),
        }
    }

    /// Which diagnostics there are to be.
    #[must_use]
    pub fn diagnostic_options(&self) -> DiagnosticOptions {
        let diagnostics = &self.diagnostics;
        DiagnosticOptions {
            enabled: diagnostics.enabled,
            thresholds: Thresholds {
                executions: diagnostics.min_executions,
                line_share: diagnostics.min_share / 100.0,
                saving_share: diagnostics.min_saving / 100.0,
                ignore: diagnostics.ignore.clone(),
                ..Thresholds::default()
            },
            strong: diagnostics.strong.severity(),
            weak: diagnostics.weak.severity(),
        }
    }

    /// Takes over what a source sets. What is not understood is passed over, and said to `warn`.
    #[must_use]
    pub fn over(&self, source: &Value, warn: &mut dyn FnMut(String)) -> Self {
        let mut merged = self.clone();
        let mut leaves = Vec::new();
        flatten(source, "", &mut leaves);
        let defaults = defaults();
        for (key, value) in leaves {
            let Some(default) = defaults.iter().find(|(known, _)| *known == key) else {
                if !OTHERS
                    .iter()
                    .any(|other| key == *other || key.starts_with(&format!("{other}.")))
                {
                    warn(format!("bytecost.{key} is not a setting of bytecost"));
                }
                continue;
            };
            if value.is_null() || *value == default.1 || same_number(value, &default.1) {
                continue;
            }
            match merged.with(&key, value) {
                Some(next) => merged = next,
                None => warn(format!("bytecost.{key} cannot be {value}")),
            }
        }
        merged
    }

    fn with(&self, key: &str, value: &Value) -> Option<Self> {
        let mut all = serde_json::to_value(self).ok()?;
        let mut place = &mut all;
        for part in key.split('.') {
            place = place.get_mut(part)?;
        }
        *place = value.clone();
        serde_json::from_value::<Self>(all).ok().filter(Self::makes_sense)
    }

    fn makes_sense(&self) -> bool {
        let duration = |seconds: f64| seconds.is_finite() && (0.0..=1e9).contains(&seconds);
        let percent = |share: f64| (0.0..=100.0).contains(&share);
        duration(self.deadline)
            && self.time.is_none_or(|time| duration(time) && time > 0.0)
            && percent(self.hints.min_share)
            && percent(self.diagnostics.min_share)
            && percent(self.diagnostics.min_saving)
            && self.hints.max_length > 0
            && self.include.iter().all(|glob| globset::Glob::new(glob).is_ok())
    }
}

/// Keys beside the settings: of `[tool.bytecost]`, of `initializationOptions`, of the extension.
const OTHERS: [&str; 5] = ["workloads", "trusted", "path", "trace", "settings"];

fn same_number(a: &Value, b: &Value) -> bool {
    matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a.to_bits() == b.to_bits())
}

/// Every key with its default.
fn defaults() -> Vec<(String, Value)> {
    let all = serde_json::to_value(Settings::default()).unwrap_or_default();
    let mut leaves = Vec::new();
    flatten(&all, "", &mut leaves);
    leaves
        .into_iter()
        .map(|(key, value)| (key, value.clone()))
        .collect()
}

/// The values that are no objects, by dotted key. A key may itself be dotted.
fn flatten<'v>(value: &'v Value, prefix: &str, leaves: &mut Vec<(String, &'v Value)>) {
    let Value::Object(members) = value else {
        if !prefix.is_empty() {
            leaves.push((prefix.to_owned(), value));
        }
        return;
    };
    for (key, value) in members {
        let key = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        flatten(value, &key, leaves);
    }
}

/// The part of a client's configuration that is ours: under `bytecost`, under dotted keys that
/// begin so, or all of it.
#[must_use]
pub fn section(configuration: &Value) -> Value {
    let Value::Object(members) = configuration else {
        return Value::Null;
    };
    if let Some(section) = members.get("bytecost") {
        return section.clone();
    }
    let dotted: Map<String, Value> = members
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("bytecost.")?.to_owned(), value.clone())))
        .collect();
    if !dotted.is_empty() {
        return Value::Object(dotted);
    }
    if let Some(settings) = members.get("settings").filter(|settings| settings.is_object()) {
        return section(settings);
    }
    configuration.clone()
}

/// The JSON Schema of the settings.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Settings).to_value()
}

/// One setting, as a document or an extension's manifest names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// Dotted, without `bytecost.`.
    pub key: String,
    /// JSON types, `null` left out.
    pub types: Vec<String>,
    /// The values it can have, if they are few.
    pub values: Vec<String>,
    /// The default.
    pub default: Value,
    /// What it does, as Markdown.
    pub description: String,
}

/// Every setting, in the order of the declaration.
#[must_use]
pub fn described() -> Vec<Described> {
    let schema = schema();
    let mut found = Vec::new();
    describe(&schema, &schema, "", &mut found);
    for (key, default) in defaults() {
        if let Some(setting) = found.iter_mut().find(|setting| setting.key == key) {
            setting.default = default;
        }
    }
    found
}

fn describe(root: &Value, schema: &Value, prefix: &str, found: &mut Vec<Described>) {
    let members = schema.get("properties").and_then(Value::as_object);
    for (name, member) in members.into_iter().flatten() {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        let target = member
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| root.pointer(reference.trim_start_matches('#')))
            .unwrap_or(member);
        if target.get("properties").is_some() {
            describe(root, target, &key, found);
            continue;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().replace('\n', " ");
        let types = match target.get("type") {
            Some(Value::Array(types)) => types.iter().map(text).filter(|name| name != "null").collect(),
            Some(name) => vec![text(name)],
            None => vec!["string".to_owned()],
        };
        let values = target
            .get("oneOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|case| case.get("const").map(text))
            .collect();
        found.push(Described {
            key,
            types,
            values,
            default: Value::Null,
            description: text(member.get("description").unwrap_or(&Value::Null)),
        });
    }
}

/// The settings as a Markdown list.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::new();
    for setting in described() {
        let _ = write!(
            text,
            "- `bytecost.{}` ({}, default `{}`): {}",
            setting.key,
            setting.types.join(" or "),
            setting.default,
            setting.description
        );
        if !setting.values.is_empty() {
            let _ = write!(text, " One of `{}`.", setting.values.join("`, `"));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn over(source: &Value) -> (Settings, Vec<String>) {
        let mut warnings = Vec::new();
        let settings = Settings::default().over(source, &mut |warning| warnings.push(warning));
        (settings, warnings)
    }

    #[test]
    fn what_is_set_is_taken_and_the_rest_stays() {
        let (settings, warnings) = over(&json!({
            "python": "3.14", "hints.minShare": 2, "diagnostics": {"weak": "warning"}, "time": null
        }));
        let mut expected = Settings {
            python: Some("3.14".to_owned()),
            ..Settings::default()
        };
        expected.hints.min_share = 2.0;
        expected.diagnostics.weak = Level::Warning;
        assert_eq!((settings, warnings), (expected, vec![]));
    }

    #[test]
    fn a_wrong_value_costs_only_itself() {
        let (settings, warnings) = over(&json!({
            "hints": {"enabled": "yes", "minShare": 101, "share": false},
            "include": ["["], "colour": 1, "trusted": false
        }));
        assert!(settings.hints.enabled && !settings.hints.share);
        assert_eq!(
            warnings,
            [
                "bytecost.colour is not a setting of bytecost",
                "bytecost.hints.enabled cannot be \"yes\"",
                "bytecost.hints.minShare cannot be 101",
                "bytecost.include cannot be [\"[\"]",
            ]
        );
    }

    #[test]
    fn a_default_does_not_hide_what_the_project_says() {
        let project = over(&json!({"ascii": true, "deadline": 5})).0;
        let editor = json!({"ascii": false, "deadline": 600, "hints": {"mark": false}});
        let settings = project.over(&editor, &mut |warning| panic!("{warning}"));
        assert!(settings.ascii && !settings.hints.mark);
        assert_eq!(settings.deadline.to_bits(), 5.0_f64.to_bits());
    }

    #[test]
    fn the_section_is_found_in_every_form() {
        for form in [
            json!({"bytecost": {"ascii": true}, "python": {"x": 1}}),
            json!({"bytecost.ascii": true, "python.x": 1}),
            json!({"settings": {"bytecost": {"ascii": true}}}),
            json!({"settings": {"ascii": true}, "trusted": true}),
            json!({"ascii": true}),
        ] {
            assert!(over(&section(&form)).0.ascii, "{form}");
        }
        assert_eq!(section(&Value::Null), Value::Null);
    }

    #[test]
    fn every_setting_is_described() {
        let described = described();
        assert_eq!(
            described
                .iter()
                .map(|setting| setting.key.clone())
                .collect::<std::collections::BTreeSet<_>>(),
            defaults().into_iter().map(|(key, _)| key).collect()
        );
        for setting in described {
            assert!(setting.description.ends_with('.'), "{setting:?}");
        }
    }
}
