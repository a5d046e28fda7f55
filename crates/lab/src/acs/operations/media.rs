//! Media: play, recognize, cancel, keys, hold.

use super::{Operation, Refusal, with_context};
use crate::{
    acs::{body::Fields, identifier::Identifier},
    exchange::{
        effect::Source,
        operation::{Choice, Input, Kind, Recognition},
    },
    origin::message::Reply,
};
use serde_json::{Value, json};

/// Sources in one prompt.
const SOURCES_MAX: usize = 100;
const TONES: &[&str] =
    &["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "a", "b", "c", "d", "pound", "asterisk"];

fn source(value: &Value) -> Result<Source, Refusal> {
    let fields = Fields(value);
    let kind =
        fields.word_of("kind", &["file", "text", "ssml"])?.ok_or_else(|| Refusal::field("The kind field of a play source is required."))?;
    match kind.as_str() {
        "file" => {
            let uri = fields.part("file").address("uri")?;
            uri.map(Source::File).ok_or_else(|| Refusal::field("The uri field of a file source is required."))
        }
        "text" => {
            let text = fields.part("text");
            let voice = text.text("voiceName").and_then(|name| name.get(..5).map(str::to_owned));
            let language = text.text("sourceLocale").or(voice).unwrap_or_else(|| "en-US".to_owned());
            Ok(Source::Text { text: text.need("text")?, language })
        }
        _ => {
            let ssml = fields.part("ssml").need("ssmlText")?;
            let language = ssml.split("xml:lang=").nth(1).and_then(|rest| rest.get(1..6)).unwrap_or("en-US").to_owned();
            Ok(Source::Text { text: text_of(&ssml), language })
        }
    }
}

/// What is spoken of SSML.
fn text_of(ssml: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for letter in ssml.chars() {
        match letter {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                text.push(' ');
            }
            _ if !in_tag => text.push(letter),
            _ => {}
        }
    }
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn sources(values: &[Value]) -> Result<Vec<Source>, Refusal> {
    if values.len() > SOURCES_MAX {
        return Err(Refusal::field(format!("No more than {SOURCES_MAX} play sources are allowed.")));
    }
    values.iter().map(source).collect()
}

fn tone(value: &str) -> Result<String, Refusal> {
    let tone = value.to_ascii_lowercase();
    if TONES.contains(&tone.as_str()) { Ok(tone) } else { Err(Refusal::field(format!("`{value}` is not a tone."))) }
}

fn tones(fields: Fields<'_>, name: &str) -> Result<Vec<String>, Refusal> {
    fields.list(name).iter().map(|value| tone(value.as_str().unwrap_or_default())).collect()
}

pub(super) fn play(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let fields = operation.fields;
    let sources = sources(fields.list("playSources"))?;
    if sources.is_empty() {
        return Err(Refusal::field("The playSources field is required."));
    }
    let to: Vec<String> = fields.identifiers("playTo")?.iter().map(Identifier::raw_id).collect();
    let asked = operation.asked()?;
    let kind = Kind::Play { to, repeat: fields.part("playOptions").flag("loop") };
    operation.exchange.begin(id, kind, sources, fields.flag("interruptCallMediaOperation"), &asked)?;
    Ok(Reply::empty(202))
}

pub(super) fn recognize(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let fields = operation.fields;
    let input = fields.word_of("recognizeInputType", &["dtmf", "speech", "speechordtmf", "choices"])?;
    let input = match input.as_deref() {
        Some("dtmf") => Input::Dtmf,
        Some("speech") => Input::Speech,
        Some("speechordtmf") => Input::SpeechOrDtmf,
        Some(_) => Input::Choices,
        None => return Err(Refusal::field("The recognizeInputType field is required.")),
    };
    let options = fields.part("recognizeOptions");
    let target = options.need_identifier("targetParticipant")?;
    let keys = options.part("dtmfOptions");
    let choices: Vec<Choice> = options.list("choices").iter().map(|value| choice(Fields(value))).collect::<Result<_, _>>()?;
    if input == Input::Choices {
        if choices.is_empty() {
            return Err(Refusal::field("The choices field is required."));
        }
        let with_tone = choices.iter().filter(|choice| choice.tone.is_some()).count();
        if with_tone > 0 && with_tone < choices.len() {
            return Err(Refusal::field("Either all choices have a tone, or none."));
        }
    }
    let mut prompts = sources(fields.list("playPrompts"))?;
    if let Some(prompt) = fields.get("playPrompt").filter(|_| prompts.is_empty()) {
        prompts.push(source(prompt)?);
    }
    let seconds = |number: Option<u64>, otherwise: u64| number.unwrap_or(otherwise) * 1_000;
    let end_silence = options.part("speechOptions").number("endSilenceTimeoutInMs", 0, 60_000)?.unwrap_or(500);
    let tones_max = keys.number("maxTonesToCollect", 1, 1_000)?.map(|most| most as usize);
    let recognition = Recognition {
        input,
        target: target.raw_id(),
        interrupt_prompt: options.flag("interruptPrompt"),
        initial_silence_ms: seconds(options.number("initialSilenceTimeoutInSeconds", 0, 300)?, 5),
        inter_tone_ms: seconds(keys.number("interToneTimeoutInSeconds", 1, 60)?, 2),
        tones_max,
        stop_tones: tones(keys, "stopTones")?,
        choices,
        end_silence_ms: end_silence,
        has_speech: true,
        listening_since: None,
        tones: Vec::new(),
        last_tone: 0,
        said: None,
        speaks: false,
    };
    let asked = operation.asked()?;
    let has_speech = operation.exchange.with_connection(id, |_, call, index| Ok(call.connections[index].has_speech))?;
    let kind = Kind::Recognize(Box::new(Recognition { has_speech, ..recognition }));
    operation.exchange.begin(id, kind, prompts, fields.flag("interruptCallMediaOperation"), &asked)?;
    Ok(Reply::empty(202))
}

fn choice(fields: Fields<'_>) -> Result<Choice, Refusal> {
    let phrases: Vec<String> = fields.list("phrases").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if phrases.is_empty() {
        return Err(Refusal::field("The phrases field of a choice is required."));
    }
    let tone = fields.text("tone").map(|text| tone(&text)).transpose()?;
    Ok(Choice { label: fields.need("label")?, phrases, tone })
}

pub(super) fn cancel(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    operation.exchange.cancel_media(id)?;
    Ok(Reply::empty(202))
}

pub(super) fn listen(operation: Operation<'_>, id: &str, on: bool) -> Result<Reply, Refusal> {
    let target = operation.fields.need_identifier("targetParticipant")?;
    let asked = operation.asked()?;
    operation.exchange.listen_to_keys(id, &target, on, &asked)?;
    Ok(Reply::empty(200))
}

pub(super) fn send_keys(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let target = operation.fields.need_identifier("targetParticipant")?;
    let tones = tones(operation.fields, "tones")?;
    if tones.is_empty() {
        return Err(Refusal::field("The tones field is required."));
    }
    let asked = operation.asked()?;
    operation.exchange.send_keys(id, &tones, &target, &asked)?;
    Ok(with_context(202, json!({}), &asked))
}

pub(super) fn hold(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let target = operation.fields.need_identifier("targetParticipant")?;
    operation.asked()?;
    let music = operation.fields.get("playSourceInfo").map(source).transpose()?;
    operation.exchange.hold(id, &target, music)?;
    Ok(Reply::empty(200))
}

pub(super) fn unhold(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let target = operation.fields.need_identifier("targetParticipant")?;
    operation.asked()?;
    operation.exchange.unhold(id, &target)?;
    Ok(Reply::empty(200))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_of_ssml_are_spoken() {
        let ssml = r#"<speak version="1.0" xml:lang="de-DE"><voice name="x">Guten <break time="1s"/>Tag &amp; willkommen</voice></speak>"#;
        assert_eq!(text_of(ssml), "Guten Tag & willkommen");
        let found = source(&json!({ "kind": "ssml", "ssml": { "ssmlText": ssml } })).unwrap();
        assert_eq!(found, Source::Text { text: "Guten Tag & willkommen".to_owned(), language: "de-DE".to_owned() });
    }

    #[test]
    fn a_source_says_what_it_lacks() {
        for (value, why) in [
            (json!({}), "kind"),
            (json!({ "kind": "video" }), "kind"),
            (json!({ "kind": "file" }), "uri"),
            (json!({ "kind": "text", "text": {} }), "text"),
        ] {
            assert!(source(&value).unwrap_err().message.contains(why), "{value}");
        }
    }
}
