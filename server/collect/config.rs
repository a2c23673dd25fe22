//! `[tool.bytecost]` of the nearest `pyproject.toml`, and where a project begins.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Files and folders that mark the root of a project.
const MARKERS: [&str; 5] = ["pyproject.toml", "setup.py", "setup.cfg", ".git", ".hg"];

/// What a `pyproject.toml` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The `pyproject.toml`.
    pub path: PathBuf,
    /// Its directory: paths in it are relative to this.
    pub directory: PathBuf,
    /// `python`: a path, a name or a version.
    pub python: Option<String>,
    /// `include`: globs of the files to count, as written; each one is a valid glob.
    pub include: Vec<String>,
    /// `time`: budget in seconds, above 0.
    pub time: Option<f64>,
    /// `workloads`, by target with `/` as separator and without `.` parts.
    pub workloads: BTreeMap<String, ConfiguredWorkload>,
    /// What was not understood, in file order.
    pub warnings: Vec<ConfigWarning>,
}

/// A workload of `[tool.bytecost.workloads]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredWorkload {
    /// The expression to evaluate.
    pub call: String,
    /// Code to run once before.
    pub setup: Option<String>,
    /// 1-based line in the `pyproject.toml`.
    pub line: u32,
}

/// Something that was passed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigWarning {
    /// A key that means nothing here.
    #[error("{}:{line}: {key} is not a setting of bytecost ({known} are)", path.display())]
    UnknownKey {
        /// The `pyproject.toml`.
        path: PathBuf,
        /// 1-based.
        line: u32,
        /// Dotted, from `tool.bytecost` on.
        key: String,
        /// The keys that mean something there.
        known: &'static str,
    },
    /// A workload whose key names no function.
    #[error("{}:{line}: workload {key:?} names no function: write it as \"path/file.py::function\"", path.display())]
    WorkloadWithoutFunction {
        /// The `pyproject.toml`.
        path: PathBuf,
        /// 1-based.
        line: u32,
        /// As written.
        key: String,
    },
}

/// Why a `pyproject.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The system refuses to read it, or it is not UTF-8.
    #[error("{} cannot be read ({source})", path.display())]
    Unreadable {
        /// The `pyproject.toml`.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is not TOML.
    #[error("{}:{line}: {message}: correct the TOML", path.display())]
    Malformed {
        /// The `pyproject.toml`.
        path: PathBuf,
        /// 1-based.
        line: u32,
        /// The parser's reason, one line.
        message: String,
    },
    /// A setting has a value of another kind.
    #[error("{}:{line}: {key} must be {expected}", path.display())]
    WrongValue {
        /// The `pyproject.toml`.
        path: PathBuf,
        /// 1-based.
        line: u32,
        /// Dotted, from `tool.bytecost` on.
        key: String,
        /// What it must be.
        expected: String,
    },
}

/// The nearest directory at or above `start` that holds a `pyproject.toml`, `setup.py`,
/// `setup.cfg`, `.git` or `.hg`; `start` itself when there is none.
#[must_use]
pub fn project_root(start: &Path) -> PathBuf {
    let start = absolute(start);
    start
        .ancestors()
        .find(|directory| is_marked(directory))
        .unwrap_or(&start)
        .to_owned()
}

/// Whether the directory holds something that marks the root of a project.
#[must_use]
pub fn is_marked(directory: &Path) -> bool {
    MARKERS.iter().any(|marker| directory.join(marker).exists())
}

/// The path from the root of the file system; `..` is resolved where it can be.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if absolute.components().any(|part| part == Component::ParentDir) {
        return fs::canonicalize(&absolute).unwrap_or(absolute);
    }
    absolute
}

