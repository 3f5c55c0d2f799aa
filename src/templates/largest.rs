//! Computes how long the value of an expression can become, from its syntax tree and before it is evaluated.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr};
use minijinja::value::Value;

/// The longest text of a number.
const LONGEST_NUMBER: usize = 400;
/// The longest escape for one byte in the quotes of a list.
const ESCAPED: usize = 6;
/// The number of bytes around an item of a list: quotes, comma and blank.
const AROUND_ITEM: usize = 6;
/// A change of case makes at most three characters of one.
const CASED: usize = 3;

/// The largest length in bytes of the value of an expression as a text. `length` is the length of the value of a variable.
pub(super) fn largest_length(expression: &Expr<'_>, length: &dyn Fn(&str) -> usize) -> usize {
    let one = |part: &Expr<'_>| largest_length(part, length);
    let maybe = |part: &Option<Expr<'_>>| part.as_ref().map_or(0, one);
    let items = |parts: &[Expr<'_>]| {
        let item = |part: &Expr<'_>| one(part).saturating_mul(ESCAPED).saturating_add(AROUND_ITEM);
        parts.iter().map(item).fold(AROUND_ITEM, usize::saturating_add)
    };
    let arguments = |list: &[CallArg<'_>]| {
        let values = list.iter().map(|argument| match argument {
            CallArg::Pos(part)
            | CallArg::Kwarg(_, part)
            | CallArg::PosSplat(part)
            | CallArg::KwargSplat(part) => one(part),
        });
        values.fold(0, usize::saturating_add)
    };
    match expression {
        Expr::Var(variable) => length(variable.id),
        Expr::Const(constant) => length_of(&constant.value),
        Expr::Slice(slice) => one(&slice.expr),
        Expr::UnaryOp(_) | Expr::Compare(_) | Expr::Test(_) => LONGEST_NUMBER,
        Expr::BinOp(operation) => match operation.op {
            BinOpKind::ScAnd | BinOpKind::ScOr | BinOpKind::Add | BinOpKind::Concat => {
                one(&operation.left).saturating_add(one(&operation.right)).saturating_add(LONGEST_NUMBER)
            }
            _ => LONGEST_NUMBER,
        },
        Expr::IfExpr(choice) => one(&choice.true_expr).max(maybe(&choice.false_expr)),
        Expr::Filter(filter) => {
            let input = maybe(&filter.expr);
            match filter.name {
                "upper" | "lower" | "title" | "capitalize" => input.saturating_mul(CASED),
                // This filter has its own limit.
                "replace" => super::LONGEST_REPLACED,
                _ => input.max(LONGEST_NUMBER).saturating_add(arguments(&filter.args)),
            }
        }
        Expr::GetAttr(access) => one(&access.expr),
        Expr::GetItem(access) => one(&access.expr),
        Expr::Call(call) => one(&call.expr).saturating_add(arguments(&call.args)),
        Expr::List(list) => items(&list.items),
        Expr::Tuple(tuple) => items(&tuple.items),
        Expr::Map(map) => items(&map.keys).saturating_add(items(&map.values)),
    }
}

/// The length of a value as a text.
pub(super) fn length_of(value: &Value) -> usize {
    value.as_str().map_or(LONGEST_NUMBER, str::len)
}

#[cfg(test)]
mod tests {
    use minijinja::machinery::ast::Stmt;
    use minijinja::machinery::parse;
    use minijinja::{Environment, context};

    use super::*;

    #[test]
    fn no_value_is_longer_than_said_before() {
        let text = "ŉ\u{1}\"\\ab";
        for expression in [
            "p",
            "p ~ p ~ 1",
            "p + p",
            "[p, p]",
            "[[p], p] | string",
            "{p: p, 'a': [p]}",
            "p | upper",
            "p | title | lower",
            "'x' if p else p",
            "q | default(p)",
            "p[1:]",
            "[[p] | string] | string",
            "(p, [p]) | string | upper",
            "p and p",
            "1.0e300 * 1.0e8",
            "-(10 ** 30)",
            "p is string",
            "p | length",
            "[p, p] | first",
            "p == p",
            "p | reverse",
        ] {
            let written = format!("{{{{ {expression} }}}}");
            let environment = Environment::new();
            let made =
                environment.render_str(&written, context! { p => text }).unwrap_or_else(|e| panic!("{e}"));
            let parsed = parse(&written, "", super::super::syntax()).unwrap();
            let Stmt::Template(template) = parsed else { panic!("{expression}") };
            let [Stmt::EmitExpr(emitted)] = &template.children[..] else { panic!("{expression}") };
            let most = largest_length(&emitted.expr, &|name| if name == "p" { text.len() } else { 0 });
            assert!(made.len() <= most, "{expression}: {} bytes, at most {most}", made.len());
        }
    }
}
