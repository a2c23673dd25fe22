//! Operand types in words: `float % int 97%, int % int 3%`.

use crate::cpython::causes::catalogue;
use crate::profile::{Instruction, Shape};

use super::cause;

/// How the helper names what it stopped telling apart.
const REST: &str = "other types";

/// Most combinations to name.
const NAMED: usize = 3;

/// What the operands of a site were, most frequent first, with shares where there are several;
/// none where they were not read.
#[must_use]
pub fn distribution(instruction: &Instruction) -> Option<String> {
    let shapes = &instruction.site.as_ref()?.types;
    let mut texts: Vec<(String, u64)> = Vec::new();
    for shape in shapes {
        let text = if shape.operands == [REST] {
            REST.to_owned()
        } else {
            text(instruction, shape)
        };
        match texts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += shape.count,
            None => texts.push((text, shape.count)),
        }
    }
    texts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let total: u64 = texts.iter().map(|(_, count)| count).sum();
    match texts.as_slice() {
        [] => None,
        [(one, _)] => Some(one.clone()),
        several => {
            let share = |count: u64| {
                let percent = (100.0 * count as f64 / total as f64).round();
                if percent < 1.0 {
                    "under 1%".to_owned()
                } else if percent > 99.0 {
                    "over 99%".to_owned()
                } else {
                    format!("{percent}%")
                }
            };
            // What the helper stopped telling apart is no combination of its own.
            let (named, others): (Vec<_>, Vec<_>) = several.iter().partition(|(text, _)| text != REST);
            let mut parts: Vec<_> = named
                .iter()
                .take(NAMED)
                .map(|(text, count)| format!("{text} {}", share(*count)))
                .collect();
            let rest: u64 = named
                .iter()
                .skip(NAMED)
                .chain(&others)
                .map(|(_, count)| count)
                .sum();
            if rest > 0 {
                parts.push(format!("others {}", share(rest)));
            }
            Some(parts.join(", "))
        }
    }
}

/// One combination of operands, as an expression of types.
fn text(instruction: &Instruction, shape: &Shape) -> String {
    let names: Vec<String> = cause::roles(instruction)
        .iter()
        .zip(&shape.operands)
        .map(|(role, name)| operand(role, name, shape))
        .collect();
    let kind = catalogue()
        .kinds
        .get(&shape.kind)
        .map_or(shape.kind.as_str(), String::as_str);
    let attribute = cause::attribute(instruction);
    match (instruction.opcode.as_str(), names.as_slice()) {
        ("BINARY_OP", [container, key]) if instruction.argument == "[]" => format!("{container}[{key}]"),
        ("BINARY_OP" | "COMPARE_OP", [left, right]) => {
            format!("{left} {} {right}", cause::operator(instruction))
        }
        ("CONTAINS_OP", [item, container]) => format!("{item} in {container}"),
        ("BINARY_SUBSCR" | "STORE_SUBSCR", [container, key]) => format!("{container}[{key}]"),
        ("LOAD_ATTR" | "LOAD_METHOD" | "STORE_ATTR", [owner]) => format!("{owner}.{attribute} ({kind})"),
        ("LOAD_GLOBAL", _) => kind.to_owned(),
        ("CALL" | "PRECALL" | "CALL_KW", [callee]) => match shape.kind.as_str() {
            "class" | "c-class" | "enum-class" | "namedtuple-class" => format!("{kind} {callee}"),
            "c-object" | "callable-object" => format!("{kind} ({callee})"),
            _ => kind.to_owned(),
        },
        _ if names.is_empty() => shape.operands.join(", "),
        _ => names.join(", "),
    }
}

/// A type with what matters of the number.
fn operand(role: &str, name: &str, shape: &Shape) -> String {
    let has = |fact: &str| shape.facts.iter().any(|known| *known == format!("{role}:{fact}"));
    if name == "int" && has("big") {
        "big int".to_owned()
    } else if name == "int" && has("negative") && role == "key" {
        "negative int".to_owned()
    } else {
        name.to_owned()
    }
}
