//! Reads the sections of programs: what `ServerOptions.processes_from_section` of supervisord does.

use super::environment::pairs;
use super::expand::{ExpansionNames, NameValue};
use super::options::SectionOptions;
use super::python::strip;
use super::values::{
    MOST_PROCESSES, OF_PROCESS, autorestart, boolean, exit_codes, name, number, octal, signal, size,
};
use super::{
    Autorestart, ConfigProcess, EnvironmentValue, Expanded, Known, Logfile, OutputOptions, ProgramOptions,
    Setting,
};

/// What a section of a program means for supervisord.
pub(super) struct SectionProcesses {
    pub processes: Vec<ConfigProcess>,
    pub numprocs_at_run_time: Option<Expanded>,
    /// The options with the number of the process left in them.
    pub options: ProgramOptions,
}

/// How many processes there are.
struct ProcessNumbers {
    first: i64,
    /// `None` if a variable decides it.
    count: Option<i64>,
    /// What `%(numprocs)d` stands for.
    text: NameValue,
    at_run_time: Option<Expanded>,
}

/// Reads a section. `environment` has the variables that all programs may use. `left` is how many bytes of options further processes
/// may have.
pub(super) fn processes(
    options: &mut SectionOptions,
    program: &str,
    group: &str,
    environment: &ExpansionNames,
    known: &Known,
    left: &mut usize,
) -> Option<SectionProcesses> {
    let mut names = environment.clone().with_host(known);
    for (name, value) in [("program_name", program), ("group_name", group)] {
        names.set(name, NameValue::Text(Expanded::plain(value)));
    }
    let base = common(options, &names);
    let numbers = numbers(options, &names);
    let count = numbers.count.unwrap_or(1).min(MOST_PROCESSES);
    let section = &options.section.options;
    let of_one =
        OF_PROCESS + environment.size() + section.iter().map(|option| option.value.len()).sum::<usize>();
    let Some(fewer) = left.checked_sub(of_one.saturating_mul(usize::try_from(count).unwrap_or(0))) else {
        let reason = "the options of all processes together are more than 4 MB; s6gen reads no more";
        options.refuse(options.heading(), reason);
        return None;
    };
    *left = fewer;
    let process_name = process_name(options, &numbers);
    if base.stopasgroup == Setting::Known(true) && base.killasgroup == Setting::Known(false) {
        let reason = "`stopasgroup` is true, and `killasgroup` is false";
        options.refuse(options.origin("killasgroup"), reason);
    }
    names.set("numprocs", numbers.text.clone());
    // What is wrong for every number is reported for the first one.
    let mut open_names = names.clone();
    open_names.set("process_num", NameValue::Process);
    let mut open = SectionOptions::new(options.section);
    let open =
        numbered(&mut open, &base, &mut open_names, environment, &process_name).map(|(options, _)| options);
    let mut processes = Vec::new();
    for number in (0..count).map(|place| numbers.first.saturating_add(place)) {
        names.set("process_num", NameValue::Number(number));
        let (options, name) = numbered(options, &base, &mut names, environment, &process_name)?;
        processes.push(ConfigProcess { name, number, options });
    }
    let options = open.or(processes.first().map(|process| process.options.clone())).unwrap_or(base);
    Some(SectionProcesses { processes, numprocs_at_run_time: numbers.at_run_time, options })
}

/// The options that are the same for every number.
fn common(options: &mut SectionOptions, names: &ExpansionNames) -> ProgramOptions {
    let stopasgroup = options.setting("stopasgroup", names, false, boolean);
    let killasgroup = options.optional("killasgroup", names, boolean);
    let serverurl = options.text("serverurl", names);
    let is_automatic = |url: &Expanded| url.text().is_some_and(|url| strip(&url).to_uppercase() == "AUTO");
    ProgramOptions {
        command: Expanded::default(),
        directory: None,
        user: options.text("user", names),
        umask: options.optional("umask", names, octal),
        priority: options.setting("priority", names, 999, number),
        autostart: options.setting("autostart", names, true, boolean),
        autorestart: options.setting("autorestart", names, Autorestart::Unexpected, autorestart),
        startsecs: options.setting("startsecs", names, 1, number),
        startretries: options.setting("startretries", names, 3, number),
        stopsignal: options.setting("stopsignal", names, 15, signal),
        stopwaitsecs: options.setting("stopwaitsecs", names, 10, number),
        killasgroup: killasgroup.unwrap_or_else(|| stopasgroup.clone()),
        stopasgroup,
        exitcodes: options.setting("exitcodes", names, vec![0], exit_codes),
        redirect_stderr: options.setting("redirect_stderr", names, false, boolean),
        environment: Vec::new(),
        stdout: common_output(options, "stdout", names),
        stderr: common_output(options, "stderr", names),
        serverurl: serverurl.filter(|url| !is_automatic(url)),
    }
}

