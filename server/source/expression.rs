//! Texts of expressions.

use ruff_python_ast::{Expr, Stmt};
use ruff_python_parser::{Mode, ParseOptions, parse, parse_expression, parse_module};

/// Why a text is not one Python expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionProblem {
    /// What is wrong, without a place.
    pub message: String,
}

/// Checks that `text` is one Python expression of any known version, as `eval` takes it.
pub fn check_expression(text: &str) -> Result<(), ExpressionProblem> {
    parse_expression(text.trim())
        .map(drop)
        .map_err(|error| ExpressionProblem {
            message: error.error.to_string(),
        })
}

/// Whether `text` is one expression if line ends inside it do not matter.
pub(super) fn is_complete(text: &str) -> bool {
    !text.trim().is_empty() && parse(text.trim(), ParseOptions::from(Mode::ParenthesizedExpression)).is_ok()
}

/// What an operand is called where it is a plain name or an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A variable.
    Name(String),
    /// An attribute of whatever object.
    Attribute(String),
}

/// The operands of an operation, a comparison or an augmented assignment that are named, each once,
/// in their order; none for any other text.
#[must_use]
pub fn operands(text: &str) -> Vec<Operand> {
    let Ok(module) = parse_module(text.trim()) else {
        return Vec::new();
    };
    let parts: Vec<&Expr> = match module.suite().as_slice() {
        [Stmt::Expr(statement)] => match &*statement.value {
            Expr::BinOp(operation) => vec![&*operation.left, &*operation.right],
            Expr::Compare(comparison) => std::iter::once(&*comparison.left)
                .chain(&comparison.comparators)
                .collect(),
            _ => Vec::new(),
        },
        [Stmt::AugAssign(assignment)] => vec![&*assignment.target, &*assignment.value],
        _ => Vec::new(),
    };
    let mut named = Vec::new();
    for part in parts {
        let operand = match part {
            Expr::Name(name) => Operand::Name(name.id.to_string()),
            Expr::Attribute(attribute) => Operand::Attribute(attribute.attr.to_string()),
            _ => continue,
        };
        if !named.contains(&operand) {
            named.push(operand);
        }
    }
    named
}
