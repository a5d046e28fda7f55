//! From file and environment to [`Config`].

use super::{Config, check};
use crate::error::Code;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Environment variables with this beginning are ours.
const PREFIX: &str = "DREIKLANG_";
/// Variables with our beginning that are not configuration (the command line and the start script use them).
const NOT_CONFIGURATION: &[&str] =
    &["DREIKLANG_CONFIG", "DREIKLANG_ADMIN_PASSWORD", "DREIKLANG_SERVER", "DREIKLANG_TOKEN", "DREIKLANG_USER", "DREIKLANG_PASSWORD"];
/// Larger files are not configuration.
const FILE_BYTES: u64 = 1024 * 1024;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {} cannot be read; check the name and its permissions, or leave --config out for the built-in values", Code::ConfigUnreadable.as_str(), .file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML, or a key or value is wrong.
    #[error("{}: {file}, line {line}: {problem}", Code::ConfigInvalid.as_str())]
    Invalid {
        /// Which.
        file: String,
        /// Line number from 1.
        line: usize,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// An environment variable is wrong.
    #[error("{}: environment variable {variable}: {problem}", Code::ConfigEnvironment.as_str())]
    Environment {
        /// Which.
        variable: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// Values contradict each other or the machine.
    #[error("{}: {key}: {problem}; {remedy}", Code::ConfigInvalid.as_str())]
    Contradiction {
        /// The key to change.
        key: String,
        /// What is wrong.
        problem: String,
        /// What would help.
        remedy: String,
    },
}

pub(super) fn load(path: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    let Some(path) = path else { return from_parts("built-in values", "", environment) };
    let unreadable = |source| ConfigError::Unreadable { file: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > FILE_BYTES {
        return Err(unreadable(std::io::Error::other(format!("{size} bytes are more than a configuration has"))));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    from_parts(&path.display().to_string(), &text, environment)
}

pub(super) fn from_parts(file: &str, text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    let invalid = |error: toml::de::Error| ConfigError::Invalid {
        file: file.to_owned(),
        line: error.span().map_or(1, |span| line_of(text, span.start)),
        problem: error.message().to_owned(),
    };
    // Read the file alone first: only this reading knows lines.
    toml::from_str::<Config>(text).map_err(invalid)?;
    let mut table = toml::from_str::<Table>(text).map_err(invalid)?;
    let known = defaults();
    let mut variables: Vec<_> =
        environment.into_iter().filter(|(name, _)| name.starts_with(PREFIX) && !NOT_CONFIGURATION.contains(&name.as_str())).collect();
    variables.sort();
    for (variable, value) in variables {
        overlay(&mut table, &known, &variable, &value)?;
    }
    let config = Value::Table(table).try_into::<Config>().map_err(|error| ConfigError::Invalid {
        file: file.to_owned(),
        line: 1,
        problem: error.message().to_owned(),
    })?;
    check::check(&config)?;
    Ok(config)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
}

/// Every section with its keys. Optional keys have no value to show in a default, so they are named here; a test compares this
/// list with what the reader accepts.
const OPTIONAL: &[(&str, &str)] = &[
    ("http", "admin_listen"),
    ("http", "public_url"),
    ("connected", "advertised_host"),
    ("connected", "tls_certificate"),
    ("connected", "tls_key"),
    ("connected", "tls_authorities"),
    ("media", "bind"),
    ("media", "advertised"),
];

fn defaults() -> Table {
    Table::try_from(Config::default()).unwrap_or_default()
}

/// Puts one variable into the table, in the type the key has.
fn overlay(table: &mut Table, known: &Table, variable: &str, text: &str) -> Result<(), ConfigError> {
    let wrong = |problem: String| ConfigError::Environment { variable: variable.to_owned(), problem };
    let path = variable[PREFIX.len()..].to_ascii_lowercase();
    let (section, key) = match path.split_once("__") {
        Some((section, key)) => (Some(section), key),
        None => (None, path.as_str()),
    };
    let sample = match section {
        Some(section) => known.get(section).and_then(Value::as_table).and_then(|keys| keys.get(key)),
        None => known.get(key).filter(|value| !value.is_table()),
    };
    let optional = section.is_some_and(|section| OPTIONAL.contains(&(section, key)));
    let value = match sample {
        Some(Value::Boolean(_)) => Value::Boolean(text.parse().map_err(|_| wrong(format!("{text:?} is neither true nor false")))?),
        Some(Value::Integer(_)) => Value::Integer(text.parse().map_err(|_| wrong(format!("{text:?} is not a number")))?),
        Some(Value::Array(_)) => Value::Array(
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(|item| Value::String(item.to_owned())).collect(),
        ),
        Some(_) => Value::String(text.to_owned()),
        None if optional => Value::String(text.to_owned()),
        None => {
            return Err(wrong(format!(
                "there is no key {}; write DREIKLANG_SECTION__KEY, such as DREIKLANG_HTTP__LISTEN",
                path.replace("__", ".")
            )));
        }
    };
    let place = match section {
        Some(section) => {
            let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            entry.as_table_mut().ok_or_else(|| wrong(format!("{section} is not a section in the file")))?
        }
        None => table,
    };
    // An empty text takes an optional key away, so that a variable can undo what a file says.
    if optional && text.is_empty() {
        place.remove(key);
    } else {
        place.insert(key.to_owned(), value);
    }
    // Read right away, so that the message can name the variable.
    Value::Table(table_of(section, place)).try_into::<Config>().map_err(|error| wrong(error.message().to_owned()))?;
    Ok(())
}

fn table_of(section: Option<&str>, place: &Table) -> Table {
    match section {
        Some(section) => Table::from_iter([(section.to_owned(), Value::Table(place.clone()))]),
        None => place.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        from_parts("dreiklang.toml", text, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn an_empty_file_gives_the_built_in_values() {
        assert_eq!(read("", &[]).unwrap(), Config::default());
    }

    #[test]
    fn what_is_printed_reads_back_the_same() {
        let config =
            read("[http]\nlisten = \"0.0.0.0:80\"\npublic_url = \"https://calls.example.com\"\n[log]\nformat = \"json\"", &[]).unwrap();
        assert_eq!(read(&config.print(), &[]).unwrap(), config);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = read("data_directory = \"d\"\n\n[http]\nlissen = \"127.0.0.1:1\"\n", &[]).unwrap_err().to_string();
        assert!(error.contains("CONF-002") && error.contains("dreiklang.toml, line 4") && error.contains("lissen"), "{error}");
        assert!(error.contains("listen"), "names what would be right: {error}");
    }

    #[test]
    fn a_wrong_value_is_named_with_its_line() {
        let error = read("[http]\nlisten = \"somewhere\"\n", &[]).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let config = read(
            "[http]\nlisten = \"127.0.0.1:1\"\n",
            &[
                ("DREIKLANG_HTTP__LISTEN", "127.0.0.1:2"),
                ("DREIKLANG_DATA_DIRECTORY", "/srv/calls"),
                ("DREIKLANG_MEDIA__PORT_FIRST", "30000"),
                ("DREIKLANG_LOG__PII", "true"),
                ("DREIKLANG_HTTP__TRUSTED_PROXIES", "192.0.2.1, 192.0.2.2"),
                ("DREIKLANG_CONFIG", "elsewhere.toml"),
                ("PATH", "/bin"),
            ],
        )
        .unwrap();
        assert_eq!(config.http.listen.port(), 2);
        assert_eq!(config.data_directory, PathBuf::from("/srv/calls"));
        assert_eq!(config.media.port_first, 30_000);
        assert!(config.log.pii);
        assert_eq!(config.http.trusted_proxies.len(), 2);
    }

    #[test]
    fn a_wrong_environment_variable_is_named() {
        let error = read("", &[("DREIKLANG_HTTP__LISTEN", "x")]).unwrap_err().to_string();
        assert!(error.contains("CONF-003") && error.contains("DREIKLANG_HTTP__LISTEN"), "{error}");
        let error = read("", &[("DREIKLANG_HTP__LISTEN", "127.0.0.1:1")]).unwrap_err().to_string();
        assert!(error.contains("DREIKLANG_HTP__LISTEN") && error.contains("htp.listen"), "{error}");
        let error = read("", &[("DREIKLANG_MEDIA__PORT_LAST", "many")]).unwrap_err().to_string();
        assert!(error.contains("DREIKLANG_MEDIA__PORT_LAST"), "{error}");
    }

    #[test]
    fn a_listening_address_can_be_turned_off() {
        let config = read("[connected]\nudp = \"off\"\n", &[("DREIKLANG_CONNECTED__TCP", "0.0.0.0:5070")]).unwrap();
        assert_eq!(config.connected.udp, None);
        assert_eq!(config.connected.tcp, Some(([0, 0, 0, 0], 5070).into()));
        let error = read("[connected]\ntcp = \"no\"\n", &[]).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("off"), "{error}");
    }

    #[test]
    fn contradictions_are_named_with_their_remedy() {
        for (text, key) in [
            ("[media]\nport_first = 20001", "media.port_first"),
            ("[media]\nport_last = 100", "media.port_last"),
            ("[connected]\ntls = \"127.0.0.1:5061\"", "connected.tls"),
            ("[connected]\ntls_key = \"/nowhere/key.pem\"", "connected.tls_key"),
            ("[http]\npublic_url = \"calls.example.com\"", "http.public_url"),
            ("[http]\npublic_url = \"https://calls.example.com/x\"", "http.public_url"),
            ("[http]\nadmin_listen = \"127.0.0.1:8080\"", "http.admin_listen"),
            ("[log]\nfilter = \"a=b=c\"", "log.filter"),
        ] {
            let error = read(text, &[]).unwrap_err();
            assert!(matches!(&error, ConfigError::Contradiction { key: found, .. } if found == key), "{text}: {error}");
        }
    }

    #[test]
    fn every_optional_key_can_be_set_from_outside() {
        for (section, key) in OPTIONAL {
            let variable = format!("{PREFIX}{}__{}", section.to_uppercase(), key.to_uppercase());
            for sample in ["127.0.0.1:9", "127.0.0.1", "https://x"] {
                if let Err(error) = read("", &[(&variable, sample)]) {
                    assert!(!error.to_string().contains("there is no key"), "{variable}: {error}");
                    assert!(!error.to_string().contains("unknown field"), "{variable}: {error}");
                }
            }
        }
    }
}
