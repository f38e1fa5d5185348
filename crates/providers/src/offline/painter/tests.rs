//! Pictures are measured: size, tones, gradients without steps, and that no two are alike.

use stillcast_enqueue::Aspect;

use super::*;

const SIZE: (u32, u32) = (1920, 1080);

/// A picture as the encoder will see it.
async fn draw(text: &str, variant: u32) -> Image {
    draw_in(Aspect::Wide, text, variant).await
}

async fn draw_in(aspect: Aspect, text: &str, variant: u32) -> Image {
    let scene = Scene { text: text.to_owned(), variant, aspect };
    OfflinePainter.draw(&scene).await.unwrap().value
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
    let facts = image.inspect().unwrap();
    assert_eq!((facts.width, facts.height), SIZE);
    assert_eq!(image, draw("by the sea", 0).await);
    assert_ne!(image, draw("by the sea", 1).await);
    assert!(image.bytes.len() < 8 << 20);
}

#[tokio::test]
async fn a_picture_is_as_wide_and_as_high_as_the_film() {
    for aspect in Aspect::ALL {
        let facts = draw_in(aspect, "by the sea", 0).await.inspect().unwrap();
        assert_eq!((facts.width, facts.height), aspect.size());
    }
}

#[test]
fn pictures_differ_visibly() {
    let pictures: Vec<Vec<u8>> =
        (0..5).map(|text| paint(seed("image", &text.to_string(), 0), SIZE)).collect();
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
        let pixels = paint(seed, SIZE);
        let rows = rows(&pixels);
        let brightest = rows.iter().copied().fold(0.0, f64::max);
        assert!(brightest > rows[15] + 15.0, "{seed}: {rows:?}");
        // Along the first row the sky hardly changes: only grain keeps neighbours apart.
        let top = &pixels[..SIZE.0 as usize * 3];
        let equal = top.iter().zip(&top[3..]).filter(|(left, right)| left == right).count();
        assert!(equal < top.len() * 6 / 10, "{seed}: {equal} of {}", top.len());
    }
}
