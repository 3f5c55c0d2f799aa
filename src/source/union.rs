//! Several layers of an image as one file system, in which upper layers hide files of lower ones.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::rc::Rc;

use rustix::io::Errno;

use super::{Directory, EntryKind, Listed};

/// A directory of one layer, and its path in the whole file system.
#[derive(Debug)]
pub struct Mount<D> {
    at: Path,
    path: PathBuf,
    directory: D,
}

impl<D> Mount<D> {
    /// Mounts `directory`, which the user named `path`, at the absolute path `at`.
    pub fn new(at: &str, path: impl Into<PathBuf>, directory: D) -> Self {
        let at = at.split('/').filter(|name| !name.is_empty()).map(|name| name.as_bytes().to_vec()).collect();
        Mount { at, path: path.into(), directory }
    }
}

/// A path as its names, from the root on.
type Path = Vec<Vec<u8>>;

/// A directory that is the union of directories in several layers, as in the file system of a container. Directories are
/// merged. Any other entry of an upper layer hides the entry of that name in lower layers. `.wh.NAME` hides `NAME` of lower
/// layers, and `.wh..wh..opq` hides all their entries.
///
/// Symbolic links are followed in the whole union. If no layer covers the target of a link, the link is followed on the disk.
/// A layer that is mounted at `/` covers every target.
#[derive(Debug)]
pub struct Union<D> {
    data: Rc<UnionData<D>>,
    node: Rc<UnionNode<D>>,
}

/// The data that all directories of one union share.
#[derive(Debug)]
struct UnionData<D> {
    /// The layers, topmost first.
    mounts: Vec<Mount<D>>,
    /// Directories that links led to, the latest last. They are kept because many definitions are links into one directory.
    passed: RefCell<Vec<Rc<UnionNode<D>>>>,
}

/// How many directories are kept open for the next link.
const MOST_KEPT: usize = 16;
/// How many links are followed before it counts as a loop, as on Linux.
const MOST_LINKS: u32 = 40;
/// How many names of directories are followed for one path, with those in its links. Each one may cost a listing.
const MOST_NAMES: u32 = 1_000;
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// One directory of the union.
#[derive(Debug)]
struct UnionNode<D> {
    /// Its path without links. `None` if it is on the disk, outside of the union.
    path: Option<Path>,
    /// The parts of the layers that it consists of, topmost first.
    parts: Vec<Part<D>>,
    /// Its entries: the kind of each one, and the part that has it.
    entries: BTreeMap<Vec<u8>, (EntryKind, usize)>,
}

/// The part of one layer at a path.
#[derive(Debug)]
enum Part<D> {
    /// A directory above the mount point of the layer: the number of the layer, and the depth.
    Above { mount: usize, depth: usize },
    /// A directory.
    Inside { directory: D, path: PathBuf, entries: BTreeMap<Vec<u8>, EntryKind> },
}

impl<D: Directory> Part<D> {
    fn open(mut directory: D, path: PathBuf) -> io::Result<Self> {
        let entries = directory.list()?.into_iter().map(|entry| (entry.name, entry.kind)).collect();
        Ok(Part::Inside { directory, path, entries })
    }

    fn is_opaque(&self) -> bool {
        matches!(self, Part::Inside { entries, .. } if entries.contains_key(OPAQUE))
    }
}

/// The target of a path.
enum UnionTarget<D> {
    Directory(Rc<UnionNode<D>>),
    Leaf { node: Rc<UnionNode<D>>, part: usize, name: Vec<u8>, kind: EntryKind },
}

/// What was done to follow one path.
#[derive(Default)]
struct Walked {
    links: u32,
    names: u32,
}

/// Why a path could not be followed.
enum NotFollowed {
    /// It leads to a path that no layer covers.
    Outside,
    Failed(io::Error),
}

impl<E: Into<io::Error>> From<E> for NotFollowed {
    fn from(error: E) -> Self {
        NotFollowed::Failed(error.into())
    }
}

impl NotFollowed {
    fn into_error(self) -> io::Error {
        match self {
            NotFollowed::Outside => Errno::NOENT.into(),
            NotFollowed::Failed(error) => error,
        }
    }
}

