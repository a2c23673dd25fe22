//! One walk over the syntax tree: functions, their classes, relative imports.

use std::collections::BTreeSet;
use std::thread;

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{CmpOp, Expr, Parameters, PySourceType, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_python_parser::parse_unchecked_source;
use ruff_source_file::LineIndex;
use ruff_text_size::{Ranged, TextRange};

use super::comments::Comments;
use super::constructor::{Class, constructor};
use super::docstring::examples_of;
use super::function::{EnclosingClass, Function, FunctionKind, last_segment};
use super::{SyntaxProblem, line_of, to_u32};

/// What a text contains.
#[derive(Debug, Clone, Default)]
pub(super) struct Outline {
    pub(super) functions: Vec<Function>,
    pub(super) classes: Vec<ClassStatement>,
    /// First and last lines of the `if __name__ == "__main__":` statements of the module.
    pub(super) main_blocks: Vec<(u32, u32)>,
    pub(super) problems: Vec<SyntaxProblem>,
    pub(super) relative_import_level: u32,
}

/// Where a class stands and what it is made of.
#[derive(Debug, Clone)]
pub(crate) struct ClassStatement {
    /// As `__qualname__`.
    pub(crate) qualname: String,
    /// Line of `class`.
    pub(crate) line: u32,
    /// Last line of the body.
    pub(crate) end_line: u32,
    /// Dotted names of the bases, as written.
    pub(crate) bases: Vec<String>,
}

/// Room for trees far deeper than CPython compiles: walking and dropping one recurses, and a
/// half-edited file must not end the process. Only what is touched is ever committed.
const STACK: usize = 1 << 28;

pub(super) fn read(text: &str, index: &LineIndex) -> Outline {
    thread::scope(|scope| {
        let reader = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || walk(text, index));
        // Without memory for the stack, the one at hand has to do.
        reader.map_or_else(|_| Some(walk(text, index)), |reader| reader.join().ok())
    })
    .unwrap_or_else(|| Outline {
        problems: vec![SyntaxProblem {
            line: 1,
            column: 0,
            message: "the parser gave up".to_owned(),
        }],
        ..Outline::default()
    })
}

fn walk(text: &str, index: &LineIndex) -> Outline {
    let parsed = parse_unchecked_source(text, PySourceType::Python);
    let mut walker = Walker {
        text,
        index,
        tokens: parsed.tokens(),
        comments: Comments::new(text, index, parsed.tokens()),
        scopes: vec![Scope::default()],
        functions: Vec::new(),
        classes: Vec::new(),
        class_statements: Vec::new(),
        relative_import_level: 0,
    };
    walker.visit_body(&parsed.syntax().body);
    let Walker {
        functions,
        classes,
        class_statements,
        relative_import_level,
        ..
    } = walker;
    let with_class = |(mut function, class): (Function, Option<usize>)| {
        function.class = class.map(|index| EnclosingClass {
            qualname: classes[index].qualname.clone(),
            constructor: constructor(&classes, index),
        });
        function
    };
    let problem = |error: &ruff_python_parser::ParseError| {
        let start = error.location.start();
        let line = index.line_index(start);
        SyntaxProblem {
            line: to_u32(line.get()),
            column: u32::from(start - index.line_start(line, text)),
            message: error.error.to_string(),
        }
    };
    Outline {
        functions: functions.into_iter().map(with_class).collect(),
        classes: class_statements,
        main_blocks: main_blocks(&parsed.syntax().body, index),
        problems: parsed.errors().iter().map(problem).collect(),
        relative_import_level,
    }
}

/// Where a definition stands.
#[derive(Default)]
struct Scope {
    /// Empty for the module.
    qualname: String,
    kind: ScopeKind,
    /// Names of its `global` statements: a definition of one is qualified as if at module level
    /// (`compiler_set_qualname` in CPython's `Python/compile.c`).
    globals: BTreeSet<String>,
    outermost: Option<String>,
}

#[derive(Default, Clone, Copy)]
enum ScopeKind {
    #[default]
    Module,
    Function,
    /// Index into the classes.
    Class(usize),
}

struct Walker<'a> {
    text: &'a str,
    index: &'a LineIndex,
    tokens: &'a Tokens,
    comments: Comments<'a>,
    scopes: Vec<Scope>,
    functions: Vec<(Function, Option<usize>)>,
    classes: Vec<Class>,
    class_statements: Vec<ClassStatement>,
    relative_import_level: u32,
}

impl<'a> StatementVisitor<'a> for Walker<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::ImportFrom(import) => {
                self.relative_import_level = self.relative_import_level.max(import.level);
            }
            other => walk_stmt(self, other),
        }
    }
}

