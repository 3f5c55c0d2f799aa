//! The two sides of a switch: what `/init` finds under a name before the switch is replaced, and after.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;

use super::plan::InstallPlan;
use super::site::Site;
use crate::disk::path::{parents, split};
use crate::disk::{DiskError, Folder, OnDisk};
use crate::tree::TreeEntry;

/// What `/init` finds under the name of a definition on one side of a switch.
pub(super) enum SwitchSide {
    /// No definition.
    Nothing,
    /// A copy of the definition at this path, which is relative to the root.
    Copy(String),
    /// The new definition, with the foreign files of the old one.
    Merged,
    /// A link to the definition at its final path. It is complete by then.
    InPlace,
    /// A bundle that contains these services.
    Bundle(BTreeSet<String>),
}

impl SwitchSide {
    /// Makes this side of the definition `name` in `folder`, a directory in the staging directory.
    pub fn create(
        &self,
        site: &Site,
        plan: &InstallPlan,
        name: &str,
        folder: &Folder,
    ) -> Result<(), DiskError> {
        let nothing = TreeEntry::file("", false);
        let made = match self {
            SwitchSide::Nothing => folder.create(name, &nothing),
            SwitchSide::Copy(from) => {
                return site.copy(&site.real(from, |_| false)?, folder, OsStr::new(name), 0);
            }
            SwitchSide::InPlace => folder.create(name, &TreeEntry::Link(format!("../../{name}"))),
            SwitchSide::Merged => return create_merged(site, plan, name, folder),
            SwitchSide::Bundle(members) => create_bundle(members, name, folder),
        };
        made.map_err(|error| DiskError::system("write", &folder.path_of(name), &error))
    }
}

fn create_bundle(members: &BTreeSet<String>, name: &str, folder: &Folder) -> io::Result<()> {
    let bundle = folder.make_folder(name)?;
    let content = b"bundle\n".to_vec();
    bundle.create("type", &TreeEntry::file(content, false))?;
    let list = bundle.make_folder("contents.d")?;
    let nothing = TreeEntry::file("", false);
    members.iter().try_for_each(|member| list.create(member, &nothing))
}

/// Makes the new definition together with the foreign files that will still be in it.
fn create_merged(site: &Site, plan: &InstallPlan, name: &str, folder: &Folder) -> Result<(), DiskError> {
    let failed = |error: io::Error| DiskError::system("write", &folder.path_of(name), &error);
    let from = site.definition(name);
    let top = folder.make_folder(name).map_err(failed)?;
    // The directories that are made, by their paths in the definition.
    let mut made = BTreeSet::from([String::new()]);
    for (inside, entry) in plan.desired_in(&from) {
        let (above, name) = split(inside);
        below(&top, above).and_then(|above| above.create(name, entry)).map_err(failed)?;
        if *entry == TreeEntry::Directory {
            made.insert(inside.to_owned());
        }
    }
    let mut todo = vec![from.clone()];
    while let Some(directory) = todo.pop() {
        let Some(there) = site.folder(&directory)? else { continue };
        for name in there.names().map_err(failed)? {
            let path = format!("{directory}/{}", name.to_string_lossy());
            let look =
                there.look(&name).map_err(|error| DiskError::system("look at", &site.path(&path), &error))?;
            if matches!(look, OnDisk::Directory { .. }) {
                todo.push(path);
            } else if !plan.old.owns(&path, false) && !plan.new.owns(&path, false) {
                let inside = directory.get(from.len() + 1..).unwrap_or_default();
                for part in parents(inside).chain([inside]) {
                    if made.insert(part.to_owned()) {
                        let (above, name) = split(part);
                        below(&top, above).and_then(|above| above.make_directory(name)).map_err(failed)?;
                    }
                }
                let to = below(&top, inside).map_err(failed)?;
                site.copy_entry(&there, &name, &to, &name, usize::from(directory == from))?;
            }
        }
    }
    Ok(())
}

/// Opens the directory at a path in the open directory `top`.
fn below(top: &Folder, path: &str) -> io::Result<Folder> {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.fold(top.folder("."), |folder, name| folder?.folder(name))
}
