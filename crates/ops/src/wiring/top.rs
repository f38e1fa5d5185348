//! An overview goes in and is drawn; the keys that end it come out.

#[cfg(test)]
mod tests;
mod view;

use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use tokio::task::spawn_blocking;

use crate::overview::Overview;

/// How long a look at the keyboard may take: it blocks a thread of its own.
const LOOK: Duration = Duration::from_millis(200);

/// A terminal that is ours; as it was before, once dropped.
pub(crate) struct Terminal(DefaultTerminal);

impl Terminal {
    /// Takes the terminal.
    pub(crate) fn open() -> anyhow::Result<Self> {
        Ok(Self(ratatui::try_init()?))
    }

    pub(crate) fn draw(&mut self, overview: &Overview) -> anyhow::Result<()> {
        self.0.draw(|frame| view::draw(frame, overview))?;
        Ok(())
    }

    /// Returns once a key says that somebody has seen enough.
    pub(crate) async fn left(&mut self) -> anyhow::Result<()> {
        while !spawn_blocking(has_left).await?? {}
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

fn has_left() -> std::io::Result<bool> {
    if !event::poll(LOOK)? {
        return Ok(false);
    }
    let Event::Key(key) = event::read()? else { return Ok(false) };
    let is_interrupt =
        key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
    Ok(is_interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}
