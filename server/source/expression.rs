//! Whether a text is one Python expression.

use ruff_python_parser::{Mode, ParseOptions, parse, parse_expression};

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
