//! Replaces the expressions in the texts of one service, with the values that they can use.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use super::parameters::{self, HARMLESS, Parameter};
use crate::diagnostic::{Code, Diagnostic, FileId, Fix, Origin, Positions, Problems, did_you_mean};
use crate::manifest::{ManifestText, RawText};
use crate::model::ContainerVariable;
use crate::templates::{ExpressionError, Expressions, Variable, VariableValues, references};

/// When a service starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartAt {
    /// Without waiting for the image's own initialisation.
    Early,
    /// After the image's own initialisation.
    Boot,
    /// After the legacy services.
    Late,
    /// When another service needs it, or a command starts it.
    OnDemand,
    /// The same, without waiting for the image's own initialisation.
    EarlyOnDemand,
}

/// An expanded text would be longer than there is room for.
pub(super) struct TooLong;

/// The service that is being made, and the values for its expressions.
pub(super) struct Scope {
    /// Its name, instance included.
    pub name: String,
    /// The place of that name.
    pub origin: Origin,
    /// The manifest's table, `longrun.web`.
    pub table: String,
    /// Whether all its texts may have expressions, and not only those from `[defaults]`.
    is_template: bool,
    /// When it starts.
    pub start: StartAt,
    /// Whether it stands for instances that do not exist yet, whose parameters are unknown.
    is_stand_in: bool,
    /// Whether it is the first service that is made of its template.
    pub is_first: bool,
    /// The variables of the container that its texts can refer to.
    pub references: Vec<ContainerVariable>,
    /// The names of its secrets.
    pub secrets: Vec<String>,
    variables: BTreeMap<String, Variable>,
    /// The same variables in the form that expressions need.
    values: OnceCell<VariableValues>,
    declared: Rc<[Parameter]>,
    /// The names of the parameters, and the position of the first one with each name.
    positions: Rc<BTreeMap<String, usize>>,
    /// Whether a value was added while the system runs.
    has_added: bool,
    /// The added values without a declared pattern. They may come from anyone.
    added: BTreeMap<String, AddedValue>,
    used: RefCell<BTreeSet<String>>,
    /// The added values that were reported.
    refused: RefCell<BTreeSet<String>>,
}

/// A value that was added while the system runs, of a parameter without a pattern.
struct AddedValue {
    text: ManifestText,
    /// Why a program could read it as code or as an option. `None` if no program can.
    why_harmful: Option<String>,
}

impl Scope {
    /// A service that is not a template.
    pub fn service(name: &ManifestText, table: String) -> Self {
        let variables = [("name".to_owned(), Variable::Text(name.value.clone()))].into();
        Scope {
            name: name.value.clone(),
            origin: name.origin,
            table,
            is_template: false,
            start: StartAt::Boot,
            is_stand_in: false,
            is_first: true,
            references: Vec::new(),
            secrets: Vec::new(),
            variables,
            values: OnceCell::new(),
            declared: Rc::new([]),
            positions: Rc::default(),
            has_added: false,
            added: BTreeMap::new(),
            used: RefCell::default(),
            refused: RefCell::default(),
        }
    }

    /// A template with these parameters.
    pub fn template(name: &ManifestText, table: String, declared: Vec<Parameter>) -> Self {
        let mut positions = BTreeMap::new();
        for (position, parameter) in declared.iter().enumerate() {
            positions.entry(parameter.name.value.clone()).or_insert(position);
        }
        let (declared, positions) = (declared.into(), positions.into());
        Scope { is_template: true, declared, positions, ..Scope::service(name, table) }
    }

    /// One instance of this template.
    pub fn instance(
        &self,
        name: String,
        origin: Origin,
        instance: Variable,
        given: &[(ManifestText, ManifestText)],
    ) -> Scope {
        let mut variables: BTreeMap<String, Variable> = given
            .iter()
            .map(|(key, value)| (key.value.clone(), Variable::Text(value.value.clone())))
            .collect();
        variables.insert("name".into(), Variable::Text(name.clone()));
        variables.insert("instance".into(), instance);
        Scope {
            name,
            origin,
            table: self.table.clone(),
            is_template: true,
            start: StartAt::Boot,
            is_stand_in: false,
            is_first: false,
            references: Vec::new(),
            secrets: Vec::new(),
            variables,
            values: OnceCell::new(),
            declared: self.declared.clone(),
            positions: self.positions.clone(),
            has_added: false,
            added: BTreeMap::new(),
            used: RefCell::default(),
            refused: RefCell::default(),
        }
    }

