//! URIs of the client and paths of the file system.

use std::path::{Path, PathBuf};

use tower_lsp_server::ls_types::Uri;

/// The path of a file's URI; none for what is no file: an unsaved document, a notebook's cell, a
/// side of a comparison.
#[must_use]
pub fn path(uri: &Uri) -> Option<PathBuf> {
    if !uri.scheme().as_str().eq_ignore_ascii_case("file") {
        return None;
    }
    let path = uri.to_file_path()?.into_owned();
    path.is_absolute().then_some(path)
}

/// As [`path`], from a text.
#[must_use]
pub fn parse(text: &str) -> Option<PathBuf> {
    path(&text.parse::<Uri>().ok()?)
}

/// The URI of an absolute path.
#[must_use]
pub fn of(path: &Path) -> Option<Uri> {
    path.is_absolute().then(|| Uri::from_file_path(path)).flatten()
}

/// The path free of links, as profiles have it; as it is where there is no such file.
#[must_use]
pub fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_have_paths() {
        for (uri, expected) in [
            ("file:///a/b.py", Some("/a/b.py")),
            ("file:///a%20b/%C3%A9%5B1%5D.py", Some("/a b/é[1].py")),
            ("untitled:/a/b.py", None),
            ("git:/a/b.py?x", None),
            ("vscode-notebook-cell:/a/b.ipynb#c", None),
            ("file:", None),
        ] {
            assert_eq!(parse(uri), expected.map(PathBuf::from), "{uri}");
        }
        let odd = Path::new("/a b/é[1]#?%.py");
        assert_eq!(path(&of(odd).unwrap()).as_deref(), Some(odd));
    }
}
