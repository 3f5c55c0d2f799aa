//! What a graph says in words: its title, the sentences below it, its description, and the title of each box.

use std::collections::BTreeSet;

use super::boxes::{BoxKind, SceneBox};
use super::folders::SceneBlock;
use super::frame::PictureWords;
use super::scene::{Scene, SceneWait};
use super::text::{counted, listed};
use crate::plan::OrderDirection;

/// The largest number of names in a sentence.
const MOST_NAMES: usize = 6;

/// The number of services in the sentence on why the last one is the last.
const MOST_REASONS: usize = 5;

impl Scene {
    /// The name of a folder, or of the only box of a block.
    pub fn block_name(&self, block: usize) -> String {
        let block = &self.blocks[block];
        match &block.folder {
            Some((name, _)) => name.clone(),
            None => self.boxes[block.boxes[0]].name.clone(),
        }
    }

    /// Whether a block starts at boot.
    pub fn is_at_boot(&self, block: &SceneBlock) -> bool {
        block.boxes.iter().any(|one| !self.boxes[*one].is_on_demand)
    }

    /// The number of the wave in a column, from 1. It counts columns in which something starts at boot.
    pub(super) fn wave_number(&self, wave: usize) -> Option<usize> {
        let at_boot = self.blocks.iter().filter(|block| self.is_at_boot(block) && !block.is_never);
        let waves: BTreeSet<usize> = at_boot.map(|block| block.wave).collect();
        waves.iter().position(|other| *other == wave).map(|position| position + 1)
    }

    /// The number of waves.
    fn waves(&self) -> usize {
        let last = self.blocks.iter().filter(|block| self.is_at_boot(block)).map(|block| block.wave).max();
        last.and_then(|wave| self.wave_number(wave)).unwrap_or(0)
    }