impl Config {
    /// Reads the nearest `pyproject.toml` at or above `start`; none when there is none.
    pub fn nearest(start: &Path) -> Result<Option<Self>, ConfigError> {
        let start = absolute(start);
        let found = start
            .ancestors()
            .map(|directory| directory.join("pyproject.toml"))
            .find(|path| path.is_file());
        let Some(path) = found else { return Ok(None) };
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&path, &text).map(Some),
            Err(source) => Err(ConfigError::Unreadable { path, source }),
        }
    }

    /// Reads the text of the `pyproject.toml` at `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let document = DeTable::parse(text).map_err(|error| ConfigError::Malformed {
            path: path.to_owned(),
            line: line_of(text, error.span().unwrap_or(0..0)),
            message: error.message().replace('\n', ", "),
        })?;
        let mut config = Self {
            path: path.to_owned(),
            directory: path.parent().unwrap_or(Path::new("")).to_owned(),
            python: None,
            include: Vec::new(),
            time: None,
            workloads: BTreeMap::new(),
            warnings: Vec::new(),
        };
        let reader = Reader { path, text };
        let tool = document
            .get_ref()
            .get("tool")
            .and_then(|tool| tool.get_ref().as_table());
        if let Some(section) = tool.and_then(|tool| tool.get("bytecost")) {
            for (key, value) in entries(reader.table("tool.bytecost", section)?) {
                config.read(&reader, key.get_ref(), reader.line(key.span()), value)?;
            }
        }
        Ok(config)
    }

    /// The workload of this function, if one is named. `file` may be relative to the current
    /// directory.
    #[must_use]
    pub fn workload(&self, file: &Path, qualname: &str) -> Option<&ConfiguredWorkload> {
        let relative = self.relative(file)?;
        let written = |name: &str| self.workloads.get(&format!("{relative}::{name}"));
        written(qualname).or_else(|| written(&qualname.replace(".<locals>", "")))
    }

    /// The file as a key names it: relative to the directory, with `/`; none outside of it.
    #[must_use]
    pub fn relative(&self, file: &Path) -> Option<String> {
        relative_to(&self.directory, file)
    }

    fn read(
        &mut self,
        reader: &Reader<'_>,
        key: &str,
        line: u32,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let name = format!("tool.bytecost.{key}");
        match key {
            "python" => self.python = Some(reader.text(&name, value)?),
            "include" => self.include = reader.globs(&name, value)?,
            "time" => self.time = Some(reader.seconds(&name, value)?),
            "workloads" => {
                for (target, value) in entries(reader.table(&name, value)?) {
                    self.read_workload(reader, target.get_ref(), reader.line(target.span()), value)?;
                }
            }
            // Of editors: they say what they do not understand.
            "ascii" | "codeLens" | "deadline" | "diagnostics" | "heat" | "hints" | "keepStale" | "output"
            | "profiles" => {}
            _ => self.warnings.push(ConfigWarning::UnknownKey {
                path: self.path.clone(),
                line,
                key: name,
                known: "python, include, time and workloads",
            }),
        }
        Ok(())
    }

    fn read_workload(
        &mut self,
        reader: &Reader<'_>,
        target: &str,
        line: u32,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let name = format!("tool.bytecost.workloads.{target:?}");
        let workload = if value.get_ref().is_table() {
            let (mut call, mut setup) = (None, None);
            for (key, value) in entries(reader.table(&name, value)?) {
                match key.get_ref().as_ref() {
                    "call" => call = Some(reader.text(&format!("{name}.call"), value)?),
                    "setup" => setup = Some(reader.text(&format!("{name}.setup"), value)?),
                    other => self.warnings.push(ConfigWarning::UnknownKey {
                        path: self.path.clone(),
                        line: reader.line(key.span()),
                        key: format!("{name}.{other}"),
                        known: "call and setup",
                    }),
                }
            }
            let call =
                call.ok_or_else(|| reader.wrong(line, &name, "a table with a call, as { call = \"f(1)\" }"))?;
            ConfiguredWorkload { call, setup, line }
        } else {
            let call = value.get_ref().as_str().map(ToOwned::to_owned);
            let expected = "an expression, as \"f(1)\", or a table { call = \"f(1)\", setup = \"...\" }";
            ConfiguredWorkload {
                call: call.ok_or_else(|| reader.wrong(line, &name, expected))?,
                setup: None,
                line,
            }
        };
        match target.rsplit_once("::") {
            Some((file, function)) if !file.is_empty() && !function.is_empty() => {
                self.workloads
                    .insert(format!("{}::{}", tidy(file), function.trim()), workload);
            }
            _ => self.warnings.push(ConfigWarning::WorkloadWithoutFunction {
                path: self.path.clone(),
                line,
                key: target.to_owned(),
            }),
        }
        Ok(())
    }
}

