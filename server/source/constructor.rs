//! What making an instance of a class takes, as far as its file tells.

use ruff_python_ast::{Expr, ExprCall, Stmt, StmtClassDef};

use super::function::last_segment;
use super::outline::{dotted, required};

/// What making an instance takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constructor {
    /// Nothing that the file shows. A base class of another file may disagree.
    NoArguments,
    /// These arguments.
    Needs(Vec<String>),
    /// The class has abstract methods or is a protocol.
    Abstract,
}

/// A class statement, reduced to what decides how it is instantiated.
pub(super) struct Class {
    pub(super) qualname: String,
    bases: Vec<String>,
    /// Required arguments of its own `__init__`, else of its `__new__`.
    init: Option<Vec<String>>,
    /// Fields, when the constructor is generated from them.
    fields: Option<Vec<Field>>,
    abstract_methods: Vec<String>,
    methods: Vec<String>,
}

#[derive(Clone)]
struct Field {
    name: String,
    required: bool,
}

/// Depth of inheritance that is followed; also what ends a class that inherits from itself.
const DEEPEST: usize = 16;

const GENERATORS: [&str; 5] = ["dataclass", "define", "frozen", "mutable", "attrs"];
const ENUMS: [&str; 6] = ["Enum", "IntEnum", "StrEnum", "ReprEnum", "Flag", "IntFlag"];

impl Class {
    pub(super) fn new(qualname: String, statement: &StmtClassDef) -> Self {
        let bases: Vec<String> = statement
            .arguments
            .iter()
            .flat_map(|arguments| arguments.args.iter())
            .filter_map(dotted)
            .collect();
        let generated = bases.iter().any(|base| last_segment(base) == "NamedTuple")
            || statement
                .decorator_list
                .iter()
                .any(|decorator| generates_init(&decorator.expression));
        let mut class = Self {
            qualname,
            bases,
            init: None,
            fields: generated.then(|| statement.body.iter().filter_map(field).collect()),
            abstract_methods: Vec::new(),
            methods: Vec::new(),
        };
        let mut new = None;
        for function in statement
            .body
            .iter()
            .filter_map(|body| body.as_function_def_stmt())
        {
            let name = function.name.to_string();
            let is_abstract = function.decorator_list.iter().any(|decorator| {
                dotted(&decorator.expression).is_some_and(|name| last_segment(&name).starts_with("abstract"))
            });
            match name.as_str() {
                "__init__" => class.init = Some(required(&function.parameters, true).0),
                "__new__" => new = Some(required(&function.parameters, true).0),
                _ => {}
            }
            if is_abstract {
                class.abstract_methods.push(name);
            } else {
                class.methods.push(name);
            }
        }
        class.init = class.init.or(new);
        class
    }
}

/// What making an instance of the class at `index` takes.
pub(super) fn constructor(classes: &[Class], index: usize) -> Constructor {
    let class = &classes[index];
    let protocol = class.bases.iter().any(|base| last_segment(base) == "Protocol");
    if protocol || !abstract_methods(classes, class, DEEPEST).is_empty() {
        return Constructor::Abstract;
    }
    let needs = arguments(classes, class, DEEPEST);
    if needs.is_empty() {
        Constructor::NoArguments
    } else {
        Constructor::Needs(needs)
    }
}

fn arguments(classes: &[Class], class: &Class, depth: usize) -> Vec<String> {
    if let Some(init) = &class.init {
        return init.clone();
    }
    if class.fields.is_some() {
        let fields = fields(classes, class, depth);
        return fields
            .into_iter()
            .filter(|field| field.required)
            .map(|field| field.name)
            .collect();
    }
    if class.bases.iter().any(|base| ENUMS.contains(&last_segment(base))) {
        return vec!["value".to_owned()];
    }
    bases(classes, class, depth)
        .map(|base| arguments(classes, base, depth - 1))
        .find(|needs| !needs.is_empty())
        .unwrap_or_default()
}

/// Fields of the bases first; a field redefined keeps its place.
fn fields(classes: &[Class], class: &Class, depth: usize) -> Vec<Field> {
    let mut all: Vec<Field> = Vec::new();
    let inherited: Vec<Field> = bases(classes, class, depth)
        .flat_map(|base| fields(classes, base, depth - 1))
        .collect();
    for field in inherited
        .into_iter()
        .chain(class.fields.iter().flatten().cloned())
    {
        match all.iter_mut().find(|known| known.name == field.name) {
            Some(known) => *known = field,
            None => all.push(field),
        }
    }
    all
}

fn abstract_methods(classes: &[Class], class: &Class, depth: usize) -> Vec<String> {
    let mut names = class.abstract_methods.clone();
    for base in bases(classes, class, depth) {
        let inherited = abstract_methods(classes, base, depth - 1);
        names.extend(inherited.into_iter().filter(|name| !class.methods.contains(name)));
    }
    names
}

/// Bases defined in the same file: beside the class, else at module level.
fn bases<'a>(classes: &'a [Class], class: &'a Class, depth: usize) -> impl Iterator<Item = &'a Class> {
    let beside = class.qualname.rsplit_once('.').map(|(scope, _)| scope);
    let named = |name: &str| classes.iter().rev().find(|other| other.qualname == name);
    let bases = if depth == 0 { &[][..] } else { &class.bases[..] };
    bases
        .iter()
        .filter_map(move |base| {
            beside
                .and_then(|scope| named(&format!("{scope}.{base}")))
                .or_else(|| named(base))
        })
        .filter(|base| !std::ptr::eq(*base, class))
}

/// A class decorator that writes `__init__` from the annotated fields.
fn generates_init(decorator: &Expr) -> bool {
    let generator = dotted(decorator).is_some_and(|name| GENERATORS.contains(&last_segment(&name)));
    let disabled = decorator
        .as_call_expr()
        .is_some_and(|call| is_false(call, "init"));
    generator && !disabled
}

fn is_false(call: &ExprCall, keyword: &str) -> bool {
    call.arguments.find_keyword(keyword).is_some_and(|keyword| {
        keyword
            .value
            .as_boolean_literal_expr()
            .is_some_and(|literal| !literal.value)
    })
}

/// The constructor argument an annotated assignment stands for.
fn field(statement: &Stmt) -> Option<Field> {
    let assignment = statement.as_ann_assign_stmt()?;
    let name = assignment.target.as_name_expr()?.id.to_string();
    let annotation = annotation(&assignment.annotation);
    if matches!(last_segment(&annotation), "ClassVar" | "KW_ONLY") {
        return None;
    }
    let required = match assignment.value.as_deref() {
        None => true,
        Some(Expr::Call(call)) if is_field(call) => {
            if is_false(call, "init") {
                return None;
            }
            let default = ["default", "default_factory", "factory"];
            call.arguments.args.is_empty()
                && !default
                    .iter()
                    .any(|keyword| call.arguments.find_keyword(keyword).is_some())
        }
        Some(_) => false,
    };
    Some(Field { name, required })
}

fn is_field(call: &ExprCall) -> bool {
    dotted(&call.func).is_some_and(|name| matches!(last_segment(&name), "field" | "ib" | "attrib"))
}

/// Dotted name of an annotation without its subscript, quoted or not; empty for others.
fn annotation(expression: &Expr) -> String {
    match expression {
        Expr::Subscript(subscript) => annotation(&subscript.value),
        Expr::StringLiteral(literal) => {
            let text = literal.value.to_str();
            text.split('[').next().unwrap_or(text).trim().to_owned()
        }
        other => dotted(other).unwrap_or_default(),
    }
}
