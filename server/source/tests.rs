//! Functions, positions and names of many texts.

use super::*;

/// One line a function: what of it a test looks at.
fn describe(text: &str, fact: fn(&Function) -> String) -> Vec<String> {
    let source = Source::new(text);
    source
        .functions()
        .iter()
        .map(|function| format!("{} {}", function.qualname, fact(function)))
        .collect()
}

#[track_caller]
fn check(text: &str, fact: fn(&Function) -> String, expected: &[&str]) {
    assert_eq!(describe(text, fact), expected, "{text}");
}

#[test]
fn lines_end_where_cpython_ends_them() {
    for (text, expected) in [
        ("", &[][..]),
        ("a", &["a"]),
        ("a\n", &["a"]),
        ("a\r\nb\rc\nd", &["a", "b", "c", "d"]),
        ("a\r\n\r\n", &["a", ""]),
        ("a\r", &["a"]),
        (
            "a\x0cb\n\x0cc\u{85}d\u{2028}e",
            &["a\x0cb", "\x0cc\u{85}d\u{2028}e"],
        ),
        ("\u{feff}a\nb", &["a", "b"]),
    ] {
        let source = Source::new(text);
        let lines: Vec<&str> = (1..=source.line_count())
            .filter_map(|line| source.line(line))
            .collect();
        assert_eq!(lines, expected, "{text:?}");
        assert_eq!(source.line(0), None);
        assert_eq!(source.line(source.line_count() + 1), None);
        assert_eq!(source.had_bom(), text.starts_with('\u{feff}'));
    }
}

#[test]
fn slices_count_utf8_bytes() {
    let source = Source::new("x = 1\r\né = '𠀀' + b\n");
    for (start, end, expected) in [
        ((1, 0), (1, 5), Some("x = 1")),
        ((2, 5), (2, 11), Some("'𠀀'")),
        ((1, 4), (2, 2), Some("1\r\né")),
        ((2, 1), (2, 2), None),
        ((1, 6), (1, 7), None),
        ((3, 0), (3, 0), None),
        ((1, 5), (1, 0), None),
        ((0, 0), (1, 0), None),
        ((u32::MAX, u32::MAX), (1, 0), None),
    ] {
        assert_eq!(source.slice(start, end), expected, "{start:?} {end:?}");
    }
}

#[test]
fn functions_are_found_at_any_depth_with_their_lines() {
    let fact = |f: &Function| format!("{} {} {}", f.first_line, f.def_line, f.end_line);
    check("def f():\n    pass\n", fact, &["f 1 1 2"]);
    check("\u{feff}def f(): pass", fact, &["f 1 1 1"]);
    check("if x:\r\n\tdef f():\r\n\t\treturn 1\r\n\r\n", fact, &["f 2 2 3"]);
    check(
        "\x0cdef f(): pass\n\x0c\ndef g(): pass\n",
        fact,
        &["f 1 1 1", "g 3 3 3"],
    );
    check("@a\n@b(\n  1)\n# note\ndef f():\n    pass\n", fact, &["f 1 5 6"]);
    check("@(\n  a)\nasync \\\n  def f(): pass\n", fact, &["f 2 3 4"]);
    check(
        "class A:\n  class B:\n    def m(self):\n      def i(): pass\n      class C:\n        def n(self): pass\n",
        fact,
        &[
            "A.B.m 3 3 6",
            "A.B.m.<locals>.i 4 4 4",
            "A.B.m.<locals>.C.n 6 6 6",
        ],
    );
    check(
        "def f():\n  global g, K\n  def g(): pass\n  class K:\n    def m(self): pass\n  def h():\n    def g(): pass\n",
        fact,
        &[
            "f 1 1 7",
            "g 3 3 3",
            "K.m 5 5 5",
            "f.<locals>.h 6 6 7",
            "f.<locals>.h.<locals>.g 7 7 7",
        ],
    );
    check("def 𠀀(): pass\ndef 𝐟(): pass\n", fact, &["𠀀 1 1 1", "f 2 2 2"]);
    check(
        "def f[T: int](x: T) -> T:\n    return x\nclass A[T]:\n    def m[S](self): pass\n",
        fact,
        &["f 1 1 2", "A.m 4 4 4"],
    );
    check(
        "try:\n  def a(): pass\nexcept E:\n  def b(): pass\nelse:\n  def c(): pass\nfinally:\n  def d(): pass\n\
         match x:\n  case 1:\n    def e(): pass\nwith x:\n  def f(): pass\nfor x in y:\n  def g(): pass\nelse:\n  def h(): pass\n",
        |_| String::new(),
        &["a ", "b ", "c ", "d ", "e ", "f ", "g ", "h "],
    );
}