fn common_output(options: &mut SectionOptions, stream: &str, names: &ExpansionNames) -> OutputOptions {
    OutputOptions {
        logfile: Logfile::Automatic,
        maxbytes: Setting::Known(50 << 20),
        backups: Setting::Known(10),
        capture_maxbytes: options.setting(&format!("{stream}_capture_maxbytes"), names, 0, size),
        events_enabled: options.setting(&format!("{stream}_events_enabled"), names, false, boolean),
        syslog: Setting::Known(false),
    }
}

fn numbers(options: &mut SectionOptions, names: &ExpansionNames) -> ProcessNumbers {
    let count = options.setting("numprocs", names, 1, number);
    let first = options.setting("numprocs_start", names, 0, number);
    let at_run_time = [&count, &first].into_iter().find_map(|setting| match setting {
        Setting::AtRunTime(text) => Some(text.clone()),
        Setting::Known(_) => None,
    });
    if count.known().is_some_and(|count| *count > MOST_PROCESSES) {
        let reason = format!("this is more than {MOST_PROCESSES} processes");
        options.refuse(options.origin("numprocs"), reason);
    }
    let text = match &count {
        Setting::Known(count) => NameValue::Number(*count),
        Setting::AtRunTime(text) => NameValue::NumberText(text.clone()),
    };
    ProcessNumbers {
        first: first.known().copied().unwrap_or(0),
        count: count.known().copied(),
        text,
        at_run_time,
    }
}

/// The name of the processes, before its expansion.
fn process_name(options: &mut SectionOptions, numbers: &ProcessNumbers) -> Expanded {
    let Some(option) = options.option("process_name") else {
        return needs_number(options, numbers, "%(program_name)s");
    };
    match name(&option.value) {
        Ok(name) => needs_number(options, numbers, &name),
        Err(reason) => {
            options.refuse(option.origin, reason);
            Expanded::default()
        }
    }
}

fn needs_number(options: &mut SectionOptions, numbers: &ProcessNumbers, name: &str) -> Expanded {
    if numbers.count.is_some_and(|count| count > 1) && !name.contains("%(process_num)") {
        let reason = "`process_name` needs `%(process_num)02d`, because `numprocs` is greater than 1";
        options.refuse(options.origin("numprocs"), reason);
    }
    Expanded::plain(name)
}

/// The options and the name of the process with the number in `names`. Variables of the option `environment` stay in `names` for the
/// next number, as in supervisord.
fn numbered(
    options: &mut SectionOptions,
    base: &ProgramOptions,
    names: &mut ExpansionNames,
    environment: &ExpansionNames,
    process_name: &Expanded,
) -> Option<(ProgramOptions, String)> {
    names.set_environment(environment);
    let variables = program_environment(options, names);
    for variable in &variables {
        names.set_variable(&variable.name, variable.value.clone());
    }
    let mut result = ProgramOptions {
        environment: variables,
        directory: options.text("directory", names),
        stdout: output(options, "stdout", &base.stdout, names),
        stderr: output(options, "stderr", &base.stderr, names),
        ..base.clone()
    };
    if result.redirect_stderr == Setting::Known(true) {
        result.stderr.logfile = Logfile::None;
    }
    if options.option("command").is_none() {
        options.refuse(options.heading(), "the program has no `command`");
    }
    let command = options.text("command", names);
    let origin = options.origin("process_name");
    let name = options.expand(process_name, names, origin);
    result.command = command?;
    Some((result, name?.as_written()))
}

fn program_environment(options: &mut SectionOptions, names: &ExpansionNames) -> Vec<EnvironmentValue> {
    let origin = options.origin("environment");
    let Some(text) = options.text("environment", names) else { return Vec::new() };
    pairs(&text).unwrap_or_else(|reason| {
        options.refuse(origin, reason);
        Vec::new()
    })
}

fn output(
    options: &mut SectionOptions,
    stream: &str,
    base: &OutputOptions,
    names: &ExpansionNames,
) -> OutputOptions {
    let key = |end: &str| format!("{stream}_{end}");
    let logfile_key = key("logfile");
    let logfile = options.text(&logfile_key, names);
    // supervisord expands this option twice.
    let logfile = logfile.and_then(|text| options.expand(&text, names, options.origin(&logfile_key)));
    let mut syslog = options.setting(&key("syslog"), names, false, boolean);
    let logfile = match logfile {
        None => Logfile::Automatic,
        Some(text) => match text.text().unwrap_or_else(|| "/".to_owned()).to_lowercase().as_str() {
            "" | "none" | "off" => Logfile::None,
            "auto" => Logfile::Automatic,
            "syslog" => {
                syslog = Setting::Known(true);
                Logfile::None
            }
            _ => Logfile::Path(text),
        },
    };
    OutputOptions {
        logfile,
        backups: options.setting(&key("logfile_backups"), names, 10, number),
        maxbytes: options.setting(&key("logfile_maxbytes"), names, 50 << 20, size),
        syslog,
        ..base.clone()
    }
}
