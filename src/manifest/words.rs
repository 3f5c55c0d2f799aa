//! The keys of Docker Compose, systemd and supervisord, and the keys of the manifest for the same purpose.
//!
//! [`WORDS`] is for keys of services, [`SECTIONS`] for tables of the whole file. Case, `-` and `_` make no difference.

use toml::de::DeValue;

use super::foreign::{
    ON_DEMAND, Translation, command, env_file, health, kill_mode, limit, log_size, log_to, path, path_exists,
    port, redirect_stderr, reload_command, replicas, restart, seconds, service_type, services, starts,
    stop_command, true_only, typed, wanted_by,
};

/// A key of another system.
#[derive(Debug)]
pub struct ForeignWord {
    /// Its spellings in lower case, without `-` and `_`. `log.path` counts only in the table `log`.
    pub names: &'static [&'static str],
    /// The key of the manifest for it; empty if there is none.
    pub key: &'static str,
    /// Example lines below `[longrun.web]`, or below a table that has the key; empty if there are none.
    pub example: &'static str,
    /// A remark, or the place where it belongs.
    pub note: &'static str,
    /// Translates its value.
    read: fn(&str, &DeValue<'_>) -> Option<Translation>,
}

/// What to write instead of a word of another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// The advice.
    pub help: String,
    /// The line to write instead, if it is certain.
    pub line: Option<String>,
}

/// What to write instead of `word` with the value `value`, in a table with the keys `keys`. `place` is the key of that table,
/// such as `log`, or empty. `prefix` comes before the key if the file has it there.
pub(super) fn remedy(
    word: &str,
    value: &DeValue<'_>,
    place: &str,
    prefix: &str,
    keys: &[&str],
) -> Option<Remedy> {
    let plain = plain(word);
    let inside = format!("{place}.{plain}");
    let local = |word: &ForeignWord| match word.key.split_once('.') {
        Some((table, leaf)) if table == place => Some(format!("{prefix}{leaf}")),
        Some((table, _)) if keys.contains(&table) => Some(word.key.to_owned()),
        None if word.key.is_empty() || keys.contains(&word.key) => Some(word.key.to_owned()),
        _ => None,
    };
    let (word, key) = WORDS
        .iter()
        .filter(|word| word.names.contains(&plain.as_str()) || word.names.contains(&inside.as_str()))
        .find_map(|word| Some((word, local(word)?)))?;
    let note = |text: String| match word.note {
        "" => text,
        note => format!("{text}: {note}"),
    };
    let local_line = |line: &str| match line.split_once('.') {
        Some((table, rest)) if table == place => format!("{prefix}{rest}"),
        _ => line.to_owned(),
    };
    let (help, line) = match (word.read)(word.key, value) {
        Some(Translation::Value(value)) => {
            let line = format!("{key} = {value}");
            (note(format!("write `{line}`")), Some(line))
        }
        Some(Translation::Noted(value, why)) => {
            let line = format!("{key} = {value}");
            (format!("write `{line}`: {why}"), Some(line))
        }
        Some(Translation::Line(line, why)) => {
            let line = local_line(line);
            (format!("write `{line}`: {why}"), Some(line))
        }
        Some(Translation::Nothing(why)) => (format!("leave it out: {why}"), None),
        None if word.example.is_empty() => (word.note.to_owned(), None),
        None => {
            let lines: Vec<String> =
                word.example.lines().map(|line| format!("`{}`", local_line(line))).collect();
            (note(format!("the manifest writes it as in {}", lines.join(", "))), None)
        }
    };
    Some(Remedy { help, line })
}

/// Whether it is a key of another system.
pub(super) fn is_word(name: &str) -> bool {
    let plain = plain(name);
    WORDS.iter().any(|word| word.names.contains(&plain.as_str()))
}

/// A word in lower case, without `-` and `_`: `depends_on` and `dependsOn` are one word.
pub(super) fn plain(word: &str) -> String {
    word.chars().filter(|c| !['-', '_'].contains(c)).collect::<String>().to_ascii_lowercase()
}

/// A table at the top of a file of another system.
#[derive(Debug)]
pub struct ForeignSection {
    /// Its names, in lower case.
    pub names: &'static [&'static str],
    /// Its content.
    pub holds: Holds,
    /// What to write instead, or the place where it belongs.
    pub note: &'static str,
}

