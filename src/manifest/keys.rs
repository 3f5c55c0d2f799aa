//! The keys of the language, each declared once with its type and its meaning.
//!
//! The reference of the language prints the doc comment of each key.

use toml::Spanned;
use toml::de::DeValue;

use super::one_or_more::OneOrMore;
use super::shape::{Key, Shape};
use super::values::{
    DeclaredParameters, Flag, Instances, Limit, LogPlace, ManifestCommand, ManifestText, Names, Number,
    Numbers, RawText, Reader, Rootless, TextTable, Value,
};
use super::variables::DeclaredVariables;
use super::{ServiceTable, entries, read_value, unknown_key};

/// A table whose keys the language fixes.
pub trait Table: Default {
    /// Reads the value of `key` into its field. Returns false if there is no such key.
    fn set(&mut self, key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> bool;

    /// Every key of the table.
    fn keys() -> Vec<Key>;

    /// Merges two tables. If both have a key, that of `nearer` wins, which is written closer to the service.
    #[must_use]
    fn merge(self, nearer: Self) -> Self;

    /// Calls `visit` with each command in it.
    fn each_command(&mut self, visit: &mut dyn FnMut(&mut ManifestCommand));

    /// Whether `path`, such as `log` or `log.size`, names a key or a part of one.
    fn knows(path: &str) -> bool;

    /// Removes what `path` names. Returns whether it was there.
    fn remove(&mut self, path: &str) -> bool;
}

/// A path as its key and the part of that key.
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
                /// Whether the table has no key.
                pub fn is_blank(&self) -> bool {
                    true $(&& self.$field.is_none())+
                }

                /// Whether the key was set in `[defaults]` or in an included file. If such a key makes no sense here, it is ignored
                /// without a report.
                pub fn gives_way(&self, key: &str) -> bool {
                    self.farther.contains(&key)
                }

                /// Whether the table has the key, but its value could not be read. That was reported.
                pub fn is_unread(&self, key: &str) -> bool {
                    self.unread.contains(&key)
                }

                /// Whether a key of this table was reported. If another key seems to be missing, the reported one may have been
                /// meant as that key.
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
                    vec![$(Key {
                        name: $name,
                        expected: <$type>::EXPECTED,
                        shape: <$type>::SHAPE,
                        doc: concat!($($doc, "\n",)+),
                    },)+]
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

