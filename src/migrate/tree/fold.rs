//! Finds texts with expressions that give the texts of all instances of a template.

use crate::manifest::draft::DraftValue;

/// The instances of a template, and the parameters that their texts need.
pub(super) struct Fold<'a> {
    /// The names of the services.
    names: Vec<&'a str>,
    /// The names of the instances.
    instances: Vec<&'a str>,
    /// The parameters with the value that each instance has.
    parameters: Vec<(String, Vec<String>)>,
}

impl<'a> Fold<'a> {
    /// The instances of a template, by the names of their services: `TEMPLATE-INSTANCE`.
    pub(super) fn new(template: &str, names: &[&'a str]) -> Self {
        let instances = names.iter().map(|name| &name[template.len() + 1..]).collect();
        Fold { names: names.to_vec(), instances, parameters: Vec::new() }
    }

    /// Whether the instances are numbered from 1.
    fn is_counted(&self) -> bool {
        self.instances.iter().enumerate().all(|(index, instance)| *instance == (index + 1).to_string())
    }

    /// The keys `instances` and `parameters`.
    pub(super) fn finish(self) -> (DraftValue, Vec<String>) {
        let parameters: Vec<String> = self.parameters.iter().map(|(name, _)| name.clone()).collect();
        let instances = match i64::try_from(self.instances.len()) {
            Ok(count) if self.is_counted() && parameters.is_empty() => count.into(),
            _ if parameters.is_empty() => self.instances.into(),
            _ => {
                let values = |index: usize| {
                    let values = self.parameters.iter();
                    values.map(|(name, values)| (name.clone(), values[index].as_str().into())).collect()
                };
                let instances = self.instances.iter().enumerate();
                DraftValue::Table(
                    instances
                        .map(|(index, name)| ((*name).to_owned(), DraftValue::Table(values(index))))
                        .collect(),
                )
            }
        };
        (instances, parameters)
    }

    /// The value of a template that gives these values of its instances. `None` if only texts could, and these are not.
    pub(super) fn value(&mut self, key: &str, values: &[&DraftValue]) -> Option<DraftValue> {
        match values[0] {
            DraftValue::Text(_) => {
                let text = |value: &'_ &'_ DraftValue| match value {
                    DraftValue::Text(text) => Some(text.clone()),
                    _ => None,
                };
                let texts: Vec<String> = values.iter().map(text).collect::<Option<_>>()?;
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                Some(self.text(key, &texts).into())
            }
            DraftValue::List(first) => {
                let mut list = Vec::new();
                for index in 0..first.len() {
                    let items: Vec<&DraftValue> = values
                        .iter()
                        .map(|value| match value {
                            DraftValue::List(list) if list.len() == first.len() => list.get(index),
                            _ => None,
                        })
                        .collect::<Option<_>>()?;
                    let option = match index.checked_sub(1).map(|before| &first[before]) {
                        Some(DraftValue::Text(option)) if option.starts_with("--") => option,
                        _ => key,
                    };
                    list.push(self.value(option, &items)?);
                }
                Some(DraftValue::List(list))
            }
            DraftValue::Table(first) => {
                let mut table = Vec::new();
                for (index, (name, _)) in first.iter().enumerate() {
                    let items: Vec<&DraftValue> = values
                        .iter()
                        .map(|value| match value {
                            DraftValue::Table(table) if table.len() == first.len() => {
                                table.get(index).filter(|(known, _)| known == name).map(|(_, value)| value)
                            }
                            _ => None,
                        })
                        .collect::<Option<_>>()?;
                    table.push((name.clone(), self.value(name, &items)?));
                }
                Some(DraftValue::Table(table))
            }
            other => values.iter().all(|value| *value == other).then(|| other.clone()),
        }
    }

    /// A text with expressions that gives these texts of the instances.
    fn text(&mut self, key: &str, texts: &[&str]) -> String {
        let is_same = texts.len() > 1 && texts.iter().all(|text| *text == texts[0]);
        if is_same {
            return escaped(texts[0], false);
        }
        let (mut rest, mut out, mut literal) = (texts.to_vec(), String::new(), String::new());
        while rest.iter().any(|text| !text.is_empty()) {
            if let Some((expression, behind)) = self.expression(&rest, &literal, texts) {
                out += &(escaped(&literal, true) + "{{ " + &expression + " }}");
                literal.clear();
                rest = behind;
            } else if let Some(next) =
                rest[0].chars().next().filter(|next| rest.iter().all(|text| text.starts_with(*next)))
            {
                literal.push(next);
                rest = rest.iter().map(|text| &text[next.len_utf8()..]).collect();
            } else {
                let kept = literal.trim_end_matches(is_of_word).len();
                let suffix = common_suffix(&rest);
                let values = rest
                    .iter()
                    .map(|text| format!("{}{}", &literal[kept..], &text[..text.len() - suffix.len()]));
                let parameter = self.parameter(key, values.collect());
                return out
                    + &escaped(&literal[..kept], true)
                    + "{{ "
                    + &parameter
                    + " }}"
                    + &escaped(suffix, false);
            }
        }
        out + &escaped(&literal, false)
    }

    /// The expression with which all texts begin, and what is behind it.
    fn expression<'t>(
        &self,
        rest: &[&'t str],
        before: &str,
        whole: &[&str],
    ) -> Option<(String, Vec<&'t str>)> {
        let behind = |parts: &[String]| -> Option<Vec<&'t str>> {
            rest.iter().zip(parts).map(|(text, part)| text.strip_prefix(part.as_str())).collect()
        };
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let names = behind(&texts(&self.names)).map(|behind| ("name".to_owned(), behind));
        if let [instance] = self.instances[..] {
            // Every text is the same in all instances of one: only what can hardly mean anything else is an expression.
            let is_word = |(_, behind): &(String, Vec<&str>)| {
                !before.ends_with(is_of_word) && !behind[0].starts_with(is_of_word)
            };
            let is_instance = before.is_empty() && whole == [instance];
            return names.filter(is_word).or_else(|| is_instance.then(|| ("instance".to_owned(), vec![""])));
        }
        let upper = || self.instances.iter().map(|instance| instance.to_uppercase()).collect::<Vec<_>>();
        names
            .or_else(|| Some(("instance".to_owned(), behind(&texts(&self.instances))?)))
            .or_else(|| Some(("instance | upper".to_owned(), behind(&upper())?)))
            .or_else(|| {
                let is_start = self.is_counted() && !before.ends_with(|c: char| c.is_ascii_digit());
                let (sum, behind) = is_start.then(|| self.sum(rest))??;
                Some((format!("{sum} + instance"), behind))
            })
    }

