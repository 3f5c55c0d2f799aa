//! The scale of a time line: where each moment is. Steps without a limit have a width of their own, after which time begins anew.

use super::text::{SMALL_CHARACTER, cells};
use crate::plan::{Moment, Time};

/// The width of steps without a limit.
const UNLIMITED: f64 = 96.0;
/// The least space between two ticks.
const BETWEEN_TICKS: f64 = 64.0;
/// Round distances between ticks, in milliseconds.
const DISTANCES: [u64; 18] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
    3_600_000, 14_400_000, 43_200_000, 86_400_000,
];

/// The places of moments on a line.
pub struct TimeScale {
    /// Where each region begins, and how many milliseconds it has. Between two regions is a step without a limit.
    regions: Vec<(f64, u64)>,
    /// The width of a millisecond.
    unit: f64,
}

impl TimeScale {
    /// A scale from `left` to `right` on which all moments have a place.
    pub fn new(moments: impl IntoIterator<Item = Moment>, left: f64, right: f64) -> TimeScale {
        let mut longest = vec![0u64];
        for Moment { steps, milliseconds } in moments {
            let region = usize::try_from(steps).unwrap_or(usize::MAX);
            if longest.len() <= region {
                longest.resize(region + 1, 0);
            }
            longest[region] = longest[region].max(milliseconds);
        }
        let gaps = (longest.len() - 1) as f64;
        let gap = UNLIMITED.min((right - left) / (gaps + 1.0));
        let all = longest.iter().map(|time| *time as f64).sum::<f64>();
        let unit = if all > 0.0 { (right - left - gap * gaps) / all } else { 0.0 };
        let mut x = left;
        let mut regions = Vec::new();
        for time in longest {
            regions.push((x, time));
            x += time as f64 * unit + gap;
        }
        TimeScale { regions, unit }
    }

    /// The place of a moment.
    pub fn place(&self, moment: Moment) -> f64 {
        let region = usize::try_from(moment.steps).unwrap_or(usize::MAX).min(self.regions.len() - 1);
        self.regions[region].0 + moment.milliseconds as f64 * self.unit
    }

    /// The ticks with their words, from left to right.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        // `T + 120 s` needs more room.
        let room = if self.regions.len() > 1 { BETWEEN_TICKS + 20.0 } else { BETWEEN_TICKS };
        let fits = |distance: &&u64| **distance as f64 * self.unit >= room;
        let distance = DISTANCES.iter().find(fits).copied().unwrap_or(u64::MAX);
        let mut ticks: Vec<(f64, String)> = Vec::new();
        let mut free = f64::NEG_INFINITY;
        for (number, (start, length)) in self.regions.iter().enumerate() {
            let end = self.regions.get(number + 1).map_or(f64::INFINITY, |(next, _)| next - 44.0);
            let times = (0..).map(|tick| distance.saturating_mul(tick)).take_while(|time| time <= length);
            for time in times {
                let x = start + time as f64 * self.unit;
                let words = label(number, time);
                let half = SMALL_CHARACTER * cells(&words) as f64 / 2.0;
                if x - half > free && (time == 0 || x < end) {
                    free = x + half + SMALL_CHARACTER;
                    ticks.push((x, words));
                }
                if distance == u64::MAX {
                    break;
                }
            }
        }
        ticks
    }
}

/// `30 s`, or `T + 30 s` after steps without a limit.
fn label(region: usize, time: u64) -> String {
    match (region, time) {
        (0, 0) => "0".into(),
        (0, time) => Time(time).to_string(),
        _ => Moment { steps: u32::try_from(region).unwrap_or(u32::MAX), milliseconds: time }.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::TimeScale;
    use crate::plan::Moment;

    fn at(steps: u32, milliseconds: u64) -> Moment {
        Moment { steps, milliseconds }
    }

    #[test]
    fn time_begins_anew_after_a_step_without_a_limit() {
        let scale = TimeScale::new([at(0, 10_000), at(1, 10_000)], 0.0, 496.0);
        assert_eq!(scale.place(at(0, 10_000)), 200.0);
        assert_eq!(scale.place(at(1, 0)), 296.0);
        assert_eq!(scale.place(at(1, 10_000)), 496.0);
        let words: Vec<String> = scale.ticks().into_iter().map(|(_, words)| words).collect();
        assert_eq!(words, ["0", "5 s", "10 s", "T", "T + 5 s", "T + 10 s"]);
    }

    #[test]
    fn the_words_of_ticks_do_not_touch_each_other() {
        let ticks = TimeScale::new((0..41).map(|steps| at(steps, 0)), 150.0, 670.0).ticks();
        assert!(ticks.len() > 10, "{ticks:?}");
        for pair in ticks.windows(2) {
            let widths = pair.iter().map(|(_, words)| words.len() as f64 * super::SMALL_CHARACTER);
            assert!(pair[1].0 - pair[0].0 > widths.sum::<f64>() / 2.0, "{pair:?}");
        }
    }

    #[test]
    fn a_line_without_any_time_has_one_tick() {
        let scale = TimeScale::new([at(0, 0)], 10.0, 500.0);
        assert_eq!(scale.place(at(0, 0)), 10.0);
        assert_eq!(scale.ticks(), [(10.0, "0".to_owned())]);
    }
}
