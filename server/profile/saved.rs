//! The saved form of a profile: its format, without the file system.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Profile;

/// What the `format` field says.
pub const FORMAT: &str = "bytecost-profile";
/// The version this build writes, and the newest it reads.
pub const VERSION: u32 = 1;

/// A saved profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Saved {
    /// Always `bytecost-profile`.
    #[schemars(extend("const" = FORMAT))]
    pub format: String,
    /// Raised when an older reader would misunderstand the document; 1 now.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// The profile.
    pub profile: Profile,
}

/// Why bytes are not a saved profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end early or are not JSON at all.
    #[error("this is not complete JSON (line {line}, column {column})")]
    NotJson {
        /// 1-based.
        line: usize,
        /// 1-based; 0 before the first byte of a line.
        column: usize,
    },
    /// JSON, but of something else.
    #[error("this is not a profile that bytecost saved")]
    NotOurs,
    /// Written by a newer bytecost.
    #[error("this profile has format version {found}; this bytecost reads up to {VERSION}")]
    Newer {
        /// Its version.
        found: u64,
    },
    /// Ours, but not what the version promises.
    #[error("this saved profile is damaged: {0}")]
    Damaged(#[source] serde_json::Error),
}

/// The part that every version has, read first so that others can be told apart.
#[derive(Deserialize)]
struct Header {
    format: Option<serde_json::Value>,
    version: Option<serde_json::Value>,
}

/// The document, on one line.
///
/// # Panics
/// Never: string keys and memory cannot fail.
#[must_use]
pub fn to_string(profile: &Profile) -> String {
    /// Borrows what [`Saved`] owns.
    #[derive(Serialize)]
    struct Borrowed<'p> {
        format: &'static str,
        version: u32,
        profile: &'p Profile,
    }
    serde_json::to_string(&Borrowed {
        format: FORMAT,
        version: VERSION,
        profile,
    })
    .expect("string keys, written to memory")
}

/// Reads a document.
pub fn from_slice(bytes: &[u8]) -> Result<Profile, Error> {
    let header: Header = serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() {
            Error::NotOurs
        } else {
            not_json(&error)
        }
    })?;
    if header.format.as_ref().and_then(serde_json::Value::as_str) != Some(FORMAT) {
        return Err(Error::NotOurs);
    }
    let version = header.version.as_ref().and_then(serde_json::Value::as_u64);
    if let Some(found) = version.filter(|found| *found > VERSION.into()) {
        return Err(Error::Newer { found });
    }
    let saved: Saved = serde_json::from_slice(bytes).map_err(Error::Damaged)?;
    if saved.version != VERSION {
        return Err(Error::Damaged(serde::de::Error::custom(
            "its format version does not exist",
        )));
    }
    Ok(saved.profile)
}

fn not_json(error: &serde_json::Error) -> Error {
    Error::NotJson {
        line: error.line(),
        column: error.column(),
    }
}

/// The JSON Schema of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Saved).to_value()
}
