//! Fills the templates of `templates/`, and expands `{{ … }}` in manifests. No other room uses minijinja.

mod largest;
mod read_back;
mod references;

pub use read_back::{has_root_wrapper, is_root_wrapper, joined_parts, sets_variable, sh_words};
pub use references::{references, unescaped, with_stand_in};

use std::collections::BTreeSet;
use std::io;

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior};
use references::escaped;
use serde::Serialize;

/// Every shipped template, by its path in `templates/`.
const TEXTS: &[(&str, &str)] = &[
    ("health", include_str!("../templates/health")),
    ("longrun/run", include_str!("../templates/longrun/run")),
    ("longrun/finish", include_str!("../templates/longrun/finish")),
    ("longrun/log/run", include_str!("../templates/longrun/log/run")),
    ("oneshot/up", include_str!("../templates/oneshot/up")),
    ("part/inputs", include_str!("../templates/part/inputs")),
    ("part/defaults", include_str!("../templates/part/defaults")),
    ("part/command", include_str!("../templates/part/command")),
    ("part/exit-rule", include_str!("../templates/part/exit-rule")),
    ("part/environment", include_str!("../templates/part/environment")),
    ("longrun/data/check", include_str!("../templates/longrun/data/check")),
    ("part/account", include_str!("../templates/part/account")),
    ("part/account-variables", include_str!("../templates/part/account-variables")),
    ("part/json", include_str!("../templates/part/json")),
    ("part/keeper", include_str!("../templates/part/keeper")),
    ("part/log-script", include_str!("../templates/part/log-script")),
    ("part/only-if", include_str!("../templates/part/only-if")),
    ("part/rights", include_str!("../templates/part/rights")),
    ("part/log-file", include_str!("../templates/part/log-file")),
    ("part/sink", include_str!("../templates/part/sink")),
    ("part/stderr", include_str!("../templates/part/stderr")),
    ("part/umask", include_str!("../templates/part/umask")),
    ("part/values", include_str!("../templates/part/values")),
    ("part/variables", include_str!("../templates/part/variables")),
];

/// Sends a request to a web server over the descriptors 6 and 7 of s6-tcpclient, and copies the answer to standard output,
/// unless the server is silent for too long. `$0` is a name, `$1` the path, `$2` the host, `$3` the limit. The redirections
/// keep s6-ioconnect from shutting the sending side down, because some servers then drop the connection.
const HTTP_REQUEST: &str = r#"printf "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" "$1" "$2" >&7; exec s6-ioconnect -t "$3" -w 3 </dev/null 3>/dev/null"#;

/// Prints the addresses of the host `$1`. Each name server has `$2` seconds to answer. An empty result must fail, because
/// s6-tcpclient would connect to this host. A getent without `ahosts` ends with 1.
const ADDRESSES_OF: &str = r#"export RES_OPTIONS="timeout:$2 attempts:1"; found=$(getent ahosts "$1" || { test $? = 1 && getent hosts "$1"; }) && echo "$found" | sed "s/[[:space:]].*//" | sort -u"#;

/// Makes the link `$2` to `$1`. It replaces an existing link, but renames any other file of that name.
const LOG_LINK: &str = r#"if test -L "$2"; then exec ln -sfT "$1" "$2"; fi; if test -e "$2"; then n=1; while test -e "$2.old-$n" || test -L "$2.old-$n"; do n=$((n + 1)); done; echo "$2 is in the way of a link to the log: it becomes $2.old-$n"; mv "$2" "$2.old-$n" || exit; fi; exec ln -sT "$1" "$2""#;

/// Raises a limit to `$3` if it is lower. `$1` is its name in /proc/self/limits, `$2` its option of s6-softlimit.
const LEAST_LIMIT: &str = r#"name=$1 option=$2 least=$3; shift 3; now=$(while read -r line; do case $line in "$name "*) line=${line#"$name"}; line=${line#"${line%%[! ]*}"}; echo "${line%% *}" ;; esac; done </proc/self/limits); test "$now" = unlimited || test "$now" -ge "$least" || exec s6-softlimit "$option" "$least" "$@"; exec "$@""#;

