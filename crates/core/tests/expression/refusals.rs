//! What cannot be read, and what can be known to be wrong before anybody calls.

use dreiklang_core::expression::{Expression, Scope, Type};
use std::collections::BTreeMap;

#[test]
fn what_is_not_understood_is_named_with_its_place_and_a_remedy() {
    for (source, message) in [
        ("", "at character 1: the expression is empty; write what has to be true, such as caller.known"),
        ("a = 1", "at character 3: \"=\" does not belong here; compare with =="),
        ("a & b", "at character 3: \"&\" does not belong here; write && for \"and\""),
        ("„a“", "at character 1: \"„\" does not belong here; put texts between straight quotes"),
        ("a b", "at character 3: \"b\" is unexpected; join two parts by an operator"),
        ("a +", "at character 4: the expression ends too early; a value has to follow"),
        ("(a", "at character 3: \")\" is missing after what is in parentheses, before the end"),
        ("'abc", "at character 1: the text is not closed; end it with '"),
        ("'\\q'", "at character 2: \\q means nothing; write \\\\ for a backslash, or r before the text"),
        ("1u", "at character 2: unsigned numbers are not supported; write the number without u"),
        ("b'x'", "at character 1: bytes are not supported; write a text without b before it"),
        ("9223372036854775808", "at character 1: is too large a whole number; write .0 behind it for a fraction"),
        ("a.StartsWith('x')", "at character 3: there is no function StartsWith; did you mean startsWith?"),
        ("startsWith('x', 'y')", "at character 1: startsWith is called on a value; write value.startsWith(…)"),
        ("a.int()", "at character 3: int is not called on a value; write int(…)"),
        ("a.contains()", "at character 3: contains takes 1 argument"),
        ("list.exists(x, x > 1)", "at character 6: exists is not supported, because it runs over lists; test with \"in\""),
        ("has(a)", "at character 1: has takes one field of a map; write has(map.field)"),
        ("a.matches('(')", "at character 11: the pattern opens a ( that is not closed; write \\( for the character"),
        ("if == 1", "at character 1: if is a word of the language; name the variable otherwise"),
        ("!-a", "at character 2: a value has to stand here, not \"-\""),
        ("a ? b", "at character 6: \":\" is missing after what is chosen when the condition holds, before the end"),
        ("f(1,)", "at character 5: a value has to stand here, not \")\""),
    ] {
        assert_eq!(Expression::parse(source).map(|_| String::new()).unwrap_or_else(|error| error.to_string()), message, "{source}");
    }
}

#[test]
fn wrong_kinds_are_found_before_anything_is_evaluated() {
    let variables = BTreeMap::from(
        [
            ("text", Type::String),
            ("number", Type::Int),
            ("truth", Type::Bool),
            ("list", Type::List),
            ("map", Type::Map),
            ("any", Type::Any),
        ]
        .map(|(name, kind)| (name.to_owned(), kind)),
    );
    let check = |source: &str| Expression::parse(source).unwrap().check(&variables);
    for (source, kind) in [
        ("text.size() + number", Type::Int),
        ("map.field", Type::Any),
        ("any + 1", Type::Int),
        ("any + any", Type::Any),
        ("truth ? 1 : 2", Type::Int),
        ("truth ? 1 : 'a'", Type::Any),
        ("any.x.matches('a')", Type::Bool),
        ("number in list", Type::Bool),
        ("number < 1.5", Type::Bool),
        ("[text, number]", Type::List),
        ("string(number) + text", Type::String),
    ] {
        assert_eq!(check(source), Ok(kind), "{source}");
    }
    for (source, message) in [
        ("txt", "at character 1: there is no variable txt; there are any, list, map, number, text, truth"),
        (
            "text == number",
            "at character 6: == does not take a text and a whole number; they are never equal: convert one of them with int() or string()",
        ),
        ("text > number", "at character 6: > does not take a text and a whole number; convert one of them with int() or string()"),
        ("number + 1.5", "at character 8: + does not take a whole number and a number; write double() around the whole number"),
        ("truth && number", "at character 10: each side of && has to be true or false, not a whole number"),
        (
            "'a' in text",
            "at character 5: in does not take a text and a text; a list or a map has to stand after \"in\", and texts are searched with contains()",
        ),
        ("text.field", "at character 1: what has a field field has to be a map, not a text"),
        ("size(number)", "at character 1: size does not take a whole number"),
        ("list['a']", "at character 6: a list's place is a whole number, not a text"),
        ("!number", "at character 2: what follows ! has to be true or false, not a whole number"),
    ] {
        assert_eq!(check(source).map_err(|error| error.to_string()), Err(message.to_owned()), "{source}");
    }
}

#[test]
fn what_fails_when_evaluated_names_a_remedy() {
    let scope = Scope::new().with("digits", "12a");
    for (source, message) in [
        ("missing", "at character 1: there is no variable missing; set it before it is used"),
        ("int(digits)", "at character 1: \"12a\" is not a whole number; test it with matches() before"),
        ("{'a': 1}.b", "at character 10: there is nothing under \"b\"; test with has() or \"in\" before"),
        ("[1, 2][2]", "at character 7: the list has no place 2; it has 2, counted from 0, so test size() before"),
        ("1 % 0", "at character 3: divides by zero; test for it before"),
        ("9223372036854775807 + 1", "at character 21: the result is too large; use smaller numbers or double()"),
        ("-(-9223372036854775807 - 1)", "at character 1: the result is too large; use smaller numbers or double()"),
        (
            "timestamp('2026-02-30T00:00:00Z')",
            "at character 1: \"2026-02-30T00:00:00Z\" is not a moment; write it like 2026-11-27T14:30:00Z",
        ),
        ("timestamp(0).getHours('Mars')", "at character 14: there is no time zone \"Mars\"; write it like Europe/Berlin or +01:00"),
        ("duration('1.5')", "at character 1: \"1.5\" is not a duration; write it like 1h30m or 45s"),
        ("timestamp('9999-12-30T22:00:00Z') + duration('1s')", "at character 35: leaves the years 1 to 9999"),
        ("1 ? 2 : 3", "at character 1: has to be true or false, not a whole number"),
        ("{1: 2, 1: 3}", "at character 8: the key 1 stands twice in the map; remove one"),
        ("0.0 / 0.0 < 1.0", "at character 11: what is not a number has no order; test the division before"),
    ] {
        let error = Expression::parse(source).unwrap().evaluate(&scope).map_err(|error| error.to_string());
        assert_eq!(error.map(|value| format!("{value:?}")), Err(message.to_owned()), "{source}");
    }
}
