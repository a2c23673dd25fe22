//! Files with bytecode, for the client to show.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

/// A folder that is there until the server ends.
#[derive(Debug, Default)]
pub struct Listings(Mutex<Option<TempDir>>);

impl Listings {
    /// Writes a listing to a file that nobody is meant to write to.
    pub fn write(&self, title: &str, text: &str) -> io::Result<PathBuf> {
        let mut folder = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match &*folder {
            Some(folder) => folder,
            None => folder.insert(tempfile::Builder::new().prefix("bytecost-").tempdir()?),
        };
        let name: String = title
            .chars()
            .map(|char| {
                if char.is_alphanumeric() || "._-".contains(char) {
                    char
                } else {
                    '_'
                }
            })
            .take(60)
            .collect();
        let name = match name.trim_matches(['.', '_']) {
            "" => "bytecode",
            name => name,
        };
        let path = folder.path().join(format!("{name}.txt"));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::write(&path, text)?;
        let mut permissions = std::fs::metadata(&path)?.permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&path, permissions)?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_no_path() {
        let listings = Listings::default();
        let long = "é".repeat(500);
        for title in ["../../etc/passwd", "a/b", "", "..", "<module> (x.py:1)", &long] {
            let path = listings.write(title, "first").expect(title);
            assert_eq!(path, listings.write(title, "text").expect(title));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
            assert!(std::fs::metadata(&path).unwrap().permissions().readonly());
            assert_eq!(path.extension().unwrap(), "txt");
        }
        let folder = listings.0.lock().unwrap().as_ref().unwrap().path().to_owned();
        assert_eq!(folder.read_dir().unwrap().count(), 5, "two of them have no name");
        drop(listings);
        assert!(!folder.exists());
    }
}
