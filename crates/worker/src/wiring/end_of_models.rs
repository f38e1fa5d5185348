//! The accounts of a configuration go in; whoever asks when their models are shut down comes out.

use std::sync::Arc;

use async_trait::async_trait;
use stillcast_enqueue::capability::Capability;

use super::vendor::Vendor;
use crate::config::{AccountConfig, PainterConfig, ProviderConfig, SpeakerConfig, WriterConfig};
use crate::shutdown_dates::{BoughtModel, Catalogue};

/// A model that is bought, and who sells it.
struct Sold {
    capability: Capability,
    account: AccountConfig,
    vendor: Arc<Vendor>,
}

#[async_trait]
impl Catalogue for Sold {
    async fn shutdown_date(&self) -> anyhow::Result<Option<String>> {
        self.vendor.shutdown_date(self.capability, &self.account).await
    }
}

/// All models that are bought; without them nobody is asked.
pub(crate) fn bought_models(providers: &ProviderConfig) -> anyhow::Result<Vec<BoughtModel>> {
    let accounts = accounts(providers);
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let vendor = Arc::new(Vendor::new(None)?);
    let bought = |(capability, account): (Capability, &AccountConfig)| {
        let (account, vendor) = (account.clone(), Arc::clone(&vendor));
        let model = account.model.clone();
        BoughtModel { capability, model, catalogue: Box::new(Sold { capability, account, vendor }) }
    };
    Ok(accounts.into_iter().map(bought).collect())
}

fn accounts(providers: &ProviderConfig) -> Vec<(Capability, &AccountConfig)> {
    let mut accounts = Vec::new();
    if let WriterConfig::OpenAi { account, .. } = &providers.writer {
        accounts.push((Capability::Llm, account));
    }
    if let SpeakerConfig::OpenAi { account, .. } = &providers.speaker {
        accounts.push((Capability::Tts, account));
    }
    if let PainterConfig::OpenAi { account, .. } = &providers.painter {
        accounts.push((Capability::Image, account));
    }
    accounts.extend(providers.moderator.as_ref().map(|account| (Capability::Moderation, account)));
    accounts
}
