//! How samples lie in bytes goes in with the bytes; mono samples of 16 bits come out, at the rate
//! that they have.

/// How one sample is written; the letters are those of FFmpeg's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    U8,
    S8,
    S16,
    S24,
    S32,
    F32,
    F64,
    ALaw,
    MuLaw,
}

/// How samples lie in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) coding: Coding,
    /// Whether the first byte of a sample weighs most.
    pub(crate) big_endian: bool,
    /// Samples a second of each channel; at least 1.
    pub(crate) rate: u32,
    /// At least 1.
    pub(crate) channels: u16,
}

impl Coding {
    /// Bytes of a sample.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::U8 | Self::S8 | Self::ALaw | Self::MuLaw => 1,
            Self::S16 => 2,
            Self::S24 => 3,
            Self::S32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

impl Layout {
    /// Bytes of one sample of each channel.
    pub(crate) fn frame(self) -> usize {
        self.coding.width() * usize::from(self.channels)
    }

    /// All channels as one; what is no whole frame at the end is left out.
    pub(crate) fn mono(self, data: &[u8]) -> Vec<i16> {
        if self.is_plain() {
            return self.first_channel(data);
        }
        let width = self.coding.width();
        let channels = i32::from(self.channels);
        let sum = |frame: &[u8]| -> i32 {
            frame.chunks_exact(width).map(|sample| i32::from(self.sample(sample))).sum()
        };
        let mean = |frame: &[u8]| i16::try_from(sum(frame) / channels).unwrap_or_default();
        data.chunks_exact(self.frame()).map(mean).collect()
    }

    /// The first channel alone, as it is.
    pub(crate) fn first_channel(self, data: &[u8]) -> Vec<i16> {
        if self.is_plain() {
            return data.as_chunks().0.iter().copied().map(i16::from_le_bytes).collect();
        }
        let width = self.coding.width();
        data.chunks_exact(self.frame()).map(|frame| self.sample(&frame[..width])).collect()
    }

    /// As nearly all samples come, and some minutes of them for each file.
    fn is_plain(self) -> bool {
        self.coding == Coding::S16 && !self.big_endian && self.channels == 1
    }

    fn sample(self, bytes: &[u8]) -> i16 {
        let mut word = [0; 8];
        let word = &mut word[..bytes.len()];
        word.copy_from_slice(bytes);
        if !self.big_endian {
            word.reverse();
        }
        // From here on the first byte weighs most.
        match (self.coding, &*word) {
            (Coding::U8, [byte]) => i16::from_be_bytes([byte ^ 0x80, 0]),
            (Coding::S8, [byte]) => i16::from_be_bytes([*byte, 0]),
            (Coding::ALaw, [byte]) => a_law(*byte),
            (Coding::MuLaw, [byte]) => mu_law(*byte),
            (Coding::S16 | Coding::S24 | Coding::S32, [high, low, ..]) => {
                i16::from_be_bytes([*high, *low])
            }
            (Coding::F32, word) => {
                word.try_into().map_or(0, |word| s16(f32::from_be_bytes(word).into()))
            }
            (Coding::F64, word) => word.try_into().map_or(0, |word| s16(f64::from_be_bytes(word))),
            _ => 0,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "`as` keeps within the bounds; NaN is 0")]
fn s16(sample: f64) -> i16 {
    (sample * 32_768.0).round() as i16
}

/// ITU-T G.711: sign, three bits of exponent, four of mantissa, all bits turned.
pub(crate) fn mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let (exponent, mantissa) = ((byte >> 4) & 7, i16::from(byte & 15));
    let magnitude = (((mantissa << 3) + 132) << exponent) - 132;
    if byte & 0x80 == 0 { magnitude } else { -magnitude }
}

/// ITU-T G.711, every other bit turned.
pub(crate) fn a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (exponent, mantissa) = ((byte >> 4) & 7, i16::from(byte & 15));
    let magnitude = match exponent {
        0 => (mantissa << 4) + 8,
        _ => ((mantissa << 4) + 264) << (exponent - 1),
    };
    if byte & 0x80 == 0 { -magnitude } else { magnitude }
}
