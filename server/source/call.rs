//! Calls that follow from a function's text.

use std::fmt;

use super::{Constructor, EnclosingClass, Function, FunctionKind};

/// What stands in the way of a call without arguments; reads after the target's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The function requires arguments.
    Arguments(Vec<String>),
    /// Making an instance of the class requires arguments.
    Constructor {
        /// The class.
        class: String,
        /// Its required arguments.
        arguments: Vec<String>,
    },
    /// The class cannot be instantiated.
    Abstract {
        /// The class.
        class: String,
    },
    /// A property's setter or deleter is reached by a statement, not by a call.
    Accessor,
    /// The function is made inside another one that cannot be called without arguments.
    Inside {
        /// Qualified name of the outermost function around it.
        function: String,
        /// What stands in the way of calling that one.
        obstacle: Box<Obstacle>,
    },
}

impl Obstacle {
    /// The obstacle of a function inside `function`.
    pub(crate) fn around(self, function: &str) -> Self {
        Self::Inside {
            function: function.to_owned(),
            obstacle: Box::new(self),
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arguments(names) => write!(formatter, "needs {}", arguments(names)),
            Self::Constructor {
                class,
                arguments: names,
            } => {
                write!(
                    formatter,
                    "needs an instance of {class}, which needs {}",
                    arguments(names)
                )
            }
            Self::Abstract { class } => {
                write!(formatter, "needs an instance of {class}, which is abstract")
            }
            Self::Accessor => write!(formatter, "sets or deletes a property"),
            Self::Inside { function, obstacle } => {
                write!(formatter, "is made inside {function}, which {obstacle}")
            }
        }
    }
}

fn arguments(names: &[String]) -> String {
    let noun = if names.len() == 1 {
        "the argument"
    } else {
        "the arguments"
    };
    format!("{noun} {}", names.join(", "))
}

/// The expression that runs a function which requires nothing.
pub(crate) fn without_arguments(function: &Function) -> Result<String, Obstacle> {
    if function.is_accessor {
        return Err(Obstacle::Accessor);
    }
    if !function.required_arguments.is_empty() {
        return Err(Obstacle::Arguments(function.required_arguments.clone()));
    }
    if needs_instance(function)
        && let Some(class) = &function.class
    {
        let class_name = class.qualname.clone();
        match &class.constructor {
            Constructor::NoArguments => {}
            Constructor::Needs(names) => {
                return Err(Obstacle::Constructor {
                    class: class_name,
                    arguments: names.clone(),
                });
            }
            Constructor::Abstract => return Err(Obstacle::Abstract { class: class_name }),
        }
    }
    Ok(template(function))
}

/// The expression that runs a function, with `...` for what only the user knows.
pub(crate) fn template(function: &Function) -> String {
    let arguments = &function.arguments_template;
    let Some(class) = &function.class else {
        return format!("{}({arguments})", function.qualname);
    };
    let name = attribute(class, function.name());
    let class_name = &class.qualname;
    match function.kind {
        _ if makes_instance(function) => format!("{class_name}({arguments})"),
        FunctionKind::StaticMethod | FunctionKind::ClassMethod | FunctionKind::Function => {
            format!("{class_name}.{name}({arguments})")
        }
        FunctionKind::Property if function.is_accessor => {
            let (verb, value) = if arguments.is_empty() {
                ("delattr", "")
            } else {
                ("setattr", ", ...")
            };
            format!("{verb}({}, '{name}'{value})", instance(class))
        }
        FunctionKind::Property => format!("{}.{name}", instance(class)),
        FunctionKind::Method => format!("{}.{name}({arguments})", instance(class)),
    }
}

fn instance(class: &EnclosingClass) -> String {
    match &class.constructor {
        Constructor::NoArguments => format!("{}()", class.qualname),
        Constructor::Needs(names) => {
            let arguments: Vec<String> = names.iter().map(|name| format!("{name}=...")).collect();
            format!("{}({})", class.qualname, arguments.join(", "))
        }
        Constructor::Abstract => "(...)".to_owned(),
    }
}

/// `__init__` and `__new__` run when an instance is made.
fn makes_instance(function: &Function) -> bool {
    function.class.is_some() && matches!(function.name(), "__init__" | "__new__")
}

fn needs_instance(function: &Function) -> bool {
    matches!(function.kind, FunctionKind::Method | FunctionKind::Property) && !makes_instance(function)
}

/// The name as code outside the class writes it: private names are mangled (`_Py_Mangle` in
/// CPython's `Python/compile.c`).
fn attribute(class: &EnclosingClass, name: &str) -> String {
    let class_name = class
        .qualname
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .trim_start_matches('_');
    if name.starts_with("__") && !name.ends_with("__") && !class_name.is_empty() {
        format!("_{class_name}{name}")
    } else {
        name.to_owned()
    }
}
