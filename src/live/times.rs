//! Reads when the supervisors saw their services start and become ready.

use super::{Call, Failure, Live};
use crate::model::Name;

/// What a supervisor remembers of the last start of its service. The times are in nanoseconds, all from the same beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupervisorTimes {
    /// When the process started. `None` if it does not run.
    pub started: Option<u128>,
    /// When it reported that it is ready. `None` if it has not.
    pub ready: Option<u128>,
    /// How often it has died, as far as its supervisor remembers.
    pub deaths: usize,
}

/// The fields that `s6-svstat` must print.
const FIELDS: &str = "up,ready,updownsince,readysince";

impl Live<'_> {
    /// The times of a longrun. `None` if it has no supervisor.
    ///
    /// # Errors
    /// s6-svstat fails.
    pub fn times(&mut self, name: &Name) -> Result<Option<SupervisorTimes>, Failure> {
        let directory = self.service_directory(name);
        let call = Call::new("s6-svstat").args(["-o", FIELDS]).arg(&directory);
        let answer = self.try_run(&call)?;
        if answer.code == 1 {
            return Ok(None);
        }
        let out = self.output(call.clone(), answer)?;
        let text = String::from_utf8_lossy(&out).into_owned();
        let words: Vec<&str> = text.split_whitespace().collect();
        let [up, ready, since, ready_since] = words[..] else { return Err(Failure::Unexpected(call, out)) };
        let (Some(started), Some(told)) = (nanoseconds(since), nanoseconds(ready_since)) else {
            return Err(Failure::Unexpected(call, out));
        };
        let is_up = up == "true";
        // Nothing remembers a death where this program is missing or fails.
        let deaths = self.try_run(&Call::new("s6-svdt").arg(&directory));
        let deaths = deaths.map_or(0, |answer| answer.out.split_inclusive(|byte| *byte == b'\n').count());
        Ok(Some(SupervisorTimes {
            started: is_up.then_some(started),
            ready: (is_up && ready == "true").then_some(told),
            deaths,
        }))
    }
}

/// A TAI64N label, `@` and 24 hexadecimal digits, in nanoseconds.
fn nanoseconds(label: &str) -> Option<u128> {
    let digits = label.strip_prefix('@').filter(|digits| digits.len() == 24 && digits.is_ascii())?;
    let seconds = u64::from_str_radix(&digits[..16], 16).ok()?;
    let rest = u32::from_str_radix(&digits[16..], 16).ok()?;
    Some(u128::from(seconds) * 1_000_000_000 + u128::from(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_time() {
        let second = nanoseconds("@400000006b0ca34a1ce2eaae").unwrap();
        let first = nanoseconds("@400000006b0ca3492e708667").unwrap();
        assert_eq!(second - first, 1_000_000_000 + 0x1ce2_eaae - 0x2e70_8667);
        for label in
            ["", "NA", "400000006b0ca34a1ce2eaae", "@400000006b0ca34a1ce2eaa", "@400000006b0ca34a1ce2eaag"]
        {
            assert_eq!(nanoseconds(label), None, "{label}");
        }
    }
}
