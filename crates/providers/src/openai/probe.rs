//! An account goes in; whether its server takes its key comes out, and when its model is shut down, without
//! anything being bought.

use pipeline::ProviderError;
use serde::Deserialize;
use serde_json::Value;

use super::vendor::OPENAI;
use crate::http::{Account, ApiClient, HttpClient};

/// The longest list of models that is read; a gateway's may name a thousand.
const MAX_LIST: usize = 8 << 20;

/// What `GET /models` answers, as far as it matters.
#[derive(Deserialize)]
struct Models {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    /// `YYYY-MM-DD`, by OpenAI; whatever stands there, the list is read.
    #[serde(default)]
    shutdown_date: Value,
    /// The same by servers that stand between us and many others.
    #[serde(default)]
    expiration_date: Value,
}

impl Model {
    /// The day of its end, where one is announced.
    fn shutdown_date(&self) -> Option<&str> {
        let told =
            [&self.shutdown_date, &self.expiration_date].into_iter().find_map(Value::as_str)?;
        // Some tell the hour, too.
        told.get(.."YYYY-MM-DD".len())
    }
}

/// Asks the server for its list of models, which costs nothing. A server without one, or that asks
/// for patience, is there; a key that is refused is a failure that names its setting.
pub async fn probe(http: &HttpClient, account: &Account) -> Result<String, ProviderError> {
    let client = ApiClient::new(http.clone(), &OPENAI, account.clone());
    let Account { capability, model, .. } = account;
    let answered = match client.get("/models").await {
        Ok(reply) => reply,
        Err(error) => return excused(error, account),
    };
    let Models { data } = answered.json(MAX_LIST).await?;
    Ok(match data.iter().find(|known| known.id == *model).map(Model::shutdown_date) {
        None => {
            format!("the key is accepted; {model} is not in the list: is {capability}_MODEL right?")
        }
        Some(None) => format!("the key is accepted, and {model} is there"),
        Some(Some(date)) => format!(
            "the key is accepted, and {model} is there until {date}, when it is shut down: choose another \
             {capability}_MODEL before"
        ),
    })
}

/// The day on which the account's model is shut down, as its server tells it: `YYYY-MM-DD`; `None` where none is
/// announced, or the model is not in the list. Costs nothing.
pub async fn shutdown_date(
    http: &HttpClient,
    account: &Account,
) -> Result<Option<String>, ProviderError> {
    let client = ApiClient::new(http.clone(), &OPENAI, account.clone());
    let Models { data } = client.get("/models").await?.json(MAX_LIST).await?;
    let model = data.iter().find(|known| known.id == account.model);
    Ok(model.and_then(Model::shutdown_date).map(str::to_owned))
}

fn excused(error: ProviderError, account: &Account) -> Result<String, ProviderError> {
    match error.code {
        "address-unknown" => {
            Ok("the server is there; it has no list of models, so the key was not tried".to_owned())
        }
        "rate-limited" => Ok(format!("the server is there; {}", error.message)),
        "access-denied" => {
            let set = format!(
                "{}; or give the key in {}_API_KEY or OPENAI_API_KEY the right to list models",
                error.message, account.capability
            );
            Err(ProviderError { message: set, ..error })
        }
        _ => Err(error),
    }
}