#[test]
fn a_mistake_hides_no_other_function() {
    let text = "def f(:\n    return 1 +\n\ndef g(x):\n    return x\n\nclass A(\ndef h(): pass\n";
    let source = Source::new(text);
    assert!(source.find_function("f").is_some());
    assert_eq!(
        source.find_function("g").map(|g| (g.first_line, g.end_line)),
        Some((4, 5))
    );
    let problems = source.problems();
    assert_eq!((problems[0].line, problems[0].column), (1, 6), "{problems:?}");
    for text in [
        "def",
        "def (x):\n  pass",
        "@",
        "@\ndef f(",
        "\0",
        "class",
        "async",
        "if:\n\tdef f():",
        "'''",
        "(\u{feff}",
    ] {
        assert!(!Source::new(text).problems().is_empty(), "{text:?}");
    }
    assert_eq!(Source::new("def f(): pass\n").problems(), []);
}

#[test]
fn deep_nesting_ends_no_process() {
    let depth = 50_000;
    for text in [
        format!("x = {}\n", vec!["a"; depth].join(" + ")),
        format!("x = {}1\n", "-".repeat(depth)),
        format!("x = {}\n", "(".repeat(depth)),
        format!("x = a{}\n", ".b".repeat(depth)),
    ] {
        let source = Source::new(&(text + "def f(): pass\n"));
        assert_eq!(source.line_count(), 2);
    }
}

#[test]
fn generators_yield_in_their_own_scope() {
    let fact = |f: &Function| format!("{}{}", if f.is_async { "async " } else { "" }, f.is_generator);
    check("def f():\n  if 0:\n    yield\n", fact, &["f true"]);
    check("def f():\n  x = yield from y\n", fact, &["f true"]);
    check(
        "async def f():\n  yield 1\nasync def g():\n  await x\n",
        fact,
        &["f async true", "g async false"],
    );
    check(
        "def f():\n  def g():\n    yield\n  return lambda: (yield)\n",
        fact,
        &["f false", "f.<locals>.g true"],
    );
    check(
        "def f():\n  def g(a=(yield)): pass\n",
        fact,
        &["f true", "f.<locals>.g false"],
    );
    check("def f():\n  @(yield)\n  class A(B): pass\n", fact, &["f true"]);
    check("def f():\n  return lambda a=(yield): 1\n", fact, &["f true"]);
    check(
        "def f():\n  match x:\n    case y if (yield): pass\n",
        fact,
        &["f true"],
    );
    check("def f():\n  return f'{(yield)}'\n", fact, &["f true"]);
}

