//! Records and numbers go in; what a person or a program reads comes out.

mod record;
mod screen;
mod stats;
mod table;
mod units;

pub(crate) use record::{failure, record_view, records_view, stage_line};
pub(crate) use screen::Screen;
pub(crate) use stats::stats_view;
pub(crate) use table::{Table, pairs};
pub(crate) use units::{bytes, moment, seconds};
