//! The instances of templates, which texts and pictures show together where they do not differ.

use std::collections::BTreeMap;

use super::timeline::Timeline;
use crate::model::{Kind, Name, Node};

/// The name for all instances: `worker-{1..8}` if they are counted. Otherwise up to `most` are listed, as in `vpn-{home,work}`; more
/// are `vpn-{…}`.
pub fn template_name(bundle: &Name, instances: &[String], most: usize) -> String {
    let is_counted = instances.iter().enumerate().all(|(number, name)| *name == (number + 1).to_string());
    match instances.len() {
        1 => format!("{bundle}-{}", instances[0]),
        count if count > 1 && is_counted => format!("{bundle}-{{1..{count}}}"),
        count if (2..=most).contains(&count) => format!("{bundle}-{{{}}}", instances.join(",")),
        _ => format!("{bundle}-{{…}}"),
    }
}

impl Timeline<'_> {
    /// The rows of the instances of each template, by the bundle of all of them.
    pub fn instances(&self) -> BTreeMap<Node, Vec<usize>> {
        let index = self.order.index;
        let mut row_of = BTreeMap::new();
        for (row, service) in self.order.services.iter().enumerate() {
            row_of.insert(service.node, row);
        }
        let mut all = BTreeMap::new();
        for node in index.nodes() {
            let Some(Kind::Bundle(bundle)) = index.service(node).map(|service| &service.kind) else {
                continue;
            };
            if bundle.template.is_some() {
                let nodes = bundle.contents.iter().filter_map(|member| index.find(&member.name));
                all.insert(node, nodes.filter_map(|node| row_of.get(&node).copied()).collect());
            }
        }
        all
    }

    /// Of a list of rows, those of instances that one row can stand for: all of a template that are in the list, if they are the same.
    pub fn collapsed(
        &self,
        list: &[usize],
        most: usize,
        is_same: impl Fn(usize, usize) -> bool,
    ) -> Vec<CollapsedInstances> {
        let templates = self.instances();
        let mut is_listed = vec![false; self.rows.len()];
        list.iter().for_each(|row| is_listed[*row] = true);
        let groups = templates.into_iter().filter_map(|(node, mut rows)| {
            rows.retain(|row| is_listed[*row]);
            let (first, others) = rows.split_first()?;
            if others.is_empty() || !others.iter().all(|other| is_same(*first, *other)) {
                return None;
            }
            let bundle = self.order.index.name(node);
            let prefix = format!("{bundle}-");
            let instance = |row: &usize| {
                let name = self.name(*row).to_string();
                name.strip_prefix(&prefix).map_or(name.clone(), str::to_owned)
            };
            let name = template_name(bundle, &rows.iter().map(instance).collect::<Vec<String>>(), most);
            Some(CollapsedInstances { name, rows })
        });
        groups.collect()
    }
}

/// Instances of one template that are shown as one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollapsedInstances {
    /// The name for all of them.
    pub name: String,
    /// Their rows.
    pub rows: Vec<usize>,
}
