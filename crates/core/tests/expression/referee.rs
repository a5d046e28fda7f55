//! Held against another implementation of the language: both give the same value, or both fail.
//!
//! Left aside is where that one is laxer than the language (what follows a duration, a map added to a list) or less exact (long
//! durations with fractions), and where we differ on purpose: a pattern that cannot be read is refused before it is evaluated,
//! names of time zones may be in any case, and the calendar ends a day before the year 10000.

use super::texts::expressions;
use dreiklang_core::expression::{Expression, ExpressionError, Key, Scope, Value};
use proptest::prelude::*;
use std::sync::Arc;

/// Variables and how the other implementation is told about them.
const VARIABLES: &[(&str, &str)] = &[
    ("b", "true"),
    ("i", "42"),
    ("d", "2.5"),
    ("s", "'+4930123456'"),
    ("l", "[1, 2.0, 'x', [1]]"),
    ("m", "{'a': 1, 'b': 'text', 'in': {'x': true}, 3: 'three', true: 0}"),
    ("t", "timestamp('2026-03-29T00:59:59.5Z')"),
    ("u", "duration('1h30m0.25s')"),
    ("n", "null"),
];

fn ours(source: &str) -> Result<Value, ExpressionError> {
    let scope: Scope =
        VARIABLES.iter().map(|(name, source)| (*name, Expression::parse(source).unwrap().evaluate(&Scope::new()).unwrap())).collect();
    Expression::parse(source)?.evaluate(&scope)
}

fn theirs(source: &str) -> Option<cel::Value> {
    let mut env = cel::Env::stdlib();
    cel::extensions::strings(&mut env).unwrap();
    let env = Arc::new(env);
    let mut context = cel::Context::with_env(Arc::clone(&env));
    for (name, source) in VARIABLES {
        let value = env.compile(source).unwrap().execute(&cel::Context::default()).unwrap();
        context.add_variable_from_value(*name, value);
    }
    env.compile(source).ok()?.execute(&context).ok()
}

fn is_same(ours: &Value, theirs: &cel::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, cel::Value::Null) => true,
        (Value::Bool(ours), cel::Value::Bool(theirs)) => ours == theirs,
        (Value::Int(ours), cel::Value::Int(theirs)) => ours == theirs,
        (Value::Double(ours), cel::Value::Float(theirs)) => ours == theirs || (ours.is_nan() && theirs.is_nan()),
        (Value::String(ours), cel::Value::String(theirs)) => *ours == **theirs,
        (Value::List(ours), cel::Value::List(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs.iter()).all(|(ours, theirs)| is_same(ours, theirs))
        }
        (Value::Map(ours), cel::Value::Map(theirs)) => {
            let their_key = |key: &Key| match key {
                Key::Bool(truth) => cel::objects::Key::Bool(*truth),
                Key::Int(number) => cel::objects::Key::Int(*number),
                Key::String(text) => cel::objects::Key::String(Arc::new(text.clone())),
            };
            ours.len() == theirs.map.len()
                && ours.iter().all(|(key, ours)| theirs.map.get(&their_key(key)).is_some_and(|theirs| is_same(ours, theirs)))
        }
        (Value::Timestamp(ours), cel::Value::Timestamp(theirs)) => {
            i128::from(theirs.timestamp()) * 1_000_000_000 + i128::from(theirs.timestamp_subsec_nanos()) == ours.as_nanosecond()
        }
        (Value::Duration(ours), cel::Value::Duration(theirs)) => theirs.num_nanoseconds() == Some(*ours),
        _ => false,
    }
}