/// Sets the variable `$1` of the container to the value that it has here. A program that reads the container's environment at
/// the same time finds the old value or the new one. It reads a newline at the end of the file in some versions of s6-overlay,
/// and leaves it out in others, so the file has none. The mode is that of the other variables: `with-contenv` of any account
/// fails if it cannot read one of them.
const SET_VARIABLE: &str = r#"umask 022; cd /run/s6/container_environment; printf %s "$(printenv "$1")" >".$1"; if test -s ".$1"; then mv -f ".$1" "$1"; else rm -f ".$1" "$1"; fi"#;

/// Prints the text before a variable, and the value of the variable, for each pair of arguments, and then the last argument.
const JOINED: &str =
    r#"while test $# -gt 1; do eval "printf %s%s \"\$1\" \"\$$2\""; shift 2; done; printf %s "$1""#;

/// Runs a command, whose first `$1` words need root. Without root they are left out. It has no variable of its own, because
/// execline would replace one that the service has, too.
const IF_ROOT: &str = r#"test "$(id -u)" -eq 0 || shift "$1"; shift; exec "$@""#;

/// Runs a command as root. Without root it does nothing.
const ONLY_ROOT: &str = r#"test "$(id -u)" -ne 0 || exec "$@""#;

/// The script that prints a secret.
pub const SECRET: &str = include_str!("../templates/data/secret");

/// The script that makes JSON of the lines of a log.
pub const JSON: &str = include_str!("../templates/data/json");

/// The script that makes the file of a log.
pub const LOG_FILE: &str = include_str!("../templates/data/log-file");

/// The script that repeats the step of a oneshot and decides what its failure means.
pub const ON_FAILURE: &str = include_str!("../templates/data/on-failure");

/// The script that asks again and again whether a longrun still works.
pub const WATCH: &str = include_str!("../templates/data/watch");

/// The script that waits for something outside.
pub const WAIT: &str = include_str!("../templates/data/wait");

/// The script that stops the container.
pub const STOP: &str = include_str!("../templates/data/stop");

/// The script that acts if a longrun is not ready in time.
pub const ON_TIMEOUT: &str = include_str!("../templates/data/on-timeout");

/// Succeeds if the answer of a web server is 2xx or 3xx.
const HTTP_ANSWER: &str = r#"read -r v code rest; case $code in [23]??) ;; *) exit 1 ;; esac"#;

/// The manifest that `s6gen init` writes.
pub const STARTER: &str = include_str!("../templates/services.toml");

/// The script by which bash completes the arguments of s6gen.
pub const BASH_COMPLETION: &str = include_str!("../templates/completions/s6gen.bash");

/// The same for zsh.
pub const ZSH_COMPLETION: &str = include_str!("../templates/completions/s6gen.zsh");

/// The same for fish.
pub const FISH_COMPLETION: &str = include_str!("../templates/completions/s6gen.fish");

/// The templates, ready to be filled.
pub struct Templates {
    environment: Environment<'static>,
}

impl Default for Templates {
    fn default() -> Self {
        Templates::new(&[]).expect("the shipped templates are valid: a test fills each one")
    }
}

