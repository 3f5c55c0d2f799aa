//! The options of supervisord itself, and those sections of which it only matters whether supervisord refuses them.

use super::environment::pairs;
use super::expand::ExpansionNames;
use super::options::SectionOptions;
use super::values::{boolean, level, number, octal, port, size};
use super::{ConfigRefusal, ConfigSection, Configuration, EnvironmentValue, Expanded, Known, Setting};

/// What the options of `[supervisord]` mean. [`ConfigSection::option`] has the place of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupervisordOptions {
    /// `nodaemon`.
    pub nodaemon: Setting<bool>,
    /// `silent`.
    pub silent: Setting<bool>,
    /// `user`: a name or a number.
    pub user: Option<Expanded>,
    /// `directory`.
    pub directory: Option<Expanded>,
    /// `umask`, as a number.
    pub umask: Setting<u32>,
    /// `minfds`.
    pub minfds: Setting<i64>,
    /// `minprocs`.
    pub minprocs: Setting<i64>,
    /// `environment`, which every program has too, unless its own option sets the same name.
    pub environment: Vec<EnvironmentValue>,
    /// `logfile`.
    pub logfile: Expanded,
    /// `logfile_maxbytes`.
    pub logfile_maxbytes: Setting<i64>,
    /// `logfile_backups`.
    pub logfile_backups: Setting<i64>,
    /// `loglevel`.
    pub loglevel: Setting<String>,
    /// `pidfile`.
    pub pidfile: Expanded,
    /// `identifier`.
    pub identifier: Expanded,
    /// `childlogdir`. Its default is the directory for temporary files.
    pub childlogdir: Option<Expanded>,
    /// `nocleanup`.
    pub nocleanup: Setting<bool>,
    /// `strip_ansi`.
    pub strip_ansi: Setting<bool>,
}

/// Reads `[supervisord]`.
pub(super) fn supervisord(
    configuration: &Configuration,
    known: &Known,
    refusals: &mut Vec<ConfigRefusal>,
) -> Option<SupervisordOptions> {
    let section = configuration.section("supervisord")?;
    let names = ExpansionNames::new(known, &configuration.directory);
    let mut options = SectionOptions::new(section);
    let text = |options: &mut SectionOptions, name, default| {
        options.text(name, &names).unwrap_or_else(|| Expanded::plain(default))
    };
    let result = SupervisordOptions {
        minfds: options.setting("minfds", &names, 1024, number),
        minprocs: options.setting("minprocs", &names, 200, number),
        directory: options.text("directory", &names),
        user: options.text("user", &names),
        umask: options.setting("umask", &names, 0o22, octal),
        logfile: text(&mut options, "logfile", "supervisord.log"),
        logfile_maxbytes: options.setting("logfile_maxbytes", &names, 50 << 20, size),
        logfile_backups: options.setting("logfile_backups", &names, 10, number),
        loglevel: options.setting("loglevel", &names, "info".to_owned(), level),
        pidfile: text(&mut options, "pidfile", "supervisord.pid"),
        identifier: text(&mut options, "identifier", "supervisor"),
        nodaemon: options.setting("nodaemon", &names, false, boolean),
        silent: options.setting("silent", &names, false, boolean),
        childlogdir: options.text("childlogdir", &names),
        nocleanup: options.setting("nocleanup", &names, false, boolean),
        strip_ansi: options.setting("strip_ansi", &names, false, boolean),
        environment: environment(&mut options, &names, known),
    };
    refusals.append(&mut options.refusals);
    Some(result)
}

/// supervisord expands this option twice.
fn environment(options: &mut SectionOptions, names: &ExpansionNames, known: &Known) -> Vec<EnvironmentValue> {
    let origin = options.origin("environment");
    let Some(text) = options.text("environment", names) else { return Vec::new() };
    let Some(text) = options.expand(&text, &names.clone().with_host(known), origin) else {
        return Vec::new();
    };
    pairs(&text).unwrap_or_else(|reason| {
        options.refuse(origin, reason);
        Vec::new()
    })
}

/// Checks the sections of plugins and of servers for `supervisorctl`.
pub(super) fn check_others(
    configuration: &Configuration,
    names: &ExpansionNames,
    refusals: &mut Vec<ConfigRefusal>,
) {
    for section in &configuration.sections {
        let mut options = SectionOptions::new(section);
        if section.name.starts_with("rpcinterface:") {
            check_plugin(&mut options, names);
        } else if section.name.starts_with("inet_http_server") {
            check_inet_server(&mut options, names);
        } else if section.name.starts_with("unix_http_server") {
            check_unix_server(&mut options, names);
        }
        refusals.append(&mut options.refusals);
    }
}

const FACTORY: &str = "supervisor.rpcinterface_factory";

fn check_plugin(options: &mut SectionOptions, names: &ExpansionNames) {
    let names = names.clone().without("here");
    if options.option(FACTORY).is_none() {
        options.refuse(options.heading(), format!("the option `{FACTORY}` is missing"));
    }
    let section: &ConfigSection = options.section;
    for option in section.options.iter().filter(|option| option.replaced_by.is_none()) {
        options.expand(&Expanded::plain(&option.value), &names, option.origin);
    }
}

fn check_password(options: &mut SectionOptions, names: &ExpansionNames) {
    let names = names.clone().without("here");
    let written = ["username", "password"].map(|name| {
        options.text(name, &names);
        options.option(name).is_some()
    });
    if written[0] != written[1] {
        options.refuse(options.heading(), "`username` and `password` belong together");
    }
}

fn check_inet_server(options: &mut SectionOptions, names: &ExpansionNames) {
    check_password(options, names);
    if options.option("port").is_none() {
        options.refuse(options.heading(), "the option `port` is missing");
    }
    let address = |text: &str| port(text.rsplit_once(':').map_or(text, |(_, port)| port));
    options.optional("port", &names.clone().without("here"), address);
}

fn check_unix_server(options: &mut SectionOptions, names: &ExpansionNames) {
    check_password(options, names);
    if options.option("file").is_none() {
        options.refuse(options.heading(), "the option `file` is missing");
    }
    options.text("file", names);
    let names = names.clone().without("here");
    options.text("chown", &names);
    options.optional("chmod", &names, octal);
}
