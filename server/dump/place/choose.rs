//! Which file of a folder a path of a dump means.

/// Picks the file that a path of a dump means: that with the longest common end; none when there is
/// none, or more than one.
#[must_use]
pub fn choose<'f>(path: &str, files: impl Iterator<Item = &'f str>) -> Option<&'f str> {
    let wanted = components(path);
    let name = wanted.last()?;
    // What is installed is not the workspace's, even when it is named like a file there.
    let installed = wanted
        .iter()
        .position(|part| matches!(*part, "site-packages" | "dist-packages") || part.starts_with("python3"));
    let least = installed.map_or(1, |at| wanted.len() - at);
    let mut best: Option<((usize, bool), bool, &str)> = None;
    for file in files {
        let own = components(file);
        if own.last() != Some(name) {
            continue;
        }
        let common = wanted
            .iter()
            .rev()
            .zip(own.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        // A name alone, in folders of other names, is another file.
        if common < least || common == 1 && wanted.len() > 1 && own.len() > 1 {
            continue;
        }
        let common = (common, common == own.len());
        match &mut best {
            Some((most, tie, _)) if common == *most => *tie = true,
            Some((most, ..)) if common < *most => {}
            _ => best = Some((common, false, file)),
        }
    }
    best.filter(|(_, tie, _)| !tie).map(|(_, _, file)| file)
}

/// Names of folders and the file; `.` is nothing, and what lies above `..` is not known.
fn components(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => parts.clear(),
            part => parts.push(part),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn the_longest_common_end_decides_and_ties_are_not_guessed() {
        let files = [
            "app.py",
            "shop/models.py",
            "old/shop/models.py",
            "a/x.py",
            "b/x.py",
        ];
        let choose = |path| choose(path, files.iter().copied());
        assert_eq!(choose("/w/app/app.py"), Some("app.py"));
        assert_eq!(choose("/w/old/shop/models.py"), Some("old/shop/models.py"));
        assert_eq!(choose("/w/app/shop/models.py"), Some("shop/models.py"));
        assert_eq!(choose("/usr/lib/python3.14/app.py"), None, "that is another one");
        assert_eq!(choose("x.py"), None);
        assert_eq!(choose("asyncio/models.py"), None, "in a folder of another name");
        assert_eq!(choose("/src/b/x.py"), Some("b/x.py"));
        assert_eq!(choose("../../etc/passwd"), None);
        assert_eq!(choose("a/../x.py"), None);
        assert_eq!(choose("C:\\src\\a\\x.py"), Some("a/x.py"));
    }
}
