//! A worker and its Redis go in; what the probes and the scrape say of them comes out.
