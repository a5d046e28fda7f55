//! However an expression is written, it ends soon and needs little of the stack.

use dreiklang_core::{
    expression::{Expression, Scope, Value},
    limits::{EXPRESSION_CHARS, EXPRESSION_DEPTH},
};

#[test]
fn expressions_may_not_be_longer_or_deeper_than_a_limit() {
    assert!(Expression::parse(&"1".repeat(EXPRESSION_CHARS + 1)).is_err());
    for (open, close) in [("(", ")"), ("[", "]"), ("{1:", "}"), ("size(", ")"), ("[1][", "]"), ("true ? 1 : ", "")] {
        let nested = |depth: usize| Expression::parse(&format!("{}1{}", open.repeat(depth), close.repeat(depth)));
        assert!(nested(20).is_ok(), "{open}");
        assert!(nested(EXPRESSION_DEPTH + 1).is_err(), "{open}");
    }
    for chain in ["a", "1 + ", "m.f", "l[0]", "x.size()", "1 < "] {
        let source = match chain {
            "a" => format!("m{}", ".a".repeat(500)),
            "l[0]" => format!("l{}", "[0]".repeat(500)),
            "m.f" => format!("{}1", "-".repeat(1_900)),
            "x.size()" => format!("x{}", ".size()".repeat(250)),
            sign => format!("{}1", sign.repeat(450)),
        };
        // Refused or not: it must come back.
        let _ = Expression::parse(&source).map(|expression| expression.evaluate(&Scope::new()));
    }
    let many = format!("{}true", "false || ".repeat(200));
    assert_eq!(Expression::parse(&many).unwrap().evaluate(&Scope::new()), Ok(Value::Bool(true)), "chains of || are not deep");
}

#[test]
fn an_evaluation_that_works_too_much_is_ended() {
    let long = Value::from("a".repeat(60_000));
    let list = Value::List(vec![Value::from(1); 5_000]);
    let scope = Scope::new().with("long", long).with("list", list);
    for source in [
        "long + long",
        "long.matches('(a+)+b')",
        "list + list + list + list",
        "list == list && list == list && list == list && list == list",
        "[list, list, list, list]",
        "2 in list || 2 in list || 2 in list || 2 in list || true",
    ] {
        assert!(Expression::parse(source).unwrap().evaluate(&scope).is_err(), "{source}");
    }
    assert_eq!(Expression::parse("size(long) == 60000 && long.contains('a') && !(2 in list)").unwrap().evaluate(&scope), Ok(true.into()));
}