impl Templates {
    /// The shipped templates, with `overrides` (path and text) in their place: `longrun/run` for every longrun,
    /// `longrun/NAME/run` for one service.
    ///
    /// # Errors
    /// An override is not a valid template. The text names it and the line.
    pub fn new(overrides: &[(String, String)]) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax =
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
        environment.set_syntax(syntax.expect("the usual delimiters"));
        environment.add_filter("literal", |text: String| execline_word(&text));
        environment.add_filter("word", |state: &State<'_, '_>, text: String| {
            Ok::<_, Error>(execline_word(&escaped(text, &variables(state)?)))
        });
        environment.add_filter(
            "execline",
            |state: &State<'_, '_>, command: Value, script: String, name: String| {
                let words = match interpreter(&command)? {
                    Some(interpreter) => [interpreter, vec![script, name]].concat(),
                    None => list(&command, "words")?,
                };
                let variables = variables(state)?;
                let words = words.into_iter().map(|word| execline_word(&escaped(word, &variables)));
                Ok::<_, Error>(words.collect::<Vec<_>>().join(" "))
            },
        );
        environment.add_filter("sh", |command: Value, script: String| {
            let (words, arguments) = match interpreter(&command)? {
                Some(interpreter) => ([interpreter, vec![script]].concat(), " \"$@\""),
                None => (list(&command, "words")?, ""),
            };
            let words = words.iter().map(|word| sh_word(word)).collect::<Vec<_>>().join(" ");
            Ok::<_, Error>(words + arguments)
        });
        environment.add_filter("sh_word", |text: String| sh_word(&text));
        environment.add_global("addresses_of", ADDRESSES_OF);
        environment.add_global("http_request", HTTP_REQUEST);
        environment.add_global("if_root", IF_ROOT);
        environment.add_global("only_root", ONLY_ROOT);
        environment.add_global("least_limit", LEAST_LIMIT);
        environment.add_global("log_link", LOG_LINK);
        environment.add_global("http_answer", HTTP_ANSWER);
        environment.add_global("joined", JOINED);
        environment.add_global("set_variable", SET_VARIABLE);
        environment.add_filter("around_secrets", |text: String, secrets: Vec<String>| {
            let names = secrets.iter().map(String::as_str);
            let (mut parts, mut end) = (Vec::new(), 0);
            for place in references(&text, names) {
                parts.push(text[end..place.start].to_owned());
                parts.push(text[place.start + 2..place.end - 1].to_owned());
                end = place.end;
            }
            parts.push(text[end..].to_owned());
            parts
        });
        let shipped = TEXTS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        for (name, text) in shipped.chain(overrides.iter().cloned()) {
            environment.add_template_owned(name.clone(), text).map_err(|error| describe_in(&name, &error))?;
        }
        Ok(Templates { environment })
    }

    /// Fills the template for `file` of the service `service` with `data`: its own template `KIND/SERVICE/FILE` if there is
    /// one, else the template `name`. The path of a shipped template never belongs to one service: `longrun/log/run` is for
    /// all loggers, even if a service has the name `log`.
    ///
    /// # Errors
    /// An undefined name or a mistake in the template. The text names the line.
    pub fn fill(
        &self,
        name: &str,
        service: &str,
        file: &str,
        data: impl Serialize,
    ) -> Result<String, String> {
        let kind = name.split('/').next().unwrap_or(name);
        let own = format!("{kind}/{service}/{file}");
        let is_shared = TEXTS.iter().any(|(shipped, _)| *shipped == own);
        let own = if is_shared { None } else { self.environment.get_template(&own).ok() };
        let template = own.map_or_else(|| self.environment.get_template(name), Ok);
        let template = template.map_err(|error| describe_in(name, &error))?;
        template.render(Value::from(Serde(data))).map_err(|error| describe_in(template.name(), &error))
    }

    /// The shipped templates by path.
    pub fn shipped() -> impl Iterator<Item = (&'static str, &'static str)> {
        TEXTS.iter().copied()
    }
}

fn describe_in(name: &str, error: &Error) -> String {
    let place = error.name().unwrap_or(name);
    match error.line() {
        Some(line) => format!("template `{place}`, line {line}: {}", describe(error)),
        None => format!("template `{place}`: {}", describe(error)),
    }
}

/// The names of the variables of the container whose values replace `${NAME}` in the words of a script.
fn variables(state: &State<'_, '_>) -> Result<Vec<String>, Error> {
    let Some(variables) = state.lookup("variables") else { return Ok(Vec::new()) };
    variables.try_iter()?.map(|variable| Ok(variable.get_attr("name")?.to_string())).collect()
}

/// The interpreter of a command, if it is a script.
fn interpreter(command: &Value) -> Result<Option<Vec<String>>, Error> {
    match command.get_attr("form")?.as_str() {
        Some("script") => list(command, "interpreter").map(Some),
        _ => Ok(None),
    }
}

fn list(command: &Value, key: &str) -> Result<Vec<String>, Error> {
    command.get_attr(key)?.try_iter().map(|words| words.map(|word| word.to_string()).collect())
}

/// The error in an expression of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionError {
    /// It needs the value of a name that has none.
    Undefined,
    /// This is not an expression; the text says why.
    Malformed(String),
    /// The expression cannot be computed; the text says why.
    Invalid(String),
    /// The expanded text is longer than it may be.
    TooLong,
}

/// Expands `{{ … }}` in manifests. `{%` and `{#` are ordinary text there.
///
/// A manifest may come from an untrusted author, so every expression is checked before it is evaluated: it must not need much
/// more time or memory than its text.
pub struct Expressions {
    environment: Environment<'static>,
}

