//! The keys of the language, each declared once with its type and its meaning.
//!
//! What a key's doc comment says is what the reference of the language prints.

use toml::Spanned;
use toml::de::DeValue;

use super::values::{Command, Flag, Instances, Names, Number, Reader, Text, TextTable, Value};
use super::{ServiceTable, entries, read_value, unknown_key};

/// A key of the language, for the reference and for "did you mean".
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What its value is.
    pub expected: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// A table whose keys the language fixes.
pub trait Table: Default {
    /// Takes the value of `key`; false if there is no such key.
    fn set(&mut self, key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> bool;

    /// Every key there is.
    fn keys() -> Vec<Key>;

    /// What results if this was written farther away and `nearer` closer.
    #[must_use]
    fn merge(self, nearer: Self) -> Self;
}

macro_rules! tables {
    ($($(#[doc = $about:literal])+ $table:ident { $($(#[doc = $doc:literal])+ $name:literal => $field:ident: $type:ty,)+ })+) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, Default)]
            pub struct $table { $($(#[doc = $doc])+ pub $field: Option<$type>,)+ }

            impl Table for $table {
                fn set(&mut self, key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> bool {
                    match key {
                        $($name => read_value(&mut self.$field, $name, value, reader),)+
                        _ => return false,
                    }
                    true
                }

                fn keys() -> Vec<Key> {
                    vec![$(Key { name: $name, expected: <$type>::EXPECTED, doc: concat!($($doc, "\n",)+) },)+]
                }

                fn merge(self, nearer: Self) -> Self {
                    $table { $($field: merge(self.$field, nearer.$field),)+ }
                }
            }
        )+
    };
}

fn merge<V: Value>(farther: Option<V>, nearer: Option<V>) -> Option<V> {
    match (farther, nearer) {
        (Some(farther), Some(nearer)) => Some(farther.merge(nearer)),
        (farther, nearer) => nearer.or(farther),
    }
}

/// A table inside a service's table, written with dotted keys: `log.size = "2MB"`.
macro_rules! nested {
    ($($table:ty),+) => {
        $(impl Value for $table {
            const EXPECTED: &'static str = "a table";

            fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
                let mut table = Self::default();
                for (name, value) in entries(value, reader, key) {
                    if !table.set(name.get_ref(), value, reader) {
                        let problem = unknown_key::<Self>(name, value, reader, key);
                        reader.problems.push(problem);
                    }
                }
                Some(table)
            }

            fn merge(self, nearer: Self) -> Self {
                Table::merge(self, nearer)
            }
        })+
    };
}

nested!(Ready, Log);

tables! {
    /// `[target]`: the system that the tree is for.
    TargetKeys {
        /// The version of s6-overlay in the image. Default: the newest that s6gen knows.
        "s6-overlay" => s6_overlay: Text,
        /// The version of s6-rc, for a system without s6-overlay: no `base`, no container environment. Excludes
        /// `s6-overlay`.
        "s6-rc" => s6_rc: Text,
        /// Where the definitions go in the image. Default `/etc/s6-overlay/sv`; with `s6-rc`, `/etc/s6-rc/source`.
        /// Under the overlay, unless it is `/etc/s6-overlay/s6-rc.d` itself, `build` also makes one link per definition
        /// there, so that `/init` finds them.
        "tree" => tree: Text,
        /// Where the programs of execline and s6 are. Default `/command`; with `s6-rc`, `/usr/bin`.
        "command-dir" => command_dir: Text,
        /// Services that only other layers of the image define. Those of s6-overlay itself are known.
        "external" => external: Names,
    }

    /// Keys that longruns and oneshots share.
    CommonKeys {
        /// One line on what it is for; printed by `graph` and in the generated script.
        "description" => description: Text,
        /// When it starts: `boot` (default) after the image's own initialisation; `early` does not wait for that;
        /// `late` after the legacy services of `/etc/services.d`, and only if everything of `boot` came up; `on-demand`
        /// when something needs it or asks for it.
        "start" => start: Text,
        /// What must be up before it is started. A longrun counts as up when it is ready, if it says so (`ready`), and
        /// else as soon as it was forked; a oneshot when it has succeeded.
        "dependencies" => dependencies: Names,
        /// Variables of its environment, set on top of the container's.
        "environment" => environment: TextTable,
        /// Whether it gets the container's environment. Default `true` under s6-overlay.
        "with-contenv" => with_contenv: Flag,
        /// Whose rights it runs with: `name`, `name:group` or `uid:gid`. Default: those of s6-supervise, usually root.
        /// A name also sets HOME, USER and LOGNAME and brings the account's supplementary groups.
        "user" => user: Text,
        /// The working directory, absolute. Default: the live service directory.
        "workdir" => workdir: Text,
        /// The file mode mask, in octal, as a string: `"027"`.
        "umask" => umask: Text,
        /// How long a start may take, readiness included. Default: `never` ends; with `ready`, one minute.
        "timeout-up" => timeout_up: Text,
        /// How long a stop may take before it counts as failed. Default: `never` ends.
        "timeout-down" => timeout_down: Text,
        /// Stopped only by `s6-rc -D`.
        "flag-essential" => flag_essential: Flag,
        /// A hint for s6-rc's repository tools; no effect under s6-overlay.
        "flag-recommended" => flag_recommended: Flag,
        /// Makes the service a template: `NAME-INSTANCE` for each instance, and `NAME` the bundle of them all.
        "instances" => instances: Instances,
        /// Every parameter that an instance of this template may set.
        "parameters" => parameters: Names,
    }

    /// Keys of `[longrun.NAME]` only.
    LongrunKeys {
        /// The process. A script gets the service's name as `$1`.
        "run" => run: Command,
        /// Runs to its end before each start of `run`, with the supervisor's rights; failing, it fails the start.
        "prepare" => prepare: Command,
        /// Runs after each death, with the supervisor's rights. A script gets `$1` the exit code or 256, `$2` the
        /// signal, `$3` the service's name, `$4` the process group. Exit code 125 means "do not restart"; any other
        /// is ignored.
        "finish" => finish: Command,
        /// When it counts as up. Default: as soon as it was forked.
        "ready" => ready: Ready,
        /// Where its output goes. Default: the container's log.
        "log" => log: Log,
        /// The signal that stops it. Default `TERM`.
        "down-signal" => down_signal: Text,
        /// How long it may take to stop before it is killed. Default `5s`; `never` waits for ever.
        "timeout-kill" => timeout_kill: Text,
        /// How long `finish` may take. Default `5s`.
        "timeout-finish" => timeout_finish: Text,
        /// The service is its whole process group: what is left of the group when the main process has ended gets
        /// the stop signal, and a second later KILL. Needs s6-overlay 3.2.0.0.
        "stop-group" => stop_group: Flag,
    }

    /// `ready`: when a longrun counts as up.
    Ready {
        /// The program itself writes a line to this descriptor when it is ready; 3 or more.
        "fd" => fd: Number,
    }

    /// `log`: where the output of a longrun goes.
    Log {
        /// `container` (default), `discard`, or the absolute path of a directory of rotated files, kept by a logger
        /// of its own, `NAME-log`. Services that name the same directory share its logger.
        "to" => to: Text,
        /// The same for standard error: `stdout`, `container`, `discard`, or a path, which gets a second logger,
        /// `NAME-err-log`. Default: where standard output goes.
        "stderr" => stderr: Text,
        /// When to start a new file. Default `1MB`.
        "size" => size: Text,
        /// How many old files to keep. Default 20.
        "keep" => keep: Number,
        /// In front of each line: `iso` (default), `tai64n` or `none`.
        "timestamp" => timestamp: Text,
        /// Also make `PATH.log`, a symbolic link to the file that is being written. Default `false`.
        "link" => link: Flag,
        /// The account that owns the directory and that the logger runs as, written as `user`. Default `nobody`.
        "user" => user: Text,
    }

    /// Keys of `[oneshot.NAME]` only.
    OneshotKeys {
        /// What is done. Default: nothing, a milestone that only orders others. A script ends at the first step
        /// that fails, and the oneshot with it.
        "up" => up: Command,
        /// What undoes it when the service is stopped.
        "down" => down: Command,
    }

    /// `[bundle.NAME]`: one name for several services.
    BundleKeys {
        /// One line on what it is for.
        "description" => description: Text,
        /// Its members.
        "contents" => contents: Names,
        /// Added to each of its members: s6-rc itself ignores dependencies of bundles.
        "dependencies" => dependencies: Names,
        /// Every member is stopped only by `s6-rc -D`.
        "flag-essential" => flag_essential: Flag,
        /// A hint for s6-rc's repository tools; no effect under s6-overlay.
        "flag-recommended" => flag_recommended: Flag,
    }
}

/// A heading of the reference and the keys below it.
pub type Section = (&'static str, fn() -> Vec<Key>);

/// The tables of the language, in the order of the reference.
pub const REFERENCE: &[Section] = &[
    ("[target]", TargetKeys::keys),
    ("[longrun.NAME]", ServiceTable::<LongrunKeys>::keys),
    ("ready", Ready::keys),
    ("log", Log::keys),
    ("[oneshot.NAME]", ServiceTable::<OneshotKeys>::keys),
    ("[bundle.NAME]", BundleKeys::keys),
];
