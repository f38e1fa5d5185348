//! What anyone may look at and an operator may mend.
