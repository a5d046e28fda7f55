//! The functions there are, and what they take.

use super::check::Type;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    LowerAscii,
    UpperAscii,
    ToInt,
    ToDouble,
    ToString,
    ToBool,
    ToTimestamp,
    ToDuration,
    Part(Part),
}

/// What a moment or a duration is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    FullYear,
    /// From 0.
    Month,
    /// Day of the month from 1.
    Date,
    /// Day of the month from 0.
    DayOfMonth,
    /// From 0, which is Sunday.
    DayOfWeek,
    /// From 0.
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// One way to call a function.
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) function: Function,
    /// Whether the first parameter stands before a dot.
    pub(super) method: bool,
    pub(super) parameters: &'static [Type],
    pub(super) result: Type,
}

const fn global(name: &'static str, function: Function, parameters: &'static [Type], result: Type) -> Signature {
    Signature { name, function, method: false, parameters, result }
}

const fn method(name: &'static str, function: Function, parameters: &'static [Type], result: Type) -> Signature {
    Signature { name, function, method: true, parameters, result }
}

const fn part(name: &'static str, part: Part, parameters: &'static [Type]) -> Signature {
    method(name, Function::Part(part), parameters, Type::Int)
}

const TEXT: &[Type] = &[Type::String];
const TWO_TEXTS: &[Type] = &[Type::String, Type::String];
const MOMENT: &[Type] = &[Type::Timestamp];
const ZONED: &[Type] = &[Type::Timestamp, Type::String];
const SPAN: &[Type] = &[Type::Duration];

pub(super) const SIGNATURES: &[Signature] = &[
    global("size", Function::Size, TEXT, Type::Int),
    global("size", Function::Size, &[Type::List], Type::Int),
    global("size", Function::Size, &[Type::Map], Type::Int),
    method("size", Function::Size, TEXT, Type::Int),
    method("size", Function::Size, &[Type::List], Type::Int),
    method("size", Function::Size, &[Type::Map], Type::Int),
    method("contains", Function::Contains, TWO_TEXTS, Type::Bool),
    method("startsWith", Function::StartsWith, TWO_TEXTS, Type::Bool),
    method("endsWith", Function::EndsWith, TWO_TEXTS, Type::Bool),
    method("matches", Function::Matches, TWO_TEXTS, Type::Bool),
    global("matches", Function::Matches, TWO_TEXTS, Type::Bool),
    method("lowerAscii", Function::LowerAscii, TEXT, Type::String),
    method("upperAscii", Function::UpperAscii, TEXT, Type::String),
    global("int", Function::ToInt, &[Type::Int], Type::Int),
    global("int", Function::ToInt, &[Type::Double], Type::Int),
    global("int", Function::ToInt, TEXT, Type::Int),
    global("int", Function::ToInt, MOMENT, Type::Int),
    global("double", Function::ToDouble, &[Type::Double], Type::Double),
    global("double", Function::ToDouble, &[Type::Int], Type::Double),
    global("double", Function::ToDouble, TEXT, Type::Double),
    global("string", Function::ToString, TEXT, Type::String),
    global("string", Function::ToString, &[Type::Bool], Type::String),
    global("string", Function::ToString, &[Type::Int], Type::String),
    global("string", Function::ToString, &[Type::Double], Type::String),
    global("string", Function::ToString, MOMENT, Type::String),
    global("string", Function::ToString, SPAN, Type::String),
    global("bool", Function::ToBool, &[Type::Bool], Type::Bool),
    global("bool", Function::ToBool, TEXT, Type::Bool),
    global("timestamp", Function::ToTimestamp, MOMENT, Type::Timestamp),
    global("timestamp", Function::ToTimestamp, TEXT, Type::Timestamp),
    global("timestamp", Function::ToTimestamp, &[Type::Int], Type::Timestamp),
    global("duration", Function::ToDuration, SPAN, Type::Duration),
    global("duration", Function::ToDuration, TEXT, Type::Duration),
    part("getFullYear", Part::FullYear, MOMENT),
    part("getFullYear", Part::FullYear, ZONED),
    part("getMonth", Part::Month, MOMENT),
    part("getMonth", Part::Month, ZONED),
    part("getDate", Part::Date, MOMENT),
    part("getDate", Part::Date, ZONED),
    part("getDayOfMonth", Part::DayOfMonth, MOMENT),
    part("getDayOfMonth", Part::DayOfMonth, ZONED),
    part("getDayOfWeek", Part::DayOfWeek, MOMENT),
    part("getDayOfWeek", Part::DayOfWeek, ZONED),
    part("getDayOfYear", Part::DayOfYear, MOMENT),
    part("getDayOfYear", Part::DayOfYear, ZONED),
    part("getHours", Part::Hours, MOMENT),
    part("getHours", Part::Hours, ZONED),
    part("getHours", Part::Hours, SPAN),
    part("getMinutes", Part::Minutes, MOMENT),
    part("getMinutes", Part::Minutes, ZONED),
    part("getMinutes", Part::Minutes, SPAN),
    part("getSeconds", Part::Seconds, MOMENT),
    part("getSeconds", Part::Seconds, ZONED),
    part("getSeconds", Part::Seconds, SPAN),
    part("getMilliseconds", Part::Milliseconds, MOMENT),
    part("getMilliseconds", Part::Milliseconds, ZONED),
    part("getMilliseconds", Part::Milliseconds, SPAN),
];

/// The function of that name, when it is called that way with that many parameters; what is wrong otherwise.
pub(super) fn find(name: &str, method: bool, parameters: usize) -> Result<Function, String> {
    let named = || SIGNATURES.iter().filter(|signature| signature.name == name);
    let Some(any) = named().next() else {
        let known = SIGNATURES.iter().find(|signature| signature.name.eq_ignore_ascii_case(name));
        return Err(match known {
            Some(signature) => format!("there is no function {name}; did you mean {}?", signature.name),
            None if matches!(name, "all" | "exists" | "exists_one" | "map" | "filter") => {
                format!("{name} is not supported, because it runs over lists; test with \"in\"")
            }
            None => format!("there is no function {name}"),
        });
    };
    let same_way: Vec<&Signature> = named().filter(|signature| signature.method == method).collect();
    match same_way.iter().find(|signature| signature.parameters.len() == parameters) {
        Some(signature) => Ok(signature.function),
        None if same_way.is_empty() && method => Err(format!("{name} is not called on a value; write {name}(…)")),
        None if same_way.is_empty() => Err(format!("{name} is called on a value; write value.{name}(…)")),
        None => {
            let wanted = any.parameters.len() - usize::from(method);
            Err(format!("{name} takes {wanted} argument{}", if wanted == 1 { "" } else { "s" }))
        }
    }
}

/// The ways to call a function with values of these types, as far as they are known.
pub(super) fn fitting(function: Function, given: &[Type]) -> impl Iterator<Item = &'static Signature> {
    SIGNATURES.iter().filter(move |signature| {
        signature.function == function
            && signature.parameters.len() == given.len()
            && signature.parameters.iter().zip(given).all(|(wanted, given)| wanted == given || *given == Type::Any)
    })
}

/// What to say when nothing fits.
pub(super) fn misfit(function: Function, given: &[Type]) -> String {
    let name = SIGNATURES.iter().find(|signature| signature.function == function).map_or("the function", |signature| signature.name);
    let given: Vec<&str> = given.iter().map(|kind| kind.article()).collect();
    format!("{name} does not take {}", given.join(" with "))
}
