//! What is known of a function from its text.

use super::Constructor;

/// A `def` or `async def`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// As `__qualname__`: `Outer.method`, `outer.<locals>.inner`.
    pub qualname: String,
    /// As `co_firstlineno`: the line of the first decorator's expression, else of the `def`.
    pub first_line: u32,
    /// Line of `def` (or `async`).
    pub def_line: u32,
    /// Last line of the body.
    pub end_line: u32,
    /// `async def`.
    pub is_async: bool,
    /// Contains `yield` in its own scope; with `is_async`, an asynchronous generator.
    pub is_generator: bool,
    /// How it is reached.
    pub kind: FunctionKind,
    /// Dotted names of the decorators, top to bottom, without arguments; the source text of a
    /// decorator that is no dotted name.
    pub decorators: Vec<String>,
    /// Parameters a call must give, without the one that is bound (`self`, `cls`).
    pub required_arguments: Vec<String>,
    /// The required arguments as a call writes them: `bodies=..., n=...`.
    pub arguments_template: String,
    /// The class whose body defines it.
    pub class: Option<EnclosingClass>,
    /// Qualified name of the outermost function it is defined in; none at module or class level.
    pub outermost: Option<String>,
    /// The setter or deleter of a property.
    pub is_accessor: bool,
    /// The expression of the `# bytecost:` comment above it.
    ///
    /// Comments directly above the first decorator and between the decorators and the `def` are
    /// read top to bottom. An expression may span several directive lines; of several complete
    /// expressions the last, nearest to the `def`, counts.
    pub directive: Option<String>,
    /// Line of the directive's first line.
    pub directive_line: Option<u32>,
    /// Sources of its docstring's examples, each without prompts; none without examples.
    ///
    /// Examples that doctest would skip, or that show an exception, are left out.
    pub doctest: Option<Vec<String>>,
}

/// How a function is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// At module level or in a function.
    Function,
    /// On an instance.
    Method,
    /// On a class, without it as an argument; `__new__` too.
    StaticMethod,
    /// On a class; `__init_subclass__` and `__class_getitem__` too.
    ClassMethod,
    /// By attribute access.
    Property,
}

/// The class whose body defines a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnclosingClass {
    /// As `__qualname__`.
    pub qualname: String,
    /// What making an instance takes.
    pub constructor: Constructor,
}

impl Function {
    /// The name after the last dot.
    #[must_use]
    pub fn name(&self) -> &str {
        last_segment(&self.qualname)
    }

    /// Defined in another function, directly or in a class in it.
    #[must_use]
    pub fn is_nested(&self) -> bool {
        self.outermost.is_some()
    }
}

/// The part after the last dot.
pub(super) fn last_segment(dotted: &str) -> &str {
    dotted.rsplit('.').next().unwrap_or(dotted)
}
