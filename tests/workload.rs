//! Planned workloads, run by CPython: the target's body must be reached.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytecost::collect::config::Config;
use bytecost::collect::interpreter::{Environment, discover, probe};
use bytecost::collect::target::Target;
use bytecost::collect::workload::{Flags, Plan, plan};
use bytecost::source::Source;

/// Imports the module as its specification says, runs the workload, prints what was reached.
const RUN: &str = r#"
import asyncio, importlib, inspect, sys
name, root, setup, call, *examples = sys.argv[1:]
sys.path.insert(0, root)
module = importlib.import_module(name)
module.REACHED.clear()
space = module.__dict__
exec(setup, space)
async def drain(value):
    async for _ in value:
        pass
async def wait(value):
    await value
if call:
    value = eval(call, space)
    if inspect.isasyncgen(value):
        asyncio.run(drain(value))
    elif inspect.iscoroutine(value):
        asyncio.run(wait(value))
    elif inspect.isgenerator(value):
        list(value)
for example in examples:
    exec(compile(example + "\n", "<example>", "single"), space)
print(*module.REACHED)
"#;

const PROGRAM: &str = r#"
from dataclasses import dataclass
from functools import cached_property, wraps
REACHED = []
def reach(f):
    @wraps(f)
    def inner(*a, **k):
        return f(*a, **k)
    return inner
def plain(): REACHED.append("plain")
@reach
def decorated(x=1): REACHED.append("decorated")
def generator():
    yield REACHED.append("generator")
async def coroutine(): REACHED.append("coroutine")
async def stream():
    REACHED.append("stream")
    yield
@dataclass
class Point:
    x: int = 0
    def method(self): REACHED.append("method")
    @staticmethod
    def static(): REACHED.append("static")
    @classmethod
    def klass(cls): REACHED.append("klass")
    @cached_property
    def cached(self): REACHED.append("cached")
    @property
    def value(self): REACHED.append("value")
    @value.setter
    def value(self, new): pass
    def __private(self): REACHED.append("private")
    class _Inner:
        def __init__(self): REACHED.append("init")
        def __deep(self): REACHED.append("deep")
def outer():
    def nested(x): REACHED.append("nested")
    nested(1)
# bytecost: directed(1)
# bytecost: directed([1,
# bytecost:           2])
@reach
def directed(x): REACHED.append(len(x))
def documented(x):
    """Does.

    >>> for i in range(2):
    ...     documented(i)
    >>> documented("z")
    'never this'
    >>> documented()
    Traceback (most recent call last):
    TypeError
    """
    REACHED.append(x)
def configured(x): REACHED.append(x)
"#;

fn interpreter() -> Option<PathBuf> {
    let environment = Environment::of_process().expect("an environment");
    let listed = std::env::var_os("BYTECOST_PYTHONS");
    let first = listed.and_then(|paths| std::env::split_paths(&paths).next());
    let request = first.as_deref().map(Path::to_string_lossy);
    let found = discover(
        request.as_deref(),
        None,
        &environment.current_directory,
        &environment,
    )
    .and_then(|candidate| probe(&candidate));
    match found {
        Ok(interpreter) => Some(interpreter.executable),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{error}");
            eprintln!("skipped: {error}");
            None
        }
    }
}

fn planned(file: &Path, qualname: &str) -> Plan {
    let target = Target::parse(&format!("{}::{qualname}", file.display())).expect("a target");
    target.check().expect("a readable file");
    let config = Config::nearest(file.parent().expect("a folder")).expect("readable");
    let source = Source::new(&fs::read_to_string(file).expect("text"));
    plan(&target, Flags::default(), config.as_ref(), &source).expect("a workload")
}

#[track_caller]
fn check(python: &Path, file: &Path, qualname: &str, expected: &str) {
    let plan = planned(file, qualname);
    let module = plan.module.expect("a module");
    let output = Command::new(python)
        .args(["-I", "-c", RUN, &module.name])
        .arg(&module.root)
        .args([
            plan.setup.as_deref().unwrap_or_default(),
            plan.call.as_deref().unwrap_or_default(),
        ])
        .args(&plan.doctest)
        .output()
        .expect("python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        expected,
        "{qualname}: {errors}"
    );
}

#[test]
fn every_planned_workload_reaches_its_target() {
    let Some(python) = interpreter() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(&path, text).expect("a file");
        path
    };
    let key = "pyproject.toml";
    write(
        key,
        "[tool.bytecost.workloads]\n'kern.py::configured' = { call = 'configured(y)', setup = 'y = 7' }\n",
    );
    let kern = write("kern.py", PROGRAM);
    for (qualname, expected) in [
        ("plain", "plain"),
        ("decorated", "decorated"),
        ("generator", "generator"),
        ("coroutine", "coroutine"),
        ("stream", "stream"),
        ("Point.method", "method"),
        ("Point.static", "static"),
        ("Point.klass", "klass"),
        ("Point.cached", "cached"),
        ("Point.value", "value"),
        ("Point.__private", "private"),
        ("Point._Inner.__init__", "init"),
        ("Point._Inner.__deep", "init deep"),
        ("outer.<locals>.nested", "nested"),
        ("directed", "2"),
        ("documented", "0 1 z"),
        ("configured", "7"),
    ] {
        check(&python, &kern, qualname, expected);
    }
    let relative = "from .other import REACHED\nfrom ..up import SEEN\ndef f(): REACHED.append(__name__)\n";
    for package in ["src/pkg", "src/space"] {
        write(&format!("{package}/up.py"), "SEEN = 1\n");
        write(&format!("{package}/sub/other.py"), "REACHED = []\n");
        write(&format!("{package}/sub/mod.py"), relative);
    }
    write("src/pkg/__init__.py", "");
    write("src/pkg/sub/__init__.py", "");
    check(
        &python,
        &folder.path().join("src/pkg/sub/mod.py"),
        "f",
        "pkg.sub.mod",
    );
    check(
        &python,
        &folder.path().join("src/space/sub/mod.py"),
        "f",
        "space.sub.mod",
    );
}
