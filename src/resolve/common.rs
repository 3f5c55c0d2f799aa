//! Resolves the keys that longruns and oneshots share.

use super::scope::{Scope, StartAt};
use super::values::Values;
use super::{Resolver, choice, distinct, too_old};
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{Amount, CommonKeys, Limit, Limits, Names, Number, RawText};
use crate::model::{
    Account, ContainerVariable, Feature, Kind, Literal, LiteralForm, Service, ServiceRef, Surroundings,
    Written,
};

/// The resolved keys that longruns and oneshots share.
pub(super) struct Common {
    pub dependencies: Vec<ServiceRef>,
    pub timeout_up: Option<u32>,
    pub timeout_down: u32,
    pub surroundings: Surroundings,
}

/// A description on one line, because the script has it in a comment.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Resolver<'_> {
    /// The text with its expressions replaced. If that is not possible, or if an added value in it is harmful, reports it and
    /// returns `None`.
    pub(super) fn text(&mut self, text: &RawText, scope: &Scope) -> Option<String> {
        let expanded = self.script(text, scope)?;
        self.keeps_secrets(&expanded, text.origin(), scope).then_some(expanded)
    }

    /// The same for the text of a script, in which `${NAME}` is for a shell.
    pub(super) fn script(&mut self, text: &RawText, scope: &Scope) -> Option<String> {
        let expanded = self.data(text, scope)?;
        scope.allows_added_values(text, &expanded, &self.expressions, self.problems).then_some(expanded)
    }

    /// The same for a text that no program reads as code or options, so that any value may be in it.
    pub(super) fn data(&mut self, text: &RawText, scope: &Scope) -> Option<String> {
        if let Some(name) = scope.literal_expression(text) {
            let form = match text.is_literal() {
                true => LiteralForm::ExpressionInFile,
                false => LiteralForm::Expression,
            };
            let (name, origin) = (name.to_owned(), text.origin());
            self.literals.push(Literal { key: String::new(), text: name, origin, form });
        }
        let expanded = self.verbatim(text, scope)?;
        self.brings_no_reference(text, &expanded, scope).then_some(expanded)
    }

    /// The same for a file. It adds no literal, because `{{ name }}` in a file may be for another program.
    pub(super) fn verbatim(&mut self, text: &RawText, scope: &Scope) -> Option<String> {
        self.add_expressions(scope.count_expressions(text), text.origin());
        if self.is_too_large() {
            return None;
        }
        let Ok(expanded) = scope.text(text, &self.expressions, self.bytes_left(), self.problems) else {
            self.add_size(self.bytes_left() + 1, text.origin());
            return None;
        };
        // Reading a text takes time even if it contains no expression.
        let read = scope.written(text).len();
        self.add_size(read.max(expanded.as_ref().map_or(0, String::len)), scope.origin);
        expanded
    }

    /// The text as a mention of a service. `None` if a default names the service itself.
    pub(super) fn mention(&mut self, text: &RawText, scope: &Scope) -> Option<ServiceRef> {
        let name = self.text(text, scope).filter(|name| !(text.from_defaults() && scope.is_self(name)))?;
        self.add_size(super::DEPENDENCY_BYTES, text.origin());
        Some(ServiceRef { name: name.as_str().into(), origin: Some(text.origin()) })
    }

    /// The texts as mentions of services.
    pub(super) fn mentions(&mut self, names: Option<&Names<RawText>>, scope: &Scope) -> Vec<ServiceRef> {
        let list = names.into_iter().flat_map(|names| &names.list);
        list.filter_map(|text| self.mention(text, scope)).collect()
    }

    /// Expands a text and lets `read` turn it into a value. `None` if the key is not set.
    pub(super) fn value<T>(
        &mut self,
        text: Option<&RawText>,
        scope: &Scope,
        read: impl FnOnce(&mut Values<'_>, &str, Origin) -> Option<T>,
    ) -> Option<T> {
        let text = text?;
        let expanded = self.text(text, scope)?;
        let mut values = Values { variables: &scope.references, ..Values::new(self.problems) };
        let read = read(&mut values, &expanded, text.origin());
        self.literals.append(&mut values.literals);
        read
    }

    /// The account in the text of `key`. An added value cannot choose the group, if the template does not.
    pub(super) fn account(&mut self, key: &str, text: Option<&RawText>, scope: &Scope) -> Option<Account> {
        self.value(text, scope, |values, expanded, origin| {
            if text.is_some_and(|text| scope.adds_character(':', text, expanded)) {
                return values.refuse(
                    format!("`{key}` cannot be `{expanded}`"),
                    origin,
                    "an added value brings a `:` and so chooses the group",
                    "let the template write the `:`, or declare what the value may be: `parameters = { NAME = { pattern = 'REGEX' } }`",
                );
            }
            values.account(key, expanded, origin)
        })
    }

    /// The duration in the text of `key`, in milliseconds.
    pub(super) fn duration(&mut self, key: &str, text: Option<&RawText>, scope: &Scope) -> Option<u32> {
        self.value(text, scope, |values, text, origin| values.duration(key, text, origin))
    }

    /// The meaning of the word in the text of `key`. Reports one that is not among `words`.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &str,
        text: Option<&RawText>,
        words: &[(&str, T)],
        scope: &Scope,
    ) -> Option<T> {
        let text = text?;
        let word = self.text(text, scope)?;
        choice(key, &word, text.origin(), words, self.problems)
    }

    /// The signal in the text of `key`.
    pub(super) fn signal(
        &mut self,
        key: &str,
        text: Option<&RawText>,
        scope: &Scope,
    ) -> Option<&'static str> {
        self.value(text, scope, |values, text, origin| values.signal(key, text, origin))
    }

    /// The text of the path `key`. Reports an expression at its end that leaves nothing of the last part: the path would be that
    /// of the directory above.
    pub(super) fn path_text(&mut self, key: &str, text: &RawText, scope: &Scope) -> Option<String> {
        let expanded = self.text(text, scope)?;
        if !scope.ends_with_empty_expression(text, &expanded, &self.expressions) {
            return Some(expanded);
        }
        Values::new(self.problems).refuse(
            format!("`{key}` cannot be `{expanded}`"),
            text.origin(),
            "the expression at its end is empty: this is the directory above the one that is meant",
            "give the instance a value, or a default: `{{ NAME | default('VALUE') }}`",
        )
    }

    /// The path in a text, if the key is set.
    pub(super) fn path(&mut self, key: &str, text: Option<&RawText>, scope: &Scope) -> Option<String> {
        let text = text?;
        let path = self.path_text(key, text, scope)?;
        if key == "workdir" && path == "/" {
            return Some(path);
        }
        let mut values = Values { variables: &scope.references, ..Values::new(self.problems) };
        let read = values.path(key, &path, text.origin());
        self.literals.append(&mut values.literals);
        read
    }

    /// The number, if it is in `range`. Reports it if not.
    pub(super) fn number(
        &mut self,
        key: &str,
        number: Number,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<u32> {
        if range.contains(&number.value) {
            return u32::try_from(number.value).ok();
        }
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`{key}` cannot be {}", number.value))
                .at(number.origin, "out of range")
                .help(format!("write a number from {} to {}", range.start(), range.end())),
        );
        None
    }

    pub(super) fn descriptor(&mut self, key: &str, number: Number) -> Option<Written<u32>> {
        if (3..=1023).contains(&number.value) {
            return Some(Written { value: u32::try_from(number.value).ok()?, origin: Some(number.origin) });
        }
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`{key}` cannot be {}", number.value))
                .at(number.origin, "this descriptor has another use")
                .help("0, 1 and 2 are standard input, output and error; use 3 unless the program needs another one"),
        );
        None
    }

    /// Adds a service to the set and to its start set.
    pub(super) fn add(&mut self, keys: &CommonKeys, scope: &Scope, kind: Kind) {
        let reference = ServiceRef { name: scope.name.as_str().into(), origin: Some(scope.origin) };
        match scope.start {
            StartAt::Boot | StartAt::Early => self.start.boot.push(reference),
            StartAt::Late => self.start.late.push(reference),
            StartAt::OnDemand | StartAt::EarlyOnDemand => {}
        }
        for dependent in self.mentions(keys.required_by.as_ref(), scope) {
            self.required_by.push((dependent, scope.name.as_str().into()));
        }
        self.commands.clear();
        // Most services have one program, and a vector makes room for four.
        self.programs.shrink_to_fit();
        let description = keys.description.as_ref().and_then(|text| self.data(text, scope));
        let secrets = scope.secrets.iter().map(|name| ContainerVariable {
            name: name.clone(),
            default: None,
            description: None,
            is_secret: true,
        });
        self.set.services.push(Service {
            description: description.map(|text| one_line(&text)),
            flag_essential: keys.flag_essential.is_some_and(|flag| flag.value),
            flag_recommended: keys.flag_recommended.is_some_and(|flag| flag.value),
            programs: std::mem::take(&mut self.programs),
            variables: scope.references.iter().cloned().chain(secrets).collect(),
            literals: std::mem::take(&mut self.literals),
            ..Service::new(scope.name.as_str().into(), Some(scope.origin), kind)
        });
    }

    /// When the service starts.
    pub(super) fn start_at(&mut self, keys: &CommonKeys, scope: &Scope) -> StartAt {
        let words = [
            ("early", StartAt::Early),
            ("boot", StartAt::Boot),
            ("late", StartAt::Late),
            ("on-demand", StartAt::OnDemand),
            ("early-on-demand", StartAt::EarlyOnDemand),
        ];
        let Some(text) = &keys.start else { return StartAt::Boot };
        let Some(word) = self.text(text, scope) else { return StartAt::Boot };
        let start = choice("start", &word, text.origin(), &words, self.problems).unwrap_or(StartAt::Boot);
        let system = self.system();
        if matches!(start, StartAt::Early | StartAt::Late | StartAt::EarlyOnDemand) && !system.is_overlay() {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, format!("`start = \"{word}\"` needs s6-overlay"))
                    .at(text.origin(), format!("the target is {system}"))
                    .help("without s6-overlay a service starts at `boot` or `on-demand`"),
            );
            return StartAt::Boot;
        }
        if start == StartAt::Late && !system.has(Feature::User2) {
            self.problems.push(too_old(system, Feature::User2, "start = \"late\"", text.origin()));
        }
        start
    }

    /// The service that all services of this start set wait for.
    pub(super) fn first_dependency(&self, start: StartAt) -> Option<ServiceRef> {
        let name = match start {
            _ if !self.system().is_overlay() => return None,
            StartAt::Early | StartAt::EarlyOnDemand => return None,
            StartAt::Late => "legacy-services",
            StartAt::Boot | StartAt::OnDemand => "base",
        };
        Some(ServiceRef { name: name.into(), origin: None })
    }

    pub(super) fn common(&mut self, keys: &CommonKeys, scope: &Scope) -> Common {
        let mut dependencies: Vec<ServiceRef> = self.first_dependency(scope.start).into_iter().collect();
        dependencies.extend(self.mentions(keys.dependencies.as_ref(), scope));
        let overlay = self.system().is_overlay();
        if let Some(flag) = keys.with_contenv.filter(|flag| flag.value && !overlay) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`with-contenv` needs s6-overlay")
                    .at(flag.origin, format!("the target is {}", self.system()))
                    .help("without s6-overlay services inherit the environment of s6-svscan"),
            );
        }
        let user = self.account("user", keys.user.as_ref(), scope);
        if let Some(text) = keys.user.as_ref().filter(|_| self.set.target.rootless) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`user` needs root")
                    .at(text.origin(), "a container without root cannot change the account")
                    .help("leave it out: every service runs as the account of the container"),
            );
        }
        let environment = self.environment(keys, scope);
        let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
        let environment: Vec<_> = environment.into_iter().filter(|(name, _)| name != "PATH").collect();
        let account_variables = match &user {
            Some(Account { name: Some(_), .. }) => ["HOME", "USER", "LOGNAME"]
                .into_iter()
                .filter(|variable| environment.iter().all(|(name, _)| name != variable))
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        };
        let (limits, least_limits) =
            keys.limits.as_ref().map(|limits| self.limits(limits, scope)).unwrap_or_default();
        let mut surroundings = Surroundings {
            inputs: self.inputs(keys, scope),
            with_contenv: keys.with_contenv.map_or(overlay, |flag| flag.value && overlay),
            environment,
            path,
            account_variables,
            user,
            workdir: self.path("workdir", keys.workdir.as_ref(), scope),
            umask: self.value(keys.umask.as_ref(), scope, |values, text, origin| {
                values.umask("umask", text, origin)
            }),
            limits,
            least_limits,
            nice: keys.nice.and_then(|nice| self.nice(nice)),
            only_if: None,
            needs_directory: false,
            directory_variable: String::new(),
        };
        surroundings.only_if = self.command_in(&surroundings, keys.only_if.as_ref(), "only-if", scope);
        Common {
            dependencies: distinct(dependencies),
            timeout_up: self.duration("timeout-up", keys.timeout_up.as_ref(), scope),
            timeout_down: self.duration("timeout-down", keys.timeout_down.as_ref(), scope).unwrap_or(0),
            surroundings,
        }
    }

    /// The options of s6-softlimit for `limits`: exact limits, and limits that are only raised.
    #[allow(clippy::type_complexity, reason = "the two lists of `Surroundings`")]
    fn limits(
        &mut self,
        limits: &Limits,
        scope: &Scope,
    ) -> (Vec<(char, String)>, Vec<(&'static str, char, String)>) {
        let table = [
            ("as", "Max address space", 'a', &limits.address_space),
            ("core", "Max core file size", 'c', &limits.core),
            ("cpu", "Max cpu time", 't', &limits.cpu),
            ("data", "Max data size", 'd', &limits.data),
            ("fsize", "Max file size", 'f', &limits.fsize),
            ("memlock", "Max locked memory", 'l', &limits.memlock),
            ("nofile", "Max open files", 'o', &limits.nofile),
            ("nproc", "Max processes", 'p', &limits.nproc),
            ("rss", "Max resident set", 'r', &limits.rss),
            ("stack", "Max stack size", 's', &limits.stack),
        ];
        let (mut set, mut least) = (Vec::new(), Vec::new());
        for (key, name, letter, limit) in table {
            let Some(Limit { amount, is_least }) = limit else { continue };
            match self.amount(key, amount, scope) {
                Some(value) if *is_least => least.push((name, letter, value)),
                Some(value) => set.push((letter, value)),
                None => {}
            }
        }
        (set, least)
    }

    /// The number of a limit, or the variable of the container that has it.
    fn amount(&mut self, key: &str, amount: &Amount, scope: &Scope) -> Option<String> {
        let problem = match amount {
            Amount::Number(number) => match u64::try_from(number.value) {
                Ok(value) => return Some(value.to_string()),
                Err(_) => {
                    Diagnostic::new(Code::InvalidValue, format!("`limits.{key}` cannot be {}", number.value))
                        .at(number.origin, "below zero")
                        .help("leave it out to set no limit")
                }
            },
            Amount::Variable(text) => {
                let value = self.text(text, scope)?;
                if scope.references_in(&value).len() == 1 {
                    return Some(value);
                }
                let name = value.trim_start_matches("${").trim_end_matches('}');
                Diagnostic::new(Code::InvalidValue, format!("`limits.{key}` cannot be `{value}`"))
                    .at(text.origin(), "this is not one of the `variables` of the service")
                    .help(format!("declare it with a default: `variables = {{ {name} = \"1024\" }}`"))
            }
        };
        self.problems.push(problem);
        None
    }

    fn nice(&mut self, nice: Number) -> Option<i64> {
        if (-20..=19).contains(&nice.value) {
            return Some(nice.value);
        }
        self.problems.push(
            Diagnostic::new(Code::InvalidValue, format!("`nice` cannot be {}", nice.value))
                .at(nice.origin, "out of range")
                .help("write a number from -20 (first) to 19 (last)"),
        );
        None
    }
}
