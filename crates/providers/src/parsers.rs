//! Bytes of a stranger go in; whether a parser took them comes out. For those who throw nonsense at
//! the parsers: none may panic, hang, or take memory that a number in the bytes asks for.

/// Reads an answer of a voice that was called `content_type`.
#[cfg(any(feature = "command", feature = "openai"))]
pub fn speech(bytes: &[u8], content_type: &str) -> bool {
    use crate::recording::{MediaType, Recording};
    Recording::read(bytes, Some(&MediaType::parse(content_type))).is_ok()
}

/// Reads what a picture says of itself.
#[cfg(feature = "openai")]
pub fn picture(bytes: &[u8]) -> bool {
    crate::picture::Header::read(bytes).is_some()
}

/// Reads the text that holds a picture.
#[cfg(feature = "openai")]
pub fn wrapped_picture(text: &str) -> bool {
    crate::openai::holds_picture(text)
}

/// Reads the index of a finished file.
#[cfg(feature = "ffmpeg")]
pub fn mp4(bytes: &[u8]) -> bool {
    crate::ffmpeg::mp4::read(&mut std::io::Cursor::new(bytes)).is_ok()
}
