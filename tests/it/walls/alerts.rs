//! Alert rules, what a server watches by itself, and the runbook go in; where they disagree comes out.

use std::collections::BTreeSet;
use std::time::Duration;

use api::ALERTS;
use child::Spec;

use crate::tree::{root, text_of};

const RULES: &str = "deploy/prometheus/alerts.yml";
const TRIED: &str = "deploy/prometheus/alerts.test.yml";
const RUNBOOK: &str = "deploy/RUNBOOK.md";

/// A rule, as its lines say.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    name: String,
    after: Duration,
    severity: String,
    is_told_by_serve: bool,
    summary: String,
    runbook_url: String,
}

fn rules() -> Vec<Rule> {
    let page = text_of(RULES);
    let rules: Vec<Rule> = page.split("- alert: ").skip(1).map(rule).collect();
    assert!(rules.len() > ALERTS.len(), "only {} rules", rules.len());
    rules
}

fn rule(text: &str) -> Rule {
    let said = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    let must = |name: &str| said(name).unwrap_or_else(|| panic!("no `{name}` in {text}"));
    Rule {
        name: text.lines().next().unwrap_or_default().to_owned(),
        after: duration(&must("for")),
        severity: must("severity"),
        is_told_by_serve: said("told_by").as_deref() == Some("serve"),
        summary: must("summary"),
        runbook_url: must("runbook_url"),
    }
}

fn duration(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.len() - 1);
    let number = number.parse().unwrap();
    match unit {
        "s" => Duration::from_secs(number),
        "m" => Duration::from_mins(number),
        other => panic!("`{other}` is no unit"),
    }
}

#[test]
fn a_server_watches_what_the_rules_call_its_own_under_the_same_names() {
    let theirs: Vec<Rule> = rules().into_iter().filter(|rule| rule.is_told_by_serve).collect();
    let ours: Vec<Rule> = ALERTS
        .iter()
        .map(|alert| Rule {
            name: alert.name.to_owned(),
            after: alert.after,
            severity: alert.severity.to_owned(),
            is_told_by_serve: true,
            summary: alert.summary.to_owned(),
            runbook_url: alert.runbook_url(),
        })
        .collect();
    assert_eq!(theirs, ours, "{RULES} (left), a server (right)");
}

#[test]
fn each_rule_leads_to_its_entry_in_the_runbook_and_each_entry_is_a_rule_s() {
    let rules = rules();
    let page = text_of(RUNBOOK);
    let entries: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(entries, names, "entries of {RUNBOOK} (left), rules (right)");
    for rule in &rules {
        let anchor = rule.name.to_ascii_lowercase();
        assert_eq!(rule.runbook_url, format!("{RUNBOOK}#{anchor}"), "{}", rule.name);
    }
    for link in page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(names.iter().any(|name| name.eq_ignore_ascii_case(link)), "no entry `{link}`");
    }
}

/// Whoever is paged at night begins at the page for operators.
#[test]
fn the_page_for_operators_leads_to_every_alert_by_its_urgency() {
    let page = text_of("deploy/README.md");
    let (urgent, later) = page.split_once("| for the morning |").unwrap();
    for rule in rules() {
        let link = format!("[{0}](RUNBOOK.md#{1})", rule.name, rule.name.to_ascii_lowercase());
        let place = if rule.severity == "page" { urgent } else { later };
        assert!(place.contains(&link), "deploy/README.md does not lead to {}", rule.name);
    }
}

#[tokio::test]
async fn promtool_sees_each_rule_fire_and_be_silent() {
    let tried = text_of(TRIED);
    let cases: Vec<&str> = tried.split("\n  - name: ").skip(1).collect();
    let of = |is_silent: bool| -> BTreeSet<&str> {
        let silent = cases.iter().filter(|case| case.contains("exp_alerts: []") == is_silent);
        silent.filter_map(|case| case.split_once("alertname: ")?.1.lines().next()).collect()
    };
    let rules = rules();
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(of(false), names, "seen to fire in {TRIED} (left), rules (right)");
    assert_eq!(of(true), names, "seen to be silent in {TRIED} (left), rules (right)");
    for words in [["check", "rules", RULES], ["test", "rules", TRIED]] {
        let promtool = Spec::new("promtool").args(words).folder(root());
        let hint = "install it with: apt-get install prometheus";
        let ended = promtool.hint(hint).timeout(Duration::from_mins(1)).run().await;
        assert!(ended.is_ok(), "{words:?}: {ended:?}");
    }
}
