//! The two sides of a switch: what `/init` finds under a name before the switch is replaced, and after.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::plan::InstallPlan;
use super::site::Site;
use crate::disk::path::parents;
use crate::disk::{copy, create, is_directory, is_link, make_directory, names, real_path};
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
    /// Makes this side of the definition `name` at `to`, a path in the staging directory.
    pub fn create(&self, site: &Site, plan: &InstallPlan, name: &str, to: &Path) -> io::Result<()> {
        let nothing = TreeEntry::File { content: Vec::new(), executable: false };
        match self {
            SwitchSide::Nothing => create(to, &nothing),
            SwitchSide::Copy(from) => copy(&real_path(&site.path(from))?, to, 0),
            SwitchSide::InPlace => create(to, &TreeEntry::Link(format!("../../{name}"))),
            SwitchSide::Merged => create_merged(site, plan, name, to),
            SwitchSide::Bundle(members) => {
                let list = to.join("contents.d");
                make_directory(to)?;
                make_directory(&list)?;
                let content = b"bundle\n".to_vec();
                create(&to.join("type"), &TreeEntry::File { content, executable: false })?;
                members.iter().try_for_each(|member| create(&list.join(member), &nothing))
            }
        }
    }
}

/// Makes the new definition together with the foreign files that will still be in it.
fn create_merged(site: &Site, plan: &InstallPlan, name: &str, to: &Path) -> io::Result<()> {
    let from = site.definition(name);
    make_directory(to)?;
    for (inside, entry) in plan.desired_in(&from) {
        create(&to.join(inside), entry)?;
    }
    let mut todo = vec![from.clone()];
    while let Some(directory) = todo.pop() {
        for name in names(&site.path(&directory))? {
            let there = site.path(&directory).join(&name);
            let path = format!("{directory}/{}", name.to_string_lossy());
            let place = to.join(&path[from.len() + 1..]);
            if is_directory(&there) && !is_link(&there) {
                todo.push(path);
            } else if !plan.old.owns(&path, false) && !plan.new.owns(&path, false) {
                for folder in parents(&path[from.len() + 1..]).map(|folder| to.join(folder)) {
                    if !is_directory(&folder) {
                        make_directory(&folder)?;
                    }
                }
                copy(&there, &place, usize::from(directory == from))?;
            }
        }
    }
    Ok(())
}
