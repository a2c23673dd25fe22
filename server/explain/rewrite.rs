//! Remedies that are an edit of one expression and keep its value, for operands as measured.

/// The expression rewritten, when the cause has such a remedy and the text has the form it is for.
///
/// Only what gives the same result for the operand types that the cause was found with: an int
/// literal that meets a float, a view of a dict that is asked for a key, classes or functions that
/// are compared.
#[must_use]
pub fn rewrite(cause: &str, expression: &str) -> Option<String> {
    match cause {
        "binary-op-int-float" | "compare-int-float" => float_literal(expression),
        "contains-dict-view" => expression.strip_suffix(".keys()").map(str::to_owned),
        "compare-objects" => identity(expression),
        _ => None,
    }
}

/// `a * 5` as `a * 5.0`: the last operand, or the first, is a plain int literal.
fn float_literal(expression: &str) -> Option<String> {
    let is_literal = |text: &str| {
        // 2**53 and more may not be exact as a float.
        !text.is_empty() && text.len() < 15 && text.bytes().all(|byte| byte.is_ascii_digit()) && text != "00"
    };
    let (before, last) = expression.rsplit_once(' ')?;
    if is_literal(last) {
        return Some(format!("{before} {last}.0"));
    }
    let (first, rest) = expression.split_once(' ')?;
    is_literal(first).then(|| format!("{first}.0 {rest}"))
}

/// `a == b` as `a is b`: one comparison, and nothing around it that binds less.
fn identity(expression: &str) -> Option<String> {
    let plain = |text: &str| {
        let outside = ['=', '<', '>', '!', '"', '\'', '\n', '#'];
        !text.contains(outside) && !text.split_whitespace().any(|word| KEYWORDS.contains(&word))
    };
    for (operator, instead) in [(" == ", " is "), (" != ", " is not ")] {
        if let Some((left, right)) = expression.split_once(operator) {
            return (plain(left) && plain(right)).then(|| format!("{left}{instead}{right}"));
        }
    }
    None
}

/// Words that make more of an expression than one comparison.
const KEYWORDS: [&str; 7] = ["and", "or", "not", "in", "is", "if", "lambda"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_forms_that_keep_the_value_are_rewritten() {
        for (cause, expression, expected) in [
            ("binary-op-int-float", "x * 5", Some("x * 5.0")),
            ("binary-op-int-float", "2 * r", Some("2.0 * r")),
            ("binary-op-int-float", "x * n", None),
            ("binary-op-int-float", "x * 0x10", None),
            ("binary-op-int-float", "x * 123456789012345678", None),
            ("compare-int-float", "t < 0", Some("t < 0.0")),
            ("contains-dict-view", "k in d.keys()", Some("k in d")),
            ("contains-dict-view", "k in d.values()", None),
            (
                "compare-objects",
                "type(a) == type(b)",
                Some("type(a) is type(b)"),
            ),
            ("compare-objects", "a != b", Some("a is not b")),
            ("compare-objects", "a == b == c", None),
            ("compare-objects", "a == b or c", None),
            ("compare-none", "x == None", None),
        ] {
            assert_eq!(rewrite(cause, expression).as_deref(), expected, "{expression}");
        }
    }
}
