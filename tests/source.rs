//! Functions read from text against the code objects CPython makes of it.

#[path = "support/pythons.rs"]
#[allow(dead_code)] // Each test binary uses its part.
mod pythons;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytecost::source::Source;

/// Prints `qualname line flags` of every function code object; generated scopes, type aliases and
/// the bounds of type parameters are no functions of the text.
const WALK: &str = r#"
import ast, sys, types
GENERATED = {"<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
def walk(code):
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            name = constant.co_name
            # Functions are optimized; class bodies are not.
            if constant.co_flags & 1 and (name, constant.co_firstlineno) not in LAZY and not (
                name in GENERATED or name.startswith("<generic parameters of")
                or name == "__annotate__" and constant.co_firstlineno not in WRITTEN
            ):
                flags = constant.co_flags & (0x20 | 0x80 | 0x200)
                print(constant.co_qualname, constant.co_firstlineno, flags, sep="\t")
            walk(constant)
with open(sys.argv[1], "rb") as file:
    text = file.read()
LAZY, WRITTEN = set(), set()
for node in ast.walk(ast.parse(text)):
    if type(node).__name__ in ("TypeVar", "ParamSpec", "TypeVarTuple"):
        LAZY.add((node.name, node.lineno))
    elif type(node).__name__ == "TypeAlias":
        LAZY.add((node.name.id, node.lineno))
    elif getattr(node, "name", None) == "__annotate__":
        WRITTEN.add(node.lineno)
walk(compile(text, sys.argv[1], "exec", dont_inherit=True))
"#;

const LIBRARY: &str = r#"
import os, sysconfig
names = "dataclasses.py argparse.py asyncio/tasks.py typing.py contextlib.py enum.py functools.py inspect.py " \
    "_pydatetime.py unittest/mock.py test/test_generators.py test/test_type_params.py test/test_asyncgen.py"
for name in names.split():
    path = os.path.join(sysconfig.get_path("stdlib"), name)
    if os.path.exists(path):
        print(path)
"#;

/// WebAssembly keeps its standard library in an archive: there are no files to read.
fn pythons() -> Vec<(&'static str, PathBuf)> {
    pythons::native_pythons("functions read from files")
}

fn run(python: &Path, script: &str, argument: &Path) -> String {
    let output = Command::new(python)
        .args(["-I", "-X", "utf8", "-W", "ignore", "-c", script])
        .arg(argument)
        .output()
        .expect("python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{} {}: {errors}",
        python.display(),
        argument.display()
    );
    String::from_utf8(output.stdout).expect("UTF-8 output")
}

type Fact = (String, u32, u32);

fn facts_of_cpython(python: &Path, file: &Path) -> BTreeSet<Fact> {
    let number = |field: Option<&str>| field.and_then(|field| field.parse().ok()).expect("a number");
    run(python, WALK, file)
        .lines()
        .map(|line| {
            let mut fields = line.split('\t');
            let qualname = fields.next().expect("a qualname").to_owned();
            (qualname, number(fields.next()), number(fields.next()))
        })
        .collect()
}

fn facts_of_source(text: &str) -> BTreeSet<Fact> {
    Source::new(text)
        .functions()
        .iter()
        .map(|function| {
            let flags = match (function.is_async, function.is_generator) {
                (false, false) => 0,
                (false, true) => 0x20,
                (true, false) => 0x80,
                (true, true) => 0x200,
            };
            (function.qualname.clone(), function.first_line, flags)
        })
        .collect()
}

/// Compares every file with every interpreter; the number of functions compared.
fn check(files: impl Fn(&Path) -> Vec<PathBuf>) -> usize {
    let mut compared = 0;
    for (version, python) in pythons() {
        for file in files(&python) {
            let text = std::fs::read_to_string(&file).expect("UTF-8 text");
            let expected = facts_of_cpython(&python, &file);
            let actual = facts_of_source(&text);
            let missing: Vec<_> = expected.difference(&actual).collect();
            let extra: Vec<_> = actual.difference(&expected).collect();
            assert!(
                missing.is_empty() && extra.is_empty(),
                "{version} {}: missing {missing:?}, extra {extra:?}",
                file.display()
            );
            compared += expected.len();
        }
    }
    compared
}

#[test]
fn functions_of_the_standard_library_are_those_cpython_compiles() {
    let files = |python: &Path| -> Vec<PathBuf> {
        run(python, LIBRARY, Path::new("-"))
            .lines()
            .map(PathBuf::from)
            .collect()
    };
    let compared = check(files);
    assert!(compared >= 1000 * pythons().len(), "only {compared} functions");
}

/// What the standard library does not write.
const ODD: &str = r"def f(a=1):
	global g, K
	def g(): yield
	class K:
		def m(self): pass
	def h(b=(yield)):
		def g(): return lambda: (yield)
	async def i():
		async def j(): yield [x async for x in y]
		await j()
@(
  f
)
FORMFEEDdef 𝐟𝐮𝐧(): return '''
def no(): pass
'''
@f(1,
   2)
# a comment

@f
async \
  def 𠀀(): pass
class Outer:
    class _Inner:
        def __private(self):
            def __deep(): pass
    if f:
        @property
        def p(self): return 1
        @p.setter
        def p(self, v): pass
FORMFEED
def two(): pass; \
x = 1
def one(): return (lambda: 0)CARRIAGERETURNdef last(): pass";

const ODD_GENERIC: &str = r"@f
def g[T: (int, str)](x: T = 1) -> T:
    def inner[S](y: S): yield y
class A[T](list[T]):
    def m[S](self, x: S) -> T:
        class B[R]:
            async def n[Q](self): yield
    type X[Y] = list[Y]
";

#[test]
fn functions_of_odd_texts_are_those_cpython_compiles() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let text = ODD.replace("FORMFEED", "\x0c").replace("CARRIAGERETURN", "\r");
    let odd = vec![
        write("odd.py", &text),
        write("windows.py", &format!("\u{feff}{}", text.replace('\n', "\r\n"))),
    ];
    let generic = write("generic.py", ODD_GENERIC);
    let compared = check(|python| {
        let mut files = odd.clone();
        let version = run(
            python,
            "import sys; print(sys.version_info >= (3, 12))",
            Path::new("-"),
        );
        if version.trim() == "True" {
            files.push(generic.clone());
        }
        files
    });
    assert!(compared >= 30 * pythons().len(), "only {compared} functions");
}

