//! Pictures are measured: size, tones, gradients without steps, and that no two are alike.

use super::*;

/// A picture as the encoder will see it.
async fn draw(text: &str, variant: u32) -> Image {
    OfflinePainter.draw(&Scene { text: text.to_owned(), variant }).await.unwrap().value
}

/// Mean brightness of each of the 16 rows of blocks, and of the whole.
fn rows(pixels: &[u8]) -> Vec<f64> {
    let row = pixels.len() / 16;
    pixels
        .chunks(row)
        .map(|block| block.iter().map(|byte| f64::from(*byte)).sum::<f64>() / row as f64)
        .collect()
}

/// Mean difference of two pictures in 8-bit steps.
fn distance(one: &[u8], other: &[u8]) -> f64 {
    let sum: u64 = one.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.len() as f64
}

#[tokio::test]
async fn a_text_has_its_own_picture() {
    let image = draw("by the sea", 0).await;
    assert_eq!(image.size(), Some((WIDTH, HEIGHT)));
    assert_eq!(image, draw("by the sea", 0).await);
    assert_ne!(image, draw("by the sea", 1).await);
    assert!(image.png.len() < 8 << 20);
}

#[test]
fn pictures_differ_visibly() {
    let pictures: Vec<Vec<u8>> =
        (0..5).map(|text| paint(seed("image", &text.to_string(), 0))).collect();
    for (index, one) in pictures.iter().enumerate() {
        for other in &pictures[index + 1..] {
            let steps = distance(one, other);
            assert!(steps > 4.0, "{steps}");
        }
    }
}

#[test]
fn the_ground_is_darker_than_the_sky_and_gradients_show_no_steps() {
    for seed in 0..4 {
        let pixels = paint(seed);
        let rows = rows(&pixels);
        let brightest = rows.iter().copied().fold(0.0, f64::max);
        assert!(brightest > rows[15] + 15.0, "{seed}: {rows:?}");
        // Along the first row the sky hardly changes: only grain keeps neighbours apart.
        let top = &pixels[..WIDTH as usize * 3];
        let equal = top.iter().zip(&top[3..]).filter(|(left, right)| left == right).count();
        assert!(equal < top.len() * 6 / 10, "{seed}: {equal} of {}", top.len());
    }
}
