//! A parked job's reason and error go in; what it waits for comes out, in words for people.

use stillcast_enqueue::{ErrorReport, JobRecord};

/// The codes of jobs that wait under the limits of a provider's account, or for their tenant's budget: the message
/// says for whom and what.
const TELLING: [&str; 3] = ["account-limit", "budget-spent", "budget-unknown"];

/// What a parked job waits for; empty where it does not say.
pub(super) fn for_what(job: &JobRecord) -> String {
    job.reason.as_deref().map_or_else(String::new, |reason| words(reason, job.error.as_ref()))
}

fn words(reason: &str, error: Option<&ErrorReport>) -> String {
    let limit = error.filter(|error| TELLING.contains(&error.code.as_str()));
    if let Some(limit) = limit.and_then(|error| error.message.strip_prefix("waits ")) {
        return limit.to_owned();
    }
    match reason {
        "provider" => "for a provider that refuses us",
        "rate" => "for a provider that asked us to slow down",
        "budget" => "for their tenant's next day",
        "flight" => "for another job that makes the same",
        "version" => "for a newer worker",
        _ => "for something that this server does not know",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_an_account_or_a_budget_says_what_it_allows() {
        let said = "waits for openai: 60 requests a minute (LLM_RPM)";
        let limit = ErrorReport::new("account-limit", said);
        let told = words("rate", Some(&limit));
        assert_eq!(told, "for openai: 60 requests a minute (LLM_RPM)");
        let said = "waits for the next day (UTC): the budget of acme, 5 US dollars a day";
        let told = words("budget", Some(&ErrorReport::new("budget-spent", said)));
        assert_eq!(told, "for the next day (UTC): the budget of acme, 5 US dollars a day");
        let other = ErrorReport::new("rate-limited", "too many calls at this time");
        let slow = "for a provider that asked us to slow down";
        assert_eq!(
            (words("rate", Some(&other)).as_str(), words("rate", None).as_str()),
            (slow, slow)
        );
    }
}
