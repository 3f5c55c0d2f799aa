//! Times in a plan: how long a step may take, and when it may begin and end.

use std::fmt;

/// The latest moment at which something happens: after `steps` steps that have no limit, and then after some time.
///
/// Moments compare by the number of steps first: each of them may take for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The number of steps without a limit that come before it, one after the other.
    pub steps: u32,
    /// The milliseconds after the last one of these steps.
    pub milliseconds: u64,
}

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At most so many milliseconds. 0 is at once.
    Within(u64),
    /// Nothing ends it.
    Unlimited(Unlimited),
}

/// Why nothing ends a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unlimited {
    /// A oneshot has a command, or a longrun reports that it is ready, and has no `timeout-up`.
    Start,
    /// A oneshot has a `down` and no `timeout-down`.
    Stop,
    /// SIGKILL never follows the stop signal: `timeout-kill` is 0 or missing.
    Kill,
    /// `finish` is never ended: `timeout-finish` is 0.
    Finish,
    /// The files of s6-overlay's old directory for owners and modes, `fix-attrs.d`.
    OldAttributes,
    /// The scripts of s6-overlay's old directory for the start, `cont-init.d`.
    OldStart,
    /// The scripts of s6-overlay's old directory for the stop, `cont-finish.d`.
    OldStop,
    /// The services of s6-overlay's old directory `services.d`, for which the start waits: `S6_CMD_WAIT_FOR_SERVICES`.
    OldServices,
    /// The program that runs before the start: `S6_STAGE2_HOOK`.
    Hook,
    /// The command of the container, which gets the signals, so services stop only when it has ended: `S6_CMD_RECEIVE_SIGNALS`.
    Command,
    /// Another layer defines it, so its limits are not known.
    Elsewhere,
}

impl Bound {
    /// The limit that a file or key gives, where 0 is no limit.
    pub(super) fn of(milliseconds: u64, otherwise: Unlimited) -> Bound {
        if milliseconds == 0 { Bound::Unlimited(otherwise) } else { Bound::Within(milliseconds) }
    }

    /// Both, one after the other.
    #[must_use]
    pub fn then(self, next: Bound) -> Bound {
        match (self, next) {
            (Bound::Within(first), Bound::Within(second)) => Bound::Within(first.saturating_add(second)),
            (Bound::Unlimited(_), _) => self,
            _ => next,
        }
    }

    /// The smaller one of the two.
    #[must_use]
    pub fn or_within(self, milliseconds: u64) -> Bound {
        match self {
            Bound::Within(own) => Bound::Within(own.min(milliseconds)),
            Bound::Unlimited(_) => Bound::Within(milliseconds),
        }
    }

    /// The milliseconds, if it has a limit.
    pub fn milliseconds(self) -> Option<u64> {
        match self {
            Bound::Within(milliseconds) => Some(milliseconds),
            Bound::Unlimited(_) => None,
        }
    }

    /// Whether it takes no time.
    pub fn is_at_once(self) -> bool {
        self == Bound::Within(0)
    }
}

impl Moment {
    /// The moment at which something ends that begins now.
    #[must_use]
    pub fn after(self, bound: Bound) -> Moment {
        match bound {
            Bound::Within(time) => Moment { milliseconds: self.milliseconds.saturating_add(time), ..self },
            Bound::Unlimited(_) => Moment { steps: self.steps.saturating_add(1), milliseconds: 0 },
        }
    }

    /// The milliseconds from the beginning, if no step before it lacks a limit.
    pub fn milliseconds(self) -> Option<u64> {
        (self.steps == 0).then_some(self.milliseconds)
    }
}

/// A time for people: `60 s`, `2.5 s`, `500 ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rest) = (self.0 / 1_000, self.0 % 1_000);
        match (seconds, rest) {
            (seconds, 0) => write!(f, "{seconds} s"),
            (0, rest) => write!(f, "{rest} ms"),
            (seconds, rest) => {
                let digits = format!("{rest:03}");
                write!(f, "{seconds}.{} s", digits.trim_end_matches('0'))
            }
        }
    }
}

/// `60 s`; `T` is the end of the steps without a limit, `T2` that of two in a row.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Moment { steps, milliseconds } = *self;
        match steps {
            0 => return Time(milliseconds).fmt(f),
            1 => f.write_str("T")?,
            steps => write!(f, "T{steps}")?,
        }
        if milliseconds == 0 { Ok(()) } else { write!(f, " + {}", Time(milliseconds)) }
    }
}

/// `60 s`, `at once`, `no limit`.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Within(0) => f.write_str("at once"),
            Bound::Within(milliseconds) => Time(*milliseconds).fmt(f),
            Bound::Unlimited(_) => f.write_str("no limit"),
        }
    }
}

impl Unlimited {
    /// What has no limit, if it is no service.
    pub(super) fn subject(self) -> Option<&'static str> {
        match self {
            Unlimited::Hook => Some("The program in S6_STAGE2_HOOK"),
            Unlimited::Command => Some("The command of the container"),
            _ => None,
        }
    }

    /// What is missing, to stand behind the names of services.
    pub fn missing(self) -> &'static str {
        match self {
            Unlimited::Start => "no `timeout-up`",
            Unlimited::Stop => "no `timeout-down`",
            Unlimited::Kill => "no `timeout-kill`",
            Unlimited::Finish => "no limit to `finish`: `timeout-finish` is 0",
            Unlimited::OldAttributes => "files in fix-attrs.d",
            Unlimited::OldStart => "scripts in cont-init.d",
            Unlimited::OldStop => "scripts in cont-finish.d",
            Unlimited::OldServices => "services in services.d, for which S6_CMD_WAIT_FOR_SERVICES waits",
            Unlimited::Hook => "no limit",
            Unlimited::Command => {
                "no limit, and with S6_CMD_RECEIVE_SIGNALS services stop only when it has ended"
            }
            Unlimited::Elsewhere => "limits that only another layer knows",
        }
    }

    /// What to do about it, for the services with these names: in a manifest, or in a tree of definitions.
    pub fn remedy(self, names: &str, is_tree: bool) -> String {
        let limit = |file: &str, time: &str, milliseconds: u32| match is_tree {
            true => format!("give {names} a limit: `echo {milliseconds} > {file}`"),
            false => format!("give {names} a limit: `{file} = \"{time}\"`"),
        };
        match self {
            Unlimited::Start => limit("timeout-up", "30s", 30_000),
            Unlimited::Stop => limit("timeout-down", "2s", 2_000),
            Unlimited::Kill => limit("timeout-kill", "5s", 5_000),
            Unlimited::Finish => limit("timeout-finish", "1s", 1_000),
            Unlimited::OldAttributes => "set owners and modes when the image is built".into(),
            Unlimited::OldStart => "make oneshots with `timeout-up` of these scripts".into(),
            Unlimited::OldStop => {
                "set S6_KILL_FINISH_MAXTIME, or give a oneshot a `down` with `timeout-down` instead".into()
            }
            Unlimited::OldServices => {
                "set S6_CMD_WAIT_FOR_SERVICES_MAXTIME, or make longruns of these services".into()
            }
            Unlimited::Hook => {
                "do its work when the image is built, or in a oneshot with `timeout-up`".into()
            }
            Unlimited::Command => "unset S6_CMD_RECEIVE_SIGNALS, so that services stop at once".into(),
            Unlimited::Elsewhere => "judge the image as a whole: `s6gen plan --root DIR`".into(),
        }
    }
}
