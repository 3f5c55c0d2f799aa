//! Finds the directory of definitions that an earlier build wrote.

use std::path::{Path, PathBuf};

use crate::disk::path::destination;
use crate::disk::{is_file, names, read_link};

/// Finds the directory in the image at `root` that contains a file `name`. It looks in each of `places`, and then in each
/// directory to which a link in one of `places` leads. `places` and the result are absolute paths in the image.
pub fn find_definitions(root: &Path, places: &[&str], name: &str) -> Option<String> {
    let inside = |path: &str| root.join(path.trim_start_matches('/'));
    let holds = |path: &str| is_file(&inside(path).join(name));
    if let Some(place) = places.iter().find(|place| holds(place)) {
        return Some((*place).to_owned());
    }
    places.iter().find_map(|place| {
        let folder = inside(place);
        let targets = names(&folder).ok()?.into_iter().filter_map(|name| read_link(&folder.join(name)));
        let mut links: Vec<PathBuf> =
            targets.filter_map(|target| target.parent().map(Path::to_owned)).collect();
        links.sort();
        links.dedup();
        links.into_iter().find_map(|parent| {
            let path = format!("/{}", destination("", Path::new(place).join(parent).to_str()?));
            holds(&path).then_some(path)
        })
    })
}