#[test]
fn kinds_decorators_and_required_arguments() {
    let fact = |f: &Function| format!("{:?} {:?} ({})", f.kind, f.decorators, f.arguments_template);
    check(
        "def f(a, b=1, /, c=2, *args, d, e=3, **kw): pass\n",
        fact,
        &["f Function [] (..., d=...)"],
    );
    check(
        "@x.y(1)\n@z[0]\n@(lambda f: f)\ndef f(a, b): pass\n",
        fact,
        &["f Function [\"x.y\", \"z\", \"lambda f: f\"] (a=..., b=...)"],
    );
    check(
        "class A:\n  def m(self, a): pass\n  def n(*args, a): pass\n  @staticmethod\n  def s(a): pass\n  @classmethod\n  def c(cls, a, /): pass\n\
         \x20 def __new__(cls, a): pass\n  def __init_subclass__(cls, a): pass\n",
        fact,
        &[
            "A.m Method [] (a=...)",
            "A.n Method [] (a=...)",
            "A.s StaticMethod [\"staticmethod\"] (a=...)",
            "A.c ClassMethod [\"classmethod\"] (...)",
            "A.__new__ StaticMethod [] (a=...)",
            "A.__init_subclass__ ClassMethod [] (a=...)",
        ],
    );
    check(
        "class A:\n  @functools.cached_property\n  def p(self): pass\n",
        fact,
        &["A.p Property [\"functools.cached_property\"] ()"],
    );
    check(
        "class A:\n  def m(self):\n    def i(self): pass\n",
        fact,
        &["A.m Method [] ()", "A.m.<locals>.i Function [] (self=...)"],
    );
}

#[test]
fn constructors_are_read_from_the_class_and_its_bases_in_the_file() {
    let fact = |f: &Function| match f.class.as_ref().map(|class| &class.constructor) {
        None => "-".to_owned(),
        Some(Constructor::NoArguments) => "()".to_owned(),
        Some(Constructor::Abstract) => "abstract".to_owned(),
        Some(Constructor::Needs(names)) => names.join(","),
    };
    let check = |class: &str, expected: &str| {
        let text = format!("{class}\n  def m(self): pass\n");
        let found = describe(&text, fact);
        assert_eq!(
            found.last().map(String::as_str),
            Some(format!("C.m {expected}").as_str()),
            "{text}"
        );
    };
    check("class C:", "()");
    check("class C(dict):", "()");
    check("class C:\n  def __init__(self, a, b=1, *, c): pass", "a,c");
    check("class C:\n  def __new__(cls, a): pass", "a");
    check(
        "class C:\n  def __new__(cls, *args): pass\n  def __init__(self, a): pass",
        "a",
    );
    check("class B:\n  def __init__(self, a): pass\nclass C(B):", "a");
    check(
        "class B:\n  def __init__(self, a): pass\nclass C(B):\n  def __init__(self): pass",
        "()",
    );
    check("class C(C):", "()");
    check(
        "@dataclass\nclass C:\n  a: int\n  b: int = 1\n  c: 'ClassVar[int]'\n  d: ClassVar[int]\n  _: KW_ONLY",
        "a",
    );
    check(
        "@dataclasses.dataclass(slots=True)\nclass C:\n  a: int = field(default_factory=list)\n  b: int = field(init=False)",
        "()",
    );
    check(
        "@dataclass\nclass C:\n  a: int = field(repr=False)\n  b: InitVar[int]",
        "a,b",
    );
    check("@dataclass(init=False)\nclass C:\n  a: int", "()");
    check(
        "@dataclass\nclass B:\n  a: int\n  b: int\n@dataclass\nclass C(B):\n  a: int = 1\n  c: int",
        "b,c",
    );
    check("class C(typing.NamedTuple):\n  a: int\n  b: int = 1", "a");
    check("class C(Enum):\n  A = 1", "value");
    check("class C(Protocol):", "abstract");
    check(
        "class B(ABC):\n  @abstractmethod\n  def a(self): pass\nclass C(B):",
        "abstract",
    );
    check(
        "class B(ABC):\n  @abc.abstractmethod\n  def m(self): pass\nclass C(B):",
        "()",
    );
    check("class C:\n  class B: pass\n  def n(self): pass", "()");
}