impl<'a> Walker<'a> {
    fn scope(&self) -> &Scope {
        // The module's scope is never popped.
        &self.scopes[self.scopes.len() - 1]
    }

    fn qualname(&self, name: &str) -> String {
        let scope = self.scope();
        match scope.kind {
            _ if scope.globals.contains(name) => name.to_owned(),
            ScopeKind::Module => name.to_owned(),
            ScopeKind::Function => format!("{}.<locals>.{name}", scope.qualname),
            ScopeKind::Class(_) => format!("{}.{name}", scope.qualname),
        }
    }

    fn enter(&mut self, qualname: String, kind: ScopeKind, outermost: Option<String>, body: &'a [Stmt]) {
        let mut globals = Globals::default();
        globals.visit_body(body);
        self.scopes.push(Scope {
            qualname,
            kind,
            globals: globals.names,
            outermost,
        });
        self.visit_body(body);
        self.scopes.pop();
    }

    fn class(&mut self, statement: &'a StmtClassDef) {
        let qualname = self.qualname(&statement.name);
        let outermost = self.scope().outermost.clone();
        self.classes.push(Class::new(qualname.clone(), statement));
        let line = line_of(self.index, statement.name.start());
        let bases = statement.arguments.iter().flat_map(|arguments| &arguments.args);
        self.class_statements.push(ClassStatement {
            qualname: qualname.clone(),
            line,
            end_line: line_of(self.index, statement.end()).max(line),
            bases: bases.filter_map(dotted).collect(),
        });
        let kind = ScopeKind::Class(self.classes.len() - 1);
        self.enter(qualname, kind, outermost, &statement.body);
    }

    fn function(&mut self, statement: &'a StmtFunctionDef) {
        let qualname = self.qualname(&statement.name);
        let outermost = self.scope().outermost.clone();
        let inner_outermost = outermost.clone().or_else(|| Some(qualname.clone()));
        // Recovery from `def (x):` leaves no name to call it by.
        if !statement.name.is_empty() {
            let class = match self.scope().kind {
                ScopeKind::Class(index) => Some(index),
                ScopeKind::Module | ScopeKind::Function => None,
            };
            let function = self.describe(statement, qualname.clone(), outermost, class.is_some());
            self.functions.push((function, class));
        }
        self.enter(qualname, ScopeKind::Function, inner_outermost, &statement.body);
    }

    fn describe(
        &self,
        statement: &StmtFunctionDef,
        qualname: String,
        outermost: Option<String>,
        in_class: bool,
    ) -> Function {
        let decorators: Vec<String> = statement
            .decorator_list
            .iter()
            .map(|decorator| {
                let expression = &decorator.expression;
                dotted(expression).unwrap_or_else(|| self.text[expression.range()].to_owned())
            })
            .collect();
        let kind = if in_class {
            kind_in_class(&statement.name, &decorators)
        } else {
            FunctionKind::Function
        };
        let is_bound = match kind {
            FunctionKind::Function => false,
            FunctionKind::StaticMethod => &statement.name == "__new__",
            FunctionKind::Method | FunctionKind::ClassMethod | FunctionKind::Property => true,
        };
        let (required_arguments, arguments_template) = required(&statement.parameters, is_bound);
        let line = |offset| line_of(self.index, offset);
        let def_line = line(self.def_start(statement));
        let top = statement
            .decorator_list
            .first()
            .map_or(def_line, |decorator| line(decorator.start()));
        let places: Vec<TextRange> = statement.decorator_list.iter().map(Ranged::range).collect();
        let directive = self.comments.directive(top, def_line, &places);
        Function {
            qualname,
            first_line: statement
                .decorator_list
                .first()
                .map_or(def_line, |decorator| line(decorator.expression.start())),
            def_line,
            end_line: line(statement.end()).max(def_line),
            is_async: statement.is_async,
            is_generator: is_generator(&statement.body),
            kind,
            is_accessor: kind == FunctionKind::Property
                && decorators
                    .iter()
                    .any(|name| matches!(last_segment(name), "setter" | "deleter")),
            decorators,
            required_arguments,
            arguments_template,
            class: None,
            outermost,
            directive_line: directive.as_ref().map(|(line, _)| *line),
            directive: directive.map(|(_, expression)| expression),
            doctest: examples_of(&statement.body),
        }
    }

    /// Offset of `def` or `async`: the statement itself begins at its first decorator.
    fn def_start(&self, statement: &StmtFunctionDef) -> ruff_text_size::TextSize {
        let Some(decorator) = statement.decorator_list.last() else {
            return statement.start();
        };
        let after = self
            .tokens
            .partition_point(|token| token.start() < decorator.end());
        self.tokens[after..]
            .iter()
            .find(|token| matches!(token.kind(), TokenKind::Def | TokenKind::Async))
            .map_or(statement.name.start(), Ranged::start)
    }
}

