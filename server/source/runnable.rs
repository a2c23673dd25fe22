//! What of a text can be run.

use super::Source;

/// Something that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runnable {
    /// First line.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// What it is.
    pub kind: RunnableKind,
    /// What to run.
    pub target: String,
    /// What to call it.
    pub title: String,
    /// Nobody has said how to call it.
    pub needs_call: bool,
    /// How it is called.
    pub call: Option<String>,
    /// A call with gaps.
    pub template: Option<String>,
}

/// What a runnable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunnableKind {
    /// A function or method.
    Function,
    /// A test.
    Test,
    /// Examples of a docstring.
    Doctest,
    /// The program itself.
    Main,
}

/// Everything of a text that can be run, in source order.
#[must_use]
pub fn runnables(source: &Source, file_name: &str) -> Vec<Runnable> {
    let tests = file_name.starts_with("test_");
    source
        .functions()
        .iter()
        .map(|function| {
            let test = tests && function.name().starts_with("test_");
            Runnable {
                line: function.def_line,
                end_line: function.end_line,
                kind: if test {
                    RunnableKind::Test
                } else {
                    RunnableKind::Function
                },
                target: if test {
                    format!("pytest:{file_name}::{}", function.qualname.replace('.', "::"))
                } else {
                    function.qualname.clone()
                },
                title: function.qualname.clone(),
                needs_call: function.directive.is_none()
                    && function.doctest.is_none()
                    && !function.required_arguments.is_empty(),
                call: function.directive.clone(),
                template: Some(format!("{}({})", function.name(), function.arguments_template)),
            }
        })
        .collect()
}