impl<D: Directory> Union<D> {
    /// The root of the union of `mounts`, lowest layer first.
    ///
    /// # Errors
    /// A directory that is mounted at `/` cannot be listed.
    pub fn new(mut mounts: Vec<Mount<D>>) -> io::Result<Self> {
        mounts.reverse();
        let data = Rc::new(UnionData { mounts, passed: RefCell::default() });
        let node = data.root()?;
        Ok(Union { data, node })
    }

    /// Follows a path below this directory, links included.
    fn follow(&self, path: &[u8]) -> io::Result<UnionTarget<D>> {
        if path.is_empty() {
            return Err(Errno::NOENT.into());
        }
        self.data.walk(&self.node, path, &mut Walked::default()).map_err(NotFollowed::into_error)
    }

    /// The directory that contains the last name of a path, and that name. If it is a link, it is not followed.
    fn holder<'p>(&self, path: &'p [u8]) -> io::Result<(Rc<UnionNode<D>>, &'p [u8])> {
        let Some(slash) = path.iter().rposition(|byte| *byte == b'/') else {
            return Ok((Rc::clone(&self.node), path));
        };
        match self.follow(&path[..slash])? {
            UnionTarget::Directory(node) => Ok((node, &path[slash + 1..])),
            UnionTarget::Leaf { .. } => Err(Errno::NOTDIR.into()),
        }
    }
}

impl<D: Directory> UnionData<D> {
    fn root(&self) -> io::Result<Rc<UnionNode<D>>> {
        let mut parts = Vec::new();
        for mount in 0..self.mounts.len() {
            parts.push(self.part_at(mount, 0)?);
            if parts.last().is_some_and(Part::is_opaque) {
                break;
            }
        }
        Ok(Rc::new(self.node(Some(Vec::new()), parts)))
    }

    /// The root, kept for the next link.
    fn top(&self) -> io::Result<Rc<UnionNode<D>>> {
        let is_root = |known: &&Rc<UnionNode<D>>| known.path.as_ref().is_some_and(Vec::is_empty);
        if let Some(root) = self.passed.borrow().iter().find(is_root) {
            return Ok(Rc::clone(root));
        }
        let root = self.root()?;
        self.keep(&root);
        Ok(root)
    }

    /// The part of layer number `mount` at the first `depth` names of its mount point.
    fn part_at(&self, mount: usize, depth: usize) -> io::Result<Part<D>> {
        let Mount { at, path, directory } = &self.mounts[mount];
        match depth == at.len() {
            true => Part::open(directory.directory(b".")?, path.clone()),
            false => Ok(Part::Above { mount, depth }),
        }
    }

