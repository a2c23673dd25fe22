//! A text as the editor has it.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tower_lsp_server::ls_types::{TextDocumentContentChangeEvent, Uri};

use super::position::{Encoding, Lines};
use crate::source::Source;
use crate::source::runnable::{self, Runnable};

/// One version of a document. Never changed, only replaced.
#[derive(Debug)]
pub struct Document {
    /// As the client names it.
    pub uri: Uri,
    /// Free of links, as profiles have it.
    pub path: PathBuf,
    /// Root of its project.
    pub root: PathBuf,
    /// As the client counts.
    pub version: i32,
    /// The text.
    pub text: String,
    /// Its lines.
    pub lines: Lines,
    /// Changed since it was opened or saved.
    pub changed: bool,
    runnables: OnceLock<Arc<Vec<Runnable>>>,
}

impl Document {
    /// A document as it was opened.
    #[must_use]
    pub fn new(uri: Uri, path: PathBuf, root: PathBuf, version: i32, text: String) -> Self {
        Self {
            uri,
            path,
            root,
            version,
            lines: Lines::new(&text),
            text,
            changed: false,
            runnables: OnceLock::new(),
        }
    }

    /// The next version: the changes one after another, each against what the one before left.
    #[must_use]
    pub fn edited(
        &self,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Self {
        let mut text = self.text.clone();
        let mut lines = None;
        for change in changes {
            match change.range {
                None => text = change.text,
                Some(range) => {
                    let known = lines.as_ref().unwrap_or(&self.lines);
                    text.replace_range(known.offsets(&text, range, encoding), &change.text);
                }
            }
            lines = Some(Lines::new(&text));
        }
        Self {
            uri: self.uri.clone(),
            path: self.path.clone(),
            root: self.root.clone(),
            version,
            lines: lines.unwrap_or_else(|| self.lines.clone()),
            text,
            changed: true,
            runnables: OnceLock::new(),
        }
    }

    /// The same text, saved.
    #[must_use]
    pub fn saved(&self) -> Self {
        Self {
            uri: self.uri.clone(),
            path: self.path.clone(),
            root: self.root.clone(),
            version: self.version,
            lines: self.lines.clone(),
            text: self.text.clone(),
            changed: false,
            runnables: self.runnables.clone(),
        }
    }

    /// Whether the file on disk has another text. A file that is not UTF-8 is taken to have the
    /// text it was opened or saved with.
    #[must_use]
    pub fn differs_from_disk(&self) -> bool {
        if !self.changed {
            return false;
        }
        match std::fs::read(&self.path).map(String::from_utf8) {
            Ok(Ok(disk)) => without_mark(&disk) != without_mark(&self.text),
            Ok(Err(_)) | Err(_) => true,
        }
    }

    /// What can be run, in source order. Parses the text the first time.
    #[must_use]
    pub fn runnables(&self) -> Arc<Vec<Runnable>> {
        let find = || {
            let name = self.path.file_name().unwrap_or_default().to_string_lossy();
            Arc::new(runnable::runnables(&Source::new(&self.text), &name))
        };
        Arc::clone(self.runnables.get_or_init(find))
    }

    /// What can be run, if that is already known.
    #[must_use]
    pub fn known_runnables(&self) -> Option<Arc<Vec<Runnable>>> {
        self.runnables.get().cloned()
    }
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use tower_lsp_server::ls_types::{Position, Range};

    use super::*;

    fn document(text: &str) -> Document {
        let uri = "file:///x.py".parse().unwrap();
        Document::new(
            uri,
            PathBuf::from("/x.py"),
            PathBuf::from("/"),
            1,
            text.to_owned(),
        )
    }

    fn change(range: Option<[u32; 4]>, text: &str) -> TextDocumentContentChangeEvent {
        TextDocumentContentChangeEvent {
            range: range.map(|[line, column, end_line, end_column]| {
                Range::new(Position::new(line, column), Position::new(end_line, end_column))
            }),
            range_length: None,
            text: text.to_owned(),
        }
    }

    #[test]
    fn changes_follow_one_another() {
        let edited = document("a🦀b\r\nc\r\n").edited(
            2,
            vec![
                change(Some([0, 3, 0, 3]), "X"),
                change(Some([1, 0, 1, 1]), "d\nnew"),
                change(Some([2, 3, 9, 9]), "!"),
                change(Some([1, 1, 1, 0]), ""),
            ],
            Encoding::Utf16,
        );
        assert_eq!(edited.text, "a🦀Xb\r\n\nnew!");
        assert_eq!(edited.lines, Lines::new(&edited.text));
        assert_eq!((edited.version, edited.changed), (2, true));
        let replaced = edited.edited(
            3,
            vec![change(None, "x\n"), change(Some([1, 0, 1, 0]), "y")],
            Encoding::Utf8,
        );
        assert_eq!(replaced.text, "x\ny");
    }
}