    /// What services do.
    pub(super) fn verb(&self) -> &'static str {
        match self.direction {
            OrderDirection::Up => "start",
            OrderDirection::Down => "stop",
        }
    }

    /// What the picture says in words. `source` names the manifest or tree, and `names` the services that were asked for.
    pub(super) fn words(&self, source: &str, names: &[String]) -> PictureWords {
        let start = self.verb();
        let title = match self.cycle_members() {
            0 if start == "start" => "What starts after what".to_owned(),
            0 => "What stops after what".to_owned(),
            1 => "A service waits for itself".to_owned(),
            number => format!("{number} services wait for each other"),
        };
        let mut subtitle = vec![format!("{source}: {}", self.summary(names))];
        subtitle.extend(self.last());
        PictureWords { role: "service graph", title, subtitle, description: self.description() }
    }

    /// The number of boxes in dependency cycles.
    fn cycle_members(&self) -> usize {
        self.numbered().len()
    }

    /// The boxes in dependency cycles, in the order of their numbers, which is that of the columns.
    pub(super) fn numbered(&self) -> Vec<usize> {
        let mut boxes: Vec<usize> = self.cycle.iter().flat_map(|wait| [wait.then, wait.first]).collect();
        boxes.sort_unstable();
        boxes.dedup();
        if !boxes.is_empty() {
            let mut column = vec![0; self.boxes.len()];
            for block in &self.blocks {
                block.boxes.iter().for_each(|one| column[*one] = block.column);
            }
            boxes.sort_by_key(|one| column[*one]);
        }
        boxes
    }

    fn summary(&self, names: &[String]) -> String {
        let start = self.verb();
        if !self.cycle.is_empty() {
            let members: Vec<&str> =
                self.numbered().iter().map(|one| self.boxes[*one].name.as_str()).collect();
            return match &members[..] {
                [only] => {
                    format!("{only} waits for itself, so s6-rc-compile accepts none of these services.")
                }
                members => format!(
                    "{} wait for each other in a cycle. None of them can ever {start}, so s6-rc-compile accepts none of the services.",
                    listed(members, MOST_NAMES),
                ),
            };
        }
        let services = |is_on_demand: bool| {
            let boxes = self.boxes.iter().filter(|one| one.is_on_demand == is_on_demand);
            boxes.map(|one| one.services.len()).sum::<usize>()
        };
        let mut parts = Vec::new();
        if services(false) > 0 {
            let verb = if services(false) == 1 { format!("{start}s") } else { start.to_owned() };
            let when = if start == "start" { " at boot" } else { "" };
            let waves = counted(self.waves(), "wave");
            parts.push(format!("{} {verb}{when} in {waves}", counted(services(false), "service")));
        }
        if services(true) > 0 {
            parts.push(format!("{} on demand", services(true)));
        }
        let templates = self.boxes.iter().filter(|one| one.instances.is_some()).count();
        if templates > 0 {
            parts.push(counted(templates, "template"));
        }
        let mut summary = parts.join(", ");
        if summary.is_empty() {
            summary.push_str("no services");
        }
        if !names.is_empty() {
            let what = match (start == "start", names.len()) {
                (true, 1) => "what it waits for",
                (true, _) => "what they wait for",
                (false, 1) => "what waits for it",
                (false, _) => "what waits for them",
            };
            summary.push_str(&format!(" (only {} and {what})", listed(names, MOST_NAMES)));
        }
        summary.push('.');
        summary
    }

    /// What starts last, and why.
    pub(super) fn last(&self) -> Option<String> {
        let start = self.verb();
        let waves =
            self.blocks.iter().filter(|block| self.is_at_boot(block)).map(|block| block.wave).max()?;
        if self.waves() < 2 || !self.cycle.is_empty() {
            return None;
        }
        let is_last = |block: &&usize| {
            let block = &self.blocks[**block];
            block.wave == waves && self.is_at_boot(block)
        };
        let all: Vec<usize> = (0..self.blocks.len()).collect();
        let last: Vec<usize> = all.iter().filter(is_last).copied().collect();
        let names: Vec<String> = last.iter().map(|block| self.block_name(*block)).collect();
        let mut sentence = format!("Last to {start}: {}", listed(&names, MOST_NAMES));
        let [only] = last[..] else { return Some(sentence + ".") };
        let mut at = only;
        for number in 0..MOST_REASONS {
            let firsts: Vec<usize> = self
                .waits
                .iter()
                .filter(|wait| wait.then == at)
                .map(|wait| wait.first)
                .filter(|first| self.is_at_boot(&self.blocks[*first]))
                .collect();
            let latest = firsts.iter().map(|first| self.blocks[*first].wave).max();
            let Some(first) = firsts.into_iter().find(|first| Some(self.blocks[*first].wave) == latest)
            else {
                break;
            };
            let which = if number == 0 { ". It" } else { ", which" };
            sentence.push_str(&format!("{which} waits for {}", self.block_name(first)));
            at = first;
        }
        Some(sentence + ".")
    }

    /// The whole graph in words.
    fn description(&self) -> String {
        let start = self.verb();
        let mut sentences = vec![format!("The order in which services {start}, from left to right.")];
        let waves = self.blocks.iter().map(|block| block.wave).max().unwrap_or(0);
        for wave in 1..=waves {
            let here: Vec<String> = (0..self.blocks.len())
                .filter(|block| self.blocks[*block].wave == wave && self.is_at_boot(&self.blocks[*block]))
                .map(|block| self.with_waits(block))
                .collect();
            if here.is_empty() {
                continue;
            }
            let is_never = self.blocks.iter().any(|block| block.wave == wave && block.is_never);
            let what = match self.wave_number(wave).filter(|_| !is_never) {
                Some(number) => format!("Wave {number}"),
                None => format!("Cannot {start}"),
            };
            sentences.push(format!("{what}: {}.", here.join("; ")));
        }
        let on_demand: Vec<String> = (0..self.blocks.len())
            .filter(|block| !self.is_at_boot(&self.blocks[*block]))
            .map(|block| self.with_waits(block))
            .collect();
        if !on_demand.is_empty() {
            sentences.push(format!("On demand: {}.", on_demand.join("; ")));
        }
        sentences.join(" ")
    }

    /// A block with what it waits for.
    fn with_waits(&self, block: usize) -> String {
        let first = |wait: &SceneWait| {
            let whose = match wait.member {
                Some(member) => format!(", only {}", self.boxes[self.blocks[block].boxes[member]].name),
                None => String::new(),
            };
            format!("{} ({}{whose})", self.block_name(wait.first), wait.until.word())
        };
        let waits = self.waits.iter().chain(&self.back).filter(|wait| wait.then == block);
        let waits: Vec<String> = waits.map(first).collect();
        let name = self.block_name(block);
        if waits.is_empty() { name } else { format!("{name} after {}", waits.join(", ")) }
    }

    /// What is shown where a pointer rests on a box.
    pub(super) fn box_title(&self, block: usize, one: &SceneBox) -> String {
        let mut parts = vec![match one.kind {
            BoxKind::Longrun => "longrun".to_owned(),
            BoxKind::Oneshot => "oneshot".to_owned(),
            BoxKind::Elsewhere => "defined in another layer".to_owned(),
        }];
        if let Some(instances) = &one.instances {
            parts.push(match &instances[..] {
                [] => "template without instances".to_owned(),
                some => format!("template, instances {}", listed(some, 20)),
            });
        }
        let block_of = &self.blocks[block];
        let start = self.verb();
        parts.push(match (one.is_on_demand, block_of.is_never) {
            (_, true) => format!("cannot {start}"),
            (true, false) => "on demand".to_owned(),
            (false, false) => format!("wave {}", self.wave_number(block_of.wave).unwrap_or(0)),
        });
        let is_of_one = |wait: &&SceneWait| {
            wait.then == block
                && wait.member.is_none_or(|member| self.boxes[block_of.boxes[member]].rank == one.rank)
        };
        let waits = self.waits.iter().chain(&self.back).filter(is_of_one);
        let waits: Vec<String> =
            waits.map(|wait| format!("{} ({})", self.block_name(wait.first), wait.until.word())).collect();
        if !waits.is_empty() {
            parts.push(format!("waits for {}", waits.join(", ")));
        }
        if one.has_logger {
            parts.push("has a logger".to_owned());
        }
        if one.has_condition {
            parts.push("runs only if its condition holds".to_owned());
        }
        if one.stops_container {
            parts.push("its failure stops the container".to_owned());
        }
        let description = one.description.as_ref().map(|text| format!(". {text}")).unwrap_or_default();
        format!("{}: {}{description}", one.name, parts.join("; "))
    }

    /// The line on what is not shown.
    pub(super) fn not_shown(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.hidden_loggers > 0 {
            parts.push(counted(self.hidden_loggers, "logger"));
        }
        if self.hides_own {
            parts.push("services of s6 itself".to_owned());
        }
        if self.is_reduced {
            parts.push("waits that follow from others".to_owned());
        }
        let mut sentence = "Services of one wave do not wait for each other.".to_owned();
        if !parts.is_empty() {
            sentence.push_str(&format!(" Not shown: {}.", listed(&parts, 3)));
        }
        Some(sentence)
    }
}
