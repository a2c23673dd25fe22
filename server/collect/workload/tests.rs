//! Which workload a target gets, and what is said when there is none.

use std::fs;

use super::*;

fn plan_of(target: &str, text: &str, flags: Flags<'_>, config: &str) -> Result<Plan, WorkloadError> {
    let target = Target::parse(target).expect("a target");
    let config = Config::parse(Path::new("/p/pyproject.toml"), config).expect("a configuration");
    plan(&target, flags, Some(&config), &Source::new(text))
}

/// The way and the expression, or the first line of the error.
#[track_caller]
fn check(qualname: &str, text: &str, config: &str, expected: &str) {
    let actual = match plan_of(&format!("/p/k.py::{qualname}"), text, Flags::default(), config) {
        Ok(plan) => {
            let way = match plan.origin {
                Origin::Flag => "flag".to_owned(),
                Origin::Directive { line } => format!("directive {line}"),
                Origin::Config { line, .. } => format!("config {line}"),
                Origin::Doctest { qualname } => format!("doctest of {qualname}"),
                Origin::NoArguments => "no arguments".to_owned(),
                Origin::Whole => "whole".to_owned(),
            };
            let workload = plan.call.unwrap_or_else(|| plan.doctest.join("; "));
            format!("{way}: {workload}")
        }
        Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    assert_eq!(actual, expected, "{text}");
}

const ALL: &str = "# bytecost: f(1)\ndef f(x):\n    '''\n    >>> f(3)\n    '''\ndef g(x=1):\n    '''\n    >>> g(3)\n    '''\n";

#[test]
fn the_first_way_that_is_there_counts() {
    let config = "[tool.bytecost.workloads]\n'k.py::f' = 'f(2)'\n'k.py::g' = 'g(2)'";
    check("f", ALL, config, "directive 1: f(1)");
    check("g", ALL, config, "config 3: g(2)");
    check("g", ALL, "", "doctest of g: g(3)");
    check("g", "def g(x=1): pass", "", "no arguments: g()");
    let flags = Flags {
        call: Some(" f(0) "),
        setup: Some("import x"),
    };
    let plan = plan_of("/p/k.py::f", ALL, flags, config).expect("a plan");
    assert_eq!(
        (plan.call.as_deref(), plan.setup.as_deref()),
        (Some("f(0)"), Some("import x"))
    );
    assert_eq!((plan.origin, plan.kind), (Origin::Flag, WorkloadKind::Call));
}

#[test]
fn setup_comes_from_the_flag_or_the_configuration() {
    let config = "[tool.bytecost.workloads]\n'k.py::f' = { call = 'f(y)', setup = 'y = 2' }";
    let text = "def f(x): pass";
    let setup = |flags| plan_of("/p/k.py::f", text, flags, config).expect("a plan").setup;
    assert_eq!(setup(Flags::default()).as_deref(), Some("y = 2"));
    assert_eq!(
        setup(Flags {
            call: None,
            setup: Some("y = 3")
        })
        .as_deref(),
        Some("y = 3")
    );
    assert_eq!(
        setup(Flags {
            call: Some("f(1)"),
            setup: None
        }),
        None
    );
}

#[test]
fn calls_without_arguments_follow_the_kind() {
    let class = "class A:\n  def m(self): pass\n  @staticmethod\n  def s(): pass\n  @classmethod\n  def c(cls): pass\n\
                 \x20 @property\n  def p(self): pass\n  @p.setter\n  def p(self, v): pass\n  def __private(self): pass\n\
                 \x20 def __init__(self): pass\n  def __len__(self): pass\n  class B:\n    async def m(self): yield\n";
    for (qualname, call) in [
        ("A.m", "A().m()"),
        ("A.s", "A.s()"),
        ("A.c", "A.c()"),
        ("A.p", "A().p"),
        ("A.__private", "A()._A__private()"),
        ("A.__init__", "A()"),
        ("A.__len__", "A().__len__()"),
        ("A.B.m", "A.B().m()"),
    ] {
        check(qualname, class, "", &format!("no arguments: {call}"));
    }
    check(
        "f.<locals>.g",
        "def f():\n  def g(x): pass",
        "",
        "no arguments: f()",
    );
    check("f.g", "def f():\n  def g(x): pass", "", "no arguments: f()");
    check(
        "A.m.<locals>.C.n",
        "class A:\n  def m(self):\n    class C:\n      def n(self): pass",
        "",
        "no arguments: A().m()",
    );
    check("f", "@cache\nasync def f(*a, **k): pass", "", "no arguments: f()");
}

#[test]
fn nested_functions_borrow_the_workload_around_them() {
    let text = "# bytecost: f(1)\ndef f(x):\n  def g(y): pass\n  # bytecost: f(2)\n  def h(y): pass\n";
    check("f.g", text, "", "directive 1: f(1)");
    check("f.h", text, "", "directive 4: f(2)");
    check(
        "f.g",
        "def f(x):\n  '''>>> f(1)'''\n  def g(y): pass",
        "",
        "doctest of f: f(1)",
    );
    check(
        "f.g",
        "def f(x):\n  def g(y): pass",
        "[tool.bytecost.workloads]\n'k.py::f'='f(3)'",
        "config 2: f(3)",
    );
}

#[test]
fn what_stands_in_the_way_is_said() {
    let nothing = "and nothing says how to call it. Say it in one of these ways:";
    for (qualname, text, obstacle) in [
        ("f", "def f(x): pass", "needs the argument x"),
        ("f", "def f(x, *, y): pass", "needs the arguments x, y"),
        (
            "A.m",
            "class A:\n  def __init__(self, x): pass\n  def m(self): pass",
            "needs an instance of A, which needs the argument x",
        ),
        (
            "A.m",
            "class A(Protocol):\n  def m(self): pass",
            "needs an instance of A, which is abstract",
        ),
        (
            "A.p",
            "class A:\n  @x.setter\n  def p(self, v): pass",
            "sets or deletes a property",
        ),
        (
            "f.g",
            "def f(x):\n  def g(): pass",
            "is made inside f, which needs the argument x",
        ),
    ] {
        check(
            qualname,
            text,
            "",
            &format!("/p/k.py::{qualname} {obstacle}, {nothing}"),
        );
    }
}

#[test]
fn every_way_has_a_line_to_paste_that_works() {
    for (qualname, text, template) in [
        (
            "advance",
            "def advance(bodies, n):\n  pass",
            "advance(bodies=..., n=...)",
        ),
        ("f", "def f(a, /, b=1): pass", "f(...)"),
        (
            "A.m",
            "class A:\n  def __init__(self, x): pass\n  def m(self, y): pass",
            "A(x=...).m(y=...)",
        ),
        (
            "A.p",
            "class A:\n  @x.setter\n  def p(self, v): pass",
            "setattr(A(), 'p', ...)",
        ),
        (
            "A.m",
            "class A(ABC):\n  @abstractmethod\n  def n(self): pass\n  def m(self): pass",
            "(...).m()",
        ),
        ("f.<locals>.g", "def f(x):\n  def g(): pass", "f(x=...)"),
    ] {
        let target = format!("/p/k.py::{qualname}");
        let error = plan_of(&target, text, Flags::default(), "")
            .expect_err("no workload")
            .to_string();
        let shell = if qualname.contains('<') {
            format!("\"{target}\"")
        } else {
            target.clone()
        };
        for line in [
            format!("bytecost run {shell} --call \"{template}\""),
            format!("# bytecost: {template}"),
            format!("\"k.py::{qualname}\" = \"{template}\""),
            format!(">>> {template}"),
        ] {
            assert!(error.contains(&line), "{line} is not in:\n{error}");
        }
        // Pasted, each line is the workload.
        let config = format!("[tool.bytecost.workloads]\n\"k.py::{qualname}\" = \"{template}\"");
        check(qualname, text, &config, &format!("config 2: {template}"));
        check(
            qualname.rsplit('.').next().unwrap_or(qualname),
            &format!(
                "# bytecost: {template}\ndef {}(x): pass",
                qualname.rsplit('.').next().unwrap_or(qualname)
            ),
            "",
            &format!("directive 1: {template}"),
        );
    }
}

#[test]
fn mistakes_are_sentences() {
    let text = "def advance(x): pass\ndef move(x): pass\n";
    check(
        "advence",
        text,
        "",
        "/p/k.py has no function advence: did you mean advance?",
    );
    check(
        "xyz",
        text,
        "",
        "/p/k.py has no function xyz: write it as Python's __qualname__ does, for instance Class.method",
    );
    check(
        "f",
        "x = 1",
        "",
        "/p/k.py has no function f: it has no functions at all, so name the file alone to run it",
    );
    check(
        "zzz",
        "def f(:\n  pass",
        "",
        "/p/k.py has no function zzz: it has a syntax error in line 1 (Expected a parameter or the end of the parameter list)",
    );
    let sentence = |call| {
        let flags = Flags {
            call: Some(call),
            setup: None,
        };
        plan_of("/p/k.py::move", text, flags, "")
            .expect_err("no expression")
            .to_string()
    };
    for call in ["move(", "x = move(1)", "", "import x", "move(1) move(2)"] {
        let message = sentence(call);
        assert!(
            message.starts_with("--call is not one Python expression ("),
            "{message}"
        );
        assert!(!message.contains('\n'), "{message}");
    }
    let directive = plan_of(
        "/p/k.py::f",
        "# bytecost: f(\ndef f(x): pass",
        Flags::default(),
        "",
    )
    .expect_err("open");
    assert!(
        directive
            .to_string()
            .starts_with("the bytecost comment at /p/k.py:1 is not one Python"),
        "{directive}"
    );
    for (target, shown) in [("/p/k.py", "/p/k.py"), ("pytest:t.py", "pytest:t.py")] {
        let flags = Flags {
            call: Some("f()"),
            setup: None,
        };
        let error = plan_of(target, "", flags, "")
            .expect_err("no function")
            .to_string();
        assert_eq!(
            error,
            format!("--call needs a function: name it as file.py::function, not {shown}")
        );
    }
}

#[test]
fn whole_targets_are_run_as_they_are() {
    for (target, kind, has_module) in [
        (
            Target::Script {
                file: "/p/k.py".into(),
            },
            WorkloadKind::Script,
            true,
        ),
        (Target::Module { name: "a.b".into() }, WorkloadKind::Module, false),
        (
            Target::Pytest {
                selection: "t.py".into(),
            },
            WorkloadKind::Pytest,
            false,
        ),
    ] {
        let plan = plan(&target, Flags::default(), None, &Source::new("")).expect("a plan");
        assert_eq!(
            (plan.kind, plan.module.is_some(), plan.origin),
            (kind, has_module, Origin::Whole)
        );
    }
}

#[test]
fn modules_are_named_from_their_packages() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for file in [
        "flat/kern.py",
        "flat/kern.v2.py",
        "proj/pyproject.toml",
        "proj/src/pkg/__init__.py",
        "proj/src/pkg/sub/__init__.py",
        "proj/src/pkg/sub/mod.py",
        "proj/src/pkg/data/mod.py",
        "proj/space/a/mod.py",
        "proj/mod.py",
        "lone/a/b/mod.py",
    ] {
        let path = root.join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, "").expect("a file");
    }
    for (file, level, name, expected_root, package) in [
        ("flat/kern.py", 0, "kern", "flat", false),
        ("flat/kern.v2.py", 0, "kern_v2", "flat", false),
        ("flat/../flat/kern.py", 0, "kern", "flat", false),
        ("proj/src/pkg/sub/mod.py", 0, "pkg.sub.mod", "proj/src", true),
        ("proj/src/pkg/sub/mod.py", 2, "pkg.sub.mod", "proj/src", true),
        ("proj/src/pkg/sub/__init__.py", 0, "pkg.sub", "proj/src", true),
        ("proj/src/pkg/__init__.py", 1, "pkg", "proj/src", true),
        ("proj/src/pkg/data/mod.py", 0, "mod", "proj/src/pkg/data", false),
        ("proj/src/pkg/data/mod.py", 1, "pkg.data.mod", "proj/src", true),
        ("proj/space/a/mod.py", 1, "space.a.mod", "proj", true),
        ("proj/mod.py", 1, "proj.mod", "", true),
        ("lone/a/b/mod.py", 2, "a.b.mod", "lone", true),
    ] {
        let spec = ModuleSpec::of_file(&root.join(file), level);
        let expected_root = fs::canonicalize(root.join(expected_root)).expect("a folder");
        assert_eq!((spec.name.as_str(), spec.package), (name, package), "{file}");
        assert_eq!(
            fs::canonicalize(&spec.root).expect("a folder"),
            expected_root,
            "{file}"
        );
        assert!(spec.path.is_absolute());
    }
    let far = ModuleSpec::of_file(&root.join("flat/kern.py"), u32::MAX);
    assert_eq!(far.root.parent(), None);
}
