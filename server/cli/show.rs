//! `bytecost show`.

use super::{Show, screen};
use crate::store;

/// Shows each saved profile.
pub fn show(arguments: &Show) -> anyhow::Result<u8> {
    screen::check(&arguments.output)?;
    for path in &arguments.files {
        let mut profile = store::load(path)?;
        if let Some(root) = &arguments.source {
            profile.root = root.display().to_string();
        }
        screen::report(&profile, &arguments.output)?;
    }
    Ok(0)
}
