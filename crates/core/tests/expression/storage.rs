//! Expressions and values read back as what was written.

use dreiklang_core::expression::{Expression, Plain, Scope, Value};

#[test]
fn an_expression_is_stored_as_its_text() {
    let expression = Expression::parse("caller.vip  && true").unwrap();
    let stored = serde_json::to_string(&expression).unwrap();
    assert_eq!(stored, "\"caller.vip  && true\"");
    assert_eq!(serde_json::from_str::<Expression>(&stored).unwrap(), expression);
    let error = serde_json::from_str::<Expression>("\"1 +\"").unwrap_err();
    assert!(error.to_string().contains("at character 4"), "{error}");
}

#[test]
fn values_are_stored_without_loss() {
    let source = "{'a': [null, true, 1, 1.0, 'x', timestamp('2026-11-27T14:30:15.25Z'), duration('1.5s')], 1: {true: 1.0 / 0.0}, 'b': 0.1}";
    let value = Expression::parse(source).unwrap().evaluate(&Scope::new()).unwrap();
    let stored = serde_json::to_string(&value).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), value, "{stored}");
}

#[test]
fn values_of_other_programs_come_and_go_as_they_write_them() {
    let text = r#"{"answer":{"code":7,"ok":true,"rate":0.5,"tags":["a",null],"text":"x"}}"#;
    let Plain(value) = serde_json::from_str(text).unwrap();
    let scope = Scope::new().with("reply", value.clone());
    let expression = Expression::parse("reply.answer.code == 7 && reply.answer.tags[1] == null && reply.answer.rate < 1").unwrap();
    assert_eq!(expression.evaluate(&scope), Ok(Value::Bool(true)));
    assert_eq!(serde_json::to_string(&Plain(value)).unwrap(), text);
}
