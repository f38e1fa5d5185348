//! An account goes in; whether its server takes its key comes out, without anything being bought.

use pipeline::ProviderError;
use serde::Deserialize;

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
    Ok(if data.iter().any(|known| known.id == *model) {
        format!("the key is accepted, and {model} is there")
    } else {
        format!("the key is accepted; {model} is not in the list: is {capability}_MODEL right?")
    })
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
