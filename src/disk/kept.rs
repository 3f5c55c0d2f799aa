//! Files that are replaced as a whole while others read them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::error::OutputError;

/// The content of a file, if there is one.
///
/// # Errors
/// The system refuses to read it.
pub fn read_kept(path: &Path) -> Result<Option<Vec<u8>>, OutputError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(OutputError::system("read", path, &error)),
    }
}

/// Replaces the content of a file: whoever reads it, also after a kill or a power cut, finds all of the old content or
/// all of the new one.
///
/// # Errors
/// The system refuses; the old content is still there.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), OutputError> {
    put(path, content, File::sync_all)
}

/// The same, but for the power cut: for files that mean nothing after the next boot.
///
/// # Errors
/// The system refuses; the old content is still there.
pub fn replace_until_boot(path: &Path, content: &[u8]) -> Result<(), OutputError> {
    put(path, content, |_| Ok(()))
}

fn put(path: &Path, content: &[u8], sync: impl Fn(&File) -> io::Result<()>) -> Result<(), OutputError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
        file.write_all(content)?;
        sync(&file)?;
        fs::rename(&beside, path)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&beside);
        OutputError::system("write", path, &error)
    })
}

/// Opens a file that another process is to write, for that and for reading.
///
/// # Errors
/// The system refuses.
pub fn open_log(path: &Path) -> Result<File, OutputError> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
    opened.map_err(|error| OutputError::system("write", path, &error))
}

/// The directory of definitions in the image at `root` that holds a file `name`: one of `places`, or where a link in one
/// of them leads. Both are absolute paths in the image.
pub fn find_tree(root: &Path, places: &[&str], name: &str) -> Option<String> {
    let inside = |path: &str| root.join(path.trim_start_matches('/'));
    let holds = |path: &str| inside(path).join(name).is_file();
    if let Some(place) = places.iter().find(|place| holds(place)) {
        return Some((*place).to_owned());
    }
    places.iter().find_map(|place| {
        let mut links: Vec<PathBuf> = fs::read_dir(inside(place))
            .ok()?
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .filter_map(|target| target.parent().map(Path::to_owned))
            .collect();
        links.sort();
        links.dedup();
        links.into_iter().find_map(|parent| {
            let path = plain(&Path::new(place).join(parent))?;
            holds(&path).then_some(path)
        })
    })
}

/// An absolute path without `.` and `..`.
fn plain(path: &Path) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in path.to_str()?.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    Some(format!("/{}", names.join("/")))
}
