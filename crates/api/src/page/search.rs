//! A filter's text and a place go in; a page of jobs comes out, and how many there are.

use crate::caller::Caller;
use crate::filter::Filter;
use crate::problem::Problem;
use crate::routes::{JobList, find, read_filter};
use crate::state::Api;

/// Jobs of a page.
const PAGE: usize = 50;

/// A page of the jobs that `text` means and the caller may know of, the newest first.
pub(super) async fn search(
    api: &Api,
    caller: &Caller,
    text: &str,
    cursor: Option<&str>,
) -> Result<JobList, Problem> {
    let filter: Filter = read_filter("filter", text)?.of_tenant(caller.tenant.as_ref());
    find(api, &filter, PAGE, cursor).await
}
