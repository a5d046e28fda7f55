//! Texts of expressions by chance: mostly such that can be evaluated, some that cannot. `VARIABLES` of the referee are used.

use proptest::prelude::*;

/// Text of an expression of each kind.
#[derive(Clone)]
struct Kinds {
    truth: BoxedStrategy<String>,
    whole: BoxedStrategy<String>,
    fraction: BoxedStrategy<String>,
    text: BoxedStrategy<String>,
    list: BoxedStrategy<String>,
    map: BoxedStrategy<String>,
    moment: BoxedStrategy<String>,
    span: BoxedStrategy<String>,
}

fn pick(options: &'static [&'static str]) -> BoxedStrategy<String> {
    proptest::sample::select(options).prop_map(str::to_owned).boxed()
}

/// Fills `{}`s of a form, in order.
fn form(form: &'static str, parts: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    parts
        .prop_map(move |parts| {
            let mut filled = form.to_owned();
            for part in parts {
                filled = filled.replacen('#', &part.replace('#', "."), 1);
            }
            filled
        })
        .boxed()
}

fn simple() -> Kinds {
    Kinds {
        truth: pick(&["true", "false", "b", "m['in'].x", "m[true] == 0", "m.missing"]),
        whole: pick(&[
            "0",
            "1",
            "-1",
            "7",
            "0x10",
            "42",
            "i",
            "9223372036854775807",
            "-9223372036854775808",
            "m.a",
            "l[0]",
            "m['in']",
            "nothing",
        ]),
        fraction: pick(&["0.0", "-0.0", "1.0", "2.5", "d", "1e300", "-1e-3", ".5", "9223372036854775808.0", "l[1]"]),
        text: pick(&[
            "''",
            "'a'",
            "\"b\"",
            "s",
            "m.b",
            "m[3]",
            "'12'",
            "'-7'",
            "'1.5'",
            "'true'",
            "'Ärger'",
            r"'\n\x41\u00fc'",
            r"r'\d+'",
            "l[2]",
        ]),
        list: pick(&["[]", "[1, 2, 3]", "['a', 'b']", "l", "[1, 1.0, true, null]", "[[1], {}]", "n", "l[3]", "[0.0 / 0.0]"]),
        map: pick(&["{}", "m", "{'a': 1}", "{1: 2, true: 3}", "{'a': {'b': 1}}", "m.b", "{2: 'b', 2: 'c'}", "{'a': 1.0, 'b': 2,}"]),
        moment: pick(&[
            "t",
            "timestamp('2026-11-27T14:30:15.25Z')",
            "timestamp('0001-01-01T00:00:00Z')",
            "timestamp('9990-12-31T23:59:59.999999999Z')",
            "timestamp(0)",
            "timestamp('2026-02-30T00:00:00Z')",
        ]),
        span: pick(&[
            "u",
            "duration('1s')",
            "duration('-90m')",
            "duration('1h0.5s')",
            "duration('0')",
            "duration('2562047h')",
            "duration('x')",
        ]),
    }
}

