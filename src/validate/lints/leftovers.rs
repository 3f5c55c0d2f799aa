use crate::diagnostic::{Code, Diagnostic, Origin, Problems};
use crate::model::{Index, Service};

use super::definitions;
use super::script::{Language, Started, started};
use crate::validate::names::listed;

/// Nothing is left of s6-overlay 2.
pub(in crate::validate) fn are_gone(index: &Index<'_>, problems: &mut Problems) {
    let mut environments: Vec<(&Service, Origin)> = Vec::new();
    let before = problems.len();
    let mut knows_new_place = false;
    for (service, definition) in definitions(index) {
        for script in started(service, definition) {
            const OLD: &str = "#!/usr/bin/with-contenv";
            if script.text.starts_with(OLD) {
                environments.push((service, script.at(2..OLD.len())));
            }
            knows_new_place |= script.text.starts_with("#!/command/");
            problems.extend(old_place(service, &script));
            problems.extend(old_program(service, &script));
        }
        for text in &definition.command_lines {
            let content = str::from_utf8(&text.bytes).unwrap_or_default();
            if let Some(at) = content.find(SERVICES) {
                let origin = Origin::new(text.origin.file, at..at + SERVICES.len());
                problems.push(old_services(service, text.file, origin, content.contains("s6-svscanctl")));
            }
        }
    }
    // Many images install the links by which the old path exists, and write nothing else. Where a tree uses both paths,
    // or other things that are no more, that cannot be taken for granted. However many scripts do, it is one question.
    let is_in_doubt = knows_new_place || problems.len() > before;
    if let Some((service, origin)) = environments.first().filter(|_| is_in_doubt) {
        let mut problem = Diagnostic::new(
            Code::VersionTwo,
            format!("`{}` is started by `/usr/bin/with-contenv`, which not every image has", service.name),
        )
        .at(*origin, "since s6-overlay 3 this is `/command/with-contenv`")
        .note("the old path exists where the archives s6-overlay-symlinks-noarch and -arch are installed");
        if environments.len() > 1 {
            let mut names: Vec<_> = environments[1..].iter().map(|(service, _)| &service.name).collect();
            names.dedup();
            problem = problem.note(format!("the same holds for {}", listed(names)));
        }
        problems.push(problem.help("write `#!/command/with-contenv`"));
    }
}

const SERVICES: &str = "/var/run/s6/services";

fn old_place(service: &Service, script: &Started<'_>) -> Option<Diagnostic> {
    if !script.text.contains(SERVICES) {
        return None;
    }
    // Others may replace the path in some file, or ask whether it exists; s6's own commands need it.
    let line = script.code().find(|line| {
        line.text.contains(SERVICES)
            && line.words().any(|word| word.starts_with("s6-sv"))
            && !line.text.contains("-d /var")
            && !line.text.contains("-e /var")
    })?;
    let stops = line.text.contains("s6-svscanctl");
    Some(old_services(service, script.file, script.at(line.span_of(SERVICES)), stops))
}

fn old_services(service: &Service, file: &str, origin: Origin, stops: bool) -> Diagnostic {
    let help = match stops {
        true => "write `/run/s6/basedir/bin/halt` to stop the container",
        false => "write `/run/service`",
    };
    Diagnostic::new(Code::VersionTwo, format!("`{file}` of `{}` is written for s6-overlay 2", service.name))
        .at(origin, "this does not exist in s6-overlay 3")
        .help(help)
}

fn old_program(service: &Service, script: &Started<'_>) -> Option<Diagnostic> {
    let old = [("s6-test", "eltest"), ("import", "importas -S")];
    if !old.iter().any(|(word, _)| script.text.contains(word)) {
        return None;
    }
    let is_execline = script.language == Language::Execline;
    let (line, word, new) = script.code().find_map(|line| {
        let first = line.words().next()?;
        match first {
            "import" if is_execline => Some((line, "import", "importas -S")),
            _ if line.words().any(|word| word == "s6-test") => Some((line, "s6-test", "eltest")),
            _ => None,
        }
    })?;
    Some(
        Diagnostic::new(
            Code::VersionTwo,
            format!("`{}` of `{}` uses `{word}`, which is no more", script.file, service.name),
        )
        .at(script.at(line.span_of(word)), "no such program in s6-overlay 3")
        .help(format!("write `{new}`")),
    )
}