/// The largest number of tokens in an expression. On longer ones the recursive parser could exhaust the stack.
const MOST_TOKENS: usize = 200;
/// The largest number of expressions in a text. Each one takes much more memory than its characters.
const MOST_EXPRESSIONS: usize = 50_000;
/// The largest value of one expression, in bytes.
const LONGEST_VALUE: usize = 16 << 20;
/// The largest result of a `replace`, in bytes. In a chain of them, each one can multiply the length.
const LONGEST_REPLACED: usize = 1 << 16;
/// The filters whose result is never much longer than their input.
const FILTERS: &[&str] = &[
    "abs",
    "bool",
    "capitalize",
    "count",
    "d",
    "default",
    "first",
    "float",
    "int",
    "last",
    "length",
    "lower",
    "replace",
    "reverse",
    "round",
    "safe",
    "string",
    "title",
    "trim",
    "upper",
];

impl Default for Expressions {
    fn default() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(syntax());
        environment.add_filter("replace", |text: String, from: String, to: String| {
            let times = text.matches(&from).count();
            if text.len() + times * to.len() > LONGEST_REPLACED {
                return Err(Error::new(ErrorKind::InvalidOperation, "the replaced text is too long"));
            }
            Ok(text.replace(&from, &to))
        });
        Expressions { environment }
    }
}

/// Shell text may contain `{%` and `{#`, as in `${#list[@]}`. So statements and comments get delimiters with a NUL, which a
/// manifest cannot contain.
fn syntax() -> SyntaxConfig {
    let syntax = SyntaxConfig::builder()
        .block_delimiters("\0%", "%\0")
        .comment_delimiters("\0#", "#\0")
        .keep_trailing_newline(true)
        .build();
    syntax.expect("the delimiters differ")
}

impl Expressions {
    /// `text` with every expression replaced by its value. The result has at most `most` bytes, and no more are ever made.
    pub fn expand(
        &self,
        text: &str,
        variables: &VariableValues,
        most: usize,
    ) -> Result<String, ExpressionError> {
        let is_number = |name: &str| variables.get_attr(name).is_ok_and(|value| value.is_number());
        let length = |name: &str| variables.get_attr(name).map_or(0, |value| largest::length_of(&value));
        check(text, &is_number, &length)?;
        let failed = |error: Error| match error.kind() {
            ErrorKind::UndefinedError => ExpressionError::Undefined,
            ErrorKind::WriteFailure => ExpressionError::TooLong,
            _ => ExpressionError::Invalid(describe(&error)),
        };
        let template = self.environment.template_from_str(text).map_err(failed)?;
        let mut expanded = LimitedText { bytes: Vec::new(), most };
        template.render_captured_to(variables, &mut expanded).map_err(failed)?;
        // minijinja writes whole characters, so the bytes are valid UTF-8.
        let expanded = String::from_utf8(expanded.bytes).unwrap_or_default();
        match expanded.contains('\0') {
            true => Err(ExpressionError::Invalid("its value contains a NUL byte".into())),
            false => Ok(expanded),
        }
    }

    /// The names that the expressions of `text` use. Empty if the text is invalid.
    pub fn names(&self, text: &str) -> BTreeSet<String> {
        if check(text, &|_| true, &|_| 0).is_err() {
            return BTreeSet::new();
        }
        match self.environment.template_from_str(text) {
            Ok(template) => template.undeclared_variables(false).into_iter().collect(),
            Err(_) => BTreeSet::new(),
        }
    }

    /// The names whose values become a part of the expanded `text`. A value that is only tested, compared or counted does not.
    pub fn names_in_result(&self, text: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        if check(text, &|_| true, &|_| 0).is_err() {
            return names;
        }
        if let Ok(Stmt::Template(template)) = parse(text, "", syntax()) {
            for part in &template.children {
                if let Stmt::EmitExpr(expression) = part {
                    add_names_in_result(&expression.expr, &mut names);
                }
            }
        }
        names
    }

    /// The values of `variables` by name; whole numbers stay numbers.
    pub fn variables<'a>(variables: impl Iterator<Item = (&'a str, Variable)>) -> VariableValues {
        Value::from_pairs(variables.map(|(name, variable)| match variable {
            Variable::Number(number) => (name.to_owned(), Value::from(number)),
            Variable::Text(text) => (name.to_owned(), Value::from(text)),
        }))
    }
}

/// A text that is being made, and the largest length that it may reach.
struct LimitedText {
    bytes: Vec<u8>,
    most: usize,
}

