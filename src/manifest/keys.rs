//! The keys of the language, each declared once with its type and its meaning.
//!
//! The reference of the language prints the doc comment of each key.

use toml::Spanned;
use toml::de::DeValue;

use super::values::{
    Flag, Instances, Limit, ManifestCommand, ManifestText, Names, Number, Numbers, RawText, Reader,
    TextTable, Value,
};
use super::{ServiceTable, entries, read_value, unknown_key};

/// A key of the language, for the reference and for "did you mean".
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// The type of its value, with its article.
    pub expected: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// A table whose keys the language fixes.
pub trait Table: Default {
    /// Reads the value of `key` into its field. Returns false if there is no such key.
    fn set(&mut self, key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> bool;

    /// Every key there is.
    fn keys() -> Vec<Key>;

    /// Merges two tables; `nearer` was written closer to the service, and wins.
    #[must_use]
    fn merge(self, nearer: Self) -> Self;

    /// Whether `path`, such as `log` or `log.size`, names a key or a part of one.
    fn knows(path: &str) -> bool;

    /// Removes what `path` names. Returns whether it was there.
    fn remove(&mut self, path: &str) -> bool;
}

/// The key and the part of it that a path names.
fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(key, part)| (key, Some(part)))
}

macro_rules! tables {
    ($($(#[doc = $about:literal])+ $table:ident { $($(#[doc = $doc:literal])+ $name:literal => $field:ident: $type:ty,)+ })+) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, Default)]
            pub struct $table {
                $($(#[doc = $doc])+ pub $field: Option<$type>,)+
                farther: Vec<&'static str>,
                unread: Vec<&'static str>,
                has_unknown_keys: bool,
            }

            impl $table {
                /// Whether nothing is written in it.
                pub fn is_blank(&self) -> bool {
                    true $(&& self.$field.is_none())+
                }

                /// Whether the key stands farther away than the service itself, so that it gives way where it means nothing.
                pub fn gives_way(&self, key: &str) -> bool {
                    self.farther.contains(&key)
                }

                /// Whether the key is there, with a value that could not be read and was reported.
                pub fn is_unread(&self, key: &str) -> bool {
                    self.unread.contains(&key)
                }

                /// Whether a key of this table inside another one was reported: what seems to be missing may be what
                /// was meant by that.
                pub fn has_mistakes(&self) -> bool {
                    self.has_unknown_keys || !self.unread.is_empty()
                }
            }

            impl Table for $table {
                fn set(&mut self, key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> bool {
                    match key {
                        $($name => {
                            let is_read = read_value(&mut self.$field, $name, value, reader);
                            self.unread.extend((!is_read).then_some($name));
                            self.farther.extend(reader.in_defaults.then_some($name));
                        })+
                        _ => return false,
                    }
                    true
                }

                fn keys() -> Vec<Key> {
                    vec![$(Key { name: $name, expected: <$type>::EXPECTED, doc: concat!($($doc, "\n",)+) },)+]
                }

                fn merge(self, nearer: Self) -> Self {
                    let mut farther = nearer.farther;
                    $(farther.extend((self.$field.is_some() && nearer.$field.is_none()).then_some($name));)+
                    let mut unread = self.unread;
                    unread.extend(nearer.unread);
                    let has_unknown_keys = self.has_unknown_keys || nearer.has_unknown_keys;
                    $table {
                        $($field: merge(self.$field, nearer.$field),)+
                        farther,
                        unread,
                        has_unknown_keys,
                    }
                }

                fn knows(path: &str) -> bool {
                    let (key, part) = split(path);
                    match key {
                        $($name => part.is_none_or(<$type as Value>::knows),)+
                        _ => false,
                    }
                }

                fn remove(&mut self, path: &str) -> bool {
                    let (key, part) = split(path);
                    match key {
                        $($name => remove(&mut self.$field, part),)+
                        _ => false,
                    }
                }
            }
        )+
    };
}

fn merge<V: Value>(farther: Option<V>, nearer: Option<V>) -> Option<V> {
    match (farther, nearer) {
        (Some(_), Some(nearer)) if nearer.is_blank() => Some(nearer),
        (Some(farther), Some(nearer)) => Some(farther.merge(nearer)),
        (farther, nearer) => nearer.or(farther),
    }
}

fn remove<V: Value>(field: &mut Option<V>, part: Option<&str>) -> bool {
    match part {
        None => field.take().is_some(),
        Some(part) => field.as_mut().is_some_and(|value| value.remove(part)),
    }
}

/// A table inside a service's table, written with dotted keys: `log.size = "2MB"`. A nearer one of the keys in brackets
/// displaces the others, because they exclude each other, or only mean something together.
macro_rules! nested {
    ($($table:ty $([$($exclusive:ident)+])?),+) => {
        $(impl Value for $table {
            const EXPECTED: &'static str = "a table";

            fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
                let mut table = Self::default();
                // A table that is none cannot be read any more than another value.
                value.get_ref().as_table().or_else(|| {
                    entries(value, reader, key);
                    None
                })?;
                let outer = reader.table.replace(key.to_owned());
                for (name, value) in entries(value, reader, key) {
                    if !table.set(name.get_ref(), value, reader) {
                        let (problem, _) = unknown_key::<Self>(name, value, reader, key);
                        reader.problems.push(problem);
                        table.has_unknown_keys = true;
                    }
                }
                reader.table = outer;
                Some(table)
            }

            #[allow(unused_mut, reason = "only tables with keys that exclude each other change anything")]
            fn merge(mut self, nearer: Self) -> Self {
                $(if false $(|| nearer.$exclusive.is_some())+ {
                    $(self.$exclusive = None;)+
                })?
                Table::merge(self, nearer)
            }

            fn is_blank(&self) -> bool {
                self.is_blank()
            }

            fn knows(part: &str) -> bool {
                <Self as Table>::knows(part)
            }

            fn remove(&mut self, part: &str) -> bool {
                Table::remove(self, part)
            }
        })+
    };
}

nested!(Ready [check tcp unix http], Log, Limits, OnExit [codes except deaths within then]);

tables! {
    /// `[target]`: the system that the tree is for.
    TargetKeys {
        /// The version of s6-overlay in the image. Default: the newest that s6gen knows.
        "s6-overlay" => s6_overlay: ManifestText,
        /// The version of s6-rc, for a system without s6-overlay: no `base`, no container environment. Excludes
        /// `s6-overlay`.
        "s6-rc" => s6_rc: ManifestText,
        /// Where the definitions go in the image. Default `/etc/s6-overlay/sv`; with `s6-rc`, `/etc/s6-rc/source`.
        /// Under the overlay, unless it is `/etc/s6-overlay/s6-rc.d` itself, `build` also makes one link per definition
        /// there, so that `/init` finds them.
        "tree" => tree: ManifestText,
        /// Where the programs of execline and s6 are. Default `/command`; with `s6-rc`, `/usr/bin`.
        "command-dir" => command_dir: ManifestText,
        /// Services that only other layers of the image define. Those of s6-overlay itself are known.
        "external" => external: Names,
        /// The container does not run as root: rights cannot be dropped, and loggers keep the container's account.
        /// What cannot work then is an error. Default `false`.
        "rootless" => rootless: Flag,
        /// The container's root file system is read-only: logs may only go below `/run` and the `writable` directories.
        /// Default `false`.
        "read-only" => read_only: Flag,
        /// Directories that stay writable although the root is read-only: volumes and tmpfs mounts.
        "writable" => writable: Names,
        /// Keys of included files that do not apply here.
        "without" => without: Names,
    }

    /// Keys that longruns and oneshots share.
    CommonKeys {
        /// One line on what it is for; printed by `graph` and in the generated script.
        "description" => description: RawText,
        /// When it starts: `boot` (default) after the image's own initialisation; `early` does not wait for that;
        /// `late` after the legacy services of `/etc/services.d`, and only if everything of `boot` came up; `on-demand`
        /// when something needs it or asks for it.
        "start" => start: RawText,
        /// What must be up before it is started. A longrun counts as up when it is ready, if it says so (`ready`), and
        /// else as soon as it was forked; a oneshot when it has succeeded.
        "dependencies" => dependencies: Names<RawText>,
        /// The reverse: services that wait for this one. For one that only another layer defines (`external`), one
        /// file is added to that layer's definition.
        "required-by" => required_by: Names<RawText>,
        /// Asked at each start, with the environment, in `workdir`, with the supervisor's rights. If it fails, a longrun
        /// idles and counts as up and ready, and a oneshot's `up` is skipped and succeeds. What depends on it is not
        /// told: where that matters, `start = "on-demand"` is the better way.
        "only-if" => only_if: ManifestCommand,
        /// Variables of its environment, set on top of the container's.
        "environment" => environment: TextTable,
        /// Whether it gets the container's environment. Default `true` under s6-overlay.
        "with-contenv" => with_contenv: Flag,
        /// The account that it runs as: `name`, `name:group` or `uid:gid`. Default: the account of the supervisor, usually root.
        /// A name also sets HOME, USER and LOGNAME and brings the account's supplementary groups.
        "user" => user: RawText,
        /// The working directory, absolute. Default: for a longrun its live service directory; for a oneshot that of
        /// s6-rc's own runner of oneshots, so that it is better to set it.
        "workdir" => workdir: RawText,
        /// The file mode mask, in octal, as a string: `"027"`.
        "umask" => umask: RawText,
        /// Its priority, from -20 to 19; below 0 needs rights. Default 0.
        "nice" => nice: Number,
        /// Resource limits. A number sets the limit, also where it was higher; `">= NUMBER"` only raises it. A value above
        /// the container's own hard limit is cut to it without a word.
        "limits" => limits: Limits,
        /// Where its output goes. Default: the container's log.
        "log" => log: Log,
        /// How long a start may take, readiness included. Default: `never` ends; with `ready`, one minute.
        "timeout-up" => timeout_up: RawText,
        /// How long a stop may take before it counts as failed. Default: `never` ends.
        "timeout-down" => timeout_down: RawText,
        /// Stopped only by `s6-rc -D`.
        "flag-essential" => flag_essential: Flag,
        /// A hint for s6-rc's repository tools; no effect under s6-overlay.
        "flag-recommended" => flag_recommended: Flag,
        /// Further files of the definition directory, by path, verbatim. They get the x bit if they begin with `#!`. A
        /// file that a key writes already is an error.
        "files" => files: TextTable,
        /// Makes the service a template: `NAME-INSTANCE` for each instance, and `NAME` the bundle of them all.
        "instances" => instances: Instances,
        /// Every parameter that an instance of this template may set.
        "parameters" => parameters: Names,
        /// Keys to which neither `[defaults]` nor an included file applies here; with a dot for a part of a key:
        /// `["on-exit", "log.size", "dependencies.db", "environment.TZ"]`.
        "without" => without: Names,
    }

    /// Keys of `[longrun.NAME]` only.
    LongrunKeys {
        /// The process. A script gets the service's name as `$1`. A script without `#!` that is one simple command gets
        /// `exec` before it, so that s6 signals the program and not a shell above it. It stays as it is if it begins with
        /// an assignment, a keyword, a builtin or a variable that may stand for one: write `exec` there yourself.
        "run" => run: ManifestCommand,
        /// Runs to its end before each start of `run`, with the supervisor's rights; failing, it fails the start.
        "prepare" => prepare: ManifestCommand,
        /// Runs after each death, with the supervisor's rights. A script gets `$1` the exit code or 256, `$2` the
        /// signal, `$3` the service's name, `$4` the process group. Exit code 125 makes the death final:
        /// it is not started again, and `on-exit.then` holds. Any other is ignored.
        "finish" => finish: ManifestCommand,
        /// When it counts as up. Default: as soon as it was forked.
        "ready" => ready: Ready,
        /// When a death is final, and what happens then. Default: it is always started again.
        "on-exit" => on_exit: OnExit,
        /// How long to wait after a death before the next start, in whole seconds. Default: s6's own second, which it
        /// waits for unless the service was ready. That second is a part of this wait; only a service with `ready` that
        /// dies before it is ready waits for a second longer.
        "restart-delay" => restart_delay: RawText,
        /// The signal that stops it. Default `TERM`.
        "down-signal" => down_signal: RawText,
        /// How long it may take to stop before it is killed. Default `5s`; `never` waits for ever.
        "timeout-kill" => timeout_kill: RawText,
        /// How long `finish` may take. Default `5s`.
        "timeout-finish" => timeout_finish: RawText,
        /// The service is its whole process group: what is left of the group when the main process has ended gets
        /// the stop signal, and a second later KILL. The stop signal itself goes to the main process only, because s6 sends
        /// it to nothing else; the KILL after `timeout-kill` goes to the whole group since s6-overlay 3.2.3.0. A shell
        /// script that traps the signal, or is stopped by INT, has to wait for its program in the background, `program &
        /// wait $!`. s6gen puts no parent above it that would signal all at once: `s6-svc -p` and `-k` would reach that
        /// parent alone, and a death by a signal would look like an exit. Needs s6-overlay 3.2.0.0.
        "stop-group" => stop_group: Flag,
        /// The KILL after `timeout-kill` goes to the whole process group. Needs s6-overlay 3.2.3.0.
        "flag-timeout-killpg" => flag_timeout_killpg: Flag,
        /// The signal that `s6-rc reload` and `s6-svc -l` send. Default `HUP`. Needs s6-overlay 3.2.3.1.
        "reload-signal" => reload_signal: RawText,
        /// The descriptor on which the process has s6's lock against a second copy, `supervise/service-lock`; 3 or more.
        /// s6 2.15, that of s6-overlay since 3.2.3.0, opens that file but does not lock it. Needs s6-overlay 3.2.2.0.
        "lock-fd" => lock_fd: Number,
        /// How many deaths s6 remembers, from 1 to 4096. Default 100, or more where `on-exit.deaths` needs it.
        "max-death-tally" => max_death_tally: Number,
        /// `run` is pid 1 of a process name space of its own. Needs s6-overlay 3.2.3.0.
        "flag-newpidns" => flag_newpidns: Flag,
        /// The longrun that reads its standard output, for pipelines that `log` does not cover. Either side of a pair is
        /// enough.
        "producer-for" => producer_for: RawText,
        /// The longruns whose standard output it reads.
        "consumer-for" => consumer_for: Names<RawText>,
        /// The name of the bundle of the whole pipeline, on its last consumer.
        "pipeline-name" => pipeline_name: RawText,
    }

    /// `ready`: when a longrun counts as up. `fd` alone: the program says so itself. `check`, `tcp`, `unix` or `http`: it
    /// is asked again and again until the answer is yes.
    Ready {
        /// The descriptor, 3 or more, to which the program itself writes a line when it is ready; together with a check
        /// the one that is used for it, 3 unless the program needs that one.
        "fd" => fd: Number,
        /// Ready when this command succeeds. It runs with the supervisor's rights and the service's environment, in
        /// `workdir`, or else in the service directory.
        "check" => check: ManifestCommand,
        /// Ready when `host:port` accepts a connection. The host is an address, in brackets if it is IPv6, or a name. An
        /// address asks no name server, and `localhost` is `127.0.0.1`. Another name is looked up at each try, by
        /// `getent ahosts` and nothing else: in `/etc/hosts`, and else by the servers of `/etc/resolv.conf`. Needs
        /// `s6-tcpclient`, which s6-overlay brings, and for a name `getent`, which images of Debian and Alpine have.
        "tcp" => tcp: RawText,
        /// Ready when this Unix socket accepts a connection.
        "unix" => unix: RawText,
        /// Ready when `http://host:port/path` answers with 2xx or 3xx. The host is as in `tcp`.
        "http" => http: RawText,
        /// The time between two tries. Default `1s`.
        "interval" => interval: RawText,
        /// How long one try may take. Default `5s`. A try that takes longer has failed. `tcp` and `http` end by themselves
        /// soon after that; s6 does not end a `check`, which needs a limit of its own if it can hang.
        "timeout" => timeout: RawText,
        /// The number of tries, at least one. Default: as many as fit into `timeout-up`.
        "tries" => tries: Number,
    }

    /// `on-exit`: when a death is final, and what happens then. With `then` alone every death is final. An ordered stop is never a death; `s6-svc -r` looks like one.
    OnExit {
        /// An exit with one of these codes is final; at least one.
        "codes" => codes: Numbers,
        /// Every death is final but an exit with one of these codes; at least one.
        "except" => except: Numbers,
        /// The number of deaths in the time of `within` that makes a death final.
        "deaths" => deaths: Number,
        /// The time in which `deaths` are counted.
        "within" => within: RawText,
        /// `give-up` (default): it stays down, and a start that waits for it fails at once. `stop-container`: the
        /// container stops, with the exit code, or 128 and the signal.
        "then" => then: RawText,
    }

    /// `limits`: resource limits, as `ulimit` counts them but in bytes. They are soft limits, which the process itself may
    /// raise up to the hard ones.
    Limits {
        /// Address space, in bytes.
        "as" => address_space: Limit,
        /// Size of a core file, in bytes.
        "core" => core: Limit,
        /// Processor time, in seconds.
        "cpu" => cpu: Limit,
        /// Data segment, in bytes.
        "data" => data: Limit,
        /// Size of a file it writes, in bytes.
        "fsize" => fsize: Limit,
        /// Locked memory, in bytes.
        "memlock" => memlock: Limit,
        /// Open descriptors.
        "nofile" => nofile: Limit,
        /// Processes of its account.
        "nproc" => nproc: Limit,
        /// Resident memory, in bytes.
        "rss" => rss: Limit,
        /// Stack, in bytes.
        "stack" => stack: Limit,
    }

    /// `log`: where the output of a service goes.
    Log {
        /// `container` (default), `discard`, or the absolute path of a directory of rotated files, kept by a logger
        /// of its own, `NAME-log`. Services that name the same directory share its logger. A logger starts after everything
        /// that its producers wait for, so that a oneshot can make its account or its directory. Left out is what waits
        /// for this logger itself, and what starts on demand and not every producer needs. So services that share a
        /// logger wait for each other's dependencies, even with `start = "early"`, and stop when one of these is stopped:
        /// `graph` shows them as `for its log`.
        "to" => to: RawText,
        /// In front of each line on the container's log, for example `"{{ name }}:"` in `[defaults.longrun]`.
        "prefix" => prefix: RawText,
        /// A log that is a directory goes to the container's log as well. Default `false`.
        "tee" => tee: Flag,
        /// The same for standard error: `stdout`, `container`, `discard`, or a path, which gets a second logger,
        /// `NAME-err-log`. Default: where standard output goes.
        "stderr" => stderr: RawText,
        /// When to start a new file. Default `1MB`.
        "size" => size: RawText,
        /// How many old files to keep. Default 20.
        "keep" => keep: Number,
        /// In front of each line: `iso` (default), `tai64n` or `none`.
        "timestamp" => timestamp: RawText,
        /// Also make `PATH.log`, a symbolic link to the file that is being written. A file or a directory of that name is
        /// kept: it becomes `PATH.log.old-1`, or the next number that is free, and the container's log says so. Default
        /// `false`.
        "link" => link: Flag,
        /// The account that owns the directory and that the logger runs as, written as `user`. Default `nobody`.
        "user" => user: RawText,
    }

    /// Keys of `[oneshot.NAME]` only.
    OneshotKeys {
        /// What it runs. Default: nothing, for a milestone that only orders other services. A script ends at the first
        /// command that fails, and then the oneshot has failed.
        "up" => up: ManifestCommand,
        /// What it runs when the service is stopped.
        "down" => down: ManifestCommand,
        /// What `s6-rc reload` runs. Needs s6-overlay 3.2.3.1.
        "reload" => reload: ManifestCommand,
    }

    /// `[bundle.NAME]`: one name for several services.
    BundleKeys {
        /// One line on what it is for; printed by `graph`.
        "description" => description: ManifestText,
        /// Its members.
        "contents" => contents: Names,
        /// Added to each of its members: s6-rc itself ignores dependencies of bundles.
        "dependencies" => dependencies: Names,
        /// Services that wait for all of its members.
        "required-by" => required_by: Names,
        /// Every member is stopped only by `s6-rc -D`.
        "flag-essential" => flag_essential: Flag,
        /// A hint for s6-rc's repository tools; no effect under s6-overlay.
        "flag-recommended" => flag_recommended: Flag,
        /// Keys of an included file that do not apply here, with a dot for a part of one: `["contents.web"]`.
        "without" => without: Names,
    }
}

/// A heading of the reference, what it is about, and the keys below it.
pub type ReferenceSection = (&'static str, &'static str, fn() -> Vec<Key>);

/// The tables of the language, in the order of the reference.
pub const REFERENCE: &[ReferenceSection] = &[
    ("[target]", "The system that the tree is for.", TargetKeys::keys),
    (
        "[longrun.NAME]",
        "A process that is kept running. `[defaults.longrun]` takes the same keys, for every longrun of the file.",
        ServiceTable::<LongrunKeys>::keys,
    ),
    (
        "[oneshot.NAME]",
        "A step that is done once, before what depends on it. `[defaults.oneshot]` takes the same keys, for every \
         oneshot of the file.",
        ServiceTable::<OneshotKeys>::keys,
    ),
    ("[bundle.NAME]", "One name for several services.", BundleKeys::keys),
    (
        "ready",
        "When a longrun counts as up. `fd` alone: the program says so itself. `check`, `tcp`, `unix` or `http`: it is \
         asked until the answer is yes, at most as long as `timeout-up`.",
        Ready::keys,
    ),
    (
        "on-exit",
        "When a death is final, and what then. With `then` alone every death is. An ordered stop is never a death; `s6-svc -r` \
         looks like one.",
        OnExit::keys,
    ),
    ("log", "Where the output of a service goes.", Log::keys),
    (
        "limits",
        "Soft resource limits. A number sets the limit, also where it was higher; `\">= NUMBER\"` only raises it. A value \
         above the container's own hard limit is cut to it without a word.",
        Limits::keys,
    ),
];

/// The type of the key with this path, such as `log.size`, in any table of a service or in `[target]`.
pub(super) fn expected_of(path: &str) -> Option<&'static str> {
    let (table, leaf) = path.split_once('.').unwrap_or(("", path));
    let keys = match table {
        "" => [
            ServiceTable::<LongrunKeys>::keys(),
            ServiceTable::<OneshotKeys>::keys(),
            BundleKeys::keys(),
            TargetKeys::keys(),
        ]
        .concat(),
        "ready" => Ready::keys(),
        "on-exit" => OnExit::keys(),
        "log" => Log::keys(),
        "limits" => Limits::keys(),
        _ => return None,
    };
    keys.iter().find(|key| key.name == leaf).map(|key| key.expected)
}
