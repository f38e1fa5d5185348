//! Items handed from one stage to the next while the first still works; readable from the start
//! again, so that a second try loses nothing.

use tokio::sync::watch;

/// The giving end. Dropped before [`Feed::finish`], it leaves its readers with [`Cut`].
pub(crate) struct Feed<T>(watch::Sender<State<T>>);

/// The taking end.
pub(crate) struct Reader<T> {
    state: watch::Receiver<State<T>>,
    next: usize,
}

/// The giver stopped before everything was said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut;

struct State<T> {
    items: Vec<T>,
    whole: bool,
}

/// Both ends of a new feed.
pub(crate) fn feed<T>() -> (Feed<T>, Reader<T>) {
    let (sender, state) = watch::channel(State { items: Vec::new(), whole: false });
    (Feed(sender), Reader { state, next: 0 })
}

impl<T: Clone> Feed<T> {
    pub(crate) fn push(&self, item: T) {
        self.0.send_modify(|state| state.items.push(item));
    }

    /// Says that everything was given.
    pub(crate) fn finish(&self) {
        self.0.send_modify(|state| state.whole = true);
    }
}

impl<T: Clone> Reader<T> {
    /// The next item; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, Cut> {
        let index = self.next;
        let ready = |state: &State<T>| state.items.len() > index || state.whole;
        let state = self.state.wait_for(ready).await.map_err(|_| Cut)?;
        self.next += 1;
        Ok(state.items.get(index).cloned())
    }

    /// Another reader that begins at the first item.
    pub(crate) fn again(&self) -> Self {
        Self { state: self.state.clone(), next: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_reader_gets_everything_in_order() {
        let (feed, mut reader) = feed();
        feed.push(1);
        assert_eq!(reader.next().await, Ok(Some(1)));
        feed.push(2);
        let mut second = reader.again();
        feed.finish();
        assert_eq!(reader.next().await, Ok(Some(2)));
        assert_eq!(reader.next().await, Ok(None));
        assert_eq!(second.next().await, Ok(Some(1)));
    }

    #[tokio::test]
    async fn a_giver_that_dies_is_not_the_end() {
        let (feed, mut reader) = feed();
        feed.push(1);
        drop(feed);
        assert_eq!(reader.next().await, Ok(Some(1)));
        assert_eq!(reader.next().await, Err(Cut));
    }
}
