//! What the core says in words: places in a line and waits, in the customer's language.
//!
//! English and German; any other language hears English. Waits are told in minutes, because nobody believes seconds.

use crate::{output::Prompt, queue::Estimate, time::Millis};

const MINUTE_MS: u64 = 60_000;

/// Languages with phrases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tongue {
    English,
    German,
}

impl Tongue {
    fn of(language: &str) -> Tongue {
        if language.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case("de")) { Tongue::German } else { Tongue::English }
    }

    fn tag(self) -> &'static str {
        match self {
            Tongue::English => "en",
            Tongue::German => "de",
        }
    }
}

/// Asks which number is to be called back; the own one can be confirmed where there is one.
pub(crate) fn ask_for_number(language: &str, own: bool) -> Prompt {
    let tongue = Tongue::of(language);
    let text = match (tongue, own) {
        (Tongue::English, true) => {
            "We call you back at the number you are calling from. To confirm, press the pound key. For another number, type it and then press the pound key."
        }
        (Tongue::English, false) => "To be called back, type your telephone number and then press the pound key.",
        (Tongue::German, true) => {
            "Wir rufen Sie unter der Nummer zurück, von der Sie anrufen. Bestätigen Sie mit der Rautetaste, oder geben Sie eine andere Nummer ein und danach die Rautetaste."
        }
        (Tongue::German, false) => "Für einen Rückruf geben Sie bitte Ihre Telefonnummer ein und danach die Rautetaste.",
    };
    Prompt::Text { text: text.to_owned(), language: tongue.tag().to_owned() }
}

/// Says that the customer is going to be called back.
pub(crate) fn callback_promised(language: &str) -> Prompt {
    let tongue = Tongue::of(language);
    let text = match tongue {
        Tongue::English => "Thank you. You keep your place in line, and we call you back.",
        Tongue::German => "Vielen Dank. Sie behalten Ihren Platz in der Warteschlange, und wir rufen Sie zurück.",
    };
    Prompt::Text { text: text.to_owned(), language: tongue.tag().to_owned() }
}

/// Asks for a message after the tone.
pub(crate) fn leave_a_message(language: &str) -> Prompt {
    let tongue = Tongue::of(language);
    let text = match tongue {
        Tongue::English => "Please leave a message after the tone. Press the pound key when you are done.",
        Tongue::German => "Bitte hinterlassen Sie nach dem Ton eine Nachricht. Beenden Sie sie mit der Rautetaste.",
    };
    Prompt::Text { text: text.to_owned(), language: tongue.tag().to_owned() }
}

/// Says the place (1 is next) and the estimated wait, as far as each is given; `None` when neither is.
pub(crate) fn waiting(language: &str, position: Option<usize>, estimate: Option<Estimate>) -> Option<Prompt> {
    let tongue = Tongue::of(language);
    let parts: Vec<String> =
        position.map(|position| place(tongue, position)).into_iter().chain(estimate.map(|estimate| wait(tongue, estimate))).collect();
    (!parts.is_empty()).then(|| Prompt::Text { text: parts.join(" "), language: tongue.tag().to_owned() })
}

fn place(tongue: Tongue, position: usize) -> String {
    match (tongue, position) {
        (Tongue::English, 1) => "You are next.".to_owned(),
        (Tongue::English, _) => format!("You are number {position} in line."),
        (Tongue::German, 1) => "Sie sind als Nächstes an der Reihe.".to_owned(),
        (Tongue::German, _) => format!("Sie sind Nummer {position} in der Warteschlange."),
    }
}

fn wait(tongue: Tongue, estimate: Estimate) -> String {
    // Rounded outwards, so that the range said holds what the range computed does.
    let (low, high) = (estimate.low.0 / MINUTE_MS, minutes_up(estimate.high));
    match (tongue, low, high) {
        (Tongue::English, _, 0 | 1) => "The wait is likely to be less than a minute.".to_owned(),
        (Tongue::English, 0, high) => format!("The wait is likely to be less than {high} minutes."),
        (Tongue::English, low, high) => format!("The wait is likely to be between {low} and {high} minutes."),
        (Tongue::German, _, 0 | 1) => "Die Wartezeit beträgt voraussichtlich weniger als eine Minute.".to_owned(),
        (Tongue::German, 0, high) => format!("Die Wartezeit beträgt voraussichtlich weniger als {high} Minuten."),
        (Tongue::German, low, high) => format!("Die Wartezeit beträgt voraussichtlich zwischen {low} und {high} Minuten."),
    }
}

fn minutes_up(span: Millis) -> u64 {
    span.0.div_ceil(MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(language: &str, position: Option<usize>, minutes: Option<(u64, u64)>) -> String {
        let span = |minutes: u64| Millis(minutes * MINUTE_MS);
        let estimate = minutes.map(|(low, high)| Estimate { low: span(low), likely: span(low), high: span(high) });
        match waiting(language, position, estimate) {
            Some(Prompt::Text { text, .. }) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn place_and_wait_are_told_in_the_customers_language() {
        assert_eq!(said("en-GB", Some(3), Some((4, 6))), "You are number 3 in line. The wait is likely to be between 4 and 6 minutes.");
        assert_eq!(
            said("de", Some(1), Some((0, 1))),
            "Sie sind als Nächstes an der Reihe. Die Wartezeit beträgt voraussichtlich weniger als eine Minute."
        );
        assert_eq!(said("pl", None, Some((0, 5))), "The wait is likely to be less than 5 minutes.");
        assert_eq!(said("en", None, None), "None");
    }
}