/// Says how the two differ about an expression, if they do.
fn difference(source: &str) -> Option<String> {
    let (ours, theirs) = (ours(source), theirs(source));
    let same = match (&ours, &theirs) {
        (Ok(ours), Some(theirs)) => is_same(ours, theirs),
        (Err(_), None) => true,
        (Err(error), Some(_)) => error.problem.contains("+ does not take a list and a map"),
        (Ok(_), None) => false,
    };
    (!same).then(|| format!("{source}\n ours:   {ours:?}\n theirs: {theirs:?}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_expression_means_the_same_to_both(source in expressions()) {
        prop_assert_eq!(difference(&source), None);
    }

    #[test]
    fn every_expression_that_evaluates_has_the_type_that_was_foretold(source in expressions()) {
        use dreiklang_core::expression::Type;
        let kinds = [("b", Type::Bool), ("i", Type::Int), ("d", Type::Double), ("s", Type::String), ("l", Type::List), ("m", Type::Map),
            ("t", Type::Timestamp), ("u", Type::Duration), ("n", Type::Null)];
        let kinds = kinds.map(|(name, kind)| (name.to_owned(), kind)).into();
        if let Ok(value) = ours(&source)
            && let Ok(kind) = Expression::parse(&source).unwrap().check(&kinds)
        {
            prop_assert!(kind == Type::Any || kind == value.kind(), "{} is foretold to be {:?} and is {:?}", source, kind, value);
        }
    }

    #[test]
    fn no_text_whatever_breaks_the_reader(source in "[-+*/%<>=!&|?:.,()\\[\\]{}'\"\\\\a-c0-3x rn#\u{e4}]{0,40}") {
        if let Ok(expression) = Expression::parse(&source) {
            let _ = expression.evaluate(&Scope::new());
        }
    }
}

#[test]
fn corners_of_the_language_mean_the_same_to_both() {
    let differences: Vec<String> = [
        "!!true",
        "!!5",
        "--5",
        "- 5",
        "1 -1",
        "1 - -1",
        "-i",
        "--i",
        "1 < 2 == true",
        "1 in [1] == true",
        "a.b.c",
        "m.in",
        "m['in']['x']",
        "true ? 1 : false ? 2 : 3",
        "1 + 2 * 3 % 4 - 5",
        "'a' + 'b' == 'ab' && true",
        "1.0 == 1",
        "[1] == [1.0]",
        "{1: 1} == {1: 1.0}",
        "{'a': 1}.a",
        "{'a': 1}['a']",
        "[1, 2][1.0]",
        "[1, 2][1.5]",
        "[1, 2][-1]",
        "[1, 2]['a']",
        "null == null",
        "null == 1",
        "null < 1",
        "true < false",
        "[1] < [2]",
        "'b' > 'a'",
        "'Ä' > 'z'",
        "1 && true",
        "true && 1",
        "false && 1",
        "1 || true",
        "true || 1",
        "false || 1",
        "nothing || true",
        "true || nothing",
        "nothing && nothing",
        "1/0 == 1 || 2/0 == 2 || true",
        "has(m.a)",
        "has(m.zzz)",
        "has(m.b.c)",
        "has(nothing.x)",
        "size('ä')",
        "'' in ['']",
        "'a' in 'abc'",
        "1 in m",
        "3 in m",
        "3.0 in m",
        "true in m",
        "null in m",
        "[] in m",
        "int('+5')",
        "int(' 5')",
        "int('')",
        "int(1e19)",
        "int(-0.9)",
        "int(0.0/0.0)",
        "double('1e3')",
        "double('x')",
        "double('inf')",
        "string(1.0)",
        "string(1e21)",
        "string(-0.0)",
        "string(1.0/0.0)",
        "string(0.1 + 0.2)",
        "bool('TRUE')",
        "bool('yes')",
        "bool(1)",
        "0x7FFFFFFFFFFFFFFF",
        "-0x8000000000000000",
        "0x8000000000000000",
        "9223372036854775808",
        "1.",
        "1.e3",
        "1e",
        ".5",
        "5.size()",
        "'\\101'",
        "'\\'",
        "'\\400'",
        "'\\ud800'",
        "'a\nb'",
        "r'\\'",
        "\"it's\"",
        "// only a comment",
        "1 // comment",
        "/* no */ 1",
        "",
        "[1, 2,]",
        "{'a': 1,}",
        "size([1],)",
        "f()",
        "x.f()",
        "(1",
        "1)",
        "[1",
        "{1}",
        "1 2",
        "1 +",
        "* 1",
        "a b",
        "a..b",
        "a.1",
        "!-5",
        "!-i",
        "timestamp('2026-11-27')",
        "timestamp('2026-11-27T14:30:00')",
        "timestamp('2026-11-27T25:00:00Z')",
        "timestamp(-62135596801)",
        "int(timestamp(0) - duration('0.25s'))",
        "timestamp('2026-11-27T14:30:00.123456789Z')",
        "duration('')",
        "duration('-')",
        "duration('1')",
        "duration('.5s')",
        "duration('9223372036s')",
        "duration('9223372037s')",
        "t - u == t + (duration('0s') - u)",
        "'x'.matches('(')",
        "u.getDate()",
        "{1: 2}[true]",
        "{1: 2}[null]",
        "{null: 1}",
        "{1.0: 1}",
        "{[1]: 1}",
        "m[3.0]",
        "m[3.5]",
        "i.a",
        "s.a",
        "l.a",
        "s[0]",
        "i[0]",
        "i % 5",
        "d % 2.0",
        "-9223372036854775808 / -1",
        "-9223372036854775808 % -1",
        "i / 0",
        "d / 0.0",
        "i % 0",
        "-s",
        "!s",
        "s - s",
        "l + l",
        "[1] + [[2]]",
        "s * 2",
        "u * 2",
        "t + t",
        "u - t",
        "b ? 1 : nothing",
        "b ? nothing : 1",
        "s ? 1 : 2",
    ]
    .into_iter()
    .filter_map(difference)
    .collect();
    assert!(differences.is_empty(), "{}", differences.concat());
}