/// `file` relative to `directory` with `/`, through symbolic links if need be; none outside.
pub(super) fn relative_to(directory: &Path, file: &Path) -> Option<String> {
    let (directory, file) = (absolute(directory), absolute(file));
    let relative = match file.strip_prefix(&directory) {
        Ok(relative) => relative.to_owned(),
        Err(_) => fs::canonicalize(&file)
            .ok()?
            .strip_prefix(fs::canonicalize(&directory).ok()?)
            .ok()?
            .to_owned(),
    };
    Some(tidy(&relative.to_string_lossy()))
}

/// `/` as separator, without `.` and resolved `..`.
fn tidy(path: &str) -> String {
    let path = path.trim().replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Entries in file order.
fn entries<'a, 'i>(
    table: &'a DeTable<'i>,
) -> Vec<(&'a Spanned<toml::de::DeString<'i>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn line_of(text: &str, span: Range<usize>) -> u32 {
    let before = text.get(..span.start).unwrap_or(text);
    let ends = before.matches('\n').count();
    u32::try_from(ends + 1).unwrap_or(u32::MAX)
}

/// Typed access that knows where it reads.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn line(&self, span: Range<usize>) -> u32 {
        line_of(self.text, span)
    }

    fn wrong(&self, line: u32, key: &str, expected: &str) -> ConfigError {
        ConfigError::WrongValue {
            path: self.path.to_owned(),
            line,
            key: key.to_owned(),
            expected: expected.to_owned(),
        }
    }

    fn table<'v, 'i>(
        &self,
        key: &str,
        value: &'v Spanned<DeValue<'i>>,
    ) -> Result<&'v DeTable<'i>, ConfigError> {
        value
            .get_ref()
            .as_table()
            .ok_or_else(|| self.wrong(self.line(value.span()), key, "a table"))
    }

    fn text(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String, ConfigError> {
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
            _ => Err(self.wrong(self.line(value.span()), key, "a text that is not empty")),
        }
    }

    fn globs(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, ConfigError> {
        let expected = "a list of globs, as [\"src/**/*.py\"]";
        let wrong = |span| self.wrong(self.line(span), key, expected);
        let list = value.get_ref().as_array().ok_or_else(|| wrong(value.span()))?;
        let mut globs = Vec::new();
        for item in list {
            let glob = item.get_ref().as_str().ok_or_else(|| wrong(item.span()))?;
            if let Err(error) = globset::Glob::new(glob) {
                return Err(self.wrong(self.line(item.span()), key, &format!("{expected} ({error})")));
            }
            globs.push(glob.to_owned());
        }
        Ok(globs)
    }

    fn seconds(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<f64, ConfigError> {
        let number = match value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse::<f64>().ok(),
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            _ => None,
        };
        number
            .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
            .ok_or_else(|| self.wrong(self.line(value.span()), key, "a number of seconds above 0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(Path::new("/p/pyproject.toml"), text)
    }

    #[test]
    fn every_setting_is_read() {
        let config = parse(
            "[project]\nname = 'x'\n[tool.bytecost]\npython = '3.13'\ninclude = ['src/**', \"a/*.py\"]\ntime = 2\n\
             [tool.bytecost.workloads]\n\"./path\\\\kern.py::advance\" = \"advance(1)\"\n\
             \"a/../b.py::A.m\" = { call = \"A().m()\", setup = \"x = 1\" }\n",
        )
        .expect("a configuration");
        assert_eq!(config.python.as_deref(), Some("3.13"));
        assert_eq!(config.include, ["src/**", "a/*.py"]);
        assert_eq!(config.time, Some(2.0));
        assert_eq!(config.warnings, []);
        for (file, qualname, expected) in [
            ("/p/path/kern.py", "advance", Some(("advance(1)", None, 8))),
            ("/p/b.py", "A.m", Some(("A().m()", Some("x = 1"), 9))),
            ("/p/path/kern.py", "other", None),
            ("/q/b.py", "A.m", None),
        ] {
            let found = config.workload(Path::new(file), qualname);
            let found =
                found.map(|workload| (workload.call.as_str(), workload.setup.as_deref(), workload.line));
            assert_eq!(found, expected, "{file}::{qualname}");
        }
    }

    #[test]
    fn a_file_without_the_table_says_nothing() {
        for text in [
            "",
            "\u{feff}[project]\r\nname = 'x'\r\n",
            "tool = 1",
            "[tool]\nbytecost = {}",
        ] {
            let config = parse(text).expect("a configuration");
            assert!(
                config.workloads.is_empty() && config.warnings.is_empty() && config.python.is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn nested_functions_may_leave_out_locals() {
        let config =
            parse("[tool.bytecost.workloads]\n'k.py::f.g' = 'f()'\n'k.py::f.<locals>.h' = 'f(1)'").expect("");
        let call = |name| {
            config
                .workload(Path::new("/p/k.py"), name)
                .map(|workload| workload.call.as_str())
        };
        assert_eq!(call("f.<locals>.g"), Some("f()"));
        assert_eq!(call("f.<locals>.h"), Some("f(1)"));
    }

    #[test]
    fn unknown_keys_are_warnings() {
        let text = "[tool.bytecost]\nfoo = 1\n[tool.bytecost.workloads]\n'k.py' = 'f()'\n'k.py::f' = { call = 'f()', b = 1 }\n";
        let warnings: Vec<String> = parse(text)
            .expect("")
            .warnings
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            warnings,
            [
                "/p/pyproject.toml:2: tool.bytecost.foo is not a setting of bytecost (python, include, time and workloads are)",
                "/p/pyproject.toml:4: workload \"k.py\" names no function: write it as \"path/file.py::function\"",
                "/p/pyproject.toml:5: tool.bytecost.workloads.\"k.py::f\".b is not a setting of bytecost (call and setup are)",
            ]
        );
    }

    #[test]
    fn wrong_values_name_the_file_and_line() {
        for (text, expected) in [
            (
                "[tool.bytecost]\npython = 3",
                "2: tool.bytecost.python must be a text that is not empty",
            ),
            (
                "[tool.bytecost]\n\ntime = -1",
                "3: tool.bytecost.time must be a number of seconds above 0",
            ),
            (
                "[tool.bytecost]\ntime = nan",
                "2: tool.bytecost.time must be a number of seconds above 0",
            ),
            (
                "[tool.bytecost]\ntime = '1'",
                "2: tool.bytecost.time must be a number of seconds above 0",
            ),
            (
                "[tool.bytecost]\ninclude = 'a'",
                "2: tool.bytecost.include must be a list of globs, as [\"src/**/*.py\"]",
            ),
            (
                "[tool.bytecost]\ninclude = [\n'a',\n1]",
                "4: tool.bytecost.include must be a list of globs, as [\"src/**/*.py\"]",
            ),
            ("[tool]\nbytecost = 1", "2: tool.bytecost must be a table"),
            (
                "[tool.bytecost.workloads]\n'a.py::f' = {}",
                "2: tool.bytecost.workloads.\"a.py::f\" must be a table with a call, as { call = \"f(1)\" }",
            ),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert_eq!(error, format!("/p/pyproject.toml:{expected}"));
        }
        let error = parse("[tool.bytecost]\ninclude = ['a[']")
            .expect_err("a bad glob")
            .to_string();
        assert!(
            error.starts_with("/p/pyproject.toml:2: tool.bytecost.include must be a list of globs"),
            "{error}"
        );
        for text in ["[tool.bytecost]\npython = \n", "a = 1\n= 2", "[x]\n'"] {
            let error = parse(text).expect_err(text).to_string();
            assert!(
                error.starts_with("/p/pyproject.toml:2: ") && !error.contains('\n'),
                "{error}"
            );
        }
    }

    #[test]
    fn the_nearest_file_and_root_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        fs::create_dir_all(root.join("a/b/c")).expect("folders");
        fs::create_dir(root.join("a/b/.git")).expect("a folder");
        fs::write(root.join("pyproject.toml"), "[tool.bytecost]\ntime = 1.5").expect("a file");
        let nearest = Config::nearest(&root.join("a/b/c"))
            .expect("readable")
            .expect("found");
        assert_eq!((nearest.time, nearest.directory.as_path()), (Some(1.5), root));
        assert_eq!(project_root(&root.join("a/b/c")), root.join("a/b"));
        assert_eq!(project_root(&root.join("a")), root);
        fs::write(root.join("a/pyproject.toml"), [0xff]).expect("a file");
        let error = Config::nearest(&root.join("a/b"))
            .expect_err("not UTF-8")
            .to_string();
        assert!(
            error.starts_with(&format!(
                "{} cannot be read",
                root.join("a/pyproject.toml").display()
            )),
            "{error}"
        );
    }
}