/// What a table of another system holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A table for each service.
    Services,
    /// The keys of one service.
    Keys,
    /// Nothing that belongs to a service.
    Other,
}

/// The section of another system with this name.
pub(super) fn section(name: &str) -> Option<&'static ForeignSection> {
    let name = name.to_ascii_lowercase();
    SECTIONS.iter().find(|section| section.names.contains(&name.as_str()))
}

/// The tables of Docker Compose, systemd and supervisord.
pub const SECTIONS: &[ForeignSection] = &[
    ForeignSection {
        names: &[
            "services",
            "service",
            "program",
            "programs",
            "process",
            "processes",
            "daemon",
            "daemons",
            "longruns",
            "fcgi-program",
        ],
        holds: Holds::Services,
        note: "a process that keeps running is a longrun",
    },
    ForeignSection {
        names: &["oneshots", "job", "jobs", "task", "tasks", "step", "steps", "init"],
        holds: Holds::Other,
        note: "a step that is done once is a oneshot: `[oneshot.NAME]` with `up = [\"PROGRAM\"]`",
    },
    ForeignSection {
        names: &["unit", "install"],
        holds: Holds::Keys,
        note: "the manifest has the three sections of a systemd unit in one table, `[longrun.NAME]`",
    },
    ForeignSection {
        names: &["group", "groups", "bundles"],
        holds: Holds::Other,
        note: "one name for several services is a bundle: `[bundle.NAME]` with `contents = [\"one\", \"two\"]`",
    },
    ForeignSection {
        names: &["default", "x-defaults", "common", "global"],
        holds: Holds::Other,
        note: "write defaults for every service of a kind below `[defaults.longrun]` or `[defaults.oneshot]`",
    },
    ForeignSection {
        names: &["volumes", "networks", "secrets", "configs", "volume", "network"],
        holds: Holds::Other,
        note: "this belongs to the container, so to its compose file or `docker run`; the manifest describes only the processes in it",
    },
    ForeignSection {
        names: &["version", "name"],
        holds: Holds::Other,
        note: "leave it out: a manifest has neither a version nor a name; the version of s6-overlay is `target.s6-overlay`",
    },
    ForeignSection {
        names: &["supervisord", "supervisorctl", "unix_http_server", "inet_http_server"],
        holds: Holds::Other,
        note: "leave it out: s6 needs no settings of its own, and `s6gen status`, `start`, `stop` and `restart` need no server",
    },
    ForeignSection {
        names: &["eventlistener", "rpcinterface"],
        holds: Holds::Other,
        note: "leave it out: s6 has no such interface; for the time after a death use `on-exit` or `finish` of the service",
    },
    ForeignSection {
        names: &["socket", "mount", "path", "automount", "slice", "timer"],
        holds: Holds::Other,
        note: "s6-rc has only services: write a longrun for this, as cron is one for timers",
    },
];

const fn key(names: &'static [&'static str], key: &'static str, example: &'static str) -> ForeignWord {
    ForeignWord { names, key, example, note: "", read: typed }
}

const fn elsewhere(names: &'static [&'static str], note: &'static str) -> ForeignWord {
    ForeignWord { names, key: "", example: "", note, read: |_, _| None }
}

impl ForeignWord {
    const fn note(self, note: &'static str) -> ForeignWord {
        ForeignWord { note, ..self }
    }

