//! A scene goes in, a picture comes out: `POST /images/generations`, as base64 or, where the server
//! insists, by a link.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use pipeline::{Answer, FailureClass, Image, ImageGenerator, ProviderError, Scene, Usage};
use serde::Deserialize;
use serde_json::{Value, json};
use stillcast_enqueue::Aspect;

use super::chunk::Tokens;
use super::price::ImagePrice;
use super::vendor::OPENAI;
use super::wrapped::{Wrapped, unwrap};
use super::{PROVIDER, prompt};
use crate::ffmpeg::Ffmpeg;
use crate::http::{Account, ApiClient, HttpClient, KnownFault, Links, booked};
use crate::picture::Developer;

/// A picture of 32 MiB, in base64.
const MAX_BYTES: usize = 48 << 20;
/// A picture as it is.
const MAX_PICTURE: usize = 32 << 20;

/// How pictures are bought.
#[derive(Clone, Debug)]
pub struct PictureOptions {
    /// Their size, such as `1920x1088` (`IMAGE_SIZE`).
    pub size: String,
    /// What one costs.
    pub price: ImagePrice,
    /// Hosts beside the server's own to which its links may lead (`IMAGE_LINK_HOSTS`).
    pub link_hosts: Vec<String>,
    /// FFmpeg, which reads what is neither PNG nor JPEG (`FFMPEG_PATH`).
    pub ffmpeg: PathBuf,
}

/// The painter behind an image model.
#[derive(Clone, Debug)]
pub struct OpenAiPainter {
    client: ApiClient,
    options: PictureOptions,
    links: Links,
    developer: Developer,
    known: Arc<KnownFault>,
}

#[derive(Deserialize)]
struct Pictures {
    data: Vec<Picture>,
    /// What a server counts; most count nothing.
    #[serde(default)]
    usage: Value,
}

#[derive(Deserialize)]
struct Picture {
    b64_json: Option<String>,
    url: Option<String>,
}

impl OpenAiPainter {
    /// A painter on `account`.
    pub fn new(http: HttpClient, account: Account, options: PictureOptions) -> Self {
        let ffmpeg = Ffmpeg { program: options.ffmpeg.clone(), provider: PROVIDER };
        let links = Links::new(http.clone(), &OPENAI, &account, options.link_hosts.clone());
        let client = ApiClient::new(http, &OPENAI, account);
        Self { client, options, links, developer: Developer { ffmpeg }, known: Arc::default() }
    }

    fn body(&self, scene: &Scene) -> Value {
        let model = self.client.model();
        let mut body = json!({
            "model": model,
            "prompt": prompt::picture(scene),
            "size": turned(&self.options.size, scene.aspect),
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

    /// The picture's bytes, wherever they are and however they are wrapped.
    async fn unwrap(&self, pictures: Pictures) -> Result<Bytes, ProviderError> {
        let Some(Picture { b64_json, url }) = pictures.data.into_iter().next() else {
            return Err(self.client.unreadable("holds no picture"));
        };
        let given = [b64_json, url].into_iter().flatten().find(|text| !text.trim().is_empty());
        let given = given.ok_or_else(|| self.client.unreadable("holds no picture"))?;
        match unwrap(&given) {
            Some(Wrapped::Bytes(bytes)) => Ok(bytes.into()),
            Some(Wrapped::Link(link)) => self.links.fetch(&link, MAX_PICTURE).await,
            // Whatever it is, it was made and is paid for.
            None => {
                let message =
                    "the answer holds a picture that is no base64; is IMAGE_BASE_URL right?";
                Err(ProviderError::transient(PROVIDER, "image-unreadable", message)
                    .again(FailureClass::Misconfigured))
            }
        }
    }
}

/// A size of a picture that is wider than high, as large in another aspect; one that names no numbers, such as
/// `auto`, stays.
fn turned(size: &str, aspect: Aspect) -> String {
    let sides = size.split_once('x').filter(|(width, height)| {
        [width, height].into_iter().all(|side| side.parse::<u32>().is_ok())
    });
    match (sides, aspect) {
        (None, _) | (_, Aspect::Wide) => size.to_owned(),
        (Some((width, height)), Aspect::Tall) => format!("{height}x{width}"),
        (Some((_, height)), Aspect::Square) => format!("{height}x{height}"),
    }
}

/// The tokens that a server has counted.
fn counted(usage: &Value) -> Usage {
    let Tokens { input, output, thought: _, cached: _ } = Tokens::read(usage);
    let counted = [("input_tokens", input), ("output_tokens", output)];
    let counted = counted.into_iter().filter_map(|(name, count)| Some((name, count? as f64)));
    counted.fold(Usage::default(), |usage, (name, count)| usage.and(name, count))
}

#[async_trait]
impl ImageGenerator for OpenAiPainter {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn model(&self) -> Option<&str> {
        Some(self.client.model())
    }

    fn revision(&self) -> String {
        let Self { client, options, links: _, developer: _, known: _ } = self;
        // Where a picture lies, and who reads it, changes nothing of what it shows.
        let PictureOptions { size, price: _, link_hosts: _, ffmpeg: _ } = options;
        format!("{} {} {size}", prompt::REVISION, client.revision())
    }

    fn estimate(&self) -> Usage {
        self.options.price.usage()
    }

    async fn draw(&self, scene: &Scene) -> Result<Answer<Image>, ProviderError> {
        self.known.check()?;
        let reply = self.client.post("/images/generations", &self.body(scene)).await?;
        let mut spent = self.estimate();
        let read = async {
            let pictures: Pictures = reply.json(MAX_BYTES).await?;
            spent.merge(&counted(&pictures.usage));
            let bytes = self.unwrap(pictures).await?;
            self.developer.develop(bytes).await
        };
        let read = read.await.map_err(|error| booked(error, &spent));
        self.known.learn(&read);
        let mut answer = read?;
        answer.usage.merge(&spent);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_turned_as_the_film_is() {
        for (size, tall, square) in [
            ("1920x1088", "1088x1920", "1088x1088"),
            ("1792x1024", "1024x1792", "1024x1024"),
            ("auto", "auto", "auto"),
            ("2K", "2K", "2K"),
        ] {
            let turned = |aspect| turned(size, aspect);
            let shapes = [Aspect::Wide, Aspect::Tall, Aspect::Square].map(turned);
            assert_eq!(shapes, [size, tall, square]);
        }
    }
}
