//! What expressions mean, by example.

use dreiklang_core::expression::{Expression, Scope, Value};
use dreiklang_core::time::{Millis, Timestamp};

/// 2026-11-27T14:30:15.250Z, a Friday.
const NOW: Timestamp = Timestamp(1_795_789_815_250);

fn scope() -> Scope {
    Scope::new()
        .with("now", NOW)
        .with("waited", Millis(90_500))
        .with("caller", Value::map([("number", Value::from("+4930123456")), ("vip", Value::from(true)), ("calls", Value::from(3))]))
        .with("tags", vec![Value::from("sales"), Value::from("de")])
        .with("digits", "4711")
}

fn value(source: &str) -> Value {
    Expression::parse(source).unwrap_or_else(|error| panic!("{source}: {error}")).evaluate(&scope()).unwrap_or_else(|error| {
        panic!("{source}: {error}");
    })
}

#[track_caller]
fn holds(source: &str) {
    assert_eq!(value(source), Value::Bool(true), "{source}");
}

#[test]
fn flows_can_ask_what_administrators_want_to_know() {
    holds("caller.vip && caller.calls >= 3");
    holds("caller.number.startsWith('+49')");
    holds("caller['number'].matches('^\\\\+49(30|40)')");
    holds(r#"caller.number.matches(r"^\+49(30|40)")"#);
    holds("'de' in tags && !('en' in tags)");
    holds("has(caller.number) && !has(caller.name)");
    holds("int(digits) % 2 == 1 ? digits.size() == 4 : false");
    holds("waited > duration('1m30s') && waited.getSeconds() == 90");
}

#[test]
fn moments_are_taken_apart_in_the_time_zone_that_is_asked_for() {
    holds("now.getHours() == 14 && now.getHours('Europe/Berlin') == 15 && now.getHours('America/New_York') == 9");
    holds("now.getHours('+05:30') == 20 && now.getMinutes('+05:30') == 0 && now.getHours('-01:00') == 13");
    holds("now.getDayOfWeek('Europe/Berlin') == 5 && now.getDayOfWeek('Pacific/Auckland') == 6");
    holds("now.getFullYear() == 2026 && now.getMonth() == 10 && now.getDate() == 27 && now.getDayOfMonth() == 26");
    holds("now.getDayOfYear() == 330 && now.getSeconds() == 15 && now.getMilliseconds() == 250");
    holds("timestamp('2026-07-01T12:00:00Z').getHours('Europe/Berlin') == 14");
}

#[test]
fn moments_and_durations_can_be_written_and_computed_with() {
    holds("timestamp('2026-11-27T14:30:15.25Z') == now && string(now) == '2026-11-27T14:30:15.25Z'");
    holds("timestamp('2026-11-27T16:30:15.250+02:00') == now && timestamp(int(now)) + duration('250ms') == now");
    holds(
        "now - duration('24h') == timestamp('2026-11-26T14:30:15.250Z') && now - timestamp('2026-11-27T14:30:00Z') == duration('15250ms')",
    );
    holds("string(duration('-1.5s')) == '-1.5s' && duration('1h') - duration('1m') == duration('59m') && duration('0') < waited");
}

#[test]
fn an_error_on_one_side_does_not_matter_when_the_other_side_decides() {
    holds("true || 1 / 0 == 1");
    holds("1 / 0 == 1 || true");
    holds("!(false && missing) && !(missing && false)");
    holds("missing || caller.name == '' || true");
    assert!(Expression::parse("1 / 0 == 1 || false").unwrap().evaluate(&scope()).is_err());
    assert!(Expression::parse("true && missing").unwrap().evaluate(&scope()).is_err());
}

#[test]
fn numbers_compare_across_their_kinds_but_do_not_mix() {
    holds("1 == 1.0 && 1 < 1.5 && 2.0 in [1, 2] && {1: 'a'}[1.0] == 'a'");
    holds("1 != '1' && [1, 2] == [1.0, 2.0] && {'a': 1} == {'a': 1.0}");
    assert!(Expression::parse("1 + 1.0").unwrap().evaluate(&scope()).is_err());
}

#[test]
fn the_usual_precedence_holds() {
    assert_eq!(value("1 + 2 * 3 - 4 / 2"), Value::Int(5));
    assert_eq!(value("-2 * -3"), Value::Int(6));
    assert_eq!(value("(1 + 2) * 3 % 5"), Value::Int(4));
    assert_eq!(value("false ? 1 : true ? 2 : 3"), Value::Int(2));
    holds("1 + 1 == 2 && 2 < 3 || false");
    holds("!false && !!true");
    assert_eq!(value("-9223372036854775808"), Value::Int(i64::MIN));
    assert_eq!(value("0x1F // a comment\n + 1"), Value::Int(32));
}

#[test]
fn texts_may_hold_any_character() {
    assert_eq!(value(r#""a\n\"\\\u00e4\x41\101""#), Value::from("a\n\"\\äAA"));
    assert_eq!(value(r"r'\d'"), Value::from("\\d"));
    holds("'ÄB'.lowerAscii() == 'Äb' && size('äöü') == 3 && 'äöü'.contains('ö')");
}

#[test]
fn variables_are_known_before_anything_is_evaluated() {
    let expression = Expression::parse("has(a.b) ? c[d] : {e: f} == [g.size(), 1] && timestamp(h).getHours(i) in j").unwrap();
    assert_eq!(expression.variables().into_iter().collect::<String>(), "acdefghij");
}
