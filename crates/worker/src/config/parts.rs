//! Settings go in; those that name a part which this build leaves out come out as faults.
//!
//! The parts are this crate's features. What is shipped has all of them; `deploy/demo` builds none.

use settings::Reader;

/// Each part, and whether this build has it.
const PARTS: [(&str, bool); 7] = [
    ("c2pa", cfg!(feature = "c2pa")),
    ("openai", cfg!(feature = "openai")),
    ("otlp", cfg!(feature = "otlp")),
    ("postgres", cfg!(feature = "postgres")),
    ("s3", cfg!(feature = "s3")),
    ("tls", cfg!(feature = "tls")),
    ("webhook", cfg!(feature = "webhook")),
];

/// A setting, the part that it may name, and how one sees that it does.
type Naming = (&'static str, &'static str, fn(&str) -> bool);

const NAMINGS: [Naming; 14] = [
    ("c2pa_certificate_file", "c2pa", is_set),
    ("c2pa_key", "c2pa", is_set),
    ("llm_provider", "openai", is_openai),
    ("tts_provider", "openai", is_openai),
    ("image_provider", "openai", is_openai),
    ("moderation_base_url", "openai", is_set),
    ("otel_exporter_otlp_endpoint", "otlp", is_set),
    ("otel_exporter_otlp_traces_endpoint", "otlp", is_set),
    ("database_url", "postgres", is_set),
    ("storage_url", "s3", |url| url.starts_with("s3://")),
    ("redis_url", "tls", is_tls),
    ("redis_ca_file", "tls", is_set),
    ("cache_redis_url", "tls", is_tls),
    ("webhook_secrets", "webhook", is_set),
];

/// The parts that this build leaves out.
pub(super) fn left_out() -> Vec<&'static str> {
    let lacks = |(part, is_there): (&'static str, bool)| (!is_there).then_some(part);
    PARTS.into_iter().filter_map(lacks).collect()
}

/// Keeps a fault for each setting that names a part of `left_out`.
pub(super) fn judge(reader: &mut Reader, left_out: &[&str]) {
    for (name, part, names_it) in NAMINGS.into_iter().filter(|(_, part, _)| left_out.contains(part))
    {
        reader
            .read(name, |text| if names_it(text) { Err(settings::left_out(part)) } else { Ok(()) });
    }
}

fn is_openai(provider: &str) -> bool {
    provider == "openai"
}

fn is_set(text: &str) -> bool {
    !text.is_empty()
}

fn is_tls(url: &str) -> bool {
    url.starts_with("rediss://")
}
