//! What is run to make the target hot, and how its file is imported.

mod module;

use std::fmt;
use std::path::{Path, PathBuf};

pub use crate::source::Obstacle;
pub use module::ModuleSpec;

use super::config::{Config, project_root, relative_to};
use super::target::Target;
use crate::profile::WorkloadKind;
use crate::source::{ExpressionProblem, Function, Source, call, check_expression};

/// A workload, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Shape of the workload.
    pub kind: WorkloadKind,
    /// Qualified name of the target function as the interpreter knows it, if it is one.
    pub qualname: Option<String>,
    /// The expression to evaluate in the module's namespace, for calls.
    pub call: Option<String>,
    /// Code to run once before, in the same namespace.
    pub setup: Option<String>,
    /// Sources of the examples, for doctests; empty otherwise.
    pub doctest: Vec<String>,
    /// Where the workload was found.
    pub origin: Origin,
    /// How to import the file; none for modules and pytest selections.
    pub module: Option<ModuleSpec>,
}

/// Where a workload was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `--call`.
    Flag,
    /// The comment above a function.
    Directive {
        /// 1-based.
        line: u32,
    },
    /// `[tool.bytecost.workloads]`.
    Config {
        /// The `pyproject.toml`.
        path: PathBuf,
        /// 1-based.
        line: u32,
    },
    /// A docstring.
    Doctest {
        /// Qualified name of the function that has it.
        qualname: String,
    },
    /// Nothing is required to call the function.
    NoArguments,
    /// The target is run as a whole: a script, a module, a pytest selection.
    Whole,
}

/// Why there is no workload. Each message but the last is one sentence.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// No function of this name is in the file.
    #[error("{file} has no function {qualname}{hint}")]
    NoSuchFunction {
        /// As the user wrote it.
        file: String,
        /// As the user wrote it.
        qualname: String,
        /// What may have been meant, or that the file has none.
        hint: String,
    },
    /// `--call` for something that is not a function.
    #[error("--{flag} needs a function: name it as file.py::function, not {target}")]
    FlagWithoutFunction {
        /// `call` or `setup`.
        flag: &'static str,
        /// As the user wrote it.
        target: String,
    },
    /// The expression is none.
    #[error("{place} is not one Python expression ({source}): {expression}; statements belong in --setup")]
    NotAnExpression {
        /// Where it stands.
        place: String,
        /// As written.
        expression: String,
        /// Why.
        source: ExpressionProblem,
    },
    /// Nothing says how to call the function: what stands in the way, and the ways to say it.
    #[error("{target} {obstacle}, and nothing says how to call it. Say it in one of these ways:\n{ways}")]
    NoWorkload {
        /// As the user wrote it.
        target: String,
        /// What stands in the way.
        obstacle: Box<Obstacle>,
        /// One way a paragraph, each with a line to paste.
        ways: Box<Ways>,
    },
}

/// The ways to say how a function is called, each with a line to paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ways {
    /// The target as the user wrote it.
    pub target: String,
    /// The name of the function the comment stands above.
    pub above: String,
    /// A call with `...` for what only the user knows.
    pub template: String,
    /// The file as the `pyproject.toml` names it, and the function's qualified name.
    pub key: String,
}

impl fmt::Display for Ways {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            target,
            above,
            template,
            key,
        } = self;
        let target = quoted(target);
        writeln!(
            formatter,
            "  on the command line:      bytecost run {target} --call \"{template}\""
        )?;
        writeln!(formatter, "  above def {above}:")?;
        writeln!(formatter, "                            # bytecost: {template}")?;
        writeln!(formatter, "  in pyproject.toml:        [tool.bytecost.workloads]")?;
        writeln!(
            formatter,
            "                            \"{key}\" = \"{template}\""
        )?;
        write!(formatter, "  in its docstring:         >>> {template}")
    }
}

/// Quoted for a shell, if it needs to be.
fn quoted(target: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "_-./:\\".contains(letter);
    if target.chars().all(plain) {
        target.to_owned()
    } else {
        format!("\"{target}\"")
    }
}

/// What the user said on the command line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flags<'a> {
    /// `--call`.
    pub call: Option<&'a str>,
    /// `--setup`: replaces the setup of a `pyproject.toml`, and goes before any other workload.
    pub setup: Option<&'a str>,
}

/// Finds the workload of a target. `source` is the text of its file, empty for modules and
/// pytest selections. Looks at the file system for the package the file lies in.
///
/// For a function, in this order: `--call`, the comment above it, the `pyproject.toml`, its
/// docstring, a call without arguments. A function made inside another function that has none of
/// the first four is run by the workload of the outermost function around it.
pub fn plan(
    target: &Target,
    flags: Flags<'_>,
    config: Option<&Config>,
    source: &Source,
) -> Result<Plan, WorkloadError> {
    let (kind, file) = match target {
        Target::Function { file, qualname } => return plan_function(file, qualname, flags, config, source),
        Target::Script { file } => (WorkloadKind::Script, Some(file)),
        Target::Module { .. } => (WorkloadKind::Module, None),
        Target::Pytest { .. } => (WorkloadKind::Pytest, None),
    };
    for (flag, value) in [("call", flags.call), ("setup", flags.setup)] {
        if value.is_some() {
            return Err(WorkloadError::FlagWithoutFunction {
                flag,
                target: target.to_string(),
            });
        }
    }
    Ok(Plan {
        kind,
        qualname: None,
        call: None,
        setup: None,
        doctest: Vec::new(),
        origin: Origin::Whole,
        module: file.map(|file| ModuleSpec::of_file(file, source.relative_import_level())),
    })
}

