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

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;

/// The offline painter: 1920x1080, PNG.
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
        let painted = arithmetic(move || encode(&paint(seed))).await;
        let failed = |message| ProviderError::transient(PROVIDER, "painting-failed", message);
        let png = painted
            .map_err(|panic| failed(panic.to_string()))?
            .map_err(|error| failed(error.to_string()))?;
        let usage = Usage::default().and("pixels", f64::from(WIDTH * HEIGHT));
        Ok(Answer { value: Image { bytes: png.into() }, usage })
    }
}

/// The picture as rows of 8-bit RGB.
fn paint(seed: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed);
    let landscape = Landscape::compose(&mut rng, WIDTH as usize, HEIGHT as usize);
    let mut develop = Develop::new(rng);
    let mut pixels = Vec::with_capacity((WIDTH * HEIGHT * 3) as usize);
    for y in 0..HEIGHT as usize {
        let row = landscape.row(y);
        for x in 0..WIDTH as usize {
            pixels.extend(develop.pixel(landscape.light(&row, x, y)));
        }
    }
    pixels
}

fn encode(pixels: &[u8]) -> io::Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
