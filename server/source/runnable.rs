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
    runnable.call = call::without_arguments(function).ok();
    if runnable.call.is_none() {
        runnable.needs_call = true;
        runnable.template = Some(call::template(function));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One line a runnable: place, kind, target, and how it is called.
    #[track_caller]
    fn check(file_name: &str, text: &str, expected: &[&str]) {
        let found = runnables(&Source::new(text), file_name);
        let found: Vec<String> = found
            .iter()
            .map(|runnable| {
                let how = match (&runnable.call, &runnable.template) {
                    (Some(call), None) => format!(" = {call}"),
                    (None, Some(template)) => format!(" ? {template}"),
                    _ => String::new(),
                };
                assert_eq!(runnable.needs_call, runnable.template.is_some());
                let Runnable {
                    line,
                    end_line,
                    kind,
                    target,
                    ..
                } = runnable;
                format!("{line}-{end_line} {kind:?} {target}{how}")
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn functions_say_how_they_are_called() {
        check("a.py", "def f(): pass\n", &["1-1 Function f = f()"]);
        check("a.py", "def f(a, b=1): pass\n", &["1-1 Function f ? f(a=...)"]);
        check(
            "a.py",
            "# bytecost: f(1)\n@d\ndef f(a):\n  pass\n",
            &["3-4 Function f = f(1)"],
        );
        check(
            "a.py",
            "def f(a):\n  '''\n  >>> f(1)\n  '''\n",
            &["1-4 Doctest f"],
        );
        check(
            "a.py",
            "class A:\n  def __init__(self, x): pass\n  def m(self): pass\n  @staticmethod\n  def s(): pass\n",
            &[
                "2-2 Function A.__init__ ? A(x=...)",
                "3-3 Function A.m ? A(x=...).m()",
                "5-5 Function A.s = A.s()",
            ],
        );
    }

    #[test]
    fn what_cannot_be_reached_has_no_button() {
        check(
            "a.py",
            "def f():\n  def g(): pass\n  # bytecost: f()(1)\n  def h(a): pass\n  return h\n",
            &["1-5 Function f = f()", "4-4 Function f.<locals>.h = f()(1)"],
        );
        check(
            "a.py",
            "@overload\ndef f(a: int): ...\ndef f(a): pass\nif x:\n  def g(): pass\nelse:\n  def g(): pass\n",
            &["3-3 Function f ? f(a=...)", "7-7 Function g = g()"],
        );
        check(
            "a.py",
            "class A:\n  @property\n  def p(self): pass\n  @p.setter\n  def p(self, v): pass\n",
            &["3-3 Function A.p = A().p"],
        );
        check("test_a.py", "@pytest.fixture\ndef test_data(): pass\n", &[]);
    }

    #[test]
    fn tests_are_those_that_pytest_collects() {
        let text = "def test_a(x): pass\ndef helper(): pass\nclass TestX:\n  def test_y(self): pass\n\
                    \x20 class TestZ:\n    def test_w(self): pass\nclass TestInit:\n  def __init__(self): pass\n\
                    \x20 def test_v(self): pass\nclass Case(unittest.TestCase):\n  def test_u(self): pass\n\
                    class Other:\n  def test_t(self): pass\nclass TestNone: pass\n";
        let expected = [
            "1-1 Test test_a",
            "2-2 Function helper = helper()",
            "3-6 Test TestX",
            "4-4 Test TestX::test_y",
            "5-6 Test TestX::TestZ",
            "6-6 Test TestX::TestZ::test_w",
            "8-8 Function TestInit.__init__ = TestInit()",
            "9-9 Function TestInit.test_v = TestInit().test_v()",
            "10-11 Test Case",
            "11-11 Test Case::test_u",
            "13-13 Function Other.test_t = Other().test_t()",
        ];
        for name in ["test_a.py", "a_test.py", "tests/test_a.py", r"tests\test_a.py"] {
            check(name, text, &expected);
        }
        for name in ["a.py", "test.py"] {
            check(name, "def test_a(): pass\n", &["1-1 Function test_a = test_a()"]);
        }
    }

    #[test]
    fn main_blocks_run_the_file() {
        let text = "def main(): pass\n\nif __name__ == '__main__':\n    main()\n\nif '__main__' == __name__: main()\n\
                    if __name__ != '__main__': pass\ndef f():\n  if __name__ == '__main__': pass\n";
        check(
            "a.py",
            text,
            &[
                "1-1 Function main = main()",
                "3-4 Main ",
                "6-6 Main ",
                "8-9 Function f = f()",
            ],
        );
        let titles: Vec<_> = runnables(&Source::new(text), "x/a.py")
            .into_iter()
            .map(|runnable| runnable.title)
            .collect();
        assert_eq!(
            titles,
            ["Profile main", "Profile a.py", "Profile a.py", "Profile f"]
        );
    }

    #[test]
    fn broken_text_keeps_what_can_be_read() {
        check(
            "a.py",
            "def f(:\n  return 1 +\n\ndef g():\n  pass\n\nif __name__ == '__main__'\n  g()\n",
            &["1-2 Function f = f()", "4-5 Function g = g()", "7-8 Main "],
        );
        for text in ["", "def", "class", "if __name__ ==", "@", "class A(:\n def", "\0"] {
            for runnable in runnables(&Source::new(text), "") {
                assert!(runnable.line <= runnable.end_line, "{text:?}");
            }
        }
    }
}
