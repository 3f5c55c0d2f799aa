//! Resolves a `[bundle]` table and the key `required-by`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{DEPENDENCY_BYTES, MEMBER_BYTES, Resolver};
use crate::diagnostic::{Class, Code, Diagnostic, Origin, Rank, did_you_mean};
use crate::manifest::{BundleKeys, ManifestText};
use crate::model::{Bundle, Index, Kind, Layer, Members, Name, Service, ServiceRef, ServiceSet};

impl Resolver<'_> {
    pub(super) fn bundle(&mut self, name: &ManifestText, keys: &BundleKeys) {
        if keys.contents.is_none() && !keys.is_unread("contents") {
            self.problems.push(
                Diagnostic::new(Code::MissingKey, format!("the bundle `{}` has no `contents`", name.value))
                    .at(name.origin, "this bundle")
                    .help("name its members: `contents = [\"web\", \"worker\"]`; `contents = []` for none"),
            );
        }
        for text in keys.required_by.iter().flat_map(|names| &names.list) {
            self.required_by.push((service_ref(text), name.value.as_str().into()));
        }
        let dependencies = keys.dependencies.iter().map(|list| (name.value.as_str().into(), list.clone()));
        self.bundle_dependencies.extend(dependencies);
        let contents: Vec<_> = keys.contents.iter().flat_map(|names| &names.list).map(service_ref).collect();
        self.add_size(contents.len().saturating_mul(DEPENDENCY_BYTES), name.origin);
        let kind = Kind::Bundle(Bundle { contents: super::distinct(contents), ..Bundle::default() });
        self.set.services.push(Service {
            description: keys.description.as_ref().map(|text| super::common::one_line(&text.value)),
            flag_essential: keys.flag_essential.is_some_and(|flag| flag.value),
            flag_recommended: keys.flag_recommended.is_some_and(|flag| flag.value),
            ..Service::new(name.value.as_str().into(), Some(name.origin), kind)
        });
    }
}

impl Resolver<'_> {
    /// Adds the dependencies of each bundle to its members.
    pub(super) fn add_dependencies(&mut self) {
        let bundles = std::mem::take(&mut self.bundle_dependencies);
        let mut members = MemberLookup::new(&self.set);
        let bundles: Vec<_> = bundles.iter().map(|(name, list)| (members.of(name), list)).collect();
        let mut changed = BTreeSet::new();
        for (members, list) in bundles {
            if !self.make_room(members.len().saturating_mul(list.list.len()), list.origin) {
                return;
            }
            let dependencies: Vec<ServiceRef> = list.list.iter().map(service_ref).collect();
            for member in members.iter().copied() {
                if let Some(known) = dependencies_of(&mut self.set.services[member]) {
                    known.extend(dependencies.iter().cloned());
                    changed.insert(member);
                }
            }
        }
        for member in changed {
            if let Some(known) = dependencies_of(&mut self.set.services[member]) {
                *known = super::distinct(std::mem::take(known));
            }
        }
    }

    /// Resolves `required-by`: adds the dependency to the dependent service.
    pub(super) fn add_dependents(&mut self) {
        let required_by = std::mem::take(&mut self.required_by);
        // The additions below change no name and no bundle, so look up every dependent first.
        let mut members = MemberLookup::new(&self.set);
        let found: Vec<_> = required_by.iter().map(|(to, name)| members.dependents(to, name)).collect();
        for ((dependent, name), found) in required_by.into_iter().zip(found) {
            let members = match found {
                Ok(members) => members,
                Err(problem) => {
                    self.problems.push(*problem);
                    continue;
                }
            };
            if dependent.origin.is_some_and(|origin| !self.make_room(members.len(), origin)) {
                return;
            }
            let dependency = ServiceRef { name, origin: dependent.origin };
            for position in members.iter().copied() {
                let service = &mut self.set.services[position];
                if let Some(known) = dependencies_of(service) {
                    known.push(dependency.clone());
                }
                if service.layer == Layer::External {
                    service.extended_by.push(dependency.clone());
                }
            }
        }
    }

    /// Counts the services that each bundle stands for, in the bundle and in each service that depends on it: s6-rc keeps all
    /// of them.
    pub(super) fn make_room_for_members(&mut self) {
        let index = Index::new(&self.set);
        let beyond = Members::first_beyond(&index, self.bytes_left() / MEMBER_BYTES);
        let too_many = beyond.and_then(|bundle| index.origin(bundle));
        if let Some(origin) = too_many {
            self.add_size(self.bytes_left() + 1, origin);
        }
    }

    /// Whether the manifest may have this many more dependencies. Reports it if not.
    fn make_room(&mut self, dependencies: usize, origin: Origin) -> bool {
        self.add_size(dependencies.saturating_mul(DEPENDENCY_BYTES), origin);
        !self.is_too_large()
    }
}