    /// What must be added to the numbers of the instances to get the numbers with which the texts begin.
    fn sum<'t>(&self, rest: &[&'t str]) -> Option<(u32, Vec<&'t str>)> {
        let mut sums = Vec::new();
        let mut behind = Vec::new();
        for (text, instance) in rest.iter().zip(&self.instances) {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            if text.starts_with('0') {
                return None;
            }
            sums.push(text[..end].parse::<u32>().ok()?.checked_sub(instance.parse().ok()?)?);
            behind.push(&text[end..]);
        }
        sums.iter().all(|sum| *sum == sums[0]).then(|| (sums[0], behind))
    }

    /// The parameter with these values: one that is there already, or a new one that is named after `key`.
    fn parameter(&mut self, key: &str, values: Vec<String>) -> String {
        if let Some((name, _)) = self.parameters.iter().find(|(_, known)| *known == values) {
            return name.clone();
        }
        let words = key.trim_start_matches('-').to_lowercase();
        let word: String = words.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let word =
            if word.starts_with(|c: char| c.is_ascii_alphabetic()) { word } else { format!("value_{word}") };
        let is_free = |name: &String| {
            !["name", "instance"].contains(&name.as_str())
                && self.parameters.iter().all(|(known, _)| known != name)
        };
        let numbered = (2..).map(|number| format!("{word}_{number}"));
        let name = std::iter::once(word.clone()).chain(numbered).find(is_free).unwrap_or(word);
        self.parameters.push((name.clone(), values));
        name
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

/// A literal text in a template. An expression may follow.
fn escaped(text: &str, before_expression: bool) -> String {
    let text = text.replace("{{", "{{ '{{' }}");
    match text.strip_suffix('{').filter(|_| before_expression) {
        Some(start) => format!("{start}{{{{ '{{' }}}}"),
        None => text,
    }
}

/// The words with which all texts end.
fn common_suffix<'t>(texts: &[&'t str]) -> &'t str {
    let first = texts[0];
    let starts = first.char_indices().map(|(start, _)| start).chain([first.len()]);
    let is_common = |start: &usize| texts.iter().all(|text| text.ends_with(&first[*start..]));
    let suffix = &first[starts.into_iter().find(is_common).unwrap_or(first.len())..];
    suffix.trim_start_matches(is_of_word)
}

#[cfg(test)]
mod tests {
    use super::Fold;

    fn text(names: &[&str], texts: &[&str]) -> (String, Vec<(String, Vec<String>)>) {
        let mut fold = Fold::new("w", names);
        let text = fold.text("run", texts);
        (text, fold.parameters)
    }

    #[test]
    fn texts_become_expressions() {
        let plain = |names: &[&str], texts: &[&str]| text(names, texts).0;
        assert_eq!(plain(&["w-a", "w-b"], &["/log/w-a/a", "/log/w-b/b"]), "/log/{{ name }}/{{ instance }}");
        assert_eq!(plain(&["w-a", "w-b"], &["A_KEY", "B_KEY"]), "{{ instance | upper }}_KEY");
        assert_eq!(plain(&["w-1", "w-2"], &["9001", "9002"]), "{{ 9000 + instance }}");
        assert_eq!(plain(&["w-1", "w-2"], &["${w-1}{{x", "${w-2}{{x"]), "${{ '{' }}{{ name }}}{{ '{{' }}x");
        assert_eq!(plain(&["w-a"], &["show-all a w-a"]), "show-all a {{ name }}");
        assert_eq!(plain(&["w-a"], &["a"]), "{{ instance }}");
    }

    #[test]
    fn what_differs_otherwise_becomes_a_parameter() {
        let (text, parameters) = text(&["w-a", "w-b"], &["--port=1194 x", "--port=1195 x"]);
        assert_eq!(text, "--port={{ run }} x");
        assert_eq!(parameters, [("run".to_owned(), vec!["1194".to_owned(), "1195".to_owned()])]);
    }
}
