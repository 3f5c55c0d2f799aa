//! The table of well-known programs, in the order of their names. A comment above a row holds what its fields cannot say.

use super::Alone::{Configured, Leaves, Stays};
use super::Checked::{Code, Manual, Tried};
use super::KnownReadiness::{Check, Descriptor, Nothing, Systemd};
use super::{Checked, KnownProgram};

/// What a row does not mention.
const NOTHING: KnownProgram = KnownProgram {
    names: &[],
    about: "",
    alone: Stays,
    foreground: &[],
    background: &[],
    foreground_commands: &[],
    background_commands: &[],
    ends: &[],
    takes_value: &[],
    joins_options: false,
    takes_script: false,
    ready: Nothing,
    ready_note: "",
    is_needed: false,
    clients: &[],
    stop_signal: "TERM",
    stop_reason: "",
    drops_rights: "",
    advice: "",
    source: "",
    checked: Checked::Manual,
};

/// Every program.
#[rustfmt::skip]
pub const PROGRAMS: &[KnownProgram] = &[
    // -d (debug) stays in acpid 2 too by its manual: then it implies -f.
    KnownProgram {
        names: &["acpid"], about: "ACPI events", alone: Leaves, foreground: &["-f", "--foreground", "-d"],
        ends: &["-v", "--version", "-h", "--help"],
        takes_value: &["-c", "--confdir", "-s", "--socketfile", "-p", "--pidfile", "-m", "--socketmode", "-g", "--socketgroup", "-C", "--clientmax"],
        joins_options: true, source: "https://manpages.debian.org/bookworm/acpid/acpid.8.en.html", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["anacron"], about: "job scheduler", alone: Leaves, foreground: &["-d"], ends: &["-T", "-V", "-h", "-u"],
        takes_value: &["-t", "-S"], joins_options: true, stop_signal: "USR1",
        stop_reason: "ends after the jobs that run",
        advice: "It runs what is due and ends: call it from cron or a oneshot, not as a longrun.",
        source: "https://manpages.debian.org/bookworm/anacron/anacron.8.en.html", checked: Tried, ..NOTHING
    },
    // `-k start -DFOREGROUND` stays too (run).
    KnownProgram {
        names: &["apache2"], about: "web server", alone: Leaves,
        foreground: &["-D FOREGROUND", "-DFOREGROUND", "-X", "-D NO_DETACH", "-DNO_DETACH"],
        ends: &["-t", "-v", "-V", "-l", "-L", "-S", "-M", "-h", "-?", "-k stop", "-k restart"],
        takes_value: &["-D", "-d", "-f", "-C", "-c", "-e", "-E", "-k"], joins_options: true, stop_signal: "WINCH",
        stop_reason: "lets open requests finish; TERM drops them", drops_rights: "User and Group directives",
        advice: "Debian's apache2 needs the variables of /etc/apache2/envvars, or it stops with an error.",
        source: "https://httpd.apache.org/docs/2.4/programs/httpd.html", checked: Tried, ..NOTHING
    },
    // Small scripts of the php and httpd Docker images that end with exec.
    KnownProgram {
        names: &["apache2-foreground", "httpd-foreground"], about: "Apache in foreground", alone: Stays,
        stop_signal: "WINCH", stop_reason: "lets open requests finish; TERM drops them",
        drops_rights: "User and Group directives",
        source: "https://github.com/docker-library/httpd/blob/master/2.4/httpd-foreground", checked: Code, ..NOTHING
    },
    // Tried: TERM to `apachectl -DFOREGROUND` ended the shell and left apache2 with parent 1; WINCH did nothing at all.
    // Alone it prints its usage; `apachectl start -DFOREGROUND` is an error; `-k graceful` starts the server when it does not run.
    KnownProgram {
        names: &["apachectl", "apache2ctl"], about: "Apache control script", alone: Leaves,
        foreground: &["-D FOREGROUND", "-DFOREGROUND", "-X"], background_commands: &["start", "restart", "graceful"],
        ends: &["configtest", "status", "fullstatus", "stop", "graceful-stop", "help", "-t", "-v", "-V", "-S", "-M", "-l", "-L", "-h"],
        takes_value: &["-D", "-d", "-f", "-C", "-c", "-e", "-E", "-k"],
        stop_reason: "nothing graceful reaches Apache through the script", drops_rights: "User and Group directives",
        advice: "Debian's script starts apache2 without exec, so a stop ends the script and leaves Apache running: use apache2 itself, or apache2-foreground.",
        source: "https://manpages.debian.org/bookworm/apache2/apache2ctl.8.en.html", checked: Tried, ..NOTHING
    },
    // Run with --enable-rpc; without it, it ends when the downloads are done. daemon=true may stand in aria2.conf.
    KnownProgram {
        names: &["aria2c"], about: "download manager", alone: Stays, foreground: &["--daemon=false"],
        background: &["-D", "--daemon", "--daemon=true"], ends: &["-v", "--version", "-h", "--help"],
        takes_value: &["-d", "--dir", "-o", "--out", "-l", "--log", "-s", "-x", "-i", "--input-file", "--conf-path"],
        joins_options: true, source: "https://manpages.debian.org/bookworm/aria2/aria2c.1.en.html", checked: Tried,
        ..NOTHING
    },
    // -c and -v imply -f (joined: -vvvgc). `alwaysfork` and `nofork` in asterisk.conf count as well.
    KnownProgram {
        names: &["asterisk"], about: "telephony", alone: Configured { stays: false },
        foreground: &["-f", "-c", "-v", "-vvv", "-vv", "-vvvv", "-vvvvv"], ends: &["-V", "-h", "-r", "-R", "-x", "-rx"],
        takes_value: &["-C", "-G", "-U", "-L", "-M", "-s", "-x", "-e"], joins_options: true,
        ready: Check("asterisk -rx 'core waitfullybooted'"), drops_rights: "-U and -G",
        advice: "Use -f; -c wants a terminal.",
        source: "https://github.com/asterisk/asterisk/blob/master/doc/asterisk.8", checked: Manual, ..NOTHING
    },
    // -s runs the queue once and ends.
    KnownProgram {
        names: &["atd"], about: "job scheduler", alone: Leaves, foreground: &["-f", "-d", "-s"], ends: &["-V"],
        takes_value: &["-l", "-b"], joins_options: true, source: "https://manpages.debian.org/bookworm/at/atd.8.en.html",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["automount"], about: "automounter", alone: Leaves, foreground: &["-f", "--foreground"],
        ends: &["-V", "--version", "-h", "--help"], takes_value: &["-p", "-t", "-n", "-D"],
        source: "https://manpages.debian.org/bookworm/autofs/automount.8.en.html", checked: Tried, ..NOTHING
    },
    // -s (syslog) does not fork.
    KnownProgram {
        names: &["avahi-daemon"], about: "mDNS", alone: Stays, background: &["-D", "--daemonize"],
        ends: &["-h", "--help", "-V", "--version", "-k", "--kill", "-r", "--reload", "-c", "--check"],
        takes_value: &["-f", "--file"], joins_options: true, ready: Check("avahi-daemon --check"),
        advice: "It needs the system D-Bus unless enable-dbus=no.",
        source: "https://manpages.debian.org/bookworm/avahi-daemon/avahi-daemon.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["beanstalkd"], about: "work queue", alone: Stays, ends: &["-v", "-h"],
        takes_value: &["-b", "-f", "-l", "-p", "-u", "-z", "-s"], is_needed: true, drops_rights: "-u",
        source: "https://manpages.debian.org/bookworm/beanstalkd/beanstalkd.1.en.html", checked: Tried, ..NOTHING
    },
    // bird 2: -d is foreground with messages on standard error; -D takes a file.
    KnownProgram {
        names: &["bird", "bird6"], about: "routing daemon", alone: Leaves, foreground: &["-f", "-d"],
        ends: &["-p", "--version", "--help"], takes_value: &["-c", "-s", "-u", "-g", "-P"], joins_options: true,
        ready: Check("birdc show status"), drops_rights: "-u and -g",
        source: "https://manpages.debian.org/bookworm/bird2/bird.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["caddy"], about: "web server", alone: Stays,
        foreground_commands: &["run", "file-server", "reverse-proxy", "respond"], background_commands: &["start"],
        ends: &["version", "validate", "adapt", "fmt", "reload", "stop", "list-modules", "hash-password", "trust", "untrust", "environ", "upgrade", "help", "--help", "--version"],
        takes_value: &["--config", "-c", "--adapter", "-a", "--envfile", "--pidfile"], ready: Systemd,
        ready_note: "caddy run sends READY=1 to NOTIFY_SOCKET", stop_reason: "graceful; grace_period limits it",
        advice: "Use `caddy run`: `caddy start` returns at once.", source: "https://caddyserver.com/docs/command-line",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["cassandra"], about: "wide-column database", alone: Leaves, foreground: &["-f"], ends: &["-v", "-h"],
        takes_value: &["-p", "-D", "-H", "-E"], is_needed: true,
        clients: &["cqlsh", "migrate"], advice: "-R is needed to run as root.",
        source: "https://github.com/apache/cassandra/blob/trunk/bin/cassandra", checked: Code, ..NOTHING
    },
    // `jpda start` is start with debugging; `debug` is a console.
    // startup.sh is `catalina.sh start` and leaves too; it has no row, because many images have a script of their own with that name.
    KnownProgram {
        names: &["catalina.sh"], about: "Tomcat control script", alone: Stays, foreground_commands: &["run"],
        background_commands: &["start"], ends: &["stop", "configtest", "version"], takes_value: &["-config"],
        advice: "Use `catalina.sh run`; it becomes java.",
        source: "https://tomcat.apache.org/tomcat-10.1-doc/introduction.html", checked: Code, ..NOTHING
    },
    // `celery multi start` starts workers and ends.
    KnownProgram {
        names: &["celery"], about: "Python task queue", alone: Stays, background: &["-D", "--detach"],
        foreground_commands: &["worker", "beat", "flower", "events"], background_commands: &["multi"],
        ends: &["status", "inspect", "control", "purge", "list", "report", "result", "shell", "call", "--version", "--help", "-h"],
        takes_value: &["-A", "--app", "-b", "--broker", "-n", "--hostname", "-l", "--loglevel", "-c", "--concurrency", "-Q", "--queues", "-P", "--pool", "-f", "--logfile", "--workdir", "--pidfile", "--uid", "--gid", "-s"],
        stop_reason: "warm: finishes running tasks, which can take long", drops_rights: "--uid and --gid",
        advice: "Give timeout-kill more than the longest task.",
        source: "https://docs.celeryq.dev/en/stable/userguide/workers.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["charon-systemd"], about: "IKE daemon", alone: Stays, ready: Systemd,
        ready_note: "sends READY=1; swanctl --stats asks it too",
        source: "https://docs.strongswan.org/docs/latest/swanctl/swanctl.html", checked: Tried, ..NOTHING
    },
    // -d also logs to standard error.
    KnownProgram {
        names: &["chronyd"], about: "time server", alone: Leaves, foreground: &["-d", "-n"],
        ends: &["-p", "-v", "--version", "-h", "--help", "-Q", "-q"],
        takes_value: &["-f", "-F", "-L", "-l", "-P", "-t", "-u"], joins_options: true, ready: Check("chronyc tracking"),
        drops_rights: "-u", advice: "Add -x in a container that may not set the clock.",
        source: "https://chrony-project.org/doc/4.4/chronyd.html", checked: Tried, ..NOTHING
    },
    // Foreground true in clamd.conf keeps it.
    KnownProgram {
        names: &["clamd"], about: "virus scanner", alone: Configured { stays: false },
        foreground: &["-F", "--foreground"], ends: &["-V", "--version", "-h", "--help"],
        takes_value: &["-c", "-l", "-p"], joins_options: true, ready: Check("clamdscan --ping 10"),
        ready_note: "clamdscan is a package of its own on Debian", is_needed: true,
        clients: &["clamdscan"], drops_rights: "User in clamd.conf",
        advice: "It ends at once when /var/lib/clamav holds no database yet: run freshclam first.",
        source: "https://manpages.debian.org/bookworm/clamav-daemon/clamd.8.en.html", checked: Tried, ..NOTHING
    },
    // Where NOTIFY_SOCKET is set it does not fork even without -f (run); s6 does not set it.
    KnownProgram {
        names: &["collectd"], about: "metrics agent", alone: Leaves, foreground: &["-f"], ends: &["-t", "-T", "-h"],
        takes_value: &["-C", "-P"], ready: Systemd,
        ready_note: "sends READY=1 where NOTIFY_SOCKET is set, and does not fork then",
        source: "https://www.collectd.org/documentation/manpages/collectd.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["conntrackd"], about: "connection tracking", alone: Stays, background: &["-d"],
        ends: &["-v", "-h", "-i", "-e", "-k", "-s"], takes_value: &["-C"], ready: Systemd,
        ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not",
        source: "https://manpages.debian.org/bookworm/conntrackd/conntrackd.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["containerd"], about: "container engine", alone: Stays,
        ends: &["-v", "--version", "-h", "--help", "config", "publish", "oci-hook"],
        takes_value: &["-c", "--config", "-l", "--log-level", "-a", "--address", "--root", "--state"],
        ready: Check("ctr version"), ready_note: "it also sends READY=1 to NOTIFY_SOCKET", is_needed: true,
        clients: &["ctr", "nerdctl"],
        source: "https://github.com/containerd/containerd/blob/main/docs/ops.md", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["coredns"], about: "DNS server", alone: Stays,
        ends: &["-version", "-plugins", "-h", "-help", "--version", "--plugins"],
        takes_value: &["-conf", "-dns.port", "-p", "-pidfile"], source: "https://coredns.io/manual/toc/", checked: Code,
        ..NOTHING
    },
    // Debian's (Vixie). Cronie installed as cron takes -n and -f.
    KnownProgram {
        names: &["cron"], about: "job scheduler", alone: Leaves, foreground: &["-f", "-n"], takes_value: &["-L"],
        joins_options: true, advice: "It clears the environment of its jobs: container variables do not reach them.",
        source: "https://manpages.debian.org/bookworm/cron/cron.8.en.html", checked: Tried, ..NOTHING
    },
    // Three programs. busybox: -f; -b (default) undoes an -f before it; -d N takes a value and does not keep it (source).
    // dcron: -f or -d (no value; source). cronie: -n or -f (run). -d stands in the list because of dcron, to stay silent.
    // -c and -s take a value in busybox/dcron, none in cronie.
    KnownProgram {
        names: &["crond"], about: "job scheduler", alone: Leaves, foreground: &["-f", "-n", "-d", "-x"], ends: &["-h", "-V"],
        takes_value: &["-l", "-L", "-c", "-m", "-x"], joins_options: true,
        advice: "busybox and dcron: crond -f; cronie: crond -n.",
        source: "https://www.busybox.net/downloads/BusyBox.html#crond", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["cupsd"], about: "print server", alone: Leaves, foreground: &["-f", "-F"], ends: &["-t", "-h"],
        takes_value: &["-c", "-s"], joins_options: true, drops_rights: "User in cups-files.conf",
        source: "https://manpages.debian.org/bookworm/cups-daemon/cupsd.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["daemonize"], about: "background starter", alone: Leaves,
        takes_value: &["-c", "-e", "-o", "-p", "-l", "-u", "-E"], drops_rights: "-u", advice: "Start the program itself.",
        source: "https://manpages.debian.org/bookworm/daemonize/daemonize.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["danted", "sockd"], about: "SOCKS proxy", alone: Stays, background: &["-D"], ends: &["-V", "-v", "-h"],
        takes_value: &["-f", "-p", "-N", "-d", "-w"], drops_rights: "user.privileged and user.unprivileged",
        source: "https://manpages.debian.org/bookworm/dante-server/danted.8.en.html", checked: Tried, ..NOTHING
    },
    // Tried: --system and --config-file=/usr/share/dbus-1/system.conf leave; --session stays. `--system` without --nofork probably leaves.
    KnownProgram {
        names: &["dbus-daemon"], about: "message bus", alone: Configured { stays: true }, foreground: &["--nofork"],
        background: &["--fork"], ends: &["--version", "--help", "--introspect"],
        takes_value: &["--config-file", "--address"], ready: Descriptor("--print-address=3"),
        ready_note: "writes its address and a newline when it listens; Debian's build also sends READY=1",
        is_needed: true,
        clients: &["avahi-daemon", "bluetoothd", "busctl", "connmand", "cups-browsed", "dbus-send", "gdbus", "ModemManager", "NetworkManager", "upowerd"], drops_rights: "<user> in the configuration",
        advice: "--system goes into the background through <fork/> of system.conf: add --nofork, and --nopidfile so that a stale pid file cannot stop it.",
        source: "https://manpages.debian.org/bookworm/dbus-daemon/dbus-daemon.1.en.html", checked: Tried, ..NOTHING
    },
    // -d means do not daemonize.
    KnownProgram {
        names: &["deluged"], about: "BitTorrent daemon", alone: Leaves, foreground: &["-d", "--do-not-daemonize"],
        ends: &["-V", "--version", "-h", "--help"],
        takes_value: &["-p", "--port", "-i", "--interface", "-u", "--ui-interface", "-c", "--config", "-l", "--logfile", "-L", "--loglevel", "-P", "--pidfile", "-U", "--user", "-g", "--group"],
        source: "https://manpages.debian.org/bookworm/deluged/deluged.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["dhcpcd"], about: "DHCP client", alone: Leaves, foreground: &["-B", "--nobackground"],
        background: &["-b", "--background"],
        ends: &["--version", "-T", "--test", "-k", "--release", "-x", "--exit", "-n", "--rebind", "-N", "--renew", "-U", "--dumplease"],
        takes_value: &["-c", "--script", "-e", "--env", "-f", "--config", "-F", "--fqdn", "-I", "--clientid", "-l", "--leasetime", "-m", "--metric", "-o", "--option", "-O", "--nooption", "-Q", "--require", "-r", "--request", "-S", "--static", "-t", "--timeout"],
        joins_options: true, source: "https://manpages.debian.org/bookworm/dhcpcd5/dhcpcd.8.en.html", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["dnscrypt-proxy"], about: "encrypted DNS", alone: Stays,
        ends: &["-version", "-list", "-list-all", "-check", "-service", "-show-certs", "-resolve"],
        takes_value: &["-config", "-pidfile", "-netprobe-timeout", "-service", "-resolve"],
        drops_rights: "user_name in its toml",
        source: "https://manpages.debian.org/trixie/dnscrypt-proxy/dnscrypt-proxy.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["dnsdist"], about: "DNS load balancer", alone: Stays, foreground: &["--supervised"],
        ends: &["--version", "-V", "--check-config", "-h", "--help", "-c", "--client", "-k", "--setkey"],
        takes_value: &["-C", "--config", "-a", "--acl", "-g", "-u", "-l"], ready: Systemd,
        ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not", drops_rights: "-u and -g",
        advice: "Without --supervised it opens a console on its input and ends when that ends (at once with /dev/null).",
        source: "https://manpages.debian.org/trixie/dnsdist/dnsdist.1.en.html", checked: Tried, ..NOTHING
    },
    // `keep-in-foreground` as a line of the configuration file works too.
    KnownProgram {
        names: &["dnsmasq"], about: "DNS and DHCP", alone: Configured { stays: false },
        foreground: &["-k", "--keep-in-foreground", "-d", "--no-daemon"],
        ends: &["--test", "-v", "--version", "-w", "--help"],
        takes_value: &["-C", "-7", "-r", "-a", "-i", "-I", "-p", "-u", "-g", "-x", "-l", "-F", "-A", "-S", "-H", "-m", "-c"],
        joins_options: true, drops_rights: "-u, and nobody by default",
        advice: "-k keeps it and drops rights; -d is for debugging and keeps root.",
        source: "https://manpages.debian.org/bookworm/dnsmasq-base/dnsmasq.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["dockerd"], about: "container engine", alone: Stays, ends: &["-v", "--version", "--help", "--validate"],
        takes_value: &["--config-file", "-H", "--host", "--data-root", "-p", "--pidfile", "--storage-driver", "-l", "--log-level", "-G", "--group"],
        ready: Check("docker info"),
        ready_note: "exits 0 with some versions even when the server does not answer: look at `docker version` too",
        is_needed: true,
        clients: &["docker", "docker-compose"], stop_reason: "stops containers", source: "https://docs.docker.com/reference/cli/dockerd/",
        checked: Manual, ..NOTHING
    },
    KnownProgram {
        takes_script: true, names: &["dotnet"], about: "NET runtime", alone: Stays, foreground_commands: &["run"],
        ends: &["--version", "--info", "--list-sdks", "--list-runtimes", "build", "publish", "restore", "test", "new", "tool", "--help", "-h"],
        source: "https://learn.microsoft.com/dotnet/core/tools/dotnet", checked: Manual, ..NOTHING
    },
    // Dovecot sends READY=1 from the background process too.
    KnownProgram {
        names: &["dovecot"], about: "IMAP server", alone: Leaves, foreground: &["-F"],
        ends: &["reload", "stop", "-n", "-a", "--version", "--build-options", "--help", "--hostdomain"],
        takes_value: &["-c"], joins_options: true, ready: Systemd,
        ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not",
        drops_rights: "default_internal_user", source: "https://doc.dovecot.org/2.3/admin_manual/error_tools/",
        checked: Tried, ..NOTHING
    },
    // -E only sends the log to standard error.
    KnownProgram {
        names: &["dropbear"], about: "SSH server", alone: Leaves, foreground: &["-F", "-i"], ends: &["-V", "-h"],
        takes_value: &["-b", "-r", "-p", "-P", "-W", "-K", "-I", "-c", "-D"], joins_options: true,
        source: "https://manpages.debian.org/bookworm/dropbear-bin/dropbear.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["elasticsearch"], about: "search engine", alone: Stays, background: &["-d", "--daemonize"],
        ends: &["-V", "--version", "-h", "--help"], takes_value: &["-p", "--pidfile", "-E", "--enrollment-token"],
        is_needed: true, advice: "It refuses to run as root.",
        source: "https://www.elastic.co/guide/en/elasticsearch/reference/current/starting-elasticsearch.html",
        checked: Code, ..NOTHING
    },
    KnownProgram {
        names: &["envoy"], about: "proxy", alone: Stays, ends: &["--version", "--mode=validate", "-h", "--help"],
        takes_value: &["-c", "--config-path", "--config-yaml", "--mode", "-l", "--log-level", "--base-id", "--concurrency", "--log-path", "--service-cluster", "--service-node"],
        source: "https://www.envoyproxy.io/docs/envoy/latest/operations/cli", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["etcd"], about: "key-value store", alone: Stays,
        ends: &["--version", "--help", "-h"], ready: Check("etcdctl endpoint health"),
        ready_note: "etcdctl is of the same project; etcd also sends READY=1 to NOTIFY_SOCKET", is_needed: true,
        clients: &["etcdctl"],
        source: "https://etcd.io/docs/latest/op-guide/configuration/", checked: Tried, ..NOTHING
    },
    // Without -bd or -bdf it is a command like sendmail. Options are words of their own, not joined.
    KnownProgram {
        names: &["exim", "exim4"], about: "mail server", alone: Stays, foreground: &["-bdf"], background: &["-bd"],
        ends: &["-bV", "-bP", "-bp", "-bt", "-bh", "-be", "-qff", "-M", "-Mvl", "-Mrm"],
        takes_value: &["-C", "-D", "-oX", "-oP", "-odd"], drops_rights: "compiled in (exim_user)",
        advice: "-q30m alone also goes into the background; write -bdf -q30m.",
        source: "https://www.exim.org/exim-html-current/doc/html/spec_html/ch-the_exim_command_line.html",
        checked: Tried, ..NOTHING
    },
    // fail2ban-client without a command prints help; `fail2ban-client start` leaves, with -f it becomes the server and stays (run).
    KnownProgram {
        names: &["fail2ban-server", "fail2ban-client"], about: "log watcher", alone: Leaves, foreground: &["-f", "--foreground"],
        background: &["-b"],
        ends: &["-V", "--version", "-h", "--help", "-t", "--test", "-d", "--dp", "--dump-pretty", "stop", "status", "ping", "reload", "get", "set", "add"],
        takes_value: &["-c", "-s", "-p", "--loglevel", "--logtarget", "--syslogsocket"], joins_options: true,
        ready: Check("fail2ban-client ping"),
        advice: "`fail2ban-server -xf start` stays and removes a stale socket; each jail's log must exist.",
        source: "https://manpages.debian.org/bookworm/fail2ban/fail2ban-server.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["fcgiwrap"], about: "CGI runner", alone: Stays, ends: &["-h"], takes_value: &["-c", "-s", "-p"],
        source: "https://manpages.debian.org/bookworm/fcgiwrap/fcgiwrap.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["fcron"], about: "job scheduler", alone: Leaves, foreground: &["-f", "--foreground"],
        background: &["-b", "--background"], ends: &["-h", "--help", "-V", "--version"],
        takes_value: &["-c", "--configfile", "-n", "--newspooldir", "-s", "--savetime", "-m", "--maxserial", "-q", "--queuelen", "-p", "--logfilepath", "-l", "--firstsleep"],
        joins_options: true, source: "https://man.archlinux.org/man/fcron.8.en", checked: Manual, ..NOTHING
    },
    // Its packaged unit starts it as a simple service.
    KnownProgram {
        names: &["filebeat", "metricbeat", "heartbeat", "packetbeat", "auditbeat"], about: "log shipper", alone: Stays,
        foreground_commands: &["run"],
        ends: &["test", "setup", "version", "export", "keystore", "modules", "enroll", "help", "--version", "--help"],
        takes_value: &["-c", "-E", "--path.config", "--path.data", "--path.home", "--path.logs", "-d"],
        advice: "Add -e so that its log goes to standard error.",
        source: "https://www.elastic.co/guide/en/beats/filebeat/current/command-line-options.html", checked: Code,
        ..NOTHING
    },
    // `Daemon On` in the service section does the same.
    KnownProgram {
        names: &["fluent-bit"], about: "log shipper", alone: Configured { stays: true }, background: &["-d", "--daemon"],
        ends: &["-D", "--dry-run", "-V", "--version", "-h", "--help", "-J", "--schema", "-S", "--sosreport"],
        takes_value: &["-c", "--config", "-i", "--input", "-o", "--output", "-f", "--flush", "-F", "--filter", "-m", "--match", "-p", "--prop", "-R", "--parser", "-e", "--plugin", "-l", "--log_file", "-t", "--tag", "-w", "--workdir", "-P", "--port"],
        joins_options: true, stop_reason: "flushes for Grace seconds (5)",
        source: "https://docs.fluentbit.io/manual/administration/configuring-fluent-bit", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["fluentd", "td-agent"], about: "log shipper", alone: Stays, background: &["-d", "--daemon"],
        ends: &["-s", "--setup", "--dry-run", "--version", "-h", "--help", "--show-plugin-config"],
        takes_value: &["-c", "--config", "-p", "--plugin", "-I", "-r", "-o", "--log", "-i", "--inline-config", "--user", "--group", "--workers", "--umask"],
        stop_reason: "flushes its buffers", drops_rights: "--user",
        source: "https://docs.fluentd.org/deployment/command-line-option", checked: Manual, ..NOTHING
    },
    // Tried: TERM to `forever app.js` left node with parent 1.
    KnownProgram {
        names: &["forever"], about: "Node restart wrapper", alone: Stays,
        background_commands: &["start", "restart", "restartall"],
        ends: &["stop", "stopall", "list", "config", "set", "clear", "logs", "columns", "cleanlogs", "-h", "--help"],
        takes_value: &["-m", "-l", "-o", "-e", "-c", "--pidFile", "--sourceDir", "--minUptime", "--spinSleepTime"],
        stop_reason: "leaves the program running",
        advice: "TERM ends forever and leaves the program running: start node and let s6 restart it.",
        source: "https://github.com/foreversd/forever", checked: Tried, ..NOTHING
    },
    // `-d -F` together stay (run). Foreground true in freshclam.conf works as well.
    KnownProgram {
        names: &["freshclam"], about: "virus database updater", alone: Stays, foreground: &["-F", "--foreground"],
        ends: &["-V", "--version", "-h", "--help"],
        takes_value: &["-c", "-p", "-u", "-l"], joins_options: true, drops_rights: "DatabaseOwner",
        advice: "Without -d it updates once and ends, so as a longrun it is started again every second: write `freshclam -d --foreground`.",
        source: "https://manpages.debian.org/bookworm/clamav-freshclam/freshclam.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["gpsd"], about: "GPS server", alone: Leaves, foreground: &["-N", "--foreground"],
        ends: &["-V", "--version", "-h", "--help", "-l", "--drivers"],
        takes_value: &["-D", "--debug", "-F", "--sockfile", "-f", "--framing", "-P", "--pidfile", "-S", "--port", "-s", "--speed"],
        joins_options: true, source: "https://manpages.debian.org/bookworm/gpsd/gpsd.8.en.html", checked: Tried,
        ..NOTHING
    },
    // Its packaged unit starts it as a simple service.
    KnownProgram {
        names: &["grafana-server", "grafana"], about: "dashboards", alone: Stays, foreground_commands: &["server"],
        ends: &["-v", "--version", "cli", "-h", "--help"],
        takes_value: &["-config", "--config", "-homepath", "--homepath", "-pidfile", "--pidfile", "--packaging"],
        source: "https://grafana.com/docs/grafana/latest/cli/", checked: Code, ..NOTHING
    },
    // daemon = True in its configuration file or GUNICORN_CMD_ARGS leaves too.
    KnownProgram {
        names: &["gunicorn", "gunicorn3"], about: "Python app server", alone: Configured { stays: true },
        background: &["-D", "--daemon"], ends: &["-v", "--version", "-h", "--help", "--check-config", "--print-config"],
        takes_value: &["-c", "--config", "-b", "--bind", "-w", "--workers", "-k", "--worker-class", "-u", "--user", "-g", "--group", "-p", "--pid", "-t", "--timeout", "-n", "--name", "--chdir", "--log-level", "-e", "--env"],
        joins_options: true, ready: Systemd, ready_note: "sends READY=1 to NOTIFY_SOCKET itself, on every system",
        stop_reason: "finishes requests within graceful_timeout; INT and QUIT are quick",
        drops_rights: "--user and --group", source: "https://docs.gunicorn.org/en/stable/settings.html#daemon",
        checked: Tried, ..NOTHING
    },
    // -W alone decides nothing (run): with `daemon` in the file it leaves. `-db -D` leaves (run): -D is the stronger one.
    // Options are not joined: -db, -Ws, -dM are words of their own.
    KnownProgram {
        names: &["haproxy"], about: "proxy", alone: Configured { stays: true }, foreground: &["-db"],
        background: &["-D"], ends: &["-c", "-v", "-vv", "-cc", "-h"],
        takes_value: &["-f", "-C", "-p", "-n", "-N", "-m", "-L", "-x", "-S", "-cc", "-sf", "-st"], ready: Systemd,
        ready_note: "only with -Ws", stop_signal: "USR1", stop_reason: "lets connections finish; TERM closes them",
        drops_rights: "user and group in the global section",
        advice: "`daemon` in the global section sends it to the background even with -W; -db keeps it.",
        source: "https://docs.haproxy.org/2.8/management.html#3", checked: Tried, ..NOTHING
    },
    // -f names a file; -F is the foreground.
    KnownProgram {
        names: &["haveged"], about: "entropy source", alone: Leaves, foreground: &["-F", "--Foreground"],
        ends: &["-V", "--version", "-h", "--help", "-?"],
        takes_value: &["-b", "--buffer", "-d", "--data", "-f", "--file", "-i", "--inject", "-n", "--number", "-o", "--onlinetest", "-p", "--pidfile", "-r", "--run", "-s", "--source", "-t", "--threads", "-v", "--verbose", "-w", "--write"],
        joins_options: true, advice: "Kernels since 5.6 need no such helper.",
        source: "https://manpages.debian.org/bookworm/haveged/haveged.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["hitch"], about: "TLS proxy", alone: Configured { stays: true }, foreground: &["--daemon=off"],
        background: &["--daemon", "--daemon=on"], ends: &["-t", "--test", "-V", "--version", "-h", "--help"],
        takes_value: &["-b", "-f", "-n", "-u", "-g", "-p", "-c"], drops_rights: "-u or user in the configuration",
        source: "https://manpages.debian.org/bookworm/hitch/hitch.8.en.html", checked: Tried, ..NOTHING
    },
    // Two programs. Apache: -DFOREGROUND (checked as apache2). busybox: -f keeps it in the foreground (run), and it ends on TERM at once; WINCH does nothing to it.
    // -f stands in the list because of busybox, to stay silent; for Apache -f names the configuration.
    KnownProgram {
        names: &["httpd"], about: "web server", alone: Leaves,
        foreground: &["-D FOREGROUND", "-DFOREGROUND", "-X", "-D NO_DETACH", "-DNO_DETACH", "-f"],
        ends: &["-t", "-V", "-l", "-L", "-S", "-M", "-?", "-k stop", "-k restart"],
        takes_value: &["-D", "-d", "-C", "-c", "-e", "-E", "-k", "-p"], joins_options: true, stop_signal: "WINCH",
        stop_reason: "lets open requests finish; TERM drops them", drops_rights: "User and Group directives",
        source: "https://httpd.apache.org/docs/2.4/programs/httpd.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["icecast2", "icecast"], about: "audio stream server", alone: Stays, background: &["-b"],
        ends: &["-v", "--version", "-h", "--help"], takes_value: &["-c"],
        drops_rights: "<changeowner> in its configuration", advice: "It refuses to run as root without <changeowner>.",
        source: "https://manpages.debian.org/bookworm/icecast2/icecast2.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["in.tftpd", "tftpd"], about: "TFTP server", alone: Stays, foreground: &["-L", "--foreground"],
        background: &["-l", "--listen"], ends: &["-V", "--version"],
        takes_value: &["-a", "-u", "-U", "-m", "-B", "-t", "-T", "-P", "-R", "-r"], drops_rights: "-u",
        source: "https://manpages.debian.org/bookworm/tftpd-hpa/in.tftpd.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["incrond"], about: "file event scheduler", alone: Leaves, foreground: &["-n", "--foreground"],
        ends: &["-V", "--version", "-?", "--help", "-k", "--kill"], takes_value: &["-f", "--config"],
        joins_options: true, source: "https://manpages.debian.org/bookworm/incron/incrond.8.en.html", checked: Tried,
        ..NOTHING
    },
    // inetutils: -d (run). openbsd: -i or -d. busybox: -f.
    KnownProgram {
        names: &["inetd", "inetutils-inetd", "openbsd-inetd"], about: "super server", alone: Leaves,
        foreground: &["-d", "-i", "-f"], ends: &["-V", "--version", "--help"], takes_value: &["-R", "-q"],
        source: "https://manpages.debian.org/bookworm/inetutils-inetd/inetutils-inetd.8.en.html", checked: Tried,
        ..NOTHING
    },
    // Run with Debian's 1.6.7.
    KnownProgram {
        names: &["influxd"], about: "time series database", alone: Stays,
        ends: &["version", "help", "--version", "--help", "backup", "restore", "inspect", "upgrade", "print-config"],
        takes_value: &["-config", "-pidfile", "--config", "--pidfile"], is_needed: true,
        clients: &["influx"],
        source: "https://docs.influxdata.com/influxdb/v2/reference/cli/influxd/", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["inspircd"], about: "IRC server", alone: Leaves, foreground: &["--nofork", "--debug"],
        ends: &["--version"], takes_value: &["--config"], advice: "It refuses to run as root without --runasroot.",
        source: "https://manpages.debian.org/bookworm/inspircd/inspircd.8.en.html", checked: Manual, ..NOTHING
    },
    // libreswan has a command of the same name, whose start works through the init system.
    KnownProgram {
        names: &["ipsec", "strongswan"], about: "IPsec control", alone: Stays, foreground: &["--nofork"],
        background_commands: &["start", "restart"],
        ends: &["stop", "status", "statusall", "reload", "update", "up", "down", "route", "unroute", "rereadall", "purge", "listall", "--version", "--help", "version"],
        ready: Check("ipsec status"), advice: "Use `ipsec start --nofork`.",
        source: "https://manpages.debian.org/bookworm/strongswan-starter/ipsec.8.en.html", checked: Tried, ..NOTHING
    },
    // -jar is followed by the program, which reads the rest.
    KnownProgram {
        takes_script: true, names: &["java"], about: "Java runtime", alone: Stays, ends: &["-version", "--version", "-help", "--help", "-X"],
        takes_value: &["-cp", "-classpath", "--class-path", "-p", "--module-path", "-m", "--module", "--add-modules"],
        stop_reason: "runs its shutdown hooks; its exit status is then 143",
        source: "https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html", checked: Manual, ..NOTHING
    },
    // Options are words of their own.
    KnownProgram {
        names: &["kadmind"], about: "Kerberos admin", alone: Leaves, foreground: &["-nofork"],
        takes_value: &["-r", "-port", "-P", "-p", "-K", "-k", "-F", "-T", "-x"],
        source: "https://web.mit.edu/kerberos/krb5-latest/doc/admin/admin_commands/kadmind.html", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["kafka-server-start.sh", "zookeeper-server-start.sh", "connect-distributed.sh", "connect-standalone.sh"],
        about: "Kafka start script", alone: Stays, background: &["-daemon"], is_needed: true,
        stop_reason: "controlled shutdown, can take minutes",
        source: "https://github.com/apache/kafka/blob/trunk/bin/kafka-server-start.sh", checked: Code, ..NOTHING
    },
    // -D means more detail, not daemon.
    KnownProgram {
        names: &["keepalived"], about: "VRRP", alone: Leaves, foreground: &["-n", "--dont-fork"],
        ends: &["-t", "--config-test", "-v", "--version", "-h", "--help", "--signum"],
        takes_value: &["-f", "--use-file", "-p", "--pid", "-r", "--vrrp_pid", "-c", "--checkers_pid", "-i", "--config-id", "-s", "--namespace"],
        joins_options: true, advice: "Add -l to log to standard error.",
        source: "https://manpages.debian.org/bookworm/keepalived/keepalived.8.en.html", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["klogd"], about: "kernel logger", alone: Leaves, foreground: &["-n"], ends: &["-v", "-V"],
        takes_value: &["-c", "-f", "-k", "-p"], joins_options: true,
        source: "https://www.busybox.net/downloads/BusyBox.html#klogd", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["knotd"], about: "DNS server", alone: Stays, background: &["-d", "--daemonize", "--daemonize="],
        ends: &["-V", "--version", "-h", "--help"], takes_value: &["-c", "-C", "-s", "-m"], joins_options: true,
        ready: Check("knotc status"), ready_note: "it also sends READY=1 in Debian's build",
        drops_rights: "user: in the server section", source: "https://manpages.debian.org/bookworm/knot/knotd.8.en.html",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["krb5kdc"], about: "Kerberos KDC", alone: Leaves, foreground: &["-n"],
        takes_value: &["-d", "-k", "-M", "-p", "-r", "-P", "-w", "-x", "-T"], is_needed: true,
        source: "https://web.mit.edu/kerberos/krb5-latest/doc/admin/admin_commands/krb5kdc.html", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["lighttpd"], about: "web server", alone: Leaves, foreground: &["-D"],
        ends: &["-t", "-tt", "-p", "-v", "-V", "-h"], takes_value: &["-f", "-m", "-i"], joins_options: true,
        stop_signal: "INT", stop_reason: "lets open requests finish; TERM drops them",
        drops_rights: "server.username and server.groupname",
        source: "https://manpages.debian.org/bookworm/lighttpd/lighttpd.8.en.html", checked: Tried, ..NOTHING
    },
    // Where NOTIFY_SOCKET is set it does not fork even without -d (run); s6 does not set it.
    KnownProgram {
        names: &["lldpd"], about: "LLDP", alone: Leaves, foreground: &["-d"], ends: &["-v", "-h"],
        takes_value: &["-C", "-I", "-L", "-m", "-M", "-O", "-P", "-S", "-u", "-X", "-H"], joins_options: true,
        ready: Systemd, ready_note: "sends READY=1 where NOTIFY_SOCKET is set, and does not fork then",
        drops_rights: "compiled in (_lldpd)", source: "https://manpages.debian.org/bookworm/lldpd/lldpd.8.en.html",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["logrotate"], about: "log rotation", alone: Stays, stop_reason: "it is a job",
        advice: "It rotates once and ends: run it from cron, not as a longrun.",
        source: "https://manpages.debian.org/bookworm/logrotate/logrotate.8.en.html", checked: Manual, ..NOTHING
    },
    // settings{ nodaemon = true } in its file too.
    KnownProgram {
        names: &["lsyncd"], about: "directory mirror", alone: Leaves, foreground: &["-nodaemon"],
        ends: &["-help", "--help", "-version", "--version"], takes_value: &["-log", "-logfile", "-pidfile"],
        source: "https://manpages.debian.org/bookworm/lsyncd/lsyncd.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["memcached"], about: "cache", alone: Stays, background: &["-d", "--daemon"],
        ends: &["-h", "--help", "-V", "--version", "-i", "--license"],
        takes_value: &["-p", "-U", "-l", "-u", "-m", "-c", "-t", "-s", "-a", "-P", "-f", "-n", "-I", "-o", "-A", "-b", "-D", "-R", "-B"],
        joins_options: true, drops_rights: "-u or --user", advice: "As root it refuses to start without -u.",
        source: "https://manpages.debian.org/bookworm/memcached/memcached.1.en.html", checked: Tried, ..NOTHING
    },
    // -h takes a host here; it is not help.
    KnownProgram {
        names: &["mini_httpd"], about: "small web server", alone: Leaves, foreground: &["-D"], ends: &["-V"],
        takes_value: &["-p", "-d", "-c", "-C", "-l", "-i", "-u", "-h", "-T", "-P", "-M"], drops_rights: "-u",
        source: "https://manpages.debian.org/bookworm/mini-httpd/mini_httpd.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["minidlnad", "minidlna"], about: "DLNA server", alone: Leaves, foreground: &["-d", "-S"],
        ends: &["-V", "-h"], takes_value: &["-f", "-p", "-u", "-i", "-s", "-m", "-t", "-P", "-w"], joins_options: true,
        drops_rights: "-u or user=", advice: "Use -S; -d also turns debugging on.",
        source: "https://manpages.debian.org/bookworm/minidlna/minidlnad.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["minissdpd"], about: "SSDP cache", alone: Leaves, foreground: &["-d"],
        takes_value: &["-i", "-s", "-p", "-t"],
        source: "https://manpages.debian.org/bookworm/minissdpd/minissdpd.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["mongod", "mongos"], about: "document database", alone: Configured { stays: true },
        background: &["--fork"], ends: &["--version", "--help", "-h", "--shutdown"],
        takes_value: &["-f", "--config", "--dbpath", "--port", "--bind_ip", "--logpath", "--pidfilepath", "--replSet"],
        is_needed: true,
        clients: &["migrate", "mongo", "mongodump", "mongoimport", "mongorestore", "mongosh"], stop_reason: "clean shutdown",
        advice: "`processManagement: fork: true` in mongod.conf does the same as --fork.",
        source: "https://www.mongodb.com/docs/manual/reference/program/mongod/", checked: Manual, ..NOTHING
    },
    // With `set daemon` in its file it leaves (run with Debian's); without it, it checks once and ends. -d N leaves too.
    KnownProgram {
        names: &["monit"], about: "process monitor", alone: Configured { stays: false }, foreground: &["-I"],
        background: &["-d"],
        ends: &["-t", "-V", "-h", "-H", "--id", "--resetid", "start", "stop", "restart", "monitor", "unmonitor", "reload", "status", "summary", "report", "quit", "validate", "procmatch"],
        takes_value: &["-c", "-d", "-g", "-l", "-p", "-s"], joins_options: true, ready: Check("monit status"),
        ready_note: "needs `set httpd`", source: "https://mmonit.com/monit/documentation/monit.html", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["mosquitto"], about: "MQTT broker", alone: Stays, background: &["-d", "--daemon"],
        ends: &["-h", "--help", "--test-config"], takes_value: &["-c", "--config-file", "-p", "--port"],
        joins_options: true, ready: Systemd,
        ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not", is_needed: true,
        clients: &["mosquitto_pub", "mosquitto_sub"],
        drops_rights: "user in mosquitto.conf", source: "https://mosquitto.org/man/mosquitto-8.html", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["mpd"], about: "music player", alone: Leaves, foreground: &["--no-daemon"],
        ends: &["-V", "--version", "-h", "--help", "--kill"], ready: Systemd,
        ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not",
        drops_rights: "user in mpd.conf", source: "https://mpd.readthedocs.io/en/stable/mpd.1.html", checked: Tried,
        ..NOTHING
    },
    // --daemonize and -D are MySQL's alone; MariaDB 10.11 answers `unknown option '--daemonize'` (run).
    KnownProgram {
        names: &["mysqld", "mariadbd", "mysqld-debug"], about: "SQL database", alone: Stays,
        background: &["--daemonize", "-D"],
        ends: &["--help", "-?", "--version", "-V", "--initialize", "--initialize-insecure", "--install", "--remove"],
        takes_value: &["-h", "-u", "-P", "-b"], ready: Check("mariadb-admin ping"),
        ready_note: "mysqladmin ping on MySQL; exits 0 also when access is denied; MariaDB in Debian's build also sends READY=1",
        is_needed: true,
        clients: &["mariadb", "mariadb-dump", "mariadb-upgrade", "migrate", "mysql", "mysql_upgrade", "mysqldump"], stop_reason: "flushes and ends", drops_rights: "--user or user=",
        source: "https://dev.mysql.com/doc/refman/8.0/en/server-options.html", checked: Tried, ..NOTHING
    },
    // Tried: TERM, INT and QUIT had no effect for 12 s.
    KnownProgram {
        names: &["mysqld_safe", "mariadbd-safe"], about: "MySQL restart wrapper", alone: Stays,
        ends: &["--help", "--version"], ready: Check("mysqladmin ping"),
        ready_note: "exits 0 also when access is denied", is_needed: true,
        clients: &["mariadb", "mariadb-dump", "mariadb-upgrade", "migrate", "mysql", "mysql_upgrade", "mysqldump"],
        stop_reason: "ignored: it never ends the server", drops_rights: "--user",
        advice: "It is a shell script that ignores TERM, INT and QUIT and starts the server again itself, so a stop hangs: start mariadbd or mysqld.",
        source: "https://mariadb.com/kb/en/mariadbd-safe/", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["named"], about: "DNS server", alone: Leaves, foreground: &["-f", "-g"], ends: &["-v", "-V", "-C"],
        takes_value: &["-c", "-d", "-D", "-E", "-L", "-M", "-m", "-n", "-p", "-S", "-t", "-T", "-u", "-U", "-X", "-x"],
        joins_options: true, ready: Check("rndc status"),
        ready_note: "rndc needs its key; named also sends READY=1 in Debian's build", drops_rights: "-u",
        advice: "-g also logs to standard error; -f logs to syslog.",
        source: "https://manpages.debian.org/bookworm/bind9/named.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["nats-server", "gnatsd"], about: "message broker", alone: Stays,
        ends: &["-v", "--version", "-h", "--help", "-t", "--signal", "-sl"],
        takes_value: &["-c", "--config", "-p", "--port", "-a", "--addr", "-m", "-l", "--log", "-P", "--pid", "-n", "--name", "-sd"],
        is_needed: true,
        clients: &["nats"], stop_signal: "USR2", stop_reason: "lame duck: lets clients go first; TERM ends at once",
        source: "https://docs.nats.io/running-a-nats-service/nats_admin/signals", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["nbd-server"], about: "network block device", alone: Leaves, foreground: &["-d"], ends: &["-h", "-V"],
        takes_value: &["-C", "-a", "-m", "-o", "-p", "-M"], drops_rights: "user and group in its configuration",
        source: "https://manpages.debian.org/bookworm/nbd-server/nbd-server.1.en.html", checked: Tried, ..NOTHING
    },
    // The word after -g may hold more directives (`pid /x; daemon off;`): look for `daemon off` in it.
    // The official Docker image starts it with -g 'daemon off;'; Alpine and Debian packages leave it out of nginx.conf.
    KnownProgram {
        names: &["nginx"], about: "web server, proxy", alone: Configured { stays: false },
        foreground: &["-g 'daemon off;'"], background: &["-g 'daemon on;'"],
        ends: &["-t", "-T", "-v", "-V", "-h", "-?", "-s"], takes_value: &["-c", "-g", "-p", "-e", "-s"],
        stop_signal: "QUIT", stop_reason: "lets open requests finish; TERM drops them", drops_rights: "user directive",
        advice: "Without `daemon off;` in the configuration or after -g it goes into the background.",
        source: "https://nginx.org/en/docs/ngx_core_module.html#daemon", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["ngircd"], about: "IRC server", alone: Leaves, foreground: &["-n", "--nodaemon"],
        ends: &["-t", "--configtest", "-V", "--version", "-h", "--help"], takes_value: &["-f", "--config"],
        joins_options: true, drops_rights: "ServerUID and ServerGID",
        source: "https://manpages.debian.org/bookworm/ngircd/ngircd.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["nmbd"], about: "NetBIOS names", alone: Leaves,
        foreground: &["-F", "--foreground", "-i", "--interactive"], background: &["-D", "--daemon"],
        ends: &["-V", "--version", "-?", "--help", "--usage"],
        takes_value: &["-s", "--configfile", "-d", "--debuglevel", "-l", "--log-basename", "-H", "--hosts", "-p", "--port"],
        ready: Check("smbcontrol nmbd ping"),
        advice: "Under s6 add --no-process-group: with -F alone it ends with `Failed to create session`, because s6 already made it a session leader.",
        source: "https://manpages.debian.org/bookworm/samba/nmbd.8.en.html", checked: Tried, ..NOTHING
    },
    // Run: node. Deno's and bun's subcommands say nothing here.
    KnownProgram {
        takes_script: true, names: &["node", "nodejs", "bun", "deno"], about: "JavaScript runtime", alone: Stays,
        ends: &["-v", "--version", "-h", "--help", "-p", "--print", "-c", "--check", "--completion-bash"],
        takes_value: &["-r", "--require", "-e", "--eval", "--import"],
        stop_reason: "ends at once unless the program handles it", source: "https://nodejs.org/api/cli.html",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["node_exporter", "prometheus-node-exporter"], about: "metrics", alone: Stays,
        ends: &["--version", "-h", "--help"], source: "https://github.com/prometheus/node_exporter", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["nohup"], about: "hang-up ignorer", alone: Stays, ends: &["--version", "--help"],
        stop_reason: "it becomes the program",
        advice: "It does not go into the background by itself; s6 needs no nohup.",
        source: "https://manpages.debian.org/bookworm/coreutils/nohup.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["npm", "yarn", "pnpm", "npx"], about: "JavaScript package tool", alone: Stays,
        ends: &["ci", "install", "--version"], stop_reason: "whether it reaches the program depends on the version",
        advice: "It stays between s6 and the program: start node itself.",
        source: "https://docs.npmjs.com/cli/commands/npm-run-script", checked: Manual, ..NOTHING
    },
    // It needs one of -d, -f, -i or -s.
    KnownProgram {
        names: &["nrpe"], about: "Nagios agent", alone: Stays, foreground: &["-f", "--no-forking"],
        background: &["-d", "--daemon"], ends: &["-V", "--version", "-h", "--help"], takes_value: &["-c", "--config"],
        drops_rights: "nrpe_user", source: "https://manpages.debian.org/bookworm/nagios-nrpe-server/nrpe.8.en.html",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["nscd"], about: "name cache", alone: Leaves, foreground: &["-F", "--foreground", "-d", "--debug"],
        ends: &["-g", "--statistics", "-i", "--invalidate", "-K", "--shutdown", "-V", "--version", "-?", "--help", "--usage"],
        takes_value: &["-f", "--config-file", "-i", "--invalidate", "-t", "--nthreads", "-S", "--secure"],
        drops_rights: "server-user in nscd.conf", source: "https://manpages.debian.org/bookworm/nscd/nscd.8.en.html",
        checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["nsd"], about: "DNS server", alone: Leaves, foreground: &["-d"], ends: &["-v", "-h"],
        takes_value: &["-a", "-c", "-f", "-i", "-I", "-l", "-N", "-n", "-P", "-p", "-s", "-t", "-u", "-V", "-x", "-y"],
        joins_options: true, ready: Check("nsd-control status"),
        ready_note: "needs remote-control; nsd also sends READY=1 in Debian's build", drops_rights: "-u or username:",
        source: "https://manpages.debian.org/bookworm/nsd/nsd.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["nslcd"], about: "LDAP names", alone: Leaves, foreground: &["-n", "--nofork", "-d", "--debug"],
        ends: &["-V", "--version", "-h", "--help", "-c", "--check"], drops_rights: "uid and gid in nslcd.conf",
        source: "https://manpages.debian.org/bookworm/nslcd/nslcd.8.en.html", checked: Tried, ..NOTHING
    },
    // ntpsec: -n, -d (run). busybox: -n. OpenNTPD: -d stays, -n only tests the configuration and ends. -q sets the clock once and ends.
    KnownProgram {
        names: &["ntpd"], about: "time server", alone: Leaves, foreground: &["-n", "--nofork", "-d", "--debug_level"],
        ends: &["--version", "--help", "-q"], takes_value: &["-c", "-f", "-i", "-k", "-l", "-p", "-s", "-t", "-u"],
        joins_options: true, drops_rights: "-u", source: "https://docs.ntpsec.org/latest/ntpd.html", checked: Tried,
        ..NOTHING
    },
    // -d, --debug only sets how much it says; -d 1 does not keep it.
    KnownProgram {
        names: &["ocserv"], about: "VPN server", alone: Leaves, foreground: &["-f", "--foreground"],
        ends: &["-t", "--test-config", "-v", "--version", "-h", "--help"],
        takes_value: &["-c", "--config", "-d", "--debug", "-p", "--pid-file"], joins_options: true,
        ready: Check("occtl show status"), drops_rights: "run-as-user and run-as-group",
        source: "https://manpages.debian.org/bookworm/ocserv/ocserv.8.en.html", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["openbox"], about: "window manager", alone: Stays,
        ends: &["--version", "--help", "--reconfigure", "--restart", "--exit"],
        takes_value: &["--config-file", "--startup"],
        source: "https://manpages.debian.org/bookworm/openbox/openbox.1.en.html", checked: Tried, ..NOTHING
    },
    // `Background no` in opendkim.conf keeps it too.
    KnownProgram {
        names: &["opendkim"], about: "DKIM milter", alone: Configured { stays: false }, foreground: &["-f"],
        ends: &["-V", "-n"],
        takes_value: &["-A", "-b", "-c", "-d", "-D", "-k", "-m", "-M", "-p", "-P", "-r", "-R", "-s", "-S", "-t", "-T", "-u", "-U", "-v", "-x"],
        drops_rights: "-u or UserID", source: "https://manpages.debian.org/bookworm/opendkim/opendkim.8.en.html",
        checked: Tried, ..NOTHING
    },
    // `daemon` may stand in the configuration as well. Where NOTIFY_SOCKET is set, --daemon does not fork (run); s6 does not set it.
    KnownProgram {
        names: &["openvpn"], about: "VPN", alone: Configured { stays: true }, background: &["--daemon"],
        ends: &["--version", "--help", "--genkey", "--mktun", "--rmtun", "--show-ciphers", "--show-digests", "--show-tls", "--test-crypto"],
        takes_value: &["--config", "--cd", "--writepid", "--log", "--log-append", "--user", "--group", "--dev"],
        ready: Systemd, ready_note: "says READY=1 to NOTIFY_SOCKET before the tunnel is up",
        stop_reason: "ends the tunnel; explicit-exit-notify tells the peer",
        drops_rights: "user and group in the configuration",
        source: "https://community.openvpn.net/openvpn/wiki/Openvpn24ManPage", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["pdns_recursor"], about: "DNS resolver", alone: Configured { stays: true },
        foreground: &["--daemon=no"], background: &["--daemon=yes", "--daemon"],
        ends: &["--version", "--help", "--config"], ready: Check("rec_control ping"),
        ready_note: "it also sends READY=1 in Debian's build", drops_rights: "setuid= and setgid=",
        source: "https://doc.powerdns.com/recursor/settings.html", checked: Tried, ..NOTHING
    },
    // daemon=no is the default. --guardian=yes --daemon=no was seen to keep running and start the child again.
    KnownProgram {
        names: &["pdns_server"], about: "DNS server", alone: Configured { stays: true }, foreground: &["--daemon=no"],
        background: &["--daemon=yes", "--daemon"], ends: &["--version", "--help", "--config", "--list-modules"],
        ready: Check("pdns_control rping"), drops_rights: "setuid= and setgid=",
        advice: "Add --guardian=no: with it a second process stays between s6 and the server.",
        source: "https://doc.powerdns.com/authoritative/running.html", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["pg_ctl"], about: "PostgreSQL control", alone: Stays, background_commands: &["start", "restart"],
        ends: &["init", "initdb", "stop", "reload", "status", "promote", "logrotate", "kill", "--help", "--version"],
        takes_value: &["-D", "-l", "-m", "-o", "-p", "-t", "-U", "--pgdata", "--log", "--options"], is_needed: true,
        stop_signal: "INT", stop_reason: "see postgres", advice: "It starts the server and ends: start postgres itself.",
        source: "https://www.postgresql.org/docs/current/app-pg-ctl.html", checked: Manual, ..NOTHING
    },
    // `--foreground` execs postgres: TERM and INT reach it (run).
    KnownProgram {
        names: &["pg_ctlcluster"], about: "PostgreSQL control", alone: Stays, foreground: &["--foreground"],
        background_commands: &["start", "restart"], ends: &["stop", "reload", "status", "promote"],
        takes_value: &["-D", "-o", "-m", "-p"], is_needed: true,
        clients: &["createdb", "createuser", "migrate", "pg_dump", "pg_restore", "psql"], stop_signal: "INT", stop_reason: "see postgres",
        source: "https://manpages.debian.org/bookworm/postgresql-common/pg_ctlcluster.1.en.html", checked: Tried,
        ..NOTHING
    },
    // -v and -q change how much it says. From 1.23 TERM means: wait for the clients.
    KnownProgram {
        names: &["pgbouncer"], about: "PostgreSQL pooler", alone: Stays, background: &["-d", "--daemon"],
        ends: &["-V", "--version", "-h", "--help", "-R"], takes_value: &["-u", "--user"], ready: Systemd,
        ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not", is_needed: true,
        clients: &["migrate", "pg_dump", "psql"],
        stop_signal: "INT", stop_reason: "waits for queries (SHUTDOWN WAIT_FOR_SERVERS); TERM ends at once up to 1.22",
        drops_rights: "-u", source: "https://www.pgbouncer.org/usage.html", checked: Tried, ..NOTHING
    },
    // Of -D and -F the last one counts (run: `-D -F` stays).
    KnownProgram {
        names: &["php-fpm", "php-fpm7", "php-fpm8", "php-fpm5", "php-fpm5.6", "php-fpm7.0", "php-fpm7.1", "php-fpm7.2", "php-fpm7.3", "php-fpm7.4", "php-fpm8.0", "php-fpm8.1", "php-fpm8.2", "php-fpm8.3", "php-fpm8.4", "php-fpm8.5", "php-fpm80", "php-fpm81", "php-fpm82", "php-fpm83", "php-fpm84", "php-fpm85"],
        about: "PHP app server", alone: Configured { stays: false }, foreground: &["-F", "--nodaemonize"],
        background: &["-D", "--daemonize"],
        ends: &["-t", "--test", "-tt", "-i", "-m", "-v", "--version", "-h", "--help"],
        takes_value: &["-c", "-d", "-p", "--prefix", "-g", "--pid", "-y", "--fpm-config"], joins_options: true,
        ready: Systemd, ready_note: "sends READY=1 in Debian's build", stop_signal: "QUIT",
        stop_reason: "lets scripts finish, with process_control_timeout; TERM does not",
        drops_rights: "user and group of each pool",
        advice: "The php Docker image sets `daemonize = no`; Debian and Alpine packages do not: add -F.",
        source: "https://www.php.net/manual/en/install.fpm.configuration.php", checked: Tried, ..NOTHING
    },
    // Run: pipewire.
    KnownProgram {
        names: &["pipewire", "pipewire-pulse", "wireplumber"], about: "sound server", alone: Stays,
        ends: &["-h", "--help", "--version", "-V"],
        takes_value: &["-c", "--config", "-P", "--properties", "-p", "--profile"], is_needed: true,
        advice: "XDG_RUNTIME_DIR must be set and exist.",
        source: "https://manpages.debian.org/bookworm/pipewire-bin/pipewire.1.en.html", checked: Tried, ..NOTHING
    },
    // `pm2 logs` and `pm2 monit` stay, but supervise nothing.
    KnownProgram {
        names: &["pm2"], about: "Node process manager", alone: Stays, foreground: &["--no-daemon"],
        background_commands: &["start", "restart", "reload", "resurrect", "startOrRestart", "startOrReload"],
        ends: &["stop", "delete", "list", "ls", "status", "jlist", "save", "kill", "logs", "flush", "describe", "show", "install", "startup", "unstartup", "--version", "-v", "-h", "--help"],
        takes_value: &["-n", "--name", "-i", "--instances", "--cron", "-o", "--output", "-e", "--error", "-l", "--log", "--interpreter", "--env", "-u", "--uid"],
        stop_reason: "kills at once with --no-daemon", drops_rights: "--uid",
        advice: "Use pm2-runtime, or start node and let s6 restart it.",
        source: "https://pm2.keymetrics.io/docs/usage/docker-pm2-nodejs/", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["pm2-runtime", "pm2-docker"], about: "Node process manager", alone: Stays,
        foreground_commands: &["start"], ends: &["--version", "-h", "--help"],
        takes_value: &["-i", "--instances", "--name", "-n", "--env", "--only", "--secret", "--public", "--machine-name", "--delay", "--web", "--error", "--output"],
        stop_reason: "ends the programs with INT and then itself",
        source: "https://pm2.keymetrics.io/docs/usage/docker-pm2-nodejs/", checked: Tried, ..NOTHING
    },
    // Tried: TERM to `postfix start-fg`, and also to its whole process group, left `master -s` alive with parent 1.
    // `exec /usr/lib/postfix/sbin/master -d` (elsewhere /usr/libexec/postfix/master) stays and ends on TERM with nothing left; it skips the checks of `postfix check`.
    KnownProgram {
        names: &["postfix"], about: "mail server", alone: Stays, foreground_commands: &["start-fg"],
        background_commands: &["start"],
        ends: &["stop", "reload", "abort", "flush", "check", "status", "set-permissions", "upgrade-configuration", "logrotate", "post-install", "quick-stop", "drain", "tls"],
        takes_value: &["-c", "-D"], joins_options: true, ready: Check("postfix status"),
        stop_reason: "ends the script only", drops_rights: "mail_owner in main.cf",
        advice: "When not process 1, `postfix start-fg` is a shell script with master as a child in its own session: a TERM leaves master running and the next start fails; let `finish` run `postfix stop`, or start `master -d`.",
        source: "https://www.postfix.org/postfix.1.html", checked: Tried, ..NOTHING
    },
    // PostgreSQL sends READY=1 to NOTIFY_SOCKET where built with systemd support (seen with Debian's 15).
    KnownProgram {
        names: &["postgres", "postmaster"], about: "SQL database", alone: Stays,
        ends: &["-V", "--version", "-?", "--help", "-C", "--single", "--describe-config", "--boot", "--check"],
        takes_value: &["-B", "-c", "-d", "-D", "-h", "-k", "-N", "-p", "-S"], joins_options: true,
        ready: Check("pg_isready"), ready_note: "of the client package; postgres also sends READY=1 in Debian's build",
        is_needed: true,
        clients: &["createdb", "createuser", "migrate", "pg_dump", "pg_restore", "psql"], stop_signal: "INT",
        stop_reason: "ends clients and shuts down cleanly; TERM waits until they leave",
        advice: "It refuses to run as root.", source: "https://www.postgresql.org/docs/current/server-shutdown.html",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["privoxy"], about: "filtering proxy", alone: Leaves, foreground: &["--no-daemon"],
        ends: &["--help", "--version", "--config-test"],
        takes_value: &["--pidfile", "--user", "--chroot", "--pre-chroot-nslookup"], drops_rights: "--user",
        source: "https://manpages.debian.org/bookworm/privoxy/privoxy.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["proftpd"], about: "FTP server", alone: Leaves, foreground: &["-n", "--nodaemon"],
        ends: &["-t", "--configtest", "-v", "--version", "-vv", "-h", "--help", "-l", "--list"],
        takes_value: &["-c", "--config", "-d", "--debug", "-D", "--define", "-p", "--persistent", "-S", "--serveraddr"],
        joins_options: true, drops_rights: "User and Group in proftpd.conf",
        source: "https://manpages.debian.org/bookworm/proftpd-core/proftpd.8.en.html", checked: Tried, ..NOTHING
    },
    // Run: prometheus.
    KnownProgram {
        names: &["prometheus", "alertmanager", "prometheus-alertmanager"], about: "monitoring", alone: Stays,
        ends: &["--version", "-h", "--help"],
        source: "https://prometheus.io/docs/prometheus/latest/command-line/prometheus/", checked: Tried, ..NOTHING
    },
    // Debian's 0.12 stays without -F (run). In older versions `daemonize` in the configuration decided.
    KnownProgram {
        names: &["prosody"], about: "XMPP server", alone: Configured { stays: true }, foreground: &["-F"],
        takes_value: &["--config"], advice: "Start prosody itself: `prosodyctl start` goes into the background.",
        source: "https://prosody.im/doc/configure", checked: Tried, ..NOTHING
    },
    // daemonize = yes in daemon.conf leaves as well.
    KnownProgram {
        names: &["pulseaudio"], about: "sound server", alone: Configured { stays: true },
        foreground: &["--daemonize=no", "--daemonize=false", "--daemonize=0"],
        background: &["-D", "--daemonize", "--daemonize=yes", "--daemonize=true", "--daemonize=1", "--start"],
        ends: &["-h", "--help", "--version", "--dump-conf", "--dump-modules", "--dump-resample-methods", "--cleanup-shm", "-k", "--kill", "--check"],
        takes_value: &["-L", "-F", "-p"], joins_options: true, ready: Check("pulseaudio --check"),
        ready_note: "Debian's build also sends READY=1", is_needed: true,
        clients: &["pacmd", "pactl"],
        advice: "Add --exit-idle-time=-1, or it ends when nobody uses it.",
        source: "https://manpages.debian.org/bookworm/pulseaudio/pulseaudio.1.en.html", checked: Tried, ..NOTHING
    },
    // -d (daemon) was removed in 5.0: an error since (run).
    KnownProgram {
        names: &["puma"], about: "Ruby app server", alone: Stays, ends: &["-V", "--version", "-h", "--help"],
        takes_value: &["-b", "--bind", "-C", "--config", "-e", "--environment", "-p", "--port", "-t", "--threads", "-w", "--workers", "--pidfile", "-S", "--state", "--dir", "-I", "--control-url", "--control-token"],
        stop_reason: "finishes requests; its exit status is then the signal", source: "https://puma.io/puma/",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["pure-ftpd", "pure-ftpd-mysql", "pure-ftpd-postgresql", "pure-ftpd-ldap"], about: "FTP server",
        alone: Stays, background: &["-B", "--daemonize"], ends: &["-h", "--help"],
        takes_value: &["-c", "-C", "-f", "-g", "-I", "-k", "-l", "-L", "-m", "-n", "-p", "-P", "-q", "-Q", "-S", "-t", "-T", "-u", "-U", "-V", "-y", "-Y"],
        joins_options: true, source: "https://manpages.debian.org/bookworm/pure-ftpd/pure-ftpd.8.en.html",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["qbittorrent-nox"], about: "BitTorrent client", alone: Stays, background: &["-d", "--daemon"],
        ends: &["-v", "--version", "-h", "--help"],
        source: "https://manpages.debian.org/bookworm/qbittorrent-nox/qbittorrent-nox.1.en.html", checked: Tried,
        ..NOTHING
    },
    // Tried with Debian's 3.10: TERM to the wrapper, as root and as rabbitmq, left beam.smp with parent 1. The inner script traps TERM itself (source).
    KnownProgram {
        names: &["rabbitmq-server"], about: "message broker", alone: Stays, background: &["-detached"],
        ready: Check("rabbitmq-diagnostics -q check_running"), is_needed: true,
        clients: &["rabbitmqadmin", "rabbitmqctl"],
        advice: "Debian's /usr/sbin/rabbitmq-server wraps it in a shell and su, so a stop leaves the broker running: start /usr/lib/rabbitmq/bin/rabbitmq-server as its account; an epmd stays behind.",
        source: "https://www.rabbitmq.com/docs/man/rabbitmq-server.8", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["radiusd", "freeradius"], about: "RADIUS server", alone: Leaves, foreground: &["-f", "-X"],
        ends: &["-C", "-v", "-h"], takes_value: &["-d", "-D", "-i", "-l", "-n", "-p"], joins_options: true,
        ready: Systemd, ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not",
        drops_rights: "user and group in radiusd.conf", advice: "Use -f -l stdout; -X runs one thread for debugging.",
        source: "https://manpages.debian.org/bookworm/freeradius/freeradius.8.en.html", checked: Tried, ..NOTHING
    },
    // -m stderr only says where it logs.
    KnownProgram {
        names: &["radvd"], about: "router advertisement", alone: Leaves, foreground: &["-n", "--nodaemon"],
        ends: &["-c", "--configtest", "-v", "--version", "-h", "--help"],
        takes_value: &["-C", "--config", "-d", "--debug", "-f", "--facility", "-l", "--logfile", "-m", "--logmethod", "-p", "--pidfile", "-u", "--username", "-t", "--chrootdir"],
        joins_options: true, drops_rights: "-u", source: "https://manpages.debian.org/bookworm/radvd/radvd.8.en.html",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["rc-service", "openrc"], about: "OpenRC control", alone: Stays,
        background_commands: &["start", "restart"],
        ends: &["stop", "status", "--list", "-l", "--exists", "-e", "--resolve", "-r", "--version", "-V", "--help", "-h", "describe"],
        stop_reason: "it is a job", advice: "It starts a daemon and ends: run the daemon itself in the foreground.",
        source: "https://manpages.debian.org/bookworm/openrc/rc-service.8.en.html", checked: Manual, ..NOTHING
    },
    // Run: serve http and rcd. --daemon of mount by its help.
    KnownProgram {
        names: &["rclone"], about: "cloud storage", alone: Stays, background: &["--daemon"],
        foreground_commands: &["mount", "serve", "rcd"],
        ends: &["copy", "sync", "move", "check", "ls", "lsd", "lsl", "lsf", "delete", "purge", "mkdir", "rmdir", "config", "version", "cat", "size", "obscure", "help", "--version", "--help", "-h"],
        takes_value: &["--config", "--log-file", "--log-format", "--log-level", "--cache-dir", "--daemon-timeout", "--daemon-wait", "--vfs-cache-mode"],
        ready: Systemd, ready_note: "rcd and mount send READY=1 to NOTIFY_SOCKET (rcd run)", stop_reason: "unmounts",
        source: "https://rclone.org/commands/rclone_mount/", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["redis-server", "redis-sentinel"], about: "key-value database", alone: Configured { stays: true },
        foreground: &["--daemonize no"], background: &["--daemonize yes"],
        ends: &["-v", "--version", "-h", "--help", "--test-memory", "--check-system"], ready: Check("redis-cli ping"),
        ready_note: "exits 0 even when the answer is an error such as NOAUTH or LOADING: look for PONG", is_needed: true,
        clients: &["redis-cli"],
        stop_reason: "saves and ends", advice: "Debian's /etc/redis/redis.conf has `daemonize yes`: add --daemonize no.",
        source: "https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["rinetd"], about: "TCP redirector", alone: Leaves, foreground: &["-f"],
        ends: &["-v", "--version", "-h", "--help"], takes_value: &["-c", "--conf-file"], joins_options: true,
        source: "https://manpages.debian.org/bookworm/rinetd/rinetd.8.en.html", checked: Tried, ..NOTHING
    },
    // -f names the exports file; -F is the foreground.
    KnownProgram {
        names: &["rpc.mountd", "mountd"], about: "NFS mounts", alone: Leaves, foreground: &["-F", "--foreground"],
        ends: &["-v", "--version", "-h", "--help"],
        takes_value: &["-d", "--debug", "-f", "--exports-file", "-H", "--ha-callout", "-N", "-V", "-p", "--port", "-s", "-o", "-t"],
        joins_options: true, source: "https://manpages.debian.org/bookworm/nfs-kernel-server/rpc.mountd.8.en.html",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["rpc.nfsd"], about: "kernel NFS threads", alone: Stays, stop_reason: "it is a job",
        advice: "It starts threads of the kernel and ends: a oneshot, with `rpc.nfsd 0` in down.",
        source: "https://manpages.debian.org/bookworm/nfs-kernel-server/rpc.nfsd.8.en.html", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["rpc.statd"], about: "NFS lock status", alone: Leaves, foreground: &["-F", "--foreground"],
        ends: &["-v", "-V", "--version", "-h", "--help", "-?"],
        takes_value: &["-n", "--name", "-o", "--outgoing-port", "-p", "--port", "-P", "--state-directory-path", "-H", "--ha-callout", "-T"],
        joins_options: true, source: "https://manpages.debian.org/bookworm/nfs-common/rpc.statd.8.en.html",
        checked: Tried, ..NOTHING
    },
    // -d alone leaves in Debian's build (run).
    KnownProgram {
        names: &["rpcbind"], about: "RPC port mapper", alone: Leaves, foreground: &["-f"], takes_value: &["-h"],
        joins_options: true, ready: Check("rpcinfo -p"), ready_note: "Debian's build also sends READY=1",
        is_needed: true, source: "https://manpages.debian.org/bookworm/rpcbind/rpcbind.8.en.html", checked: Tried,
        ..NOTHING
    },
    // The refusal as root was seen by running it; the fork was not (it did not get through its start in an isolated network).
    KnownProgram {
        names: &["rspamd"], about: "spam filter", alone: Leaves, foreground: &["-f", "--no-fork"],
        ends: &["-t", "--configtest", "-v", "--version", "-h", "--help"],
        takes_value: &["-c", "--config", "-u", "--user", "-g", "--group", "-p", "--pid"], drops_rights: "-u and -g",
        advice: "As root it refuses to start without -u and -g (or --insecure).",
        source: "https://manpages.debian.org/bookworm/rspamd/rspamd.8.en.html", checked: Manual, ..NOTHING
    },
    // Both together stay (run). Without --daemon it is a job.
    KnownProgram {
        names: &["rsync"], about: "file copy", alone: Stays, foreground: &["--no-detach"], background: &["--daemon"],
        ends: &["--version", "--help"], drops_rights: "uid and gid in rsyncd.conf",
        advice: "`rsync --daemon --no-detach` stays.",
        source: "https://manpages.debian.org/bookworm/rsync/rsync.1.en.html", checked: Tried, ..NOTHING
    },
    // -d alone leaves; -dn stays (run). -N1 checks the configuration and ends.
    KnownProgram {
        names: &["rsyslogd"], about: "system logger", alone: Leaves, foreground: &["-n"],
        ends: &["-v", "-V", "-N", "-h"], takes_value: &["-f", "-i", "-N", "-u", "-M", "-o", "-S"], joins_options: true,
        ready: Systemd, ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not",
        drops_rights: "$PrivDropToUser", advice: "In a container comment out the imklog module.",
        source: "https://manpages.debian.org/bookworm/rsyslog/rsyslogd.8.en.html", checked: Tried, ..NOTHING
    },
    // Tried: both.
    KnownProgram {
        names: &["runsvdir"], about: "runit scanner", alone: Stays, stop_signal: "HUP",
        stop_reason: "sends TERM to each runsv and ends with 111; TERM leaves them running",
        advice: "TERM ends it and leaves its services: stop it with HUP.",
        source: "https://manpages.debian.org/bookworm/runit/runsvdir.8.en.html", checked: Tried, ..NOTHING
    },
    // -Dm stays, -dm leaves (run); alone it fails without a terminal. -dmS NAME is -d -m -S.
    KnownProgram {
        names: &["screen"], about: "terminal multiplexer", alone: Stays, foreground: &["-D -m", "-Dm"],
        background: &["-d -m", "-dm", "-dmS"], ends: &["-ls", "-list", "-v", "-version", "-wipe", "-X", "-r", "-x"],
        takes_value: &["-S", "-c", "-e", "-h", "-p", "-s", "-t", "-T"], joins_options: true,
        advice: "It has no terminal in a service: start the program itself.",
        source: "https://manpages.debian.org/bookworm/screen/screen.1.en.html", checked: Tried, ..NOTHING
    },
    // -d also logs to standard output.
    KnownProgram {
        names: &["ser2net"], about: "serial to network", alone: Leaves, foreground: &["-n", "-d"], ends: &["-v"],
        takes_value: &["-c", "-C", "-Y", "-p", "-P"],
        source: "https://manpages.debian.org/bookworm/ser2net/ser2net.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["service", "invoke-rc.d"], about: "init script runner", alone: Stays,
        background_commands: &["start", "restart", "force-reload"],
        ends: &["status", "stop", "reload", "--status-all", "--version", "--help", "-h"], stop_reason: "it is a job",
        advice: "It starts a daemon and ends: run the daemon itself in the foreground. /etc/init.d/NAME start is the same.",
        source: "https://manpages.debian.org/bookworm/init-system-helpers/service.8.en.html", checked: Tried, ..NOTHING
    },
    // It forks only where it is the leader of a process group, as after exec in a run script (run); as a child inside a script it does not. -f with -w waits.
    KnownProgram {
        names: &["setsid"], about: "session starter", alone: Leaves, foreground: &["-w", "--wait"],
        background: &["-f", "--fork"], ends: &["-V", "--version", "-h", "--help"], joins_options: true,
        advice: "Under s6 the command is a session leader already, so setsid forks and leaves: drop it.",
        source: "https://manpages.debian.org/bookworm/util-linux/setsid.1.en.html", checked: Tried, ..NOTHING
    },
    // -d 0, -d 256 and -d256 all keep it (run): the option needs its value.
    KnownProgram {
        names: &["slapd"], about: "LDAP server", alone: Leaves, foreground: &["-d"],
        ends: &["-V", "-VV", "-Ta", "-Tc", "-Tt", "-T"],
        takes_value: &["-d", "-f", "-F", "-h", "-n", "-s", "-l", "-u", "-g", "-r", "-c", "-o", "-T"], is_needed: true,
        clients: &["ldapadd", "ldapmodify", "ldapsearch"],
        stop_signal: "INT", stop_reason: "clean; TERM too", drops_rights: "-u and -g",
        advice: "Use `-d 0`: any level keeps it in the foreground.",
        source: "https://www.openldap.org/software/man.cgi?query=slapd", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["smartd"], about: "disk monitor", alone: Leaves, foreground: &["-n", "--no-fork", "-d", "--debug"],
        ends: &["-D", "--showdirectives", "-h", "--help", "--usage", "-V", "--version", "--copyright", "--license"],
        takes_value: &["-A", "--attributelog", "-B", "--drivedb", "-c", "--configfile", "-i", "--interval", "-l", "--logfacility", "-p", "--pidfile", "-q", "--quit", "-r", "--report", "-s", "--savestates", "-u", "--warn-as-user", "-w", "--warnexec"],
        advice: "Add -q never, or it ends when it finds no disk.",
        source: "https://manpages.debian.org/bookworm/smartmontools/smartd.8.en.html", checked: Manual, ..NOTHING
    },
    // Tried as a session leader (as s6-supervise starts it): -F fails, -F --no-process-group runs. 4.17 does not know -S any more; --debug-stdout replaced it (run).
    KnownProgram {
        names: &["smbd"], about: "SMB server", alone: Leaves, foreground: &["-F", "--foreground", "-i", "--interactive"],
        background: &["-D", "--daemon"], ends: &["-b", "--build-options", "-V", "--version", "-?", "--help", "--usage"],
        takes_value: &["-s", "--configfile", "-d", "--debuglevel", "-l", "--log-basename", "-p", "--port"],
        joins_options: true, ready: Check("smbcontrol smbd ping"), ready_note: "Debian's build also sends READY=1",
        advice: "Under s6 add --no-process-group: with -F alone it ends with `Failed to create session`, because s6 already made it a session leader.",
        source: "https://manpages.debian.org/bookworm/samba/smbd.8.en.html", checked: Tried, ..NOTHING
    },
    // Postfix has a program called smtpd too, which only its master starts.
    KnownProgram {
        names: &["smtpd"], about: "OpenSMTPD mail server", alone: Leaves, foreground: &["-d", "-F"], ends: &["-n", "-h"],
        takes_value: &["-f", "-D", "-P", "-T"], ready: Check("smtpctl show status"),
        drops_rights: "compiled in (_smtpd)", source: "https://man.openbsd.org/smtpd.8", checked: Manual, ..NOTHING
    },
    // -L takes its value glued (-Lo, -Le, -Lf FILE). -Lo alone leaves (run); -fLo stays.
    KnownProgram {
        names: &["snmpd"], about: "SNMP agent", alone: Leaves, foreground: &["-f"],
        ends: &["-v", "--version", "-h", "--help", "-H"], takes_value: &["-c", "-g", "-I", "-p", "-u", "-x", "-D"],
        joins_options: true, ready: Systemd,
        ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not", drops_rights: "-u",
        advice: "Use -f -Lo to log to standard output.",
        source: "https://manpages.debian.org/bookworm/snmpd/snmpd.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["snmptrapd"], about: "SNMP traps", alone: Leaves, foreground: &["-f"],
        ends: &["-v", "--version", "-h", "--help", "-H"], takes_value: &["-c", "-g", "-p", "-u", "-F", "-O", "-x", "-D"],
        ready: Systemd, ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not",
        drops_rights: "-u", source: "https://manpages.debian.org/bookworm/snmptrapd/snmptrapd.8.en.html", checked: Tried,
        ..NOTHING
    },
    // Some other programs are called spamd too (OpenBSD).
    KnownProgram {
        names: &["spamd"], about: "SpamAssassin daemon", alone: Stays, background: &["-d", "--daemonize"],
        ends: &["-h", "--help", "-V", "--version"],
        takes_value: &["-u", "--username", "-p", "--port", "-i", "--listen", "-r", "--pidfile", "-m", "--max-children", "-s", "--syslog", "-H", "-A"],
        drops_rights: "-u", source: "https://manpages.debian.org/bookworm/spamassassin/spamd.8p.en.html", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["spawn-fcgi"], about: "FastCGI starter", alone: Leaves, foreground: &["-n"], ends: &["-v", "-?", "-h"],
        takes_value: &["-a", "-p", "-s", "-M", "-C", "-F", "-b", "-P", "-c", "-d", "-u", "-g", "-U", "-G", "-f"],
        drops_rights: "-u and -g", source: "https://manpages.debian.org/bookworm/spawn-fcgi/spawn-fcgi.1.en.html",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["squid", "squid3"], about: "HTTP proxy cache", alone: Leaves, foreground: &["-N", "--foreground"],
        ends: &["-z", "-v", "--version", "-h", "--help", "-k"], takes_value: &["-a", "-d", "-f", "-k", "-l", "-n", "-u"],
        joins_options: true, ready: Systemd,
        ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not",
        stop_reason: "clients get shutdown_lifetime (30 s) to finish; INT is quick",
        drops_rights: "cache_effective_user",
        advice: "TERM takes 30 seconds by default: lower shutdown_lifetime or raise timeout-kill.",
        source: "https://manpages.debian.org/bookworm/squid/squid.8.en.html", checked: Tried, ..NOTHING
    },
    // -e only sends the log to standard error: alone it does not keep sshd (run). -d serves one connection and ends.
    // Under a process 1 as its parent sshd takes itself for a daemon already and stays; under s6-supervise it leaves.
    KnownProgram {
        names: &["sshd"], about: "SSH server", alone: Leaves, foreground: &["-D", "-d", "-i"],
        ends: &["-t", "-T", "-V", "-G"], takes_value: &["-C", "-c", "-E", "-f", "-g", "-h", "-o", "-p", "-u"],
        joins_options: true, ready: Systemd, ready_note: "Debian's build sends READY=1; OpenSSH itself from 9.8",
        advice: "It must be started by its full path, and /run/sshd and host keys must exist.",
        source: "https://man.openbsd.org/sshd.8", checked: Tried, ..NOTHING
    },
    // Without -b it becomes the program, whose own options then count (run).
    KnownProgram {
        names: &["start-stop-daemon"], about: "daemon starter", alone: Stays, background: &["-b", "--background"],
        ends: &["-K", "--stop", "-T", "--status", "-V", "--version", "-H", "--help"],
        takes_value: &["-p", "--pidfile", "-x", "--exec", "-n", "--name", "-u", "--user", "-g", "--group", "-c", "--chuid", "-a", "--startas", "-d", "--chdir", "-r", "--chroot", "-k", "--umask", "-N", "--nicelevel", "-s", "--signal", "-R", "--retry", "-O", "--output"],
        joins_options: true, stop_reason: "it becomes the program", drops_rights: "-c or --chuid",
        advice: "Start the program itself.",
        source: "https://manpages.debian.org/bookworm/dpkg/start-stop-daemon.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["stubby"], about: "DNS over TLS", alone: Stays, background: &["-g"], ends: &["-i", "-h", "-V"],
        takes_value: &["-C", "-v"], source: "https://manpages.debian.org/trixie/stubby/stubby.1.en.html", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["stunnel", "stunnel4"], about: "TLS tunnel", alone: Configured { stays: false },
        ends: &["-help", "-version", "-sockets", "-options"], drops_rights: "setuid and setgid in the configuration",
        advice: "Set `foreground = yes` at the top of its configuration: no option does it.",
        source: "https://manpages.debian.org/bookworm/stunnel4/stunnel.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["supercronic"], about: "job scheduler", alone: Stays, ends: &["-test", "-version", "-h", "-help"],
        takes_value: &["-prometheus-listen-address", "-log-format", "-sentry-dsn", "-sentryDsn", "-sentry-environment", "-sentry-release"],
        stop_reason: "waits for running jobs", source: "https://github.com/aptible/supercronic/blob/master/main.go",
        checked: Code, ..NOTHING
    },
    // nodaemon=true in the configuration is common in images: without -n it is only likely.
    KnownProgram {
        names: &["supervisord"], about: "process manager", alone: Configured { stays: false },
        foreground: &["-n", "--nodaemon"], ends: &["-v", "--version", "-h", "--help"],
        takes_value: &["-c", "--configuration", "-u", "--user", "-m", "--umask", "-d", "--directory", "-l", "--logfile", "-y", "--logfile_maxbytes", "-z", "--logfile_backups", "-e", "--loglevel", "-j", "--pidfile", "-i", "--identifier", "-q", "--childlogdir", "-a", "--minfds", "--minprocs"],
        joins_options: true, ready: Check("supervisorctl pid"), stop_reason: "stops its programs",
        drops_rights: "user= in the [supervisord] section",
        advice: "s6 does its work: better one service for each program.",
        source: "http://supervisord.org/configuration.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["syncthing"], about: "file synchronisation", alone: Stays, foreground_commands: &["serve"],
        ends: &["generate", "decrypt", "cli", "--version", "--help", "-h", "-version", "-help", "--reset-database", "--paths"],
        takes_value: &["--home", "--config", "--data", "--gui-address", "--logfile"],
        source: "https://docs.syncthing.net/users/syncthing.html", checked: Tried, ..NOTHING
    },
    // -e (to standard error) does not keep it by itself in 4.x; -Fe is usual.
    KnownProgram {
        names: &["syslog-ng"], about: "system logger", alone: Leaves, foreground: &["-F", "--foreground"],
        ends: &["-s", "--syntax-only", "-V", "--version", "-h", "--help", "--preprocess-into"],
        takes_value: &["-f", "--cfgfile", "-R", "--persist-file", "-p", "--pidfile", "-c", "--control", "-u", "--user", "-g", "--group", "-C", "--chroot"],
        joins_options: true, drops_rights: "-u and -g",
        source: "https://manpages.debian.org/trixie/syslog-ng-core/syslog-ng.8.en.html", checked: Tried, ..NOTHING
    },
    // busybox: -n (run). inetutils: -n, --no-detach. sysklogd: -n in version 1, -F in version 2. -d (debug) stays in inetutils and sysklogd.
    KnownProgram {
        names: &["syslogd"], about: "system logger", alone: Leaves,
        foreground: &["-n", "-F", "--foreground", "--no-detach"], ends: &["--version", "--help"],
        takes_value: &["-O", "-l", "-s", "-b", "-R", "-f", "-m", "-p", "-a", "-P"], joins_options: true,
        source: "https://www.busybox.net/downloads/BusyBox.html#syslogd", checked: Tried, ..NOTHING
    },
    // Tried: `systemctl start` ends with an error, as systemd is not process 1.
    KnownProgram {
        names: &["systemctl"], about: "systemd control", alone: Stays,
        background_commands: &["start", "restart", "reload-or-restart", "try-restart"],
        ends: &["enable", "disable", "daemon-reload", "status", "is-active", "is-enabled", "stop", "mask", "unmask", "reload", "list-units"],
        stop_reason: "it is a job",
        advice: "There is no systemd in the container: start the program itself (its ExecStart) in the foreground.",
        source: "https://manpages.debian.org/bookworm/systemd/systemctl.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["systemd-udevd", "udevd"], about: "device manager", alone: Stays, background: &["-d", "--daemon"],
        ends: &["-V", "--version", "-h", "--help"],
        takes_value: &["-c", "--children-max", "-e", "--exec-delay", "-t", "--event-timeout", "-N", "--resolve-names"],
        ready: Check("udevadm control --ping"),
        source: "https://manpages.debian.org/bookworm/udev/systemd-udevd.8.en.html", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["tailscaled"], about: "VPN", alone: Stays, ends: &["--version", "--cleanup", "-version", "-cleanup"],
        takes_value: &["--state", "--statedir", "--socket", "--port", "--tun", "--verbose", "--socks5-server", "--outbound-http-proxy-listen", "--debug"],
        advice: "Let `finish` run `tailscaled --cleanup`, as the packaged unit does.",
        source: "https://tailscale.com/kb/1278/tailscaled", checked: Code, ..NOTHING
    },
    // Its packaged unit starts it as a simple service.
    KnownProgram {
        names: &["telegraf"], about: "metrics agent", alone: Stays,
        ends: &["config", "plugins", "secrets", "version", "--version", "--help", "--test", "-test", "--once", "-once", "--sample-config", "-sample-config"],
        takes_value: &["--config", "-config", "--config-directory", "-config-directory", "--pidfile", "--input-filter", "--output-filter"],
        stop_reason: "flushes", source: "https://docs.influxdata.com/telegraf/v1/commands/", checked: Code, ..NOTHING
    },
    // -d may or may not have its level glued (-d3): its value is optional and never a separate word.
    KnownProgram {
        names: &["tincd"], about: "VPN", alone: Leaves, foreground: &["-D", "--no-detach"],
        ends: &["--help", "--version", "-K", "--generate-keys", "-k", "--kill"],
        takes_value: &["-c", "-n", "-d", "-o", "-U"], joins_options: true, drops_rights: "-U",
        source: "https://manpages.debian.org/bookworm/tinc/tincd.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["tinyproxy"], about: "HTTP proxy", alone: Leaves, foreground: &["-d"], ends: &["-v", "-h", "-l"],
        takes_value: &["-c"], drops_rights: "User and Group in the configuration",
        source: "https://manpages.debian.org/bookworm/tinyproxy/tinyproxy.8.en.html", checked: Tried, ..NOTHING
    },
    // `tmux new-session -d` and `tmux new -d` leave (run); -d stands after the subcommand.
    KnownProgram {
        names: &["tmux"], about: "terminal multiplexer", alone: Stays, foreground: &["-D"], background: &["-d"],
        ends: &["-V", "ls", "list-sessions", "has-session", "kill-server", "kill-session"],
        takes_value: &["-c", "-f", "-L", "-S", "-T", "-s", "-n"], joins_options: true,
        advice: "It has no terminal in a service: start the program itself.",
        source: "https://manpages.debian.org/bookworm/tmux/tmux.1.en.html", checked: Tried, ..NOTHING
    },
    // Debian's own defaults (--defaults-torrc /usr/share/tor/tor-service-defaults-torrc) set RunAsDaemon 1.
    KnownProgram {
        names: &["tor"], about: "anonymity proxy", alone: Configured { stays: true }, foreground: &["--RunAsDaemon 0"],
        background: &["--RunAsDaemon 1"],
        ends: &["--version", "--help", "-h", "--verify-config", "--hash-password", "--list-fingerprint", "--keygen", "--dump-config"],
        takes_value: &["-f", "--defaults-torrc", "--hash-password"], ready: Systemd,
        ready_note: "sends READY=1 to NOTIFY_SOCKET when sockets are bound, not when the network is reached",
        stop_signal: "INT", stop_reason: "a relay stops accepting and waits ShutdownWaitLength; TERM stops at once",
        drops_rights: "User in torrc", source: "https://manpages.debian.org/bookworm/tor/tor.1.en.html", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["traefik"], about: "proxy", alone: Stays, ends: &["version", "healthcheck", "--help", "-h"],
        takes_value: &["--configFile"], ready: Check("traefik healthcheck"), ready_note: "needs --ping=true",
        stop_reason: "waits for lifeCycle.requestAcceptGraceTimeout",
        source: "https://doc.traefik.io/traefik/operations/cli/", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["transmission-daemon"], about: "BitTorrent client", alone: Leaves, foreground: &["-f", "--foreground"],
        ends: &["-V", "--version", "-h", "--help", "-d", "--dump-settings"],
        takes_value: &["-a", "--allowed", "-c", "--watch-dir", "-g", "--config-dir", "-e", "--logfile", "-p", "--port", "-u", "--username", "-v", "--password", "-w", "--download-dir", "-P", "--peerport", "-x", "--pid-file"],
        joins_options: true, ready: Systemd,
        ready_note: "Debian's build sends READY=1 to NOTIFY_SOCKET; other builds may not",
        stop_reason: "saves, which can take seconds",
        source: "https://manpages.debian.org/bookworm/transmission-daemon/transmission-daemon.1.en.html", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["turnserver"], about: "TURN server", alone: Stays, background: &["-o", "--daemon"],
        ends: &["-h", "--help"],
        takes_value: &["-c", "-L", "--listening-ip", "-p", "--listening-port", "-X", "--external-ip", "-u", "--user", "-r", "--realm", "-d", "--listening-device", "--proc-user", "--proc-group", "--pidfile", "-E", "-b"],
        joins_options: true, ready: Systemd, ready_note: "sends READY=1 in Debian's build",
        drops_rights: "proc-user and proc-group",
        source: "https://manpages.debian.org/bookworm/coturn/turnserver.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["ulogd"], about: "packet logger", alone: Stays, background: &["-d", "--daemon"],
        ends: &["-V", "--version", "-h", "--help", "-i", "--info"], takes_value: &["-c", "-u", "-p", "-l"],
        drops_rights: "-u", source: "https://manpages.debian.org/bookworm/ulogd2/ulogd.8.en.html", checked: Tried,
        ..NOTHING
    },
    // `do-daemonize: no` keeps it (run). -dp, -dd and -ddv are joined forms.
    KnownProgram {
        names: &["unbound"], about: "DNS resolver", alone: Configured { stays: false }, foreground: &["-d"],
        ends: &["-V", "-h"], takes_value: &["-c"], joins_options: true, ready: Check("unbound-control status"),
        ready_note: "needs remote-control; unbound also sends READY=1 in Debian's build",
        drops_rights: "username: in unbound.conf", source: "https://www.nlnetlabs.nl/documentation/unbound/unbound/",
        checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["unicorn", "unicorn_rails"], about: "Ruby app server", alone: Stays, background: &["-D", "--daemonize"],
        ends: &["-v", "--version", "-h", "--help"],
        takes_value: &["-c", "--config-file", "-l", "--listen", "-E", "--env", "-p", "--port", "-o", "--host", "-I", "-r", "-e"],
        joins_options: true, stop_signal: "QUIT", stop_reason: "lets requests finish; TERM and INT are quick",
        drops_rights: "user in its configuration", source: "https://yhbt.net/unicorn/SIGNALS.html", checked: Tried,
        ..NOTHING
    },
    // -D raises the debug level and keeps it.
    KnownProgram {
        names: &["upsd"], about: "UPS server", alone: Leaves, foreground: &["-F", "-FF", "-D"],
        ends: &["-c", "-V", "-h"], takes_value: &["-c", "-P", "-u", "-r"], drops_rights: "-u",
        source: "https://manpages.debian.org/bookworm/nut-server/upsd.8.en.html", checked: Manual, ..NOTHING
    },
    // Run: uvicorn.
    KnownProgram {
        names: &["uvicorn", "hypercorn", "daphne"], about: "Python ASGI server", alone: Stays,
        ends: &["--version", "--help", "-h"],
        takes_value: &["--host", "--port", "--uds", "--fd", "--app-dir", "--workers", "--log-level", "--log-config"],
        stop_reason: "finishes requests", source: "https://www.uvicorn.org/settings/", checked: Tried, ..NOTHING
    },
    // Tried with 2.0.21 and --master: TERM and HUP restart the workers and it lives on; INT, QUIT, and TERM with --die-on-term end it.
    KnownProgram {
        names: &["uwsgi", "uwsgi-core"], about: "app server", alone: Configured { stays: true },
        background: &["-d", "--daemonize", "--daemonize=", "--daemonize2", "--daemonize2="],
        ends: &["--version", "-h", "--help", "--reload", "--stop", "--connect-and-read"],
        takes_value: &["--ini", "--yaml", "--xml", "--json", "--socket", "-s", "--http", "--http-socket", "--module", "-w", "--wsgi-file", "--plugin", "--plugins", "--processes", "-p", "--uid", "--gid", "--chdir", "--daemonize", "--daemonize2", "-d", "--logto"],
        joins_options: true, ready: Systemd,
        ready_note: "sends READY=1 to NOTIFY_SOCKET where built with it (seen in Debian's)", stop_signal: "INT",
        stop_reason: "TERM reloads it unless --die-on-term is given", drops_rights: "--uid and --gid",
        advice: "TERM reloads uWSGI in place of ending it, so a stop hangs: add die-on-term, or stop it with INT.",
        source: "https://uwsgi-docs.readthedocs.io/en/latest/Management.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["valkey-server", "valkey-sentinel"], about: "key-value database", alone: Configured { stays: true },
        foreground: &["--daemonize no"], background: &["--daemonize yes"],
        ends: &["-v", "--version", "-h", "--help", "--test-memory", "--check-system"], ready: Check("valkey-cli ping"),
        ready_note: "exits 0 even when the answer is an error: look for PONG", is_needed: true,
        clients: &["redis-cli", "valkey-cli"],
        stop_reason: "saves and ends", source: "https://valkey.io/topics/valkey.conf/", checked: Tried, ..NOTHING
    },
    // -C compiles the VCL and ends. Tried: -d with /dev/null as input ends at once.
    KnownProgram {
        names: &["varnishd"], about: "HTTP cache", alone: Leaves, foreground: &["-F"], ends: &["-C", "-V", "-x", "-?"],
        takes_value: &["-a", "-b", "-f", "-n", "-p", "-P", "-s", "-S", "-T", "-t", "-i", "-l", "-h", "-j", "-r", "-W", "-M", "-I"],
        ready: Check("varnishadm ping"), drops_rights: "-j unix,user=",
        advice: "-d is a debug console that ends when its input ends: use -F.",
        source: "https://manpages.debian.org/bookworm/varnish/varnishd.1.en.html", checked: Tried, ..NOTHING
    },
    // Its packaged unit starts it as a simple service.
    KnownProgram {
        names: &["vector"], about: "log shipper", alone: Stays,
        ends: &["validate", "list", "test", "generate", "graph", "top", "tap", "vrl", "--version", "-V", "--help", "-h", "help"],
        takes_value: &["-c", "--config", "-C", "--config-dir", "-t", "--threads"],
        stop_reason: "lets events drain for up to 60 s", source: "https://vector.dev/docs/reference/cli/", checked: Code,
        ..NOTHING
    },
    KnownProgram {
        names: &["vncserver", "tigervncserver"], about: "VNC session script", alone: Leaves, foreground: &["-fg", "--fg"],
        ends: &["-kill", "-list", "-help", "-version", "-cleanstale"],
        takes_value: &["-geometry", "-depth", "-rfbport", "-xstartup", "-PasswordFile", "-SecurityTypes", "-name", "-rfbauth"],
        is_needed: true, advice: "It is a script: better start Xvnc itself and run the session as a service of its own.",
        source: "https://manpages.debian.org/bookworm/tigervnc-standalone-server/tigervncserver.1.en.html",
        checked: Manual, ..NOTHING
    },
    // It needs -d or -n; alone it prints its help and ends (run).
    KnownProgram {
        names: &["vnstatd"], about: "traffic counter", alone: Stays, foreground: &["-n", "--nodaemon"],
        background: &["-d", "--daemon"], ends: &["-v", "--version", "-?", "--help", "--initdb"],
        takes_value: &["-p", "--pidfile", "-u", "--user", "-g", "--group", "--config"], drops_rights: "-u and -g",
        source: "https://manpages.debian.org/bookworm/vnstat/vnstatd.8.en.html", checked: Manual, ..NOTHING
    },
    // Tried: with listen=YES and no `background` it stays; only background=YES leaves. -o is an upstream option of 2.1 and later.
    // With listen=NO and no listen_ipv6 it wants to be run by inetd.
    KnownProgram {
        names: &["vsftpd"], about: "FTP server", alone: Configured { stays: true }, foreground: &["-obackground=NO"],
        background: &["-obackground=YES"], ends: &["-v"], takes_value: &["-o"], drops_rights: "nopriv_user",
        source: "https://manpages.debian.org/bookworm/vsftpd/vsftpd.conf.5.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["watchdog"], about: "watchdog daemon", alone: Leaves, foreground: &["-F", "--foreground"],
        takes_value: &["-c", "--config-file"],
        source: "https://manpages.debian.org/bookworm/watchdog/watchdog.8.en.html", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["webfsd"], about: "small web server", alone: Leaves, foreground: &["-F"], ends: &["-h"],
        takes_value: &["-k", "-t", "-c", "-m", "-p", "-r", "-R", "-f", "-n", "-i", "-l", "-L", "-u", "-g", "-x", "-b", "-C", "-e", "-w"],
        drops_rights: "-u and -g", source: "https://manpages.debian.org/bookworm/webfs/webfsd.1.en.html", checked: Tried,
        ..NOTHING
    },
    KnownProgram {
        names: &["websockify"], about: "WebSocket proxy", alone: Stays, background: &["-D", "--daemon"],
        ends: &["-h", "--help"],
        takes_value: &["--cert", "--key", "--web", "--record", "--token-plugin", "--token-source", "--wrap-mode", "--heartbeat", "--timeout", "--idle-timeout"],
        source: "https://manpages.debian.org/bookworm/websockify/websockify.1.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["wg-quick"], about: "WireGuard setup", alone: Stays, ends: &["up", "down", "save", "strip"],
        stop_reason: "it is a job",
        advice: "It sets the interface up and ends: make it a oneshot with `wg-quick up` in up and `wg-quick down` in down.",
        source: "https://manpages.debian.org/bookworm/wireguard-tools/wg-quick.8.en.html", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["winbindd"], about: "Windows accounts", alone: Leaves,
        foreground: &["-F", "--foreground", "-i", "--interactive"], background: &["-D", "--daemon"],
        ends: &["-V", "--version", "-?", "--help", "--usage"],
        takes_value: &["-s", "--configfile", "-d", "--debuglevel", "-l", "--log-basename"],
        ready: Check("wbinfo --ping"), ready_note: "Debian's build also sends READY=1",
        advice: "Under s6 add --no-process-group: with -F alone it ends with `Failed to create session`, because s6 already made it a session leader.",
        source: "https://manpages.debian.org/bookworm/winbind/winbindd.8.en.html", checked: Tried, ..NOTHING
    },
    // hostapd's -b and wpa_supplicant's differ; both take a value.
    KnownProgram {
        names: &["wpa_supplicant", "hostapd"], about: "Wi-Fi", alone: Stays, background: &["-B"], ends: &["-v", "-h"],
        takes_value: &["-c", "-C", "-i", "-I", "-D", "-P", "-f", "-g", "-G", "-b"],
        source: "https://manpages.debian.org/bookworm/wpasupplicant/wpa_supplicant.8.en.html", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["x11vnc"], about: "VNC of a display", alone: Stays, background: &["-bg"],
        ends: &["-version", "-V", "-help", "-h", "-storepasswd", "-query", "-remote", "-R", "-Q"],
        takes_value: &["-display", "-auth", "-rfbauth", "-passwd", "-passwdfile", "-rfbport", "-o", "-logfile", "-geometry", "-clip", "-id", "-desktop", "-listen"],
        advice: "Add -forever, or it ends after the first viewer.",
        source: "https://manpages.debian.org/bookworm/x11vnc/x11vnc.1.en.html", checked: Tried, ..NOTHING
    },
    // -inetd_compat and the like are words of their own. -stayalive keeps it with no service. It ends at once when it has no service.
    KnownProgram {
        names: &["xinetd"], about: "super server", alone: Leaves, foreground: &["-dontfork", "-d"], ends: &["-version"],
        takes_value: &["-f", "-limit", "-logprocs", "-syslog", "-filelog", "-pidfile", "-cc"],
        stop_reason: "ends its servers too; QUIT leaves them",
        source: "https://manpages.debian.org/bookworm/xinetd/xinetd.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["Xorg", "X"], about: "display server", alone: Stays,
        ends: &["-version", "-help", "-showconfig", "-configure"],
        takes_value: &["-config", "-configdir", "-auth", "-displayfd", "-logfile", "-layout", "-screen", "-dpi", "-fp", "-listen", "-nolisten"],
        ready: Descriptor("-displayfd 3"),
        ready_note: "writes the display number and a newline when it accepts clients (run with 1)", is_needed: true,
        clients: &["fluxbox", "i3", "icewm", "openbox", "setxkbmap", "startxfce4", "x11vnc", "xhost", "xrandr", "xrdb", "xset", "xsetroot", "xsettingsd", "xterm"],
        source: "https://www.x.org/releases/current/doc/man/man1/Xserver.1.xhtml", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["xrdp"], about: "RDP server", alone: Leaves, foreground: &["-n", "--nodaemon", "-nodaemon"],
        ends: &["-k", "--kill", "-h", "--help", "-v", "--version", "--dump-config"],
        takes_value: &["-p", "--port", "-c", "--config"],
        source: "https://manpages.debian.org/bookworm/xrdp/xrdp.8.en.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["xrdp-sesman"], about: "RDP session manager", alone: Leaves, foreground: &["-n", "--nodaemon", "-nodaemon"],
        ends: &["-k", "--kill", "-h", "--help", "-v", "--version", "--dump-config", "-r", "--reload"],
        takes_value: &["-c", "--config"], source: "https://manpages.debian.org/bookworm/xrdp/xrdp-sesman.8.en.html",
        checked: Tried, ..NOTHING
    },
    // Debian's build also sends READY=1 to NOTIFY_SOCKET.
    KnownProgram {
        names: &["Xvfb"], about: "virtual display", alone: Stays, ends: &["-version", "-help"],
        takes_value: &["-screen", "-fbdir", "-auth", "-displayfd", "-fp", "-dpi", "-pixdepths", "-listen", "-nolisten"],
        ready: Descriptor("-displayfd 3"),
        ready_note: "writes the display number and a newline when it accepts clients (run with 1)", is_needed: true,
        clients: &["fluxbox", "i3", "icewm", "openbox", "setxkbmap", "startxfce4", "x11vnc", "xhost", "xrandr", "xrdb", "xset", "xsetroot", "xsettingsd", "xterm"],
        source: "https://manpages.debian.org/bookworm/xvfb/Xvfb.1.en.html", checked: Tried, ..NOTHING
    },
    // Run with TigerVNC. TightVNC's Xvnc may not know -displayfd.
    KnownProgram {
        names: &["Xvnc", "Xtigervnc", "Xtightvnc"], about: "VNC display server", alone: Stays,
        ends: &["-version", "-help"],
        takes_value: &["-geometry", "-depth", "-rfbport", "-rfbauth", "-PasswordFile", "-SecurityTypes", "-desktop", "-auth", "-displayfd", "-fp"],
        ready: Descriptor("-displayfd 3"),
        ready_note: "writes the display number and a newline when it accepts clients (run with 1)", is_needed: true,
        clients: &["fluxbox", "i3", "icewm", "openbox", "setxkbmap", "startxfce4", "x11vnc", "xhost", "xrandr", "xrdb", "xset", "xsetroot", "xsettingsd", "xterm"],
        source: "https://manpages.debian.org/bookworm/tigervnc-standalone-server/Xtigervnc.1.en.html", checked: Tried,
        ..NOTHING
    },
    // -f is taken and is the default (run).
    KnownProgram {
        names: &["zabbix_agent2"], about: "monitoring agent", alone: Stays,
        ends: &["-t", "--test", "-p", "--print", "-R", "--runtime-control", "-V", "--version", "-h", "--help", "-T", "--test-config"],
        takes_value: &["-c", "--config"],
        source: "https://www.zabbix.com/documentation/current/en/manual/concepts/agent2", checked: Tried, ..NOTHING
    },
    // Run: zabbix_agentd 6.0. The other two share the code that does this.
    KnownProgram {
        names: &["zabbix_agentd", "zabbix_server", "zabbix_proxy"], about: "monitoring", alone: Leaves,
        foreground: &["-f", "--foreground"],
        ends: &["-t", "--test", "-p", "--print", "-R", "--runtime-control", "-V", "--version", "-h", "--help", "-T", "--test-config"],
        takes_value: &["-c", "--config"], joins_options: true, drops_rights: "User in the configuration",
        source: "https://www.zabbix.com/documentation/current/en/manual/concepts/agent", checked: Tried, ..NOTHING
    },
    // Run: zebra, bgpd, ospfd of FRR.
    KnownProgram {
        names: &["zebra", "bgpd", "ospfd", "ospf6d", "ripd", "ripngd", "isisd", "staticd", "bfdd", "pimd", "eigrpd", "mgmtd"],
        about: "routing daemon", alone: Stays, background: &["-d", "--daemon"],
        ends: &["-v", "--version", "-h", "--help", "-C", "--dryrun"],
        takes_value: &["-f", "--config_file", "-i", "--pid_file", "-A", "--vty_addr", "-P", "--vty_port", "-u", "--user", "-g", "--group", "-z", "--socket", "-M", "--module", "-F", "--profile", "-N", "--pathspace"],
        joins_options: true, ready: Check("vtysh -d zebra -c 'show version'"), ready_note: "name the daemon after -d",
        drops_rights: "-u and -g", source: "https://docs.frrouting.org/en/latest/setup.html", checked: Tried, ..NOTHING
    },
    KnownProgram {
        names: &["zerotier-one"], about: "VPN", alone: Stays, background: &["-d"], ends: &["-h", "-v", "-i", "-q"],
        ready: Check("zerotier-cli info"),
        source: "https://github.com/zerotier/ZeroTierOne/blob/dev/doc/zerotier-one.8.md", checked: Manual, ..NOTHING
    },
    KnownProgram {
        names: &["zkServer.sh"], about: "ZooKeeper control script", alone: Stays,
        foreground_commands: &["start-foreground"], background_commands: &["start", "restart"],
        ends: &["stop", "version", "status", "print-cmd"], is_needed: true,
        source: "https://github.com/apache/zookeeper/blob/master/bin/zkServer.sh", checked: Code, ..NOTHING
    },
    // -D means debug and implies -f. -r allows root.
    KnownProgram {
        names: &["znc"], about: "IRC bouncer", alone: Leaves, foreground: &["-f", "--foreground", "-D", "--debug"],
        ends: &["-v", "--version", "-h", "--help", "-s", "--makepass", "-c", "--makeconf", "-p", "--makepem"],
        takes_value: &["-d", "--datadir"], source: "https://manpages.debian.org/bookworm/znc/znc.1.en.html",
        checked: Manual, ..NOTHING
    },
];
