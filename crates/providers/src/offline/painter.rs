//! A text goes in, a landscape comes out: a sky, a sun or a moon, hills behind hills, sometimes a
//! lake. The text's digest decides the mood and every line of it; no two texts share a view.

mod color;
mod hill;
mod landscape;
mod mood;
mod noise;
mod ridge;
mod sky;

use std::io;

use async_trait::async_trait;
use fastrand::Rng;
use pipeline::{Answer, Image, ImageGenerator, ProviderError, Scene, Usage, arithmetic};

use self::color::Develop;
use self::landscape::Landscape;
use super::seed::seed;
use super::{PROVIDER, REVISION};

/// The offline painter: PNG, as large as the film.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfflinePainter;

#[async_trait]
impl ImageGenerator for OfflinePainter {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn revision(&self) -> String {
        let Self = self;
        REVISION.to_owned()
    }

    async fn draw(&self, scene: &Scene) -> Result<Answer<Image>, ProviderError> {
        let seed = seed("image", &scene.text, scene.variant);
        let (width, height) = scene.aspect.size();
        let painting = move || encode(&paint(seed, (width, height)), (width, height));
        let painted = arithmetic(painting).await;
        let failed = |message| ProviderError::transient(PROVIDER, "painting-failed", message);
        let png = painted
            .map_err(|panic| failed(panic.to_string()))?
            .map_err(|error| failed(error.to_string()))?;
        let usage = Usage::default().and("pixels", f64::from(width * height));
        Ok(Answer { value: Image { bytes: png.into() }, usage })
    }
}

/// The picture as rows of 8-bit RGB.
fn paint(seed: u64, (width, height): (u32, u32)) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed);
    let landscape = Landscape::compose(&mut rng, width as usize, height as usize);
    let mut develop = Develop::new(rng);
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height as usize {
        let row = landscape.row(y);
        for x in 0..width as usize {
            pixels.extend(develop.pixel(landscape.light(&row, x, y)));
        }
    }
    pixels
}

fn encode(pixels: &[u8], (width, height): (u32, u32)) -> io::Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
