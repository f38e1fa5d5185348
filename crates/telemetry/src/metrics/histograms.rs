//! Histograms by labels, each with the buckets of its group.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

/// One for each set of labels.
pub(super) type Histograms<Labels> = Family<Labels, Histogram, fn() -> Histogram>;
