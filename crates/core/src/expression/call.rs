//! What the functions do.

use super::{
    ExpressionError, check,
    evaluate::{Found, Run, overflow, owned, shortened, weight},
    function::{self, Function},
    moment,
    pattern::Pattern,
    value::Value,
};
use jiff::Timestamp;
use std::borrow::Cow;

impl<'a> Run<'a> {
    pub(super) fn call(&mut self, called: Function, mut arguments: Vec<Cow<'a, Value>>, at: u32) -> Found<'a> {
        let fail = |problem: String| Err(ExpressionError::new(at, problem));
        let misfit = |arguments: &[Cow<'a, Value>]| {
            let given: Vec<check::Type> = arguments.iter().map(|value| value.kind()).collect();
            ExpressionError::new(at, function::misfit(called, &given))
        };
        match &arguments[..] {
            [value] => match (called, &**value) {
                (Function::Size, Value::String(text)) => {
                    self.spend(weight(text), at)?;
                    owned(text.chars().count() as i64)
                }
                (Function::Size, Value::List(list)) => owned(list.len() as i64),
                (Function::Size, Value::Map(map)) => owned(map.len() as i64),
                (Function::LowerAscii | Function::UpperAscii, Value::String(text)) => {
                    self.spend(weight(text), at)?;
                    owned(if called == Function::LowerAscii { text.to_ascii_lowercase() } else { text.to_ascii_uppercase() })
                }
                (Function::ToInt, Value::Int(_))
                | (Function::ToDouble, Value::Double(_))
                | (Function::ToString, Value::String(_))
                | (Function::ToBool, Value::Bool(_))
                | (Function::ToTimestamp, Value::Timestamp(_))
                | (Function::ToDuration, Value::Duration(_)) => Ok(arguments.swap_remove(0)),
                // Both ends are excluded: the upper one does not exist as a double, and the language wants the same of the lower one.
                (Function::ToInt, Value::Double(number)) if *number > i64::MIN as f64 && *number < i64::MAX as f64 => owned(*number as i64),
                (Function::ToInt, Value::Double(_)) => Err(overflow(at)),
                // Downwards: what was half a second before 1970 was in its second -1.
                (Function::ToInt, Value::Timestamp(moment)) => owned(moment.as_nanosecond().div_euclid(1_000_000_000) as i64),
                (Function::ToInt, Value::String(text)) => match text.parse::<i64>() {
                    Ok(number) => owned(number),
                    Err(_) => fail(format!("\"{}\" is not a whole number; test it with matches() before", shortened(text))),
                },
                (Function::ToDouble, Value::Int(number)) => owned(*number as f64),
                (Function::ToDouble, Value::String(text)) => match text.parse::<f64>() {
                    Ok(number) => owned(number),
                    Err(_) => fail(format!("\"{}\" is not a number; test it with matches() before", shortened(text))),
                },
                (Function::ToString, Value::Bool(truth)) => owned(truth.to_string()),
                (Function::ToString, Value::Int(number)) => owned(number.to_string()),
                (Function::ToString, Value::Double(number)) => owned(number.to_string()),
                (Function::ToString, Value::Timestamp(moment)) => owned(moment::timestamp_text(*moment)),
                (Function::ToString, Value::Duration(nanoseconds)) => owned(moment::duration_text(*nanoseconds)),
                (Function::ToBool, Value::String(text)) => match text.as_str() {
                    "1" | "t" | "true" | "TRUE" | "True" => owned(true),
                    "0" | "f" | "false" | "FALSE" | "False" => owned(false),
                    _ => fail(format!("\"{}\" is neither \"true\" nor \"false\"", shortened(text))),
                },
                (Function::ToTimestamp, Value::String(text)) => match moment::parse_timestamp(text) {
                    Some(moment) => Ok(Cow::Owned(Value::Timestamp(moment))),
                    None => fail(format!("\"{}\" is not a moment; write it like 2026-11-27T14:30:00Z", shortened(text))),
                },
                (Function::ToTimestamp, Value::Int(seconds)) => {
                    match Timestamp::from_second(*seconds).ok().filter(|moment| moment::in_range(*moment)) {
                        Some(moment) => Ok(Cow::Owned(Value::Timestamp(moment))),
                        None => fail("leaves the years 1 to 9999; give seconds since 1970".to_owned()),
                    }
                }
                (Function::ToDuration, Value::String(text)) => match moment::parse_duration(text) {
                    Some(nanoseconds) => Ok(Cow::Owned(Value::Duration(nanoseconds))),
                    None => fail(format!("\"{}\" is not a duration; write it like 1h30m or 45s", shortened(text))),
                },
                (Function::Part(part), Value::Timestamp(moment)) => owned(moment::part_of_moment(part, *moment, &jiff::tz::TimeZone::UTC)),
                (Function::Part(part), Value::Duration(nanoseconds))
                    if function::fitting(called, &[check::Type::Duration]).next().is_some() =>
                {
                    owned(moment::part_of_duration(part, *nanoseconds))
                }
                _ => Err(misfit(&arguments)),
            },
            [first, second] => match (called, &**first, &**second) {
                (Function::Contains, Value::String(text), Value::String(part)) => {
                    self.spend(weight(text) + weight(part), at)?;
                    owned(text.contains(part.as_str()))
                }
                (Function::StartsWith, Value::String(text), Value::String(part)) => owned(text.starts_with(part.as_str())),
                (Function::EndsWith, Value::String(text), Value::String(part)) => owned(text.ends_with(part.as_str())),
                (Function::Matches, Value::String(text), Value::String(pattern)) => {
                    self.spend(pattern.len(), at)?;
                    let pattern = Pattern::parse(pattern).map_err(|problem| ExpressionError::new(at, problem))?;
                    owned(self.is_found(&pattern, text, at)?)
                }
                (Function::Part(part), Value::Timestamp(moment), Value::String(name)) => match moment::time_zone(name) {
                    Some(zone) => owned(moment::part_of_moment(part, *moment, &zone)),
                    None => fail(format!("there is no time zone \"{}\"; write it like Europe/Berlin or +01:00", shortened(name))),
                },
                _ => Err(misfit(&arguments)),
            },
            _ => Err(misfit(&arguments)),
        }
    }
}