impl io::Write for LimitedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.most - self.bytes.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The values of the names in expressions.
pub type VariableValues = Value;

/// The value of a name in expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// Arithmetic works: `{{ 9000 + instance }}`.
    Number(i64),
    /// Anything else.
    Text(String),
}

/// Checks the expressions of `text` before any of them is evaluated. `is_number` says which variables are numbers, and `length`
/// how long their values are.
fn check(
    text: &str,
    is_number: &dyn Fn(&str) -> bool,
    length: &dyn Fn(&str) -> usize,
) -> Result<(), ExpressionError> {
    let malformed = |error: Error| ExpressionError::Malformed(describe(&error));
    let (mut tokens, mut expressions) = (0, 0);
    for token in tokenize(text, false, syntax()) {
        let token = token.map_err(malformed)?.0;
        expressions += usize::from(matches!(token, Token::VariableStart));
        if expressions > MOST_EXPRESSIONS {
            return Err(ExpressionError::Invalid(format!("the text has more than {MOST_EXPRESSIONS}")));
        }
        tokens = match token {
            Token::VariableStart | Token::VariableEnd => 0,
            _ => tokens + 1,
        };
        if tokens > MOST_TOKENS {
            return Err(ExpressionError::Invalid("it is too long".into()));
        }
    }
    match parse(text, "", syntax()).map_err(malformed)? {
        Stmt::Template(template) => template.children.iter().try_for_each(|part| match part {
            Stmt::EmitExpr(expression) => {
                refuse_multiplying(&expression.expr, is_number).map_err(ExpressionError::Invalid)?;
                match largest::largest_length(&expression.expr, length) > LONGEST_VALUE {
                    true => Err(ExpressionError::Invalid("its value could be longer than 16 MiB".into())),
                    false => Ok(()),
                }
            }
            _ => Ok(()),
        }),
        _ => Ok(()),
    }
}

