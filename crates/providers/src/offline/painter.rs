//! x
use async_trait::async_trait;
use pipeline::*;
/// x
#[derive(Clone, Copy, Debug, Default)]
pub struct OfflinePainter;
#[async_trait]
impl ImageGenerator for OfflinePainter {
    fn provider(&self) -> &'static str {
        super::PROVIDER
    }
    async fn draw(&self, scene: &Scene) -> Result<Answer<Image>, ProviderError> {
        let mut out = Vec::new();
        let mut e = png::Encoder::new(&mut out, 1920, 1080);
        e.set_color(png::ColorType::Rgb);
        let s = super::seed("image", &scene.text, scene.variant) as u8;
        e.write_header()
            .unwrap()
            .write_image_data(
                &(0..1920usize * 1080 * 3).map(|i| (i / 20000) as u8 ^ s).collect::<Vec<u8>>(),
            )
            .unwrap();
        Ok(Answer::free(Image { png: out.into() }))
    }
}