    fn node(&self, path: Option<Path>, parts: Vec<Part<D>>) -> UnionNode<D> {
        let mut merged = BTreeMap::new();
        let mut hidden = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            match part {
                Part::Above { mount, depth } => {
                    let name = &self.mounts[*mount].at[*depth];
                    if !hidden.contains(name) {
                        merged.entry(name.clone()).or_insert((EntryKind::Directory, number));
                    }
                }
                Part::Inside { entries, .. } => {
                    for (name, kind) in entries.iter().filter(|(name, _)| !name.starts_with(WHITEOUT)) {
                        if !hidden.contains(name) {
                            merged.entry(name.clone()).or_insert((*kind, number));
                        }
                    }
                    let below = entries.keys().filter_map(|name| name.strip_prefix(WHITEOUT));
                    hidden.extend(below.map(<[u8]>::to_vec));
                }
            }
        }
        UnionNode { path, parts, entries: merged }
    }

    /// The directory `name` of `node`. It must exist.
    fn child(&self, node: &UnionNode<D>, name: &[u8]) -> io::Result<Rc<UnionNode<D>>> {
        let path = node.path.as_ref().map(|path| [path.as_slice(), &[name.to_vec()]].concat());
        let is_it = |known: &&Rc<UnionNode<D>>| path.is_some() && known.path == path;
        if let Some(known) = self.passed.borrow().iter().find(is_it) {
            return Ok(Rc::clone(known));
        }
        let mut parts = Vec::new();
        for part in &node.parts {
            match part {
                Part::Above { mount, depth } if self.mounts[*mount].at[*depth] == name => {
                    parts.push(self.part_at(*mount, depth + 1)?);
                }
                Part::Above { .. } => {}
                Part::Inside { directory, path, entries } => match entries.get(name) {
                    Some(EntryKind::Directory) => {
                        parts.push(Part::open(
                            directory.directory(name)?,
                            path.join(OsStr::from_bytes(name)),
                        )?);
                    }
                    Some(_) => break,
                    None => {}
                },
            }
            if let Part::Inside { entries, .. } = part
                && entries.contains_key(&[WHITEOUT, name].concat())
            {
                break;
            }
            if parts.last().is_some_and(Part::is_opaque) {
                break;
            }
        }
        Ok(Rc::new(self.node(path, parts)))
    }

    /// Follows `path` from `start`, links included.
    fn walk(
        &self,
        start: &Rc<UnionNode<D>>,
        path: &[u8],
        walked: &mut Walked,
    ) -> Result<UnionTarget<D>, NotFollowed> {
        let mut at = if path.starts_with(b"/") { self.top()? } else { Rc::clone(start) };
        let mut names = path.split(|byte| *byte == b'/').peekable();
        while let Some(name) = names.next() {
            walked.names += 1;
            if walked.names > MOST_NAMES {
                return Err(Errno::LOOP.into());
            }
            match name {
                b"" | b"." => continue,
                b".." => at = self.parent(&at)?,
                name => match self.step(&at, name, walked)? {
                    UnionTarget::Directory(node) => at = node,
                    UnionTarget::Leaf { .. } if names.peek().is_some() => return Err(Errno::NOTDIR.into()),
                    leaf => return Ok(leaf),
                },
            }
            if names.peek().is_some() {
                self.keep(&at);
            }
        }
        Ok(UnionTarget::Directory(at))
    }

    fn keep(&self, node: &Rc<UnionNode<D>>) {
        let mut passed = self.passed.borrow_mut();
        if node.path.is_some() && !passed.iter().any(|known| known.path == node.path) {
            if passed.len() == MOST_KEPT {
                passed.remove(0);
            }
            passed.push(Rc::clone(node));
        }
    }

    fn parent(&self, node: &UnionNode<D>) -> Result<Rc<UnionNode<D>>, NotFollowed> {
        let path = node.path.as_ref().ok_or(NotFollowed::Outside)?;
        let mut at = self.top()?;
        for name in &path[..path.len().saturating_sub(1)] {
            at = self.child(&at, name)?;
            self.keep(&at);
        }
        Ok(at)
    }

    /// The target of the entry `name` of `node`.
    fn step(
        &self,
        node: &Rc<UnionNode<D>>,
        name: &[u8],
        walked: &mut Walked,
    ) -> Result<UnionTarget<D>, NotFollowed> {
        let Some((kind, part)) = node.entries.get(name) else {
            let is_known = node.parts.iter().any(|part| matches!(part, Part::Inside { .. }));
            return Err(if is_known { Errno::NOENT.into() } else { NotFollowed::Outside });
        };
        match (kind, &node.parts[*part]) {
            (EntryKind::Directory, _) => Ok(UnionTarget::Directory(self.child(node, name)?)),
            (EntryKind::Link, Part::Inside { directory, path, .. }) => {
                walked.links += 1;
                if walked.links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                let target = directory.link(name)?;
                let found = match node.path {
                    Some(_) => self.walk(node, &target, walked),
                    None => Err(NotFollowed::Outside),
                };
                match found {
                    Err(NotFollowed::Outside) => {}
                    found => return found,
                }
                match directory.kind(name)? {
                    EntryKind::Directory => {
                        let place = path.join(OsStr::from_bytes(name));
                        let part = Part::open(directory.directory(name)?, place)?;
                        Ok(UnionTarget::Directory(Rc::new(self.node(None, vec![part]))))
                    }
                    kind => Ok(UnionTarget::Leaf {
                        node: Rc::clone(node),
                        part: *part,
                        name: name.to_vec(),
                        kind,
                    }),
                }
            }
            (kind, _) => {
                Ok(UnionTarget::Leaf { node: Rc::clone(node), part: *part, name: name.to_vec(), kind: *kind })
            }
        }
    }
}

