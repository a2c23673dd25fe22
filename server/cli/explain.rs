//! `bytecost explain`.

use std::io::{self, Write};

use anyhow::Context;

use super::{Explain, UNUSABLE, screen};
use crate::cpython::causes::{self, catalogue};
use crate::explain::entry;

/// Prints an entry of the catalogue, or the list of them.
pub fn explain(arguments: &Explain) -> anyhow::Result<u8> {
    let text = match &arguments.id {
        None => entry::list(),
        Some(id) => {
            if let Some(cause) = causes::cause(id) {
                entry::text(cause)
            } else {
                screen::say(&unknown(id));
                return Ok(UNUSABLE);
            }
        }
    };
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot write the explanation")?;
    Ok(0)
}

/// Names that have a part in common with what was asked for.
fn unknown(id: &str) -> String {
    let parts: Vec<&str> = id.split(['-', '_', ' ']).filter(|part| part.len() > 2).collect();
    let near: Vec<&str> = catalogue()
        .causes
        .iter()
        .map(|cause| cause.id.as_str())
        .filter(|known| !parts.is_empty() && parts.iter().all(|part| known.contains(part)))
        .take(8)
        .collect();
    if near.is_empty() {
        format!("the catalogue has no cause {id}; `bytecost explain` lists them")
    } else {
        format!("the catalogue has no cause {id}; there is {}", near.join(", "))
    }
}