/// One level deeper.
fn deeper(below: &Kinds) -> Kinds {
    let Kinds { truth, whole, fraction, text, list, map, moment, span } = below.clone();
    // Now and then something of another kind stands where it does not belong.
    let any =
        prop_oneof![truth.clone(), whole.clone(), fraction.clone(), text.clone(), list.clone(), map.clone(), moment.clone(), span.clone()]
            .boxed();
    let mostly = |kind: &BoxedStrategy<String>| prop_oneof![12 => kind.clone(), 1 => any.clone()].boxed();
    let (truth_, whole_, fraction_, text_) = (mostly(&truth), mostly(&whole), mostly(&fraction), mostly(&text));
    let (map_, moment_, span_) = (mostly(&map), mostly(&moment), mostly(&span));
    let number = prop_oneof![whole_.clone(), fraction_.clone()].boxed();
    let zone = pick(&[
        "''",
        "'UTC'",
        "'Europe/Berlin'",
        "'America/New_York'",
        "'Asia/Kolkata'",
        "'+05:30'",
        "'-03:45'",
        "'02:00'",
        "'Nowhere/City'",
    ]);
    let comparison = pick(&["==", "!=", "<", "<=", ">", ">="]);
    let compare = |kind: &BoxedStrategy<String>| form("(#) # (#)", vec![kind.clone(), comparison.clone(), kind.clone()]);
    let choose = |kind: &BoxedStrategy<String>| form("(# ? # : #)", vec![truth_.clone(), kind.clone(), kind.clone()]);
    let part = pick(&[
        "getFullYear",
        "getMonth",
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getHours",
        "getMinutes",
        "getSeconds",
        "getMilliseconds",
    ]);
    let pattern = pick(&[
        "'^a'",
        "'[0-9]+'",
        "'^[^0-9]*$'",
        r"'^\\+49(30|40)'",
        "'a|b'",
        "'(ab?)*c'",
        "'.'",
        "''",
        r"r'\w\s?\d'",
        "'x{2,3}'",
        "'Ä'",
        "s",
        "m.b",
    ]);
    Kinds {
        truth: prop_oneof![
            2 => truth.clone(),
            2 => form("(# && #)", vec![truth_.clone(), truth_.clone()]),
            2 => form("(# || #)", vec![truth_.clone(), truth_.clone()]),
            1 => form("(# && # || # && #)", vec![truth_.clone(), truth_.clone(), truth_.clone(), truth_.clone()]),
            1 => form("!(#)", vec![truth_.clone()]),
            2 => compare(&number),
            1 => compare(&text_),
            1 => compare(&any),
            1 => compare(&moment_),
            1 => compare(&span_),
            1 => form("(#) == (#)", vec![list.clone(), list.clone()]),
            1 => form("(#) == (#)", vec![map.clone(), map.clone()]),
            1 => form("(#) in (#)", vec![any.clone(), list.clone()]),
            1 => form("(#) in (#)", vec![any.clone(), map_.clone()]),
            1 => form("(#).contains(#)", vec![text_.clone(), text_.clone()]),
            1 => form("(#).startsWith(#)", vec![text_.clone(), text_.clone()]),
            1 => form("(#).endsWith(#)", vec![text_.clone(), text_.clone()]),
            1 => form("(#).matches(#)", vec![text_.clone(), pattern.clone()]),
            1 => form("has((#).a)", vec![map_.clone()]),
            1 => form("bool(#)", vec![prop_oneof![text_.clone(), truth_.clone()].boxed()]),
            1 => choose(&truth_),
        ]
        .boxed(),
        whole: prop_oneof![
            2 => whole.clone(),
            4 => form("(# # #)", vec![whole_.clone(), pick(&["+", "-", "*", "/", "%"]), whole_.clone()]),
            1 => form("# # # # #", vec![whole.clone(), pick(&["+", "-"]), whole.clone(), pick(&["*", "/", "%"]), whole.clone()]).prop_map(|text| format!("({text})")),
            1 => form("-(#)", vec![whole_.clone()]),
            1 => form("size(#)", vec![prop_oneof![text.clone(), list.clone(), map.clone(), whole.clone()].boxed()]),
            1 => form("(#).size()", vec![prop_oneof![text.clone(), list.clone(), map.clone()].boxed()]),
            1 => form("int(#)", vec![prop_oneof![text_.clone(), number.clone()].boxed()]),
            1 => form("(#).#()", vec![moment_.clone(), part.clone()]),
            1 => form("(#).#(#)", vec![moment_.clone(), part.clone(), zone]),
            1 => form("(#).#()", vec![span_.clone(), part]),
            1 => form("(#)[#]", vec![list.clone(), number.clone()]),
            1 => form("(#)[#]", vec![map_.clone(), any.clone()]),
            1 => form("(#).a", vec![map_.clone()]),
            1 => choose(&whole_),
        ]
        .boxed(),
        fraction: prop_oneof![
            2 => fraction.clone(),
            3 => form("(# # #)", vec![fraction_.clone(), pick(&["+", "-", "*", "/"]), fraction_.clone()]),
            1 => form("-(#)", vec![fraction_.clone()]),
            1 => form("double(#)", vec![prop_oneof![text_.clone(), number.clone()].boxed()]),
        ]
        .boxed(),
        text: prop_oneof![
            2 => text.clone(),
            2 => form("(# + #)", vec![text_.clone(), text_.clone()]),
            1 => form("(#).lowerAscii()", vec![text_.clone()]),
            1 => form("(#).upperAscii()", vec![text_.clone()]),
            1 => form("string(#)", vec![prop_oneof![text_.clone(), number.clone(), truth.clone(), moment.clone(), span.clone()].boxed()]),
            1 => choose(&text_),
        ]
        .boxed(),
        list: prop_oneof![
            2 => list.clone(),
            1 => form("[#, #]", vec![any.clone(), any.clone()]),
            1 => form("[#,]", vec![any.clone()]),
            1 => form("([#] + [#])", vec![any.clone(), any.clone()]),
        ]
        .boxed(),
        map: prop_oneof![
            2 => map.clone(),
            1 => form("{#: #, #: #}", vec![text_.clone(), any.clone(), prop_oneof![whole_.clone(), truth_.clone()].boxed(), any.clone()]),
        ]
        .boxed(),
        moment: prop_oneof![
            2 => moment.clone(),
            1 => form("(# + #)", vec![moment_.clone(), span_.clone()]),
            1 => form("(# + #)", vec![span.clone(), moment.clone()]),
            1 => form("(# - #)", vec![moment_.clone(), span_.clone()]),
            1 => form("timestamp(string(#))", vec![moment.clone()]),
        ]
        .boxed(),
        span: prop_oneof![
            2 => span.clone(),
            1 => form("(# + #)", vec![span_.clone(), span_.clone()]),
            1 => form("(# - #)", vec![span_.clone(), span_.clone()]),
            1 => form("(# - #)", vec![moment.clone(), moment.clone()]),
            1 => form("duration(string(#))", vec![simple().span]),
        ]
        .boxed(),
    }
}

pub fn expressions() -> BoxedStrategy<String> {
    let kinds = deeper(&deeper(&deeper(&simple())));
    prop_oneof![
        4 => kinds.truth,
        2 => kinds.whole,
        1 => kinds.fraction,
        1 => kinds.text,
        1 => kinds.list,
        1 => kinds.map,
        1 => kinds.moment,
        1 => kinds.span
    ]
    .boxed()
}