fn main_blocks(body: &[Stmt], index: &LineIndex) -> Vec<(u32, u32)> {
    let statements = body.iter().filter_map(Stmt::as_if_stmt);
    statements
        .filter(|statement| is_main_test(&statement.test))
        .map(|statement| {
            let line = |offset| line_of(index, offset);
            (line(statement.start()), line(statement.end()))
        })
        .collect()
}

/// `__name__ == "__main__"`, either way round.
fn is_main_test(test: &Expr) -> bool {
    let Expr::Compare(compare) = test else {
        return false;
    };
    let is_name = |side: &Expr| side.as_name_expr().is_some_and(|name| name.id == "__name__");
    let is_main = |side: &Expr| {
        side.as_string_literal_expr()
            .is_some_and(|literal| literal.value.to_str() == "__main__")
    };
    match (&*compare.ops, &*compare.comparators) {
        ([CmpOp::Eq], [right]) => {
            (is_name(&compare.left) && is_main(right)) || (is_main(&compare.left) && is_name(right))
        }
        _ => false,
    }
}

fn kind_in_class(name: &str, decorators: &[String]) -> FunctionKind {
    for decorator in decorators {
        match last_segment(decorator) {
            "staticmethod" | "abstractstaticmethod" => return FunctionKind::StaticMethod,
            "classmethod" | "abstractclassmethod" => return FunctionKind::ClassMethod,
            "property"
            | "cached_property"
            | "abstractproperty"
            | "DynamicClassAttribute"
            | "getter"
            | "setter"
            | "deleter" => return FunctionKind::Property,
            _ => {}
        }
    }
    match name {
        "__new__" => FunctionKind::StaticMethod,
        "__init_subclass__" | "__class_getitem__" => FunctionKind::ClassMethod,
        _ => FunctionKind::Method,
    }
}

/// Names of the parameters a call must give, and how it writes them; `is_bound` drops the first.
pub(super) fn required(parameters: &Parameters, is_bound: bool) -> (Vec<String>, String) {
    let positional_only = parameters.posonlyargs.iter().map(|parameter| (parameter, true));
    let others = parameters.args.iter().map(|parameter| (parameter, false));
    let keyword_only = parameters.kwonlyargs.iter().map(|parameter| (parameter, false));
    let mut names = Vec::new();
    let mut written = Vec::new();
    for (parameter, is_positional_only) in positional_only
        .chain(others)
        .skip(usize::from(is_bound))
        .chain(keyword_only)
    {
        if parameter.default.is_none() {
            let name = parameter.name().to_string();
            written.push(if is_positional_only {
                "...".to_owned()
            } else {
                format!("{name}=...")
            });
            names.push(name);
        }
    }
    (names, written.join(", "))
}

/// The dotted name of an expression, the arguments and subscripts after it left out.
pub(super) fn dotted(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => Some(format!("{}.{}", dotted(&attribute.value)?, attribute.attr)),
        Expr::Call(call) => dotted(&call.func),
        Expr::Subscript(subscript) => dotted(&subscript.value),
        _ => None,
    }
}

/// Names declared `global` in one scope.
#[derive(Default)]
struct Globals {
    names: BTreeSet<String>,
}

impl<'a> StatementVisitor<'a> for Globals {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            Stmt::Global(global) => self.names.extend(global.names.iter().map(ToString::to_string)),
            other => walk_stmt(self, other),
        }
    }
}

/// Whether a body yields in its own scope.
fn is_generator(body: &[Stmt]) -> bool {
    let mut finder = YieldFinder { found: false };
    finder.visit_body(body);
    finder.found
}

struct YieldFinder {
    found: bool,
}

impl<'a> Visitor<'a> for YieldFinder {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            // What surrounds a nested definition is evaluated in this scope, its body is not.
            Stmt::FunctionDef(function) => {
                for decorator in &function.decorator_list {
                    self.visit_decorator(decorator);
                }
                self.visit_parameters(&function.parameters);
            }
            Stmt::ClassDef(class) => {
                for decorator in &class.decorator_list {
                    self.visit_decorator(decorator);
                }
                if let Some(arguments) = &class.arguments {
                    self.visit_arguments(arguments);
                }
            }
            other if !self.found => visitor::walk_stmt(self, other),
            _ => {}
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Yield(_) | Expr::YieldFrom(_) => self.found = true,
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.visit_parameters(parameters);
                }
            }
            other => visitor::walk_expr(self, other),
        }
    }
}