                fn each_command(&mut self, visit: &mut dyn FnMut(&mut ManifestCommand)) {
                    $(if let Some(value) = &mut self.$field {
                        value.each_command(visit);
                    })+
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

/// A table inside the table of a service, written with dotted keys: `log.size = "2MB"`. The keys in brackets exclude each other,
/// or have a meaning only together, so a nearer one of them replaces all farther ones.
macro_rules! nested {
    ($($table:ty $([$($exclusive:ident)+])?),+) => {
        $(impl Value for $table {
            const EXPECTED: &'static str = "a table";
            const SHAPE: Shape = Shape::Table(<$table as Table>::keys);

            fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
                let mut table = Self::default();
                // A value that is not a table counts as a value that could not be read.
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

            fn each_command(&mut self, visit: &mut dyn FnMut(&mut ManifestCommand)) {
                Table::each_command(self, visit);
            }

            fn knows(part: &str) -> bool {
                <Self as Table>::knows(part)
            }

            fn remove(&mut self, part: &str) -> bool {
                Table::remove(self, part)
            }
        }

        // In a service such a table is in a box, because few services have it.
        impl Value for Box<$table> {
            const EXPECTED: &'static str = <$table as Value>::EXPECTED;
            const SHAPE: Shape = <$table as Value>::SHAPE;

            fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
                <$table as Value>::read(key, value, reader).map(Box::new)
            }

            fn merge(self, nearer: Self) -> Self {
                Box::new(Value::merge(*self, *nearer))
            }

            fn is_blank(&self) -> bool {
                <$table>::is_blank(self)
            }

            fn each_command(&mut self, visit: &mut dyn FnMut(&mut ManifestCommand)) {
                <$table as Table>::each_command(self, visit);
            }

            fn knows(part: &str) -> bool {
                <$table as Value>::knows(part)
            }

            fn remove(&mut self, part: &str) -> bool {
                <$table as Table>::remove(self, part)
            }
        })+
    };
}

nested!(Ready [check tcp unix http], Log [to file], Limits, OnExit, OnFailure, Alive [check tcp unix http], WaitFor [tcp unix http path]);

tables! {
    /// `[target]`: the system that the tree is for.
    TargetKeys {
        /// The version of s6-overlay in the image. Default: the newest version that s6gen knows.
        "s6-overlay" => s6_overlay: ManifestText,
        /// The version of s6-rc, for a system without s6-overlay. Such a system has no `base` and no container environment.
        /// Excludes `s6-overlay`.
        "s6-rc" => s6_rc: ManifestText,
        /// The directory of the definitions in the image. Default `/etc/s6-overlay/sv`; with `s6-rc`, `/etc/s6-rc/source`.
        /// Under s6-overlay, `build` also makes a link to each definition in `/etc/s6-overlay/s6-rc.d`, so that `/init` finds
        /// it, unless that is the directory itself.
        "tree" => tree: ManifestText,
        /// The directory of the programs of execline and s6. Default `/command`; with `s6-rc`, `/usr/bin`.
        "command-dir" => command_dir: ManifestText,
        /// Services that only other layers of the image define. s6gen knows those of s6-overlay itself.
        "external" => external: Names,
        /// The container does not run as root. Then services cannot change their account, and loggers run as the account of
        /// the container. Keys that need root are errors. With `"detect"` one image runs both ways: each start looks whether
        /// it is root, as with `docker run --user` or OpenShift. If not, `user`, `log.user` and a `nice` below 0 have no effect,
        /// and `HOME`, `USER` and `LOGNAME` are those of the container. Commands of the manifest that need root must look
        /// themselves. Default `false`.
        "rootless" => rootless: Rootless,
        /// The container's root file system is read-only. Then logs can only be below `/run` and the `writable`
        /// directories. Default `false`.
        "read-only" => read_only: Flag,
        /// Whether `build` also writes `/etc/s6-overlay/scripts/health`, a script for Docker's HEALTHCHECK and the probes of
        /// Kubernetes. It succeeds if the services of this manifest that start at boot, or those that it is called with, are
        /// up or done, and ready if they have `ready`; else it names the others and ends with 1. While s6-rc is at work nobody
        /// knows which oneshots are done: then it asks only for those that it is called with. It does not ask for loggers, and
        /// takes no names of bundles. Needs s6-overlay. Default
        /// `false`.
        "health" => health: Flag,
        /// Directories that are writable although the root is read-only: volumes and tmpfs mounts.
        "writable" => writable: Names,
        /// Keys of included files that do not apply here.
        "without" => without: Names,
    }

    /// Keys that longruns and oneshots share.
    CommonKeys {
        /// One line on the purpose of the service, for `graph` and for a comment in the generated script.
        "description" => description: RawText,
        /// When it starts. `boot` (default): after the image's own initialisation. `early`: without waiting for that. `late`:
        /// after the legacy services of `/etc/services.d`, and only if every service of `boot` came up. `on-demand`: when
        /// another service needs it, or a command starts it. `early-on-demand`: the same, without waiting for the image's own
        /// initialisation, for what an early service needs.
        "start" => start: RawText,
        /// The services that must be up before it starts. A longrun with `ready` counts as up when it is ready, any other
        /// longrun as soon as its process exists. A oneshot counts as up when it has succeeded.
        "dependencies" => dependencies: Names<RawText>,
        /// The reverse of `dependencies`: services that wait for this one. If only another layer defines such a service
        /// (`external`), s6gen adds one file to that definition.
        "required-by" => required_by: Names<RawText>,
        /// A command that runs at each start, with the environment, in `workdir`, with the supervisor's rights. If it fails,
        /// a longrun idles: it counts as up and ready, but has no process until its next start, and `s6-svstat` shows it as
        /// down. A oneshot skips `up` and succeeds. Dependents still start: if they must not, use `start = "on-demand"` instead.
        "only-if" => only_if: ManifestCommand,
        /// Variables of its environment, set on top of the container's.
        "environment" => environment: TextTable,
        /// Variables of the container that it uses, each with its default; `{}` for one that the container must set, or
        /// `{ default = "…", description = "…" }`. `${NAME}` is then the value when it starts, in `run` and other commands
        /// that are arrays, except `finish`, and in `environment`, `user`, `workdir`, `umask`, `log`, `ready`, `alive`, `wait-for` and `limits`. In
        /// an array it is always exactly one word or a part of one. A script finds it in its environment. An empty value counts
        /// as set. If the container does not set a variable without a default, the start fails and is not tried again, also
        /// where `only-if` would say no.
        "variables" => variables: DeclaredVariables,
        /// Secrets that it finds in its environment, by name. For `DB_PASSWORD` the container sets either `DB_PASSWORD` itself,
        /// or `DB_PASSWORD_FILE`, the path of a file that has the value; a newline at its end is left out. An empty variable
        /// counts as not set. If the container sets both or neither, or if the file is empty or cannot be read, the start fails
        /// and is not tried again. The value gets into no argument, file or report. So `${DB_PASSWORD}` can be a part of
        /// `environment`, except `PATH`, and nothing else; scripts read `"$DB_PASSWORD"`.
        "secrets" => secrets: Names<RawText>,
        /// Absolute paths of files with variables, which are read at each start, before `variables`, `secrets` and
        /// `environment`; the last value of a variable counts. A line is `NAME = value`; empty lines, and lines that begin with
        /// `#`, are left out. Blanks around the name and the value do not count. `"` around a value or a part of it keeps blanks,
        /// and `\n`, `\"` and `\\` have their meaning in it; elsewhere a `\` needs a second one, or continues the line at its
        /// end. Everything else is used as written: `'`, `$NAME`, and `#` after a value. There is no `export`. A value of a file
        /// wins over that of the container. If a file is
        /// missing or cannot be read, the start fails and is not tried again; one with `-` before its path may be missing.
        /// `log` takes values of the container alone.
        "environment-files" => environment_files: Names<RawText>,
        /// Whether it gets the container's environment. Default `true` under s6-overlay.
        "with-contenv" => with_contenv: Flag,
        /// The account that it runs as: `name`, `name:group` or `uid:gid`. Default: the account of the supervisor, usually root.
        /// A name also sets HOME, USER and LOGNAME and brings the account's supplementary groups.
        "user" => user: RawText,
        /// The working directory, an absolute path. Default: for a longrun its live service directory, for a oneshot the
        /// directory of the s6-rc service that runs oneshots. So a oneshot that needs one should set it.
        "workdir" => workdir: RawText,
        /// The file mode mask, in octal, as a string: `"027"`.
        "umask" => umask: RawText,
        /// Its priority, from -20 (first) to 19 (last). Numbers below 0 need privileges. Default 0.
        "nice" => nice: Number,
        /// Resource limits. A number sets the limit, even if it was higher; `">= NUMBER"` only raises it. A value above the
        /// container's own hard limit becomes that limit, without a message.
        "limits" => limits: Box<Limits>,
        /// Where its output goes. Default: the container's log.
        "log" => log: Box<Log>,
        /// How long a start may take, readiness included. Default: `never`, which is no limit; with `ready`, one minute. Loggers have
        /// one minute, or the time of their service if that is shorter.
        "timeout-up" => timeout_up: RawText,
        /// How long a stop may take before it counts as failed. Default: `never`, which is no limit.
        "timeout-down" => timeout_down: RawText,
        /// Only `s6-rc -D` stops it.
        "flag-essential" => flag_essential: Flag,
        /// A hint for s6-rc's repository tools; no effect under s6-overlay.
        "flag-recommended" => flag_recommended: Flag,
        /// Further files of the definition directory, by path, with their content. A file that begins with `#!` gets the x
        /// bit. A file that another key writes is an error.
        "files" => files: TextTable,
        /// Makes the service a template. Each instance is the service `NAME-INSTANCE`, and `NAME` is the bundle of all
        /// instances.
        "instances" => instances: Instances,
        /// The names of all parameters that an instance of this template may set. A value that is set while the system runs
        /// may be any text in a variable of `environment` and in a file that is only data. Elsewhere it consists of letters,
        /// digits and `_.,:@%+=/-`, is not empty, and does not begin with `-`. A `pattern`, a regular expression, replaces
        /// this rule: it must match every value of the parameter as a whole, in every place and also in the manifest.
        "parameters" => parameters: DeclaredParameters,
        /// Keys that this service does not take from `[defaults]` or an included file. A dot names a part of a key:
        /// `["on-exit", "log.size", "dependencies.db", "environment.TZ"]`.
        "without" => without: Names,
    }

    /// Keys of `[longrun.NAME]` only.
    LongrunKeys {
        /// The command of the process. A script gets the service's name as `$1`. If a script without `#!` is one simple
        /// command, s6gen adds `exec` before it, so that s6 signals the program and not the shell. It does not add `exec` to
        /// a command that begins with an assignment, a keyword, a builtin, or a variable that may contain one: write it
        /// yourself.
        "run" => run: ManifestCommand,
        /// A command that runs to its end before each start of `run`, with the supervisor's rights. If it fails, the start
        /// fails.
        "prepare" => prepare: ManifestCommand,
        /// A command that runs after each death, with the supervisor's rights. A script gets the exit code or 256 as `$1`,
        /// the signal as `$2`, the service's name as `$3` and the process group as `$4`. Its exit code 125 makes the death
        /// final: the service does not start again, and `on-exit.then` applies. Any other exit code has no effect.
        "finish" => finish: ManifestCommand,
        /// When it counts as up. Default: as soon as its process exists.
        "ready" => ready: Box<Ready>,
        /// Whether it still works, which s6gen asks again and again. Default: nobody asks.
        "alive" => alive: Box<Alive>,
        /// When a death is final, and what happens then. Default: the service always starts again.
        "on-exit" => on_exit: OneOrMore<OnExit>,
        /// The time between a death and the next start, in whole seconds. Default: the second that s6 waits unless the
        /// service was ready. This key includes that second, except for a service with `ready` that dies before it is
        /// ready: it waits one second longer. With `"1s..1m"` the time doubles with each death in a row, up to the second
        /// one. It begins anew when the service has run for that long, or for `on-exit.early`.
        "restart-delay" => restart_delay: RawText,
        /// The signal that stops it. Default `TERM`.
        "down-signal" => down_signal: RawText,
        /// How long it may take to stop before it is killed. Default `5s`; `never` waits for ever. Its loggers get the same time,
        /// but never more than `5s`; one that several services share gets the shortest of theirs.
        "timeout-kill" => timeout_kill: RawText,
        /// How long `finish` may take. Default `5s`.
        "timeout-finish" => timeout_finish: RawText,
        /// Stops the whole process group. When the main process has ended, the rest of its group gets the stop signal, and a
        /// second later KILL. Until then only the main process gets the stop signal, because s6 sends it to nothing else. The
        /// KILL after `timeout-kill` goes to the whole group since s6-overlay 3.2.3.0. A shell script that traps the signal,
        /// or that INT stops, must wait for its program in the background: `program & wait $!`. s6gen adds no parent process
        /// that signals all at once, because `s6-svc -p` and `-k` would reach only that parent, and a death by a signal would
        /// look like an exit. Needs s6-overlay 3.2.0.0.
        "stop-group" => stop_group: Flag,
        /// The KILL after `timeout-kill` goes to the whole process group. Needs s6-overlay 3.2.3.0.
        "flag-timeout-killpg" => flag_timeout_killpg: Flag,
        /// The signal that `s6-rc reload` and `s6-svc -l` send. Default `HUP`. Needs s6-overlay 3.2.3.1.
        "reload-signal" => reload_signal: RawText,
        /// The descriptor, 3 or more, of the file `supervise/service-lock`, by whose lock s6 prevents a second copy of the
        /// process. s6 2.15, which s6-overlay has since 3.2.3.0, opens the file but does not lock it. Needs s6-overlay
        /// 3.2.2.0.
        "lock-fd" => lock_fd: Number,
        /// How many deaths s6 remembers, from 1 to 4096. Default 100, or more if `on-exit.deaths` needs it.
        "max-death-tally" => max_death_tally: Number,
        /// Makes `run` pid 1 of its own PID name space. Needs s6-overlay 3.2.3.0.
        "flag-newpidns" => flag_newpidns: Flag,
        /// The longrun that reads its standard output, for pipelines that `log` cannot make. It is enough if one of the two
        /// services names the other.
        "producer-for" => producer_for: RawText,
        /// The longruns whose standard output it reads.
        "consumer-for" => consumer_for: Names<RawText>,
        /// The name of the bundle of the whole pipeline, on its last consumer.
        "pipeline-name" => pipeline_name: RawText,
    }

    /// `ready`: when a longrun counts as up. With `fd` alone the program reports it. With `check`, `tcp`, `unix` or `http` s6
    /// repeats a check until it succeeds.
    Ready {
        /// The descriptor, 3 or more, to which the program writes a line when it is ready. Together with a check: the
        /// descriptor that the check uses. Default 3; use another one if the program needs 3.
        "fd" => fd: Number,
        /// Ready when this command succeeds. It runs with the supervisor's rights and the service's environment, in
        /// `workdir`, or else in the service directory.
        "check" => check: ManifestCommand,
        /// Ready when `host:port` accepts a connection. The host is an address, in brackets if it is IPv6, or a name. An
        /// address needs no name server, and `localhost` is `127.0.0.1`. Any other name is looked up at each try by
        /// `getent ahosts`: in `/etc/hosts`, then by the servers of `/etc/resolv.conf`. Needs `s6-tcpclient`, which is in
        /// s6-overlay, and for names `getent`, which images of Debian and Alpine have.
        "tcp" => tcp: RawText,
        /// Ready when this Unix socket accepts a connection.
        "unix" => unix: RawText,
        /// Ready when `http://host:port/path` answers with 2xx or 3xx. The host is as in `tcp`.
        "http" => http: RawText,
        /// The time between two tries. Default `1s`.
        "interval" => interval: RawText,
        /// How long one try may take. Default `5s`. A try that takes longer has failed. `tcp` and `http` end by themselves
        /// soon after that. s6 does not end a `check`, so a command that can hang needs its own limit.
        "timeout" => timeout: RawText,
        /// The number of tries, at least one. Default: as many as fit into `timeout-up`.
        "tries" => tries: Number,
        /// What happens if it is not ready within `timeout-up` after an order to start, deaths included. `fail` (default): the start fails, s6-rc
        /// stops it, and what depends on it does not start. `go-on`: a line on the container's log says so, and it counts as ready.
        /// `stop-container`: the container stops with the exit code 124.
        "on-timeout" => on_timeout: RawText,
    }

    /// `alive`: whether a longrun still works.
    Alive {
        /// It works if this command succeeds. It runs as `ready.check` does.
        "check" => check: ManifestCommand,
        /// It works if `host:port` accepts a connection, as in `ready.tcp`.
        "tcp" => tcp: RawText,
        /// It works if this Unix socket accepts a connection.
        "unix" => unix: RawText,
        /// It works if `http://host:port/path` answers with 2xx or 3xx, as in `ready.http`.
        "http" => http: RawText,
        /// The time between two checks, in whole seconds. Default `10s`.
        "interval" => interval: RawText,
        /// How long one check may take, in whole seconds. Then it is killed and has failed. Default `5s`.
        "timeout" => timeout: RawText,
        /// The number of checks in a row that must fail. Each failure is reported where the service's standard error goes, with
        /// what the check wrote. Default 3.
        "failures" => failures: Number,
        /// `restart` (default): the service is stopped as by a command, and started again. `stop-container`: the container
        /// stops with the exit code 1.
        "then" => then: RawText,
    }

    /// `wait-for`: something outside that a oneshot waits for.
    WaitFor {
        /// Waits until `host:port` accepts a connection, as in `ready.tcp`.
        "tcp" => tcp: RawText,
        /// Waits until this Unix socket accepts a connection.
        "unix" => unix: RawText,
        /// Waits until `http://host:port/path` answers with 2xx or 3xx, as in `ready.http`.
        "http" => http: RawText,
        /// Waits until this file or directory exists.
        "path" => path: RawText,
        /// The time between two tries. Default `1s`.
        "interval" => interval: RawText,
        /// How long one try may take. Default `5s`.
        "timeout" => timeout: RawText,
        /// How long it waits in all. Then the oneshot fails, and a line on the container's log names what is missing. Default
        /// `1m`.
        "limit" => limit: RawText,
    }

    /// `on-exit`: which deaths are final, and what happens then.
    OnExit {
        /// An exit with one of these codes is final. The list needs at least one code.
        "codes" => codes: Numbers,
        /// Every death is final, except an exit with one of these codes. The list needs at least one code.
        "except" => except: Numbers,
        /// The number of deaths within the time `within` that makes the last one final; with `early`, the number of early
        /// deaths in a row.
        "deaths" => deaths: Number,
        /// The time in which `deaths` are counted.
        "within" => within: RawText,
        /// A death is early if the service has run for less than this time. An early death is final only if it is the last of
        /// `deaths` in a row; everything else in `on-exit` is for later deaths.
        "early" => early: RawText,
        /// `give-up` (default): the service stays down, and a start that waits for it fails at once. `stop-container`: the
        /// container stops, with the exit code of the service, or 128 plus the signal, also if a variable or secret is missing. `restart`: it starts again, although
        /// a later table would apply.
        "then" => then: RawText,
    }

    /// `on-failure`: what follows if a oneshot fails.
    OnFailure {
        /// How often `up` is tried in all. After exit code 100 there is no further try: it says that another one is useless,
        /// as when a variable of the container is missing. Default 1.
        "tries" => tries: Number,
        /// The time between two tries, in whole seconds. With `"1s..1m"` it doubles each time, up to the second one. Default
        /// `1s`.
        "pause" => pause: RawText,
        /// What happens when the last try has failed, or when `timeout-up` is over, which counts all tries and pauses.
        /// `fail` (default): the oneshot has failed, and what depends on it does not start. `ignore`: a line on the
        /// container's log says so, and it counts as done. `stop-container`: the container stops with the exit code of `up`,
        /// or with 124 if it took too long. A oneshot that is not started because another one has failed does not count.
        "then" => then: RawText,
    }

    /// `limits`: resource limits, as in `ulimit` but in bytes. They are soft limits: the process itself may raise them up to the
    /// hard limits.
    Limits {
        /// Address space, in bytes.
        "as" => address_space: Limit,
        /// Size of a core file, in bytes.
        "core" => core: Limit,
        /// Processor time, in seconds.
        "cpu" => cpu: Limit,
        /// Data segment, in bytes.
        "data" => data: Limit,
        /// Size of a file that it writes, in bytes.
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
        /// `container` (default), `discard`, the absolute path of a directory of rotated files, or a command that reads the lines
        /// from its standard input: `["logger", "-t", "web"]`, or a script that begins with `#!`. For a directory or a command
        /// s6gen makes the logger `NAME-log`. A command gets the container's environment, and is started again when it ends;
        /// the lines wait for it meanwhile.
        /// Services that name the same directory share its logger. A logger starts after all
        /// dependencies of its producers, so that a oneshot can make its account or its directory. It does not wait for
        /// services that wait for this logger, nor for on-demand services that not every producer needs. So services that
        /// share a logger wait for each other's dependencies, even with `start = "early"`, and stop when one of these
        /// stops: `graph` marks them with `for its log`.
        "to" => to: LogPlace,
        /// Instead of `to`: the absolute path of one plain file, to which the logger `NAME-log` appends without end, for programs
        /// that need such a file; nothing starts a new one. Services that name the same file share its logger. Where only root
        /// can write in the directory and in all above it, missing directories are made, with mode 755, and the file is made for
        /// `user`, with mode 644. Elsewhere root makes nothing, because another account could put a link in its way: `user` must
        /// be an account that can write there, and not root. `timestamp` is `none` here by default.
        "file" => file: RawText,
        /// A command between the service and its log: it reads the lines from its standard input, and what it writes to its
        /// standard output goes on to `to`. It is the service `NAME-filter`, with the container's environment, and is started
        /// again when it ends. A program that writes to a pipe usually collects some thousand characters first, so tell it to
        /// write each line at once: `grep --line-buffered`, `sed -u`, `fflush()` in awk (for mawk, which is Debian's awk, also
        /// `-W interactive`), or `stdbuf -oL` before others. Standard error is filtered with standard output, unless `stderr`
        /// sends it elsewhere. Lines that it has not read yet when the service is stopped are lost.
        "filter" => filter: ManifestCommand,
        /// The form of the lines on the container's log: `text` (default), or `json`, one object for each line:
        /// `{"time":"2026-01-31T12:00:00.000000000Z","service":"web","stream":"stdout","message":"…"}`. The time is in UTC; the
        /// stream is `stdout` or `stderr`, which is then a log of its own, without `filter`, unless `stderr = "stdout"`.
        /// A byte that is not UTF-8 becomes U+FFFD; a NUL may cut a line. A line that a service does not end is joined with its
        /// next one. The loggers `NAME-log` and `NAME-err-log` need `awk`, which images of Debian and
        /// Alpine have. Excludes `prefix` and `tee`.
        "format" => format: RawText,
        /// Absolute paths of files that the program itself writes and that are shown on the container's log. The service
        /// `NAME-show` runs `tail -F` for them as the account of the service, or as `log.user`; it starts before the service. It
        /// shows what is added from then on, also to a file that appears later, is renamed and made anew, or is truncated. What
        /// is added while it is down is not shown. `prefix` and `format` apply, with the stream `file`; `to` and `filter` do not.
        /// Only for longruns.
        "show" => show: Names<RawText>,
        /// A prefix for each line on the container's log, for example `"{{ name }}:"` in `[defaults.longrun]`.
        "prefix" => prefix: RawText,
        /// Whether a log in a directory also goes to the container's log. Default `false`.
        "tee" => tee: Flag,
        /// The same for standard error: `stdout`, `container`, `discard`, or a directory or a command, for which s6gen makes a
        /// second logger, `NAME-err-log`. Default: `stdout`, the place of standard output.
        "stderr" => stderr: LogPlace,
        /// The size at which a new file begins. Default `1MB`.
        "size" => size: RawText,
        /// How many old files to keep. Default 20.
        "keep" => keep: Number,
        /// The form of the time before each line: `iso` (default), `tai64n` or `none`.
        "timestamp" => timestamp: RawText,
        /// Whether to make `PATH.log`, a symbolic link to the file that is being written. An existing file or directory of that
        /// name is kept: it is renamed to `PATH.log.old-1`, or the next free number, and a line on the container's log
        /// reports that. Default `false`.
        "link" => link: Flag,
        /// The account that owns the directory, and that the logger, the command and the filter run as, in the form of `user`
        /// above. Default `nobody`.
        "user" => user: RawText,
    }

    /// Keys of `[oneshot.NAME]` only.
    OneshotKeys {
        /// The command that it runs. Default: none, for a milestone that only orders other services. A script ends at the first
        /// command that fails, and then the oneshot has failed.
        "up" => up: ManifestCommand,
        /// The command that runs when the service is stopped.
        "down" => down: ManifestCommand,
        /// The command that `s6-rc reload` runs. Needs s6-overlay 3.2.3.1.
        "reload" => reload: ManifestCommand,
        /// The name of a variable of the container: its value becomes what `up` writes to standard output, without the newlines
        /// at its end, as in `$(…)`. Services that start afterwards get it with the container's environment, so a service that
        /// uses it depends on this oneshot. If `up` fails, or `only-if` skips it, the variable stays as it was; if `up` writes
        /// nothing, it is not set. Every process of the container can read the value. `log` is then for the standard error of
        /// `up`. Needs s6-overlay.
        "sets" => sets: RawText,
        /// What follows if `up` fails or takes too long. Default: the oneshot has failed, what depends on it does not start,
        /// and everything else goes on.
        "on-failure" => on_failure: Box<OnFailure>,
        /// Something outside that must be there before `up` runs: a server, or a file. Default: nothing.
        "wait-for" => wait_for: Box<WaitFor>,
    }

    /// `[bundle.NAME]`: one name for several services.
    BundleKeys {
        /// One line on its purpose, for `graph`.
        "description" => description: ManifestText,
        /// Its members.
        "contents" => contents: Names,
        /// Dependencies that s6gen adds to each member, because s6-rc itself ignores dependencies of bundles.
        "dependencies" => dependencies: Names,
        /// Services that wait for all of its members.
        "required-by" => required_by: Names,
        /// Only `s6-rc -D` stops its members.
        "flag-essential" => flag_essential: Flag,
        /// A hint for s6-rc's repository tools; no effect under s6-overlay.
        "flag-recommended" => flag_recommended: Flag,
        /// Keys that this bundle does not take from an included file. A dot names a part of a key: `["contents.web"]`.
        "without" => without: Names,
    }
}

/// A heading of the reference, its introduction, and the keys below it.
pub type ReferenceSection = (&'static str, &'static str, fn() -> Vec<Key>);

/// The tables of the language, in the order of the reference.
pub const REFERENCE: &[ReferenceSection] = &[
    ("[target]", "The system that the tree is for.", TargetKeys::keys),
    (
        "[lints]",
        "The level of each rule: `not-exec = \"allow\"` silences the rule `lint::not-exec`, `\"warn\"` makes its reports \
         warnings, and `\"deny\"` makes them errors. A name is a rule, a group of rules, or `all`; `s6gen rules` lists them. An \
         option of the command line wins over the same name here, a more exact name wins over both, and a comment beside the \
         line wins over everything: `# s6gen: allow not-exec: reason`.",
        Vec::new,
    ),
    (
        "[longrun.NAME]",
        "A process that s6 keeps running. `[defaults.longrun]` takes the same keys, for every longrun of the file.",
        ServiceTable::<LongrunKeys>::keys,
    ),
    (
        "[oneshot.NAME]",
        "A step that is done once, before its dependents start. `[defaults.oneshot]` takes the same keys, for every \
         oneshot of the file.",
        ServiceTable::<OneshotKeys>::keys,
    ),
    ("[bundle.NAME]", "One name for several services.", BundleKeys::keys),
    (
        "ready",
        "When a longrun counts as up. With `fd` alone the program reports it. With `check`, `tcp`, `unix` or `http` s6 repeats \
         a check until it succeeds, or until `timeout-up` is over.",
        Ready::keys,
    ),
    (
        "on-exit",
        "Which deaths are final, and what happens then. With `then` alone every death is final. Several tables, \
         `[[longrun.NAME.on-exit]]`, give each reason its own `then`: the first one that applies counts. An ordered stop is \
         never a death, but `s6-svc -r` looks like one. [failures.md](failures.md) shows what happens for each death.",
        OnExit::keys,
    ),
    (
        "on-failure",
        "What follows if a oneshot fails. Each try is stopped as a whole, with all processes of its group, when `timeout-up` is \
         over.",
        OnFailure::keys,
    ),
    (
        "alive",
        "Whether a longrun still works. One check at a time asks it, for as long as the service is up and ready; while it starts, stops \
         or idles, nobody asks.",
        Alive::keys,
    ),
    (
        "wait-for",
        "Something outside that a oneshot waits for, before `up` runs. A oneshot without `up` only waits. Services that need it \
         depend on the oneshot.",
        WaitFor::keys,
    ),
    ("log", "Where the output of a service goes.", Log::keys),
    (
        "limits",
        "Soft resource limits. A number sets the limit, even if it was higher; `\">= NUMBER\"` only raises it. A value above \
         the container's own hard limit becomes that limit, without a message.",
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
        "on-failure" => OnFailure::keys(),
        "alive" => Alive::keys(),
        "wait-for" => WaitFor::keys(),
        "log" => Log::keys(),
        "limits" => Limits::keys(),
        _ => return None,
    };
    keys.iter().find(|key| key.name == leaf).map(|key| key.expected)
}
