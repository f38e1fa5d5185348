//! `OTEL_…` goes in; where spans go comes out, or the name that is wrong.

use super::*;

const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const WHOLE: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

fn traces(sources: &Sources) -> Option<TraceOptions> {
    Config::load(sources).unwrap().traces
}

#[test]
fn traces_are_off_until_an_address_is_named() {
    assert_eq!(traces(&required()), None);
    // Whoever sets these for other programs does not turn ours on.
    let others = required()
        .set("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .set("OTEL_TRACES_SAMPLER", "always_on")
        .set("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://localhost:4318/v1/metrics");
    assert_eq!(traces(&others), None);
    assert_eq!(
        traces(&required().set(BASE, "http://c:4318").set("OTEL_SDK_DISABLED", "true")),
        None
    );
}

#[test]
fn an_address_is_the_collector_s_or_the_whole() {
    for (name, set, endpoint) in [
        (BASE, "http://localhost:4318", "http://localhost:4318/v1/traces"),
        (BASE, "http://localhost:4318/", "http://localhost:4318/v1/traces"),
        (BASE, "https://otel.example.org/in", "https://otel.example.org/in/v1/traces"),
        (WHOLE, "http://localhost:4318/take/", "http://localhost:4318/take/"),
    ] {
        let options = traces(&required().set(name, set)).unwrap();
        assert_eq!(options.endpoint, endpoint);
        assert_eq!((options.timeout, options.gzip), (Duration::from_secs(10), false));
        assert_eq!(options.service, "stillcast-worker");
    }
    let both = required().set(BASE, "http://a").set(WHOLE, "http://b/x");
    assert_eq!(traces(&both).unwrap().endpoint, "http://b/x");
}

#[test]
fn headers_are_pairs_and_secret() {
    let sources =
        required().set(BASE, "http://c").set(HEADERS, "authorization=Bearer%20canary, x-team=a");
    let config = Config::load(&sources).unwrap();
    let pairs = [("authorization", "Bearer canary"), ("x-team", "a")];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(config.traces.as_ref().unwrap().headers, pairs);
    let shown = format!("{} {config:?}", config.settled.to_toml());
    assert!(!shown.contains(CANARY), "{shown}");
    for wrong in ["canary", "=canary", "a b=canary", "a=can%0aary", "a=canary%2"] {
        let said = faults(&required().set(HEADERS, wrong));
        assert!(
            said.len() == 1 && said[0].starts_with("OTEL_EXPORTER_OTLP_HEADERS: is "),
            "{said:?}"
        );
        assert!(!said[0].contains(CANARY), "{said:?}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (name, value, begins) in [
        (BASE, "localhost:4318", "is an address such as http://localhost:4318"),
        (BASE, "http://", "is an address"),
        (WHOLE, "grpc://localhost:4317", "is an address"),
        (WHOLE, "http://user:canary@c/v1/traces", "holds no user or password"),
        (BASE, "http://can ary", "no client can be made for it"),
        (WHOLE, "http://[::1/v1/traces", "no client can be made for it"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "is http/protobuf"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "is gzip or none"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "is a whole number"),
        ("OTEL_SDK_DISABLED", "perhaps", "is true or false"),
    ] {
        let sources = required().set(BASE, "http://c:4318").set(name, value);
        let said = faults(&sources);
        assert!(said.len() == 1 && said[0].starts_with(&format!("{name}: {begins}")), "{said:?}");
        assert!(!said[0].contains(CANARY), "{said:?}");
    }
}