/// A text of the manifest as a mention of a service.
pub(super) fn service_ref(text: &ManifestText) -> ServiceRef {
    ServiceRef { name: text.value.as_str().into(), origin: Some(text.origin) }
}

/// The dependencies of an atomic service. `None` if it has none of its own.
fn dependencies_of(service: &mut Service) -> Option<&mut Vec<ServiceRef>> {
    match &mut service.kind {
        Kind::Longrun(longrun) => Some(&mut longrun.dependencies),
        Kind::Oneshot(oneshot) => Some(&mut oneshot.dependencies),
        Kind::Bundle(_) | Kind::Unknown => None,
    }
}

/// The number of reports on unknown names that suggest a similar one. More would take too long, because each search reads all
/// names.
const MOST_SUGGESTIONS: usize = 100;

/// Finds the atomic services that a name of the set stands for, and looks up every name only once.
struct MemberLookup<'s> {
    set: &'s ServiceSet,
    index: Index<'s>,
    ours: BTreeSet<&'s Name>,
    known: BTreeMap<Name, Rc<[usize]>>,
    unknown: usize,
}

impl<'s> MemberLookup<'s> {
    fn new(set: &'s ServiceSet) -> Self {
        let ours = set.ours().map(|service| &service.name).collect();
        MemberLookup { set, index: Index::new(set), ours, known: BTreeMap::new(), unknown: 0 }
    }

    /// The positions of the atomic services that `name` stands for. Empty if there is no such name.
    fn of(&mut self, name: &Name) -> Rc<[usize]> {
        if let Some(known) = self.known.get(name) {
            return Rc::clone(known);
        }
        let atomics = self.index.find(name).map(|node| self.index.atomics(node)).unwrap_or_default();
        let members = atomics.into_iter().map(|node| node.0).filter(|node| *node < self.set.services.len());
        let members: Rc<[usize]> = members.collect();
        self.known.insert(name.clone(), Rc::clone(&members));
        members
    }

    /// The positions of the atomic services that the mention `dependent` in `required-by` of the service `name` stands for.
    fn dependents(&mut self, dependent: &ServiceRef, name: &Name) -> Result<Rc<[usize]>, Box<Diagnostic>> {
        let members = self.of(&dependent.name);
        let mut services = members.iter().map(|position| &self.set.services[*position]);
        if let Some(theirs) = services.find(|service| service.layer == Layer::Overlay) {
            let message = match self.ours.contains(&dependent.name) {
                true => {
                    format!(
                        "`{}`, which is a member of `{}`, belongs to s6-overlay",
                        theirs.name, dependent.name
                    )
                }
                false => format!("`{}` belongs to s6-overlay", dependent.name),
            };
            let problem = Diagnostic::new(Code::BuiltInName, message)
                .at(dependent.origin, "s6gen cannot add to its definition")
                .help("remove it here; `start = \"early\"` starts before the image's own initialisation has ended");
            return Err(Box::new(problem));
        }
        match self.index.find(&dependent.name) {
            Some(_) => Ok(members),
            None => Err(Box::new(self.undefined(dependent, name))),
        }
    }

    fn undefined(&mut self, dependent: &ServiceRef, name: &Name) -> Diagnostic {
        self.unknown += 1;
        let wrong = dependent.name.to_string();
        let known = match self.unknown <= MOST_SUGGESTIONS {
            true => self.index.names().map(Name::to_string).collect(),
            false => Vec::new(),
        };
        let message = format!("`{name}` is required by `{wrong}`, which is defined nowhere");
        Diagnostic::s6rc(Class::DepUndefined, Rank::Unranked, message)
            .at(dependent.origin, "there is no such service")
            .help(match did_you_mean(&wrong, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "if the base image defines it, name it in `[target] external`".to_owned(),
            })
    }
}