#[test]
fn directives_stand_above_the_function() {
    let fact = |f: &Function| format!("{:?} {:?}", f.directive_line, f.directive);
    let check = |above: &str, expected: &str| {
        let text = format!("{above}def f(x): pass\n");
        let found = describe(&text, fact);
        assert_eq!(
            found.last().map(String::as_str),
            Some(format!("f {expected}").as_str()),
            "{text}"
        );
    };
    check("# bytecost: f(1)\n", "Some(1) Some(\"f(1)\")");
    check("#bytecost:f(1)  # why\r\n", "Some(1) Some(\"f(1)  # why\")");
    check("# bytecost: f(1)\n# a note\n", "Some(1) Some(\"f(1)\")");
    check("# bytecost: f(1)\n\n", "None None");
    check("x = 1  # bytecost: f(1)\n", "None None");
    check("x = '''\n# bytecost: f(1)\n'''\n", "None None");
    check(
        "# bytecost: f(1)\n@a\n@b(\n  # bytecost: f(2)\n  1)\n",
        "Some(1) Some(\"f(1)\")",
    );
    check(
        "# bytecost: f(1)\n@a\n# bytecost: f(2)\n",
        "Some(3) Some(\"f(2)\")",
    );
    check("# bytecost: f(1)\n# bytecost: f(2)\n", "Some(2) Some(\"f(2)\")");
    check(
        "# bytecost: f([1,\n# bytecost:    2])\n",
        "Some(1) Some(\"f([1,\\n2])\")",
    );
    check(
        "# bytecost: f(1) +\n# bytecost: f(2)\n",
        "Some(1) Some(\"(\\nf(1) +\\nf(2)\\n)\")",
    );
    check("# bytecost: f(1)\n# bytecost: f(\n", "Some(2) Some(\"f(\")");
    check("# bytecost: ignore[binary-op] slow\n", "None None");
    check("# bytecost: ignore\n", "None None");
    check("# bytecost: ignore(f)\n", "Some(1) Some(\"ignore(f)\")");
    check(
        "# bytecost: f(1)\n# bytecost: ignore[x]\n",
        "Some(1) Some(\"f(1)\")",
    );
    check("# bytecost: ignored\n", "Some(1) Some(\"ignored\")");
    check("# bytecost:\n", "None None");
    check("def g():\n  pass\n  # bytecost: f(1)\n", "Some(3) Some(\"f(1)\")");
}

#[test]
fn the_nearest_names_are_suggested() {
    let text = "def advance(): pass\nclass Body:\n  def move(self): pass\n  def mover(self): pass\ndef f():\n  def inner(): pass\n";
    let source = Source::new(text);
    for (name, expected) in [
        ("advence", &["advance"][..]),
        ("Advance", &["advance"]),
        ("body.mov", &["Body.move", "Body.mover"]),
        ("move", &["Body.move", "Body.mover"]),
        ("inner", &["f.<locals>.inner"]),
        ("g", &["f"]),
        ("completely_other", &[]),
        ("", &["f"]),
    ] {
        assert_eq!(source.closest_names(name), expected, "{name}");
    }
}

#[test]
fn the_last_definition_counts() {
    let text = "def f(): pass\ndef f(a): pass\nclass A:\n  @property\n  def p(self): pass\n  @p.setter\n  def p(self, v): pass\n\
                def o():\n  def i(): pass\ndef 𝐟𝐟(): pass\n";
    let source = Source::new(text);
    for (name, line) in [
        ("f", Some(2)),
        ("A.p", Some(4)),
        ("o.<locals>.i", Some(9)),
        ("o.i", Some(9)),
        ("𝐟𝐟", Some(10)),
        ("ff", Some(10)),
        ("i", None),
        ("A", None),
        ("", None),
    ] {
        assert_eq!(
            source.find_function(name).map(|function| function.first_line),
            line,
            "{name}"
        );
    }
}

#[test]
fn relative_imports_are_seen_at_any_depth() {
    for (text, level) in [
        ("import a.b\nfrom a import b", 0),
        ("from . import a", 1),
        ("def f():\n  if x:\n    from ...a import b\nfrom .c import d", 3),
    ] {
        assert_eq!(Source::new(text).relative_import_level(), level, "{text}");
    }
}