    const fn read(self, read: fn(&str, &DeValue<'_>) -> Option<Translation>) -> ForeignWord {
        ForeignWord { read, ..self }
    }
}

const CONTAINER: &str = "this belongs to the container, so to its compose file or `docker run`; the manifest describes only the processes in it";
const IMAGE: &str =
    "this belongs to the image, so to its Dockerfile; the manifest describes only the processes in it";
const FOREGROUND: &str =
    "leave it out: the process that `run` starts is the service, so let the program stay in the foreground";

/// The keys of these systems. If two rows have the same name, the first one whose key the table has counts.
pub const WORDS: &[ForeignWord] = &[
    // Commands.
    key(&["command", "cmd", "exec", "execstart", "entrypoint", "script", "program", "startcommand"], "run", "run = [\"nginx\", \"-g\", \"daemon off;\"]").read(command),
    key(&["command", "cmd", "exec", "execstart", "entrypoint", "script", "program", "run"], "up", "up = [\"mkdir\", \"-p\", \"/run/app\"]").read(command),
    key(&["up", "start", "main"], "run", "run = [\"nginx\", \"-g\", \"daemon off;\"]").read(command),
    key(&["execstartpre", "prestart", "startpre", "pre", "setup"], "prepare", "prepare = [\"mkdir\", \"-p\", \"/run/app\"]")
        .read(command)
        .note("it runs before each start; a step that is done only once is a `[oneshot.NAME]`"),
    key(&["execstartpre", "prestart", "startpre", "pre", "setup"], "up", "up = [\"mkdir\", \"-p\", \"/run/app\"]").read(command),
    key(&["execstartpost", "poststart", "startpost"], "", "[oneshot.web-started]\nup = [\"echo\", \"up\"]\ndependencies = [\"web\"]")
        .note("a oneshot that depends on the service runs when it is up")
        .read(|_, _| None),
    key(&["execcondition", "condition", "when"], "only-if", "only-if = [\"test\", \"-e\", \"/config/web\"]").read(command),
    key(&["conditionpathexists", "assertpathexists", "conditionfilenotempty", "conditiondirectorynotempty", "conditionpathisdirectory"], "only-if", "only-if = [\"test\", \"-e\", \"/config/web\"]").read(path_exists),
    key(&["execstop", "stop", "stopcommand"], "down", "down = [\"rm\", \"-f\", \"/run/app\"]").read(command),
    key(&["execstop", "stop", "stopcommand", "down"], "down-signal", "down-signal = \"QUIT\"")
        .read(stop_command)
        .note("a longrun is stopped by a signal; a command for the time after the stop is `finish`"),
    key(&["execstoppost", "poststop", "onstop", "cleanup"], "finish", "finish = [\"rm\", \"-f\", \"/run/web.pid\"]").read(command),
    key(&["execreload", "reload"], "reload-signal", "reload-signal = \"HUP\"").read(reload_command),
    key(&["healthcheck", "ready.test", "ready.command", "ready.cmd", "ready.exec", "readinessprobe", "probe", "health"], "ready.check", "ready.check = [\"curl\", \"-f\", \"http://127.0.0.1/\"]")
        .read(health)
        .note("it is repeated until it succeeds for the first time, and dependents of the service wait for that; `alive` asks for as long as the service runs, and `health = true` in `[target]` makes a script for Docker's HEALTHCHECK"),
    // Order.
    key(&["dependson", "depends", "requires", "require", "after", "wants", "bindsto", "requisite", "partof", "upholds", "links", "needs", "need", "deps", "waitfor"], "dependencies", "dependencies = [\"db\"]").read(services),
    key(&["before", "requiredby", "neededby"], "required-by", "required-by = [\"cache\"]").read(services),
    key(&["wantedby"], "start", "start = \"boot\"").read(wanted_by).note("a service that is not on demand starts with the container"),
    key(&["priority", "order", "sequence"], "dependencies", "dependencies = [\"db\"]")
        .read(|_, _| None)
        .note("there are no priorities; name the services that must be up before"),
    elsewhere(&["conflicts"], "s6-rc has no services that exclude each other: stop the other one in `prepare`, or choose by `only-if`"),
    key(&["autostart", "enabled", "enable", "disabled"], "start", "start = \"on-demand\"").read(starts),
    key(&["profiles", "profile"], "start", "start = \"on-demand\"").read(|_, _| Some(Translation::Line("start = \"on-demand\"", ON_DEMAND))),
    elsewhere(&["cron", "crontab", "schedule", "oncalendar", "onbootsec", "onunitactivesec", "timer", "every"], "s6 has no clock: a cron daemon is a longrun of its own, such as `[longrun.cron]` with `run = [\"crond\", \"-f\"]`, and its table has the times"),
    elsewhere(&["defaultdependencies"], "leave it out: a service starts after the image's own initialisation; `start = \"early\"` does not wait for that"),
    // Restarts.
    key(&["restart", "autorestart", "restartpolicy", "respawn"], "on-exit", "on-exit.codes = [0]")
        .read(restart)
        .note("a longrun always starts again, except after an exit with one of these codes"),
    key(&["restart", "autorestart", "restartpolicy", "respawn", "startretries", "startlimitburst", "maxretries", "restartmax"], "on-failure", "on-failure.tries = 3")
        .read(|_, _| None)
        .note("a oneshot that fails is tried this often in all"),
    key(&["restartsec", "restartdelay", "backoff"], "restart-delay", "restart-delay = \"5s\"").read(seconds),
    key(&["restartpreventexitstatus", "exitcodes", "successexitstatus"], "on-exit.codes", "on-exit.codes = [0, 2]")
        .note("after an exit with one of these codes it stays down"),
    key(&["restartforceexitstatus"], "on-exit.except", "on-exit.except = [75]"),
    key(&["startretries", "startlimitburst", "maxretries", "restartmax"], "on-exit", "on-exit.deaths = 3\non-exit.within = \"10s\"")
        .read(|_, _| None)
        .note("after this number of deaths in this time it stays down"),
    key(&["startlimitintervalsec", "startlimitinterval"], "on-exit", "on-exit.deaths = 3\non-exit.within = \"10s\"")
        .read(|_, _| None)
        .note("after this number of deaths in this time it stays down"),
    key(&["startsecs", "minimumuptime"], "on-exit", "on-exit.early = \"1s\"\non-exit.deaths = 4")
        .read(|_, _| None)
        .note("this number of deaths in a row within this time after a start is final; `ready` says when the service is up"),
    key(&["livenessprobe", "liveness", "watchdog"], "alive", "alive.http = \"http://127.0.0.1:8080/health\"")
        .read(|_, _| None)
        .note("a service that fails three times in a row is started again"),
    key(&["onfailure", "startlimitaction", "failureaction", "onsuccess", "successaction"], "on-exit.then", "on-exit.then = \"stop-container\"").read(|_, _| None),
    key(&["startlimitaction", "onfailure", "failureaction"], "on-failure.then", "on-failure.then = \"stop-container\"").read(|_, _| None),
    // Stopping.
    key(&["stopsignal", "killsignal"], "down-signal", "down-signal = \"QUIT\""),
    key(&["stopgraceperiod", "stopwaitsecs", "timeoutstopsec", "stoptimeout", "killtimeout", "stoptimeoutsec"], "timeout-kill", "timeout-kill = \"10s\"")
        .read(seconds)
        .note("a process that has not stopped by then is killed"),
    key(&["timeoutstopsec", "stopgraceperiod", "stopwaitsecs"], "timeout-down", "timeout-down = \"10s\"").read(seconds),
    key(&["timeoutstartsec", "starttimeout", "timeoutsec", "timeout", "startperiod", "timeoutup"], "timeout-up", "timeout-up = \"30s\"").read(seconds),
    key(&["stopasgroup", "killmode"], "stop-group", "stop-group = true").read(kill_mode),
    key(&["killasgroup", "sendsigkill", "finalkillsignal"], "flag-timeout-killpg", "flag-timeout-killpg = true").read(true_only),
    key(&["restartkillsignal"], "down-signal", "down-signal = \"QUIT\""),
    elsewhere(&["timeoutabortsec", "runtimemaxsec", "watchdogsec", "watchdogsignal"], "s6 has no such limit; write a longrun that calls `s6gen restart NAME`"),
    // Environment.
    key(&["env", "envs", "environ", "envvars", "passenvironment"], "environment", "environment = { MODE = \"production\" }"),
    key(&["envfile", "envfiles", "environmentfile", "dotenv"], "environment-files", "environment-files = [\"/etc/web.env\"]")
        .read(env_file)
        .note("a file that may be missing has a `-` before its path"),
    key(&["loadcredential", "secretfile", "secretfiles"], "secrets", "secrets = [\"DB_PASSWORD\"]")
        .read(|_, _| None)
        .note("the container sets the variable `DB_PASSWORD_FILE`, the path of the file"),
    key(&["unsetenvironment", "clearenv"], "with-contenv", "with-contenv = false").read(|_, _| None).note("the container's environment is left out as a whole"),
    key(&["workingdir", "workingdirectory", "directory", "dir", "cwd", "chdir", "workdirectory"], "workdir", "workdir = \"/srv/web\"").read(path),
    elsewhere(&["rootdirectory", "chroot", "rootimage"], "call it in the command: `run = [\"chroot\", \"/srv/web\", \"web\"]`"),
    key(&["uid", "runas", "username", "account"], "user", "user = \"app\""),
    key(&["group", "gid", "groups"], "user", "user = \"app:adm\"").read(|_, _| None).note("account and group are in one key"),
    elsewhere(&["supplementarygroups", "groupadd"], "leave it out: a name in `user` brings all groups that the account has in the image's `/etc/group`"),
    elsewhere(&["dynamicuser"], "make the account in the Dockerfile and name it: `user = \"app\"`"),
    key(&["limitnofile", "minfds", "nofile"], "limits.nofile", "limits.nofile = 65536").read(limit),
    key(&["limitnproc", "minprocs", "nproc", "tasksmax"], "limits.nproc", "limits.nproc = 4096").read(limit),
    key(&["limitcore"], "limits.core", "limits.core = 0").read(limit),
    key(&["limitmemlock"], "limits.memlock", "limits.memlock = 65536").read(limit),
    key(&["limitstack"], "limits.stack", "limits.stack = 8388608").read(limit),
    key(&["limitas"], "limits.as", "limits.as = 1073741824").read(limit),
    key(&["limitdata"], "limits.data", "limits.data = 1073741824").read(limit),
    key(&["limitfsize"], "limits.fsize", "limits.fsize = 1073741824").read(limit),
    key(&["limitrss"], "limits.rss", "limits.rss = 1073741824").read(limit),
    key(&["limitcpu"], "limits.cpu", "limits.cpu = 60").read(limit),
    key(&["ulimits", "ulimit", "rlimits"], "limits", "limits.nofile = 65536").read(|_, _| None),
    key(&["runtimedirectory", "statedirectory", "cachedirectory", "logsdirectory", "configurationdirectory", "tmpfiles", "runtimedirectorymode"], "prepare", "prepare = [\"install\", \"-d\", \"-o\", \"app\", \"/run/web\"]").read(|_, _| None),
    // Output.
    key(&["stdoutlogfile", "logfile", "standardoutput", "stdout", "logdir", "output", "logpath", "log.path", "log.dir", "log.directory", "log.destination"], "log.to", "log.to = \"/var/log/web\"")
        .read(log_to)
        .note("a directory of rotated files"),
    key(&["stderrlogfile", "standarderror", "errorlog"], "log.stderr", "log.stderr = \"/var/log/web-errors\"")
        .read(log_to)
        .note("a directory of rotated files"),
    key(&["redirectstderr"], "log.stderr", "log.stderr = \"stdout\"").read(redirect_stderr),
    key(&["stdoutlogfilemaxbytes", "log.maxsize", "log.maxbytes", "log.rotatesize", "logmaxsize", "stderrlogfilemaxbytes"], "log.size", "log.to = \"/var/log/web\"\nlog.size = \"10MB\"").read(log_size),
    key(&["stdoutlogfilebackups", "log.maxfile", "log.backups", "log.maxfiles", "log.rotate", "stderrlogfilebackups"], "log.keep", "log.to = \"/var/log/web\"\nlog.keep = 10"),
    key(&["stdoutsyslog", "stderrsyslog", "syslog"], "log.to", "log.to = [\"logger\", \"-t\", \"web\"]").read(|_, _| None),
    key(&["syslogidentifier", "tag"], "log.prefix", "log.prefix = \"web:\"").read(|_, _| None),
    key(&["logging", "logdriver", "logs"], "log", "log.to = \"/var/log/web\"").read(|_, _| None).note("without this key the output goes to the container's log"),
    elsewhere(&["stdoutcapturemaxbytes", "stdouteventsenabled", "stderrcapturemaxbytes", "stderreventsenabled", "log.driver", "log.options", "log.level", "loglevel", "standardinput", "ttypath"], "leave it out: s6 has no such thing; `s6gen explain log` shows the keys for output"),
    // Instances.
    key(&["numprocs", "scale", "replicas", "copies", "workers", "processes", "deploy"], "instances", "instances = 4").read(replicas).note("the services are `NAME-1`, `NAME-2` and so on; `{{ instance }}` in a value is the number"),
    elsewhere(&["processname", "numprocsstart"], "leave it out: the service has the name of its table, and an instance has the name `NAME-INSTANCE`"),
    // The kind of the process.
    key(&["type"], "", "").read(service_type).note("the kind is in the name of the table: `[longrun.NAME]`, `[oneshot.NAME]` or `[bundle.NAME]`"),
    elsewhere(&["remainafterexit"], "a step that is done once and then counts as up is a `[oneshot.NAME]` with `up`"),
    elsewhere(&["pidfile", "guessmainpid", "daemonize", "background", "nodaemon", "foreground"], FOREGROUND),
    key(&["notifyaccess", "busname", "notify"], "ready", "ready.fd = 3")
        .read(|_, _| None)
        .note("the program writes a newline to this descriptor; there is no socket of systemd, so for a program that cannot do this use `ready.check`, `ready.tcp` or `ready.unix`"),
    key(&["notificationfd"], "ready.fd", "ready.fd = 3"),
    key(&["ready.port", "ready.tcpport", "ready.listen"], "ready.tcp", "ready.tcp = \"127.0.0.1:8080\"").read(port),
    key(&["ready.url", "ready.httpget", "ready.endpoint"], "ready.http", "ready.http = \"http://127.0.0.1:8080/health\"").read(typed),
    key(&["ready.socket"], "ready.unix", "ready.unix = \"/run/web.sock\""),
    key(&["ready.retries", "ready.attempts"], "ready.tries", "ready.tcp = \"127.0.0.1:8080\"\nready.tries = 5"),
    key(&["ready.period", "ready.periodseconds", "ready.every"], "ready.interval", "ready.tcp = \"127.0.0.1:8080\"\nready.interval = \"1s\"").read(seconds),
    key(&["ready.timeoutseconds"], "ready.timeout", "ready.tcp = \"127.0.0.1:8080\"\nready.timeout = \"5s\"").read(seconds),
    key(&["on-exit.action", "on-exit.policy"], "on-exit.then", "on-exit.then = \"stop-container\"").read(|_, _| None),
    // The target.
    key(&["version", "overlay", "s6overlayversion", "overlayversion", "s6"], "s6-overlay", "s6-overlay = \"3.2.0.2\""),
    key(&["rcversion", "s6rcversion"], "s6-rc", "s6-rc = \"0.7.0.0\""),
    key(&["root", "outdir", "sourcedir", "destination"], "tree", "tree = \"/etc/s6-overlay/sv\""),
    // Names and texts.
    key(&["comment", "summary", "about", "title"], "description", "description = \"serves pages\""),
    elsewhere(&["documentation", "sourcepath"], "leave it out, or write a comment after `#`"),
    elsewhere(&["alias", "also"], "a second name is a bundle: `[bundle.NAME]` with `contents = [\"web\"]`"),
    key(&["services", "members", "programs", "children", "units"], "contents", "contents = [\"db\", \"cache\"]").read(services),
    // Not about processes.
    elsewhere(&["image", "build", "platform", "pullpolicy", "extends", "context", "dockerfile", "args"], IMAGE),
    elsewhere(
        &[
            "ports", "expose", "volumes", "volumesfrom", "tmpfs", "networks", "networkmode", "containername",
            "hostname", "domainname", "dns", "dnssearch", "extrahosts", "externallinks", "privileged", "capadd",
            "capdrop", "securityopt", "devices", "sysctls", "labels", "secrets", "configs", "shmsize", "memlimit",
            "memreservation", "memswaplimit", "memory", "cpus", "cpushares", "cpuset", "pid", "ipc", "usernsmode",
            "readonly", "oomscoreadj", "oomscoreadjust", "oomkilldisable", "annotations", "cgroup", "cgroupparent",
            "isolation", "runtime", "gpus", "storageopt", "macaddress", "ttys", "memorymax", "memoryhigh",
            "memorylimit", "cpuquota", "cpuweight", "ioweight", "slice", "capabilityboundingset",
            "ambientcapabilities", "nonewprivileges", "privatetmp", "privatedevices", "privatenetwork",
            "protectsystem", "protecthome", "protectkerneltunables", "protectkernelmodules",
            "protectcontrolgroups", "restrictaddressfamilies", "restrictnamespaces", "systemcallfilter",
            "readwritepaths", "readonlypaths", "bindpaths", "bindreadonlypaths", "lockpersonality",
            "memorydenywriteexecute", "restrictrealtime", "restrictsuidsgid", "delegate", "networknamespacepath",
        ],
        CONTAINER,
    ),
    elsewhere(&["init", "tty", "stdinopen", "attach"], "leave it out: `/init` of s6-overlay is the container's first process, and a service has no terminal"),
    elsewhere(&["sockets", "listenstream", "filedescriptorstoremax"], "leave it out: the service opens its sockets itself"),
    elsewhere(&["serverurl", "events", "buffersize", "resulthandler"], "leave it out: s6 has no such interface"),
];