    /// The instance with its parameters. Values in the file `added` were added while the system runs.
    pub fn with_added(self, added: Option<FileId>, given: &[(ManifestText, ManifestText)]) -> Scope {
        let is_added = |(_, value): &&(ManifestText, ManifestText)| added == Some(value.origin.file);
        let has_pattern = |name: &str| self.parameter(name).is_some_and(Parameter::has_pattern);
        let values = given.iter().filter(is_added).filter(|(key, _)| !has_pattern(&key.value));
        let values = values.map(|(key, value)| {
            (
                key.value.clone(),
                AddedValue { text: value.clone(), why_harmful: parameters::why_harmful(&value.value) },
            )
        });
        Scope { has_added: given.iter().any(|one| is_added(&one)), added: values.collect(), ..self }
    }

    /// The declared parameter with this name.
    fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.positions.get(name).map(|position| &self.declared[*position])
    }

    /// Reports the values that do not match what the template's author has declared.
    pub fn check_values(&self, given: &[(ManifestText, ManifestText)], problems: &mut Problems) {
        for (key, value) in given {
            if let Some(parameter) = self.parameter(&key.value) {
                parameter.check(value, problems);
            }
        }
    }

    /// The report on the first added value in this text that a program could read as code or as an option.
    pub fn harmful_value(
        &self,
        text: &RawText,
        expanded: &str,
        expressions: &Expressions,
    ) -> Option<Diagnostic> {
        let written = text.unexpanded();
        // An expression may cut a harmless value to a part that begins with `-`.
        let is_option = expanded.starts_with('-') && written.starts_with("{{");
        if !is_option && self.added.values().all(|value| value.why_harmful.is_none()) {
            return None;
        }
        let why_harmful = |value: &AddedValue| match &value.why_harmful {
            None if is_option && value.text.value.contains('-') => Some("becomes an option here".to_owned()),
            why => why.clone(),
        };
        let in_result = text.names_in_result(expressions);
        let values = self.added.iter().filter(|(name, _)| in_result.contains(*name));
        let (name, value, why) =
            values.filter_map(|(name, value)| Some((name, value, why_harmful(value)?))).next()?;
        let message = format!("`{name}` cannot be {} here", parameters::shown(&value.text.value));
        Some(
            Diagnostic::new(Code::InvalidValue, message)
                .at(text.origin(), format!("`{{{{ {name} }}}}` becomes a part of this"))
                .at(value.text.origin, why)
                .note(format!(
                    "so that no program takes a value for code or an option, it has letters, digits and `{HARMLESS}` only, \
                     at least one, and does not begin with `-`"
                ))
                .help(format!(
                    "let the manifest pass it in a variable, which may hold anything: `environment.VALUE = \"{{{{ {name} }}}}\"`; \
                     or declare what it may be: `parameters = {{ {name} = {{ pattern = 'REGEX' }} }}`"
                )),
        )
    }

    /// Whether no added value in the text is harmful there. Reports the first one that is, once for each service.
    pub fn allows_added_values(
        &self,
        text: &RawText,
        expanded: &str,
        expressions: &Expressions,
        problems: &mut Problems,
    ) -> bool {
        let Some(problem) = self.harmful_value(text, expanded, expressions) else { return true };
        if self.refused.borrow_mut().insert(problem.message.clone()) {
            problems.push(problem);
        }
        false
    }

    /// The first variable of the container that a text refers to.
    pub fn first_reference(&self, text: &str) -> Option<&str> {
        first_of(text, self.references.iter().map(|variable| &*variable.name))
    }

    /// The first secret that a text refers to.
    pub fn first_secret(&self, text: &str) -> Option<&str> {
        first_of(text, self.secrets.iter().map(String::as_str))
    }

    /// The places of the variables of the container in a text.
    pub fn references_in(&self, text: &str) -> Vec<Range<usize>> {
        if self.references.is_empty() {
            return Vec::new();
        }
        references(text, self.references.iter().map(|variable| &*variable.name))
    }

    /// The variable of the container that an added value brings into a text, if its author did not write it there.
    pub fn added_reference(&self, text: &RawText, expanded: &str) -> Option<&str> {
        if !self.has_added || self.references.is_empty() && self.secrets.is_empty() {
            return None;
        }
        let count = |text: &str, name: &str| text.matches(&format!("${{{name}}}")).count();
        let names = self.references.iter().map(|variable| &*variable.name);
        names
            .chain(self.secrets.iter().map(String::as_str))
            .find(|name| count(expanded, name) > count(text.unexpanded(), name))
    }

    /// Whether an added value without a declared pattern brings more of a character into the text than its author wrote.
    pub fn adds_character(&self, character: char, text: &RawText, expanded: &str) -> bool {
        if self.added.is_empty() {
            return false;
        }
        let parts = text.unexpanded().split("{{").enumerate();
        let literal = parts.map(|(number, part)| match number {
            0 => part,
            _ => part.split_once("}}").map_or("", |(_, literal)| literal),
        });
        let written: usize = literal.map(|part| part.matches(character).count()).sum();
        expanded.matches(character).count() > written
    }

    /// The text as the author of the template wrote it, for reports that do not depend on an instance.
    pub fn written<'t>(&self, text: &'t RawText) -> &'t str {
        text.unexpanded()
    }

    /// Whether a file with this text is a script. Its first line as written decides, so that no added value can make a script of
    /// it.
    pub fn is_program(&self, text: &RawText, expanded: &str) -> bool {
        expanded.starts_with("#!") && (!self.has_added || text.unexpanded().starts_with("#!"))
    }

    /// Whether to look for places where a value would be read as code. That is done once for each template, and only if a pattern
    /// allows such values.
    pub fn looks_for_code(&self) -> bool {
        self.is_first && self.declared.iter().any(Parameter::allows_harmful_values)
    }

    /// The parameters in this text whose patterns allow harmful values.
    pub fn harmful_parameters(&self, text: &RawText, expressions: &Expressions) -> Vec<String> {
        let in_result = text.names_in_result(expressions);
        let wide = self
            .declared
            .iter()
            .filter(|known| known.allows_harmful_values() && in_result.contains(&known.name.value));
        wide.map(|known| known.name.value.clone()).collect()
    }

    /// The first parameter whose value becomes a part of this text.
    pub fn first_parameter(&self, text: &RawText, expressions: &Expressions) -> Option<String> {
        let in_result = text.names_in_result(expressions);
        let mut names = self.declared.iter().map(|known| &known.name.value);
        names.find(|name| in_result.contains(*name)).cloned()
    }

    /// This template with a stand-in for every value, to find mistakes before the first instance exists. Counted instances
    /// have a number, others a name. A text that depends on a stand-in has no value.
    pub fn with_stand_ins(&self, is_counted: bool) -> Scope {
        let stand_in =
            |name: &ManifestText| (name.clone(), ManifestText { value: "1".into(), ..name.clone() });
        let stand_ins: Vec<(ManifestText, ManifestText)> =
            self.declared.iter().map(|parameter| stand_in(&parameter.name)).collect();
        let name = format!("{}-0", self.name);
        let instance = if is_counted { Variable::Number(0) } else { Variable::Text("0".into()) };
        Scope { is_stand_in: true, is_first: true, ..self.instance(name, self.origin, instance, &stand_ins) }
    }

    /// The name of an expression in a text that cannot have expressions.
    pub fn literal_expression<'t>(&self, text: &'t RawText) -> Option<&'t str> {
        if self.expands(text) {
            return None;
        }
        let mut names = expression_names(text.unexpanded());
        // `{{ x }}` in a file may be for another program, unless it has the name of an expression of this service.
        let is_own = |name: &str| {
            name == "name" || self.is_template && (name == "instance" || self.positions.contains_key(name))
        };
        names.find(|name| match text.is_literal() {
            true => (self.is_template || text.from_defaults()) && is_own(name),
            false => ["name", "instance"].contains(name),
        })
    }

    /// Whether `{{ … }}` in this text is an expression, and not ordinary text.
    fn expands(&self, text: &RawText) -> bool {
        !text.is_literal() && (self.is_template || text.from_defaults())
    }

    /// The number of expressions in a text.
    pub fn count_expressions(&self, text: &RawText) -> usize {
        if self.expands(text) { text.unexpanded().matches("{{").count() } else { 0 }
    }

    /// Replaces the expressions in a text. If that is not possible, reports the reason and returns `None`.
    ///
    /// # Errors
    /// The result would have more than `most` bytes. The caller must report that.
    pub fn text(
        &self,
        text: &RawText,
        expressions: &Expressions,
        most: usize,
        problems: &mut Problems,
    ) -> Result<Option<String>, TooLong> {
        let (written, origin) = (text.unexpanded(), text.origin());
        if !self.expands(text) || !written.contains("{{") {
            return Ok(Some(written.to_owned()));
        }
        let names = expressions.names(written);
        self.used.borrow_mut().extend(names.iter().cloned());
        if self.has_unknown_names(&names, origin, problems) {
            return Ok(None);
        }
        let problem = match expressions.expand(written, self.values(), most) {
            Ok(_) if self.is_stand_in && names.iter().any(|name| name != "name") => return Ok(None),
            Ok(expanded) => return Ok(Some(expanded)),
            Err(ExpressionError::TooLong) => return Err(TooLong),
            Err(ExpressionError::Undefined) => self.missing_value(&names, origin),
            Err(ExpressionError::Malformed(why)) => {
                let problem = Diagnostic::new(Code::Expression, format!("this is not an expression: {why}"));
                let help = "to write the two characters `{{` themselves, use `{{ '{{' }}`";
                problem.at(origin, "in this text").help(help)
            }
            Err(ExpressionError::Invalid(why)) => {
                let message = format!("this expression cannot be evaluated: {why}");
                let help = "use only names, numbers and short filters, as in `{{ 9000 + instance }}` or `{{ name | upper }}`";
                Diagnostic::new(Code::Expression, message).at(origin, "in this text").help(help)
            }
        };
        problems.push(problem);
        Ok(None)
    }

    /// Reports the names that nothing defines. Returns whether there are any.
    fn has_unknown_names(&self, names: &BTreeSet<String>, origin: Origin, problems: &mut Problems) -> bool {
        let built_in = if self.is_template { &["name", "instance"][..] } else { &["name"] };
        let known = || built_in.iter().copied().chain(self.declared.iter().map(|d| d.name.value.as_str()));
        let is_known = |name: &String| built_in.contains(&name.as_str()) || self.parameter(name).is_some();
        let mut has_unknown = false;
        for name in names.iter().filter(|name| !is_known(name)) {
            has_unknown = true;
            // Each search reads the names of all parameters.
            let is_full = problems.is_full();
            let problem = Diagnostic::new(Code::MissingParameter, format!("nothing defines `{name}`"))
                .at(origin, format!("`{name}` is used here"));
            problems.push(match did_you_mean(name, known().filter(|_| !is_full)) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None if self.is_template => {
                    problem.help(format!("add `{name}` to the template's `parameters`"))
                }
                None if name == "instance" => {
                    problem.help("`instance` exists only in a service with `instances`; use `name` here")
                }
                None => problem.help("`[defaults]` has only the variable `name`, the name of the service"),
            });
        }
        has_unknown
    }

    /// The report that an instance does not set some of `names`.
    fn missing_value(&self, names: &BTreeSet<String>, origin: Origin) -> Diagnostic {
        let missing: Vec<String> =
            names.iter().filter(|n| !self.variables.contains_key(*n)).map(|n| format!("`{n}`")).collect();
        let missing = missing.join(", ");
        let message = format!("`{}` does not set {missing}", self.name);
        Diagnostic::new(Code::MissingParameter, message)
            .at(origin, "this needs it, without a default")
            .at(self.origin, "this instance sets no value for it")
            .help("set it for the instance, or write `{{ NAME | default('VALUE') }}`")
    }

    /// The values of the variables. They are converted once for all texts of the service.
    fn values(&self) -> &VariableValues {
        let variables = || self.variables.iter().map(|(name, value)| (name.as_str(), value.clone()));
        self.values.get_or_init(|| Expressions::variables(variables()))
    }

    /// Whether the text is a path that ends with an expression, and the path expands to the directory above.
    pub fn ends_with_empty_expression(
        &self,
        text: &RawText,
        expanded: &str,
        expressions: &Expressions,
    ) -> bool {
        let written = text.unexpanded();
        let mut start = written.len();
        while let Some(begin) = written[..start].strip_suffix("}}").and_then(|before| before.rfind("{{")) {
            start = begin;
        }
        let ends_with_one = start < written.len() && written[..start].ends_with('/');
        if !ends_with_one || !expanded.ends_with('/') || !self.expands(text) {
            return false;
        }
        expressions.expand(&written[start..], self.values(), 0).is_ok_and(|last| last.is_empty())
    }

    /// The places of the characters of the `expanded` text, if `positions` are those of the text as written.
    pub fn positions(&self, text: &RawText, positions: &Positions, expanded: &str) -> Positions {
        positions.expanded(text.unexpanded(), expanded)
    }

    /// Reports values for parameters that this template does not declare.
    pub fn check_given<'a>(
        &self,
        given: impl Iterator<Item = &'a (ManifestText, ManifestText)>,
        problems: &mut Problems,
    ) {
        for (key, _) in given.filter(|(key, _)| self.parameter(&key.value).is_none()) {
            let known = self.declared.iter().map(|parameter| parameter.name.value.as_str());
            let is_full = problems.is_full();
            let problem = Diagnostic::new(
                Code::UnknownParameter,
                format!("`{}` has no parameter `{}`", self.name, key.value),
            )
            .at(key.origin, "the template does not declare it");
            let near = did_you_mean(&key.value, known.filter(|_| !is_full));
            let is_given = ["name", "instance"].contains(&key.value.as_str());
            let fix = near.filter(|_| !is_given).and_then(|near| Fix::word(key.origin, &key.value, near));
            let help = match near {
                _ if is_given => "remove it: each instance has one already".to_owned(),
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it: `parameters = [\"{}\"]`", key.value),
            };
            problems.push(problem.help(help).fix(fix.map(Fix::likely)));
        }
    }

    /// Adds the parameters that an instance used.
    pub fn note_used(&self, instance: &Scope) {
        self.used.borrow_mut().extend(instance.used.borrow().iter().cloned());
    }

    /// Whether this is the service itself, or the template that it is an instance of.
    pub fn is_self(&self, name: &str) -> bool {
        name == self.name || self.table.split_once('.').is_some_and(|(_, table)| name == table)
    }

    /// Reports declared parameters that no text can use, or that no text uses.
    pub fn check_declared(&self, problems: &mut Problems) {
        for parameter in self.declared.iter().map(|parameter| &parameter.name) {
            let name = &parameter.value;
            let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let wrong = match name.as_str() {
                "name" => Some("this is the name of the service"),
                "instance" => Some("this is the name of the instance"),
                _ if !is_word => Some("an expression would read it as something else"),
                _ => None,
            };
            let problem = if let Some(why) = wrong {
                let help = match is_word {
                    true => format!("choose another name; `{{{{ {name} }}}}` works without a parameter"),
                    false => "use letters, digits and `_`, and begin with a letter".to_owned(),
                };
                let message = format!("`{}` cannot be the name of a parameter", name.escape_debug());
                Diagnostic::new(Code::InvalidName, message).at(parameter.origin, why).help(help)
            } else if !self.used.borrow().contains(name) && !parameter.from_defaults {
                Diagnostic::new(Code::UnknownParameter, format!("nothing uses the parameter `{name}`"))
                    .at(parameter.origin, "declared here")
                    .help(format!("use it as `{{{{ {name} }}}}` in a text of the service, or remove it"))
            } else {
                continue;
            };
            problems.push(problem);
        }
    }
}

/// What is between `{{` and `}}` in a text, each without filters.
fn expression_names(text: &str) -> impl Iterator<Item = &str> {
    let inside = text.split("{{").skip(1).filter_map(|part| part.split_once("}}"));
    inside.filter_map(|(inner, _)| inner.split('|').next().map(str::trim))
}

/// The first of `names` that a text refers to.
pub(super) fn first_of<'n>(text: &str, mut names: impl Iterator<Item = &'n str> + Clone) -> Option<&'n str> {
    let place = references(text, names.clone()).into_iter().next()?;
    names.find(|name| *name == &text[place.start + 2..place.end - 1])
}