/// Refuses expressions that can make a long text from a short one: repetition, and filters that pad or multiply.
fn refuse_multiplying(expression: &Expr<'_>, is_number: &dyn Fn(&str) -> bool) -> Result<(), String> {
    let all = |parts: &[Expr<'_>]| parts.iter().try_for_each(|part| refuse_multiplying(part, is_number));
    let arguments = |list: &[CallArg<'_>]| {
        list.iter().try_for_each(|argument| match argument {
            CallArg::Pos(part) | CallArg::Kwarg(_, part) => refuse_multiplying(part, is_number),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => Err("`*` before an argument".into()),
        })
    };
    let maybe =
        |part: &Option<Expr<'_>>| part.iter().try_for_each(|part| refuse_multiplying(part, is_number));
    match expression {
        Expr::Var(_) | Expr::Const(_) => Ok(()),
        Expr::Slice(slice) => {
            refuse_multiplying(&slice.expr, is_number)?;
            [&slice.start, &slice.stop, &slice.step].into_iter().try_for_each(maybe)
        }
        Expr::UnaryOp(operation) => refuse_multiplying(&operation.expr, is_number),
        Expr::BinOp(operation) => {
            let sides = [&operation.left, &operation.right];
            if matches!(operation.op, BinOpKind::Mul) && !sides.iter().all(|side| is_numeric(side, is_number))
            {
                return Err("`*` multiplies numbers only; `| int` makes a number of a text".into());
            }
            sides.into_iter().try_for_each(|side| refuse_multiplying(side, is_number))
        }
        Expr::Compare(comparison) => {
            refuse_multiplying(&comparison.expr, is_number)?;
            comparison.ops.iter().try_for_each(|operand| refuse_multiplying(&operand.expr, is_number))
        }
        Expr::IfExpr(choice) => {
            refuse_multiplying(&choice.test_expr, is_number)?;
            refuse_multiplying(&choice.true_expr, is_number)?;
            maybe(&choice.false_expr)
        }
        Expr::Filter(filter) if !FILTERS.contains(&filter.name) => {
            Err(format!("there is no filter `{}`; the filters are {}", filter.name, FILTERS.join(", ")))
        }
        Expr::Filter(filter) => {
            maybe(&filter.expr)?;
            arguments(&filter.args)
        }
        Expr::Test(test) => {
            refuse_multiplying(&test.expr, is_number)?;
            arguments(&test.args)
        }
        Expr::GetAttr(access) => refuse_multiplying(&access.expr, is_number),
        Expr::GetItem(access) => {
            refuse_multiplying(&access.expr, is_number)?;
            refuse_multiplying(&access.subscript_expr, is_number)
        }
        Expr::Call(call) => {
            refuse_multiplying(&call.expr, is_number)?;
            arguments(&call.args)
        }
        Expr::List(list) => all(&list.items),
        Expr::Tuple(tuple) => all(&tuple.items),
        Expr::Map(map) => {
            all(&map.keys)?;
            all(&map.values)
        }
    }
}

/// Adds the names whose values can be a part of the result of the expression.
fn add_names_in_result(expression: &Expr<'_>, names: &mut BTreeSet<String>) {
    let mut all = |parts: &[&Expr<'_>]| parts.iter().for_each(|part| add_names_in_result(part, names));
    match expression {
        Expr::Var(variable) => {
            names.insert(variable.id.to_owned());
        }
        Expr::Const(_) | Expr::Compare(_) | Expr::Test(_) => {}
        Expr::Slice(slice) => all(&[&slice.expr]),
        Expr::UnaryOp(operation) => all(&[&operation.expr]),
        Expr::BinOp(operation) if is_comparison(&operation.op) => {}
        Expr::BinOp(operation) => all(&[&operation.left, &operation.right]),
        Expr::IfExpr(choice) => {
            all(&[&choice.true_expr]);
            choice.false_expr.iter().for_each(|other| all(&[other]));
        }
        Expr::Filter(filter) if ["bool", "count", "length"].contains(&filter.name) => {}
        Expr::Filter(filter) => {
            filter.expr.iter().for_each(|inner| all(&[inner]));
            add_names_in_arguments(&filter.args, names);
        }
        Expr::GetAttr(access) => all(&[&access.expr]),
        Expr::GetItem(access) => all(&[&access.expr, &access.subscript_expr]),
        Expr::Call(call) => {
            all(&[&call.expr]);
            add_names_in_arguments(&call.args, names);
        }
        Expr::List(list) => list.items.iter().for_each(|item| all(&[item])),
        Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| all(&[item])),
        Expr::Map(map) => map.keys.iter().chain(&map.values).for_each(|item| all(&[item])),
    }
}

fn is_comparison(kind: &BinOpKind) -> bool {
    use BinOpKind::{Eq, Gt, Gte, In, Lt, Lte, Ne};
    matches!(kind, Eq | Ne | Lt | Lte | Gt | Gte | In)
}

fn add_names_in_arguments(arguments: &[CallArg<'_>], names: &mut BTreeSet<String>) {
    for argument in arguments {
        match argument {
            CallArg::Pos(part)
            | CallArg::Kwarg(_, part)
            | CallArg::PosSplat(part)
            | CallArg::KwargSplat(part) => {
                add_names_in_result(part, names);
            }
        }
    }
}

/// Whether the result is a number for all values of the variables.
fn is_numeric(expression: &Expr<'_>, is_number: &dyn Fn(&str) -> bool) -> bool {
    match expression {
        Expr::Var(variable) => is_number(variable.id),
        Expr::Const(constant) => constant.value.is_number(),
        Expr::UnaryOp(operation) => is_numeric(&operation.expr, is_number),
        Expr::BinOp(operation) => {
            is_numeric(&operation.left, is_number) && is_numeric(&operation.right, is_number)
        }
        Expr::IfExpr(choice) => {
            is_numeric(&choice.true_expr, is_number)
                && choice.false_expr.as_ref().is_some_and(|other| is_numeric(other, is_number))
        }
        // With an argument, these filters return the argument if the input is not a number.
        Expr::Filter(filter) => filter.args.is_empty() && ["int", "float", "length"].contains(&filter.name),
        _ => false,
    }
}

fn describe(error: &Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// One word for execline, with quotes only if it needs them.
pub fn execline_word(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-".contains(c);
    if !text.is_empty() && text.chars().all(bare) {
        return text.to_owned();
    }
    let mut word = String::with_capacity(text.len() + 2);
    word.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            word.push('\\');
        }
        word.push(c);
    }
    word.push('"');
    word
}

/// One word for a POSIX shell, in single quotes only if it needs them.
pub fn sh_word(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,-".contains(c);
    if !text.is_empty() && text.chars().all(bare) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