/// Prints, for every function with a docstring, its first line and what doctest would run of it;
/// null where doctest refuses the docstring.
const EXAMPLES: &str = r#"
import ast, doctest, json, sys
with open(sys.argv[1], "rb") as file:
    tree = ast.parse(file.read())
for node in ast.walk(tree):
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        text = ast.get_docstring(node, clean=False)
        if text is None:
            continue
        line = (node.decorator_list or [node])[0].lineno
        try:
            examples = doctest.DocTestParser().get_examples(text)
        except ValueError:
            print(json.dumps([line, None]))
            continue
        print(json.dumps([line, [
            example.source for example in examples
            if not example.options.get(doctest.SKIP) and example.exc_msg is None
        ]]))
"#;

const DOCUMENTED: &str = r#"
import os, sysconfig
names = "statistics.py random.py fractions.py difflib.py collections/__init__.py enum.py textwrap.py doctest.py " \
    "functools.py pickletools.py ipaddress.py _pydecimal.py zipfile/_path/__init__.py bisect.py typing.py"
for name in names.split():
    path = os.path.join(sysconfig.get_path("stdlib"), name)
    if os.path.exists(path):
        print(path)
"#;

#[test]
fn examples_of_the_standard_library_are_those_doctest_runs() {
    let mut compared = 0;
    for (version, python) in pythons() {
        for file in run(&python, DOCUMENTED, Path::new("-"))
            .lines()
            .map(PathBuf::from)
        {
            let source = Source::new(&std::fs::read_to_string(&file).expect("UTF-8 text"));
            for line in run(&python, EXAMPLES, &file).lines() {
                let (first_line, expected): (u32, Option<Vec<String>>) =
                    serde_json::from_str(line).expect("a line and a list");
                let Some(expected) = expected else { continue };
                let function = source
                    .functions()
                    .iter()
                    .find(|function| function.first_line == first_line);
                // doctest ends every source with a line end.
                let actual: Vec<String> = function
                    .and_then(|function| function.doctest.clone())
                    .unwrap_or_default()
                    .into_iter()
                    .map(|source| {
                        if source.ends_with('\n') {
                            source
                        } else {
                            source + "\n"
                        }
                    })
                    .collect();
                assert_eq!(actual, expected, "{version} {}:{first_line}", file.display());
                compared += expected.len();
            }
        }
    }
    assert!(compared >= 500 * pythons().len(), "only {compared} examples");
}
