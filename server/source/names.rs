//! Finding functions by qualified name, and near misses.

use std::borrow::Cow;

use ruff_python_ast::Expr;

use super::function::{Function, last_segment};

const LOCALS: &str = ".<locals>";

/// Longest name that is compared letter by letter.
const LONGEST: usize = 200;

pub(super) fn find<'a>(functions: &'a [Function], qualname: &str) -> Option<&'a Function> {
    let wanted = normalize(qualname);
    let last = |matches: &dyn Fn(&Function) -> bool| {
        let found = || functions.iter().rev().filter(|function| matches(function));
        found()
            .find(|function| !function.is_accessor)
            .or_else(|| found().next())
    };
    last(&|function| function.qualname == wanted)
        .or_else(|| last(&|function| function.qualname.replace(LOCALS, "") == wanted))
}

pub(super) fn closest<'a>(functions: &'a [Function], qualname: &str) -> Vec<&'a str> {
    let wanted = normalize(qualname).replace(LOCALS, "").to_lowercase();
    let mut near: Vec<(usize, &str)> = Vec::new();
    for function in functions {
        let whole = function.qualname.replace(LOCALS, "").to_lowercase();
        let distance = if last_segment(&whole) == wanted {
            Some(0)
        } else {
            let whole_name = distance_within(&whole, &wanted);
            // `advence` may mean `Body.advance`: a little further than a name as near in full.
            let last_name = distance_within(last_segment(&whole), &wanted).map(|distance| distance + 1);
            whole_name.into_iter().chain(last_name).min()
        };
        let known = near.iter().any(|(_, name)| *name == function.qualname);
        if let (Some(distance), false) = (distance, known) {
            near.push((distance, &function.qualname));
        }
    }
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Edit distance, if it is at most a third of the name that was written.
fn distance_within(name: &str, wanted: &str) -> Option<usize> {
    if name.len() > LONGEST || wanted.len() > LONGEST {
        return None;
    }
    let wanted: Vec<char> = wanted.chars().collect();
    let mut row: Vec<usize> = (0..=wanted.len()).collect();
    for (above, letter) in name.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (column, other) in wanted.iter().enumerate() {
            let substituted = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    let distance = row[wanted.len()];
    (distance <= (wanted.len() / 3).max(1)).then_some(distance)
}

/// Identifiers as CPython stores them: NFKC, which the parser applies to names.
fn normalize(qualname: &str) -> Cow<'_, str> {
    if qualname.is_ascii() {
        return Cow::Borrowed(qualname);
    }
    let part = |part: &str| match ruff_python_parser::parse_expression(part)
        .map(|parsed| *parsed.into_syntax().body)
    {
        Ok(Expr::Name(name)) => name.id.to_string(),
        _ => part.to_owned(),
    };
    Cow::Owned(qualname.split('.').map(part).collect::<Vec<_>>().join("."))
}
