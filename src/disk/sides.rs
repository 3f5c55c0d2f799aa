use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::files::{copy, create, make_directory};
use super::ground::{Ground, parents};
use super::plan::Plan;
use crate::tree::TreeEntry;

/// What a definition is on one side of the switch.
pub(super) enum Side {
    /// No definition.
    Nothing,
    /// What lies at this path, relative to the root.
    Copy(String),
    /// The new files, and other people's that lie with the old ones.
    Whole,
    /// The finished definition in its place.
    InPlace,
    /// A bundle of these names.
    Bundle(BTreeSet<String>),
}

impl Side {
    /// Makes it at `to`, in the staging directory.
    pub fn create(&self, ground: &Ground, plan: &Plan, name: &str, to: &Path) -> io::Result<()> {
        let nothing = TreeEntry::File { content: Vec::new(), executable: false };
        match self {
            Side::Nothing => create(to, &nothing),
            Side::Copy(from) => copy(&fs::canonicalize(ground.path(from))?, to, 0),
            Side::InPlace => create(to, &TreeEntry::Link(format!("../../{name}"))),
            Side::Whole => create_whole(ground, plan, name, to),
            Side::Bundle(members) => {
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

/// Makes a definition as it will be, together with other people's files that will still lie in it.
fn create_whole(ground: &Ground, plan: &Plan, name: &str, to: &Path) -> io::Result<()> {
    let from = ground.definition(name);
    make_directory(to)?;
    for (inside, entry) in plan.wanted_in(&from) {
        create(&to.join(inside), entry)?;
    }
    let mut todo = vec![from.clone()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(ground.path(&directory))? {
            let entry = entry?;
            let path = format!("{directory}/{}", entry.file_name().to_string_lossy());
            let place = to.join(&path[from.len() + 1..]);
            if entry.file_type()?.is_dir() {
                todo.push(path);
            } else if !plan.old.owns(&path, false) && !plan.new.owns(&path, false) {
                for folder in parents(&path[from.len() + 1..]).map(|folder| to.join(folder)) {
                    if !folder.is_dir() {
                        make_directory(&folder)?;
                    }
                }
                copy(&entry.path(), &place, usize::from(directory == from))?;
            }
        }
    }
    Ok(())
}
