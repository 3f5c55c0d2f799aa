//! Resolves a `[bundle]` table and the key `required-by`.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::{BundleKeys, Manifest, ManifestText, ServiceKeys};
use crate::model::{Bundle, Kind, Name, Service, ServiceRef, ServiceSet};

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
        let contents = keys.contents.iter().flat_map(|names| &names.list).map(service_ref).collect();
        let kind = Kind::Bundle(Bundle { contents: super::distinct(contents) });
        self.set.services.push(Service {
            description: keys.description.as_ref().map(|text| super::common::one_line(&text.value)),
            flag_essential: keys.flag_essential.is_some_and(|flag| flag.value),
            flag_recommended: keys.flag_recommended.is_some_and(|flag| flag.value),
            ..Service::new(name.value.as_str().into(), Some(name.origin), kind)
        });
    }
}

/// A text of the manifest as a mention of a service.
pub(super) fn service_ref(text: &ManifestText) -> ServiceRef {
    ServiceRef { name: text.value.as_str().into(), origin: Some(text.origin) }
}

/// Adds the dependencies of each bundle to its members.
pub(super) fn add_dependencies(manifest: &Manifest, set: &mut ServiceSet) {
    for entry in &manifest.services {
        let ServiceKeys::Bundle(keys) = &entry.keys else { continue };
        let Some(dependencies) = &keys.dependencies else { continue };
        for member in members(set, &entry.name.value.as_str().into()) {
            let service = &mut set.services[member];
            let list = match &mut service.kind {
                Kind::Longrun(longrun) => &mut longrun.dependencies,
                Kind::Oneshot(oneshot) => &mut oneshot.dependencies,
                Kind::Bundle(_) | Kind::Unknown => continue,
            };
            list.extend(dependencies.list.iter().map(service_ref));
            *list = super::distinct(std::mem::take(list));
        }
    }
}

/// The positions of the atomic services of this manifest that a bundle stands for.
pub(super) fn members(set: &ServiceSet, bundle: &Name) -> Vec<usize> {
    let index = crate::model::Index::new(set);
    let Some(node) = index.find(bundle) else { return Vec::new() };
    index.atomics(node).into_iter().map(|n| n.0).filter(|n| *n < set.services.len()).collect()
}