fn plan_function(
    file: &Path,
    qualname: &str,
    flags: Flags<'_>,
    config: Option<&Config>,
    source: &Source,
) -> Result<Plan, WorkloadError> {
    let function = source
        .find_function(qualname)
        .ok_or_else(|| WorkloadError::NoSuchFunction {
            file: file.display().to_string(),
            qualname: qualname.to_owned(),
            hint: name_hint(source, qualname),
        })?;
    let outermost = function
        .outermost
        .as_deref()
        .and_then(|outermost| source.find_function(outermost));
    let mut plan = Plan {
        kind: WorkloadKind::Call,
        qualname: Some(function.qualname.clone()),
        call: None,
        setup: flags.setup.map(ToOwned::to_owned),
        doctest: Vec::new(),
        origin: Origin::Flag,
        module: Some(ModuleSpec::of_file(file, source.relative_import_level())),
    };
    if let Some(call) = flags.call {
        checked("--call", call)?;
        plan.call = Some(call.trim().to_owned());
        return Ok(plan);
    }
    for candidate in std::iter::once(function).chain(outermost) {
        if stated(&mut plan, file, candidate, config)? {
            return Ok(plan);
        }
    }
    let called = outermost.unwrap_or(function);
    match call::without_arguments(called) {
        Ok(call) => {
            plan.call = Some(call);
            plan.origin = Origin::NoArguments;
            Ok(plan)
        }
        Err(obstacle) => {
            let target = format!("{}::{qualname}", file.display());
            let obstacle = if outermost.is_some() {
                obstacle.around(&called.qualname)
            } else {
                obstacle
            };
            let ways = Ways {
                target: target.clone(),
                above: function.name().to_owned(),
                template: call::template(called),
                key: format!("{}::{}", key_of(file, config), function.qualname),
            };
            Err(WorkloadError::NoWorkload {
                target,
                obstacle: Box::new(obstacle),
                ways: Box::new(ways),
            })
        }
    }
}

/// Takes the workload that a comment, the `pyproject.toml` or a docstring states for `function`.
fn stated(
    plan: &mut Plan,
    file: &Path,
    function: &Function,
    config: Option<&Config>,
) -> Result<bool, WorkloadError> {
    if let Some(expression) = &function.directive {
        let line = function.directive_line.unwrap_or(function.first_line);
        checked(
            &format!("the bytecost comment at {}:{line}", file.display()),
            expression,
        )?;
        plan.call = Some(expression.clone());
        plan.origin = Origin::Directive { line };
        return Ok(true);
    }
    let configured = config.and_then(|config| Some((config, config.workload(file, &function.qualname)?)));
    if let Some((config, workload)) = configured {
        let line = workload.line;
        checked(
            &format!("the workload at {}:{line}", config.path.display()),
            &workload.call,
        )?;
        plan.call = Some(workload.call.trim().to_owned());
        plan.setup = plan.setup.take().or_else(|| workload.setup.clone());
        plan.origin = Origin::Config {
            path: config.path.clone(),
            line,
        };
        return Ok(true);
    }
    if let Some(examples) = &function.doctest {
        plan.kind = WorkloadKind::Doctest;
        plan.doctest.clone_from(examples);
        plan.origin = Origin::Doctest {
            qualname: function.qualname.clone(),
        };
        return Ok(true);
    }
    Ok(false)
}

fn checked(place: &str, expression: &str) -> Result<(), WorkloadError> {
    check_expression(expression).map_err(|source| WorkloadError::NotAnExpression {
        place: place.to_owned(),
        expression: expression.split_whitespace().collect::<Vec<_>>().join(" "),
        source,
    })
}

fn name_hint(source: &Source, qualname: &str) -> String {
    let names = source.closest_names(qualname);
    if let Some((last, others)) = names.split_last() {
        let before = if others.is_empty() {
            String::new()
        } else {
            format!("{} or ", others.join(", "))
        };
        return format!(": did you mean {before}{last}?");
    }
    if let Some(problem) = source.problems().first() {
        return format!(
            ": it has a syntax error in line {} ({})",
            problem.line, problem.message
        );
    }
    if source.functions().is_empty() {
        return ": it has no functions at all, so name the file alone to run it".to_owned();
    }
    ": write it as Python's __qualname__ does, for instance Class.method".to_owned()
}

/// The file as a workload key names it: relative to the `pyproject.toml`, else to where one
/// would stand.
fn key_of(file: &Path, config: Option<&Config>) -> String {
    let root = || project_root(file.parent().unwrap_or(file));
    config
        .and_then(|config| config.relative(file))
        .or_else(|| relative_to(&root(), file))
        .unwrap_or_else(|| file.to_string_lossy().replace('\\', "/"))
}

#[cfg(test)]
mod tests;
