//! What of a text can be run, and where a button for it belongs.

use std::collections::HashMap;

use super::outline::ClassStatement;
use super::{Function, FunctionKind, Source, call};

/// Something that can be run and measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runnable {
    /// Line of the `def`, `class` or `if`, 1-based.
    pub line: u32,
    /// Its last line, 1-based, inclusive.
    pub end_line: u32,
    /// How it is run.
    pub kind: RunnableKind,
    /// What names it after the file: a qualified name; the end of a pytest node id, for instance
    /// `TestX::test_y`, for tests; empty for the file itself.
    pub target: String,
    /// What a button says: `Profile advance`.
    pub title: String,
    /// Nothing in the text says how to call it: running it needs an expression. A workload in
    /// the configuration may still say it.
    pub needs_call: bool,
    /// The expression that the text says to evaluate, or that follows from it; none for tests,
    /// doctests, files and what needs one.
    pub call: Option<String>,
    /// For what needs an expression, one with `...` for what only the user knows.
    pub template: Option<String>,
}

/// How something is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunnableKind {
    /// By evaluating an expression that calls it.
    Function,
    /// By pytest.
    Test,
    /// By running the examples of its docstring.
    Doctest,
    /// By running the file as a program.
    Main,
}

/// Functions, methods, tests, doctests and `if __name__ == "__main__":` blocks, in source order.
///
/// `file_name` decides whether tests are looked for; folders in it do not matter. Functions made
/// inside others are listed only when they say themselves how they are run: they are reached
/// through the function around them. Of several definitions of a name the last one counts, as at
/// run time.
#[must_use]
pub fn runnables(source: &Source, file_name: &str) -> Vec<Runnable> {
    let file_name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    let tests = Tests::of(source, file_name);
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (index, function) in source.functions().iter().enumerate() {
        if !function.is_accessor {
            last.insert(&function.qualname, index);
        }
    }
    let functions = source.functions().iter().enumerate();
    let mut found: Vec<Runnable> = functions
        .filter(|(index, function)| last.get(function.qualname.as_str()) == Some(index))
        .filter_map(|(_, function)| match tests.node_of(function) {
            Some(node) => Some(test(
                node,
                function.name(),
                (function.def_line, function.end_line),
            )),
            None => of_function(function),
        })
        .collect();
    found.extend(tests.classes(source));
    let blocks = source.main_blocks().iter();
    found.extend(blocks.map(|&(line, end_line)| Runnable {
        line,
        end_line,
        kind: RunnableKind::Main,
        target: String::new(),
        title: format!("Profile {file_name}"),
        needs_call: false,
        call: None,
        template: None,
    }));
    found.sort_by_key(|runnable| (runnable.line, std::cmp::Reverse(runnable.end_line)));
    found
}

fn of_function(function: &Function) -> Option<Runnable> {
    let says_how = function.directive.is_some() || function.doctest.is_some();
    if !says_how && (function.is_nested() || is_out_of_reach(function)) {
        return None;
    }
    let mut runnable = Runnable {
        line: function.def_line,
        end_line: function.end_line,
        kind: RunnableKind::Function,
        target: function.qualname.clone(),
        title: format!("Profile {}", function.name()),
        needs_call: false,
        call: function.directive.clone(),
        template: None,
    };
    if runnable.call.is_some() {
        return Some(runnable);
    }
    if function.doctest.is_some() {
        runnable.kind = RunnableKind::Doctest;
        return Some(runnable);
    }
    match call::without_arguments(function) {
        Ok(call) => runnable.call = Some(call),
        Err(_) => {
            runnable.needs_call = true;
            runnable.template = Some(call::template(function));
        }
    }
    Some(runnable)
}

/// Whether calling it by its name does not run it: pytest makes fixtures uncallable, overloads
/// are replaced.
fn is_out_of_reach(function: &Function) -> bool {
    let last = |name: &String| name.rsplit('.').next().unwrap_or_default().to_owned();
    let mut decorators = function.decorators.iter().map(last);
    decorators.any(|name| matches!(name.as_str(), "fixture" | "overload"))
}

fn test(node: String, name: &str, (line, end_line): (u32, u32)) -> Runnable {
    Runnable {
        line,
        end_line,
        kind: RunnableKind::Test,
        target: node,
        title: format!("Profile {name}"),
        needs_call: false,
        call: None,
        template: None,
    }
}

/// What pytest collects from a file with its default naming (`python_files`,
/// `python_functions` and `python_classes` in its reference).
struct Tests<'s> {
    /// The file is one of tests.
    is_test_file: bool,
    /// Qualified names of the classes it collects.
    classes: Vec<&'s ClassStatement>,
}

impl<'s> Tests<'s> {
    fn of(source: &'s Source, file_name: &str) -> Self {
        let stem = file_name.strip_suffix(".py");
        let is_test_file = stem.is_some_and(|stem| stem.starts_with("test_") || stem.ends_with("_test"));
        // A class with a constructor of its own is warned about and left out.
        let has_constructor = |class: &ClassStatement| {
            let constructor = format!("{}.__init__", class.qualname);
            source
                .functions()
                .iter()
                .any(|function| function.qualname == constructor)
        };
        let mut classes: Vec<&ClassStatement> = Vec::new();
        for class in source.classes().iter().filter(|_| is_test_file) {
            let is_collected = match class.qualname.rsplit_once('.') {
                None => true,
                Some((outer, _)) => classes.iter().any(|known| known.qualname == outer),
            };
            if is_collected && (is_unittest(class) || (is_named(class) && !has_constructor(class))) {
                classes.push(class);
            }
        }
        Self {
            is_test_file,
            classes,
        }
    }

    /// The end of the node id of a function that is a test.
    fn node_of(&self, function: &Function) -> Option<String> {
        let is_test = self.is_test_file
            && function.name().starts_with("test")
            && function.kind != FunctionKind::Property
            && !function.is_nested()
            && !is_out_of_reach(function);
        let is_collected = match &function.class {
            None => true,
            Some(class) => self.classes.iter().any(|known| known.qualname == class.qualname),
        };
        (is_test && is_collected).then(|| function.qualname.replace('.', "::"))
    }

    /// The classes that have tests.
    fn classes<'a>(&'a self, source: &'a Source) -> impl Iterator<Item = Runnable> + 'a {
        let classes = self.classes.iter().filter(move |class| {
            let mut functions = source.functions().iter();
            functions.any(|function| {
                let rest = function.qualname.strip_prefix(&class.qualname);
                rest.is_some_and(|rest| rest.starts_with('.')) && self.node_of(function).is_some()
            })
        });
        classes.map(|class| {
            let name = class.qualname.rsplit('.').next().unwrap_or_default();
            let node = class.qualname.replace('.', "::");
            test(node, name, (class.line, class.end_line))
        })
    }
}

fn is_named(class: &ClassStatement) -> bool {
    let name = class.qualname.rsplit('.').next().unwrap_or_default();
    name.starts_with("Test")
}

/// Collected whatever its name.
fn is_unittest(class: &ClassStatement) -> bool {
    let mut bases = class.bases.iter();
    bases.any(|base| {
        let name = base.rsplit('.').next().unwrap_or_default();
        matches!(name, "TestCase" | "IsolatedAsyncioTestCase")
    })
}