impl<D: Directory> Directory for Union<D> {
    fn list(&mut self) -> io::Result<Vec<Listed>> {
        let entries = self.node.entries.iter();
        Ok(entries.map(|(name, (kind, _))| Listed { name: name.clone(), kind: *kind }).collect())
    }

    fn kind(&self, name: &[u8]) -> io::Result<EntryKind> {
        if name == b"." {
            // Listing a directory needs only its r bit, but looking at an entry needs the x bit.
            for part in &self.node.parts {
                if let Part::Inside { directory, .. } = part {
                    directory.kind(b".")?;
                }
            }
            return Ok(EntryKind::Directory);
        }
        Ok(match self.follow(name)? {
            UnionTarget::Directory(_) => EntryKind::Directory,
            UnionTarget::Leaf { kind, .. } => kind,
        })
    }

    fn directory(&self, name: &[u8]) -> io::Result<Self> {
        match self.follow(name)? {
            UnionTarget::Directory(node) => Ok(Union { data: Rc::clone(&self.data), node }),
            UnionTarget::Leaf { .. } => Err(Errno::NOTDIR.into()),
        }
    }

    fn read(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        match self.follow(name)? {
            UnionTarget::Directory(_) => Err(Errno::ISDIR.into()),
            UnionTarget::Leaf { node, part, name, .. } => match &node.parts[part] {
                Part::Inside { directory, .. } => directory.read(&name, limit),
                Part::Above { .. } => Err(Errno::ISDIR.into()),
            },
        }
    }

    fn link(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        let (node, name) = self.holder(path)?;
        if matches!(name, b"" | b"." | b"..") {
            // A path with such an end leads to a directory, never to a link.
            self.follow(path)?;
            return Err(Errno::INVAL.into());
        }
        let (_, part) = node.entries.get(name).ok_or(Errno::NOENT)?;
        match &node.parts[*part] {
            Part::Inside { directory, .. } => directory.link(name),
            Part::Above { .. } => Err(Errno::INVAL.into()),
        }
    }

    fn is_executable(&self, name: &[u8]) -> io::Result<bool> {
        Ok(match self.follow(name)? {
            UnionTarget::Directory(_) => true,
            UnionTarget::Leaf { node, part, name, .. } => match &node.parts[part] {
                Part::Inside { directory, .. } => directory.is_executable(&name)?,
                Part::Above { .. } => true,
            },
        })
    }

    fn hidden_link(&self, name: &[u8]) -> Option<PathBuf> {
        let (kind, part) = self.node.entries.get(name)?;
        let below = self.node.parts[*part..].iter().skip(1).filter(|_| *kind == EntryKind::Directory);
        let mut there = below.filter_map(|part| match part {
            Part::Inside { path, entries, .. } => Some((path, entries.get(name)?)),
            Part::Above { .. } => None,
        });
        let (path, _) = there.find(|(_, kind)| **kind != EntryKind::Directory)?;
        Some(path.join(OsStr::from_bytes(name)))
    }

    fn root(&self) -> Option<Self> {
        Some(Union { data: Rc::clone(&self.data), node: self.data.top().ok()? })
    }

    fn place(&self, name: &[u8]) -> Option<PathBuf> {
        let (node, name) = self.holder(name).ok()?;
        if name == b"." {
            return node.parts.iter().find_map(|part| match part {
                Part::Inside { path, .. } => Some(path.clone()),
                Part::Above { .. } => None,
            });
        }
        let (_, part) = node.entries.get(name)?;
        match &node.parts[*part] {
            Part::Inside { path, .. } => Some(path.join(OsStr::from_bytes(name))),
            Part::Above { mount, depth } => {
                let Mount { at, path, .. } = &self.data.mounts[*mount];
                (*depth + 1 == at.len()).then(|| path.clone())
            }
        }
    }
}
