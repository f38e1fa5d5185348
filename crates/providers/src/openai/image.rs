//! A scene goes in, a picture comes out: `POST /images/generations`, as base64.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pipeline::{Answer, Image, ImageGenerator, ProviderError, Scene, Usage};
use serde::Deserialize;
use serde_json::{Value, json};

use super::price::ImagePrice;
use super::vendor::OPENAI;
use super::{PROVIDER, prompt};
use crate::http::{Account, ApiClient, HttpClient, booked};

/// A picture of 32 MiB, in base64.
const MAX_BYTES: usize = 48 << 20;

/// The painter behind an image model.
#[derive(Clone, Debug)]
pub struct OpenAiPainter {
    client: ApiClient,
    size: String,
    price: ImagePrice,
}

#[derive(Deserialize)]
struct Pictures {
    data: Vec<Picture>,
}

#[derive(Deserialize)]
struct Picture {
    b64_json: Option<String>,
    url: Option<Value>,
}

impl OpenAiPainter {
    /// A painter on `account` of pictures of `size`, such as `1920x1088` (`IMAGE_SIZE`).
    pub fn new(
        http: HttpClient,
        account: Account,
        size: impl Into<String>,
        price: ImagePrice,
    ) -> Self {
        Self { client: ApiClient::new(http, &OPENAI, account), size: size.into(), price }
    }

    fn body(&self, scene: &Scene) -> Value {
        let model = self.client.model();
        let mut body = json!({
            "model": model,
            "prompt": prompt::picture(scene),
            "size": self.size,
            "n": 1,
        });
        // The GPT family always answers base64 and refuses to be asked; all others link by default.
        if model.contains("gpt-image") || model.contains("chatgpt-image") {
            body["output_format"] = "jpeg".into();
            body["output_compression"] = 95.into();
            body["quality"] = "medium".into();
        } else {
            body["response_format"] = "b64_json".into();
        }
        body
    }

    fn read(&self, pictures: Pictures) -> Result<Image, ProviderError> {
        let picture = pictures.data.into_iter().next();
        match picture {
            Some(Picture { b64_json: Some(text), .. }) => {
                let decoded = STANDARD.decode(text.trim());
                decoded
                    .map(|bytes| Image { bytes: bytes.into() })
                    .map_err(|_| self.client.unreadable("holds a picture that is no base64"))
            }
            // To fetch it would be to go wherever a stranger's answer points.
            Some(Picture { url: Some(_), .. }) => {
                let message = "the server answers with a link, which is not followed; use an \
                               IMAGE_MODEL that answers `b64_json`";
                Err(ProviderError::misconfigured(PROVIDER, "image-link", message))
            }
            _ => Err(self.client.unreadable("holds no picture")),
        }
    }
}

#[async_trait]
impl ImageGenerator for OpenAiPainter {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn revision(&self) -> String {
        let Self { client, size, price: _ } = self;
        format!("{} {} {size}", prompt::REVISION, client.revision())
    }

    fn estimate(&self) -> Usage {
        self.price.usage()
    }

    async fn draw(&self, scene: &Scene) -> Result<Answer<Image>, ProviderError> {
        let reply = self.client.post("/images/generations", &self.body(scene)).await?;
        let usage = self.estimate();
        let read = async { self.read(reply.json(MAX_BYTES).await?) };
        let value = read.await.map_err(|error| booked(error, &usage))?;
        Ok(Answer { value, usage })
    }
}
