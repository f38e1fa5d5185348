//! `TENANT_BUDGETS` goes in; what tenants may spend in a day comes out.

use std::collections::BTreeMap;
use std::ops::Deref;

use settings::Reader;
use stillcast_enqueue::Identifier;

use super::{PainterConfig, ProviderConfig, SpeakerConfig, WriterConfig};

const SETTING: &str = "tenant_budgets";
const WORDS: &str = "is a list such as acme:25, *:5: tenants by name, each once and at most 199 of them, or * \
    for all that have none of their own, and US dollars a day";
const UNPRICED: &str =
    "TENANT_BUDGETS counts by it what is bought; what costs nothing has a price such as 0.000001";
/// A tenant that stands for all others.
const ANYBODY: &str = "*";
const MAX_DOLLARS: f64 = 1e6;
/// As many as one call of the queue takes.
const MOST: usize = 200;

/// US dollars a day by tenant; `*` for all others, who without it spend what they like.
#[derive(Clone, Debug, Default)]
pub(crate) struct TenantLimits(BTreeMap<String, f64>);

impl TenantLimits {
    /// US dollars that `tenant` may spend in a day; `None` for any amount.
    pub(crate) fn of(&self, tenant: &str) -> Option<f64> {
        self.0.get(tenant).or_else(|| self.0.get(ANYBODY)).copied()
    }
}

impl Deref for TenantLimits {
    type Target = BTreeMap<String, f64>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Reads the section. What is bought without a price would count for nothing, and is refused.
pub(super) fn read(reader: &mut Reader, providers: Option<&ProviderConfig>) -> TenantLimits {
    let limits = reader.optional(SETTING, limits).unwrap_or_default();
    let Some(providers) = providers.filter(|_| !limits.is_empty()) else { return limits };
    for setting in unpriced(providers) {
        reader.missing(setting, UNPRICED);
    }
    limits
}

fn limits(text: &str) -> Result<TenantLimits, String> {
    let mut limits = BTreeMap::new();
    for entry in text.split(',').filter(|entry| !entry.trim().is_empty()) {
        let (tenant, usd) = limit(entry.trim()).ok_or(WORDS)?;
        if limits.insert(tenant, usd).is_some() {
            return Err(WORDS.to_owned());
        }
    }
    if limits.len() > MOST { Err(WORDS.to_owned()) } else { Ok(TenantLimits(limits)) }
}

/// One entry, such as `acme:25`.
fn limit(entry: &str) -> Option<(String, f64)> {
    let (tenant, usd) = entry.split_once(':')?;
    let tenant = tenant.trim();
    let is_tenant = tenant == ANYBODY || Identifier::parse("tenant", tenant).is_ok();
    let usd = usd.trim().parse().ok().filter(|usd| (0.0..=MAX_DOLLARS).contains(usd))?;
    is_tenant.then(|| (tenant.to_owned(), usd))
}

/// The prices that nobody has set of what is bought.
pub(crate) fn unpriced(providers: &ProviderConfig) -> Vec<&'static str> {
    let mut unpriced = Vec::new();
    if let WriterConfig::OpenAi { words, .. } = &providers.writer {
        let (input, output) = words.prices;
        unpriced.extend((input <= 0.0).then_some("llm_price_input"));
        unpriced.extend((output <= 0.0).then_some("llm_price_output"));
    }
    if let SpeakerConfig::OpenAi { price, .. } = &providers.speaker {
        unpriced.extend((*price <= 0.0).then_some("tts_price"));
    }
    if let PainterConfig::OpenAi { price, .. } = &providers.painter {
        unpriced.extend((*price <= 0.0).then_some("image_price"));
    }
    unpriced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_its_own_budget_or_everybody_s() {
        let some = limits("acme:25, *:5,").unwrap();
        assert_eq!((some.of("acme"), some.of("ben")), (Some(25.0), Some(5.0)));
        let none_else = limits("acme : 0").unwrap();
        assert_eq!((none_else.of("acme"), none_else.of("ben")), (Some(0.0), None));
    }

    #[test]
    fn what_is_no_budget_is_refused_with_a_sentence() {
        let many: Vec<String> = (0..=MOST).map(|n| format!("t{n}:1")).collect();
        let many = many.join(",");
        for text in
            ["acme", "acme:", "acme:free", "acme:-1", "acme:nan", "ac me:1", "a:1,a:2", &many]
        {
            let said = limits(text).expect_err(text);
            assert!(said.contains("acme:25, *:5"), "{text}: {said}");
        }
    }
}
