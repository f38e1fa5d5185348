//! `LEXICON_FILE` and `TTS_IPA` go in; how words are said comes out.

use std::collections::BTreeMap;

use pipeline::{IpaForm, Pronunciation};
use settings::Reader;
use stillcast_enqueue::{Identifier, Lexicon};

/// The table of all tenants.
const ALL_TENANTS: &str = "*";
/// A larger file is another one by mistake.
const MAX_BYTES: u64 = 4 << 20;

/// Reads the section.
pub(super) fn read(reader: &mut Reader) -> Option<Pronunciation> {
    let lexicons = reader.read("lexicon_file", |path| match path {
        "" => Ok(BTreeMap::new()),
        path => lexicons(path),
    });
    let ipa = reader.read("tts_ipa", |form| match form {
        "" => Ok(None),
        form => IpaForm::parse(form).map(Some),
    });
    let (lexicons, ipa) = (lexicons?, ipa?);
    if ipa.is_none() && lexicons.values().any(Lexicon::has_ipa) {
        reader.missing("tts_ipa", "LEXICON_FILE tells words by IPA, which the voice must know");
        return None;
    }
    Some(Pronunciation { lexicons, ipa })
}

/// A table a tenant. Words are never repeated: they may be private.
fn lexicons(path: &str) -> Result<BTreeMap<String, Lexicon>, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("cannot be read: {error}");
    let length = std::fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if length > MAX_BYTES {
        return Err(format!("is longer than {} MiB", MAX_BYTES >> 20));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let tables: BTreeMap<String, Lexicon> = toml::from_str(&text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let line = line.map_or_else(String::new, |line| format!(" at line {line}"));
        format!("is no TOML of a table a tenant, with words and what is said instead{line}")
    })?;
    for (tenant, lexicon) in &tables {
        if tenant != ALL_TENANTS {
            Identifier::parse("tenant", tenant).map_err(|fault| fault.to_string())?;
        }
        lexicon.check(tenant).map_err(|fault| fault.to_string())?;
    }
    Ok(tables)
}
