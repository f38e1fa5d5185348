//! The units go in; what systemd itself says of them, and how much they leave open, comes out.

use std::path::{Path, PathBuf};

use child::Spec;
use tests::program::binary;

use crate::tools::{Copies, broken, run, seconds, text_of};

/// Each unit, and the program that it starts.
const UNITS: [(&str, &str); 2] =
    [("stillcast-worker@.service", "stillcast-worker"), ("stillcast-serve.service", "stillcast")];
/// What may be left open, in tenths, of 100.
const EXPOSURE: &str = "--threshold=15";

fn unit(name: &str) -> String {
    text_of(&format!("deploy/systemd/{name}"))
}

/// A copy that starts the program of this build, since that of the unit is not installed here.
fn copied(copies: &Copies, name: &str, program: &str, text: &str) -> PathBuf {
    let built = binary(program).display().to_string();
    let text =
        broken(text, &format!("ExecStart=/usr/bin/{program}"), &format!("ExecStart={built}"));
    copies.write(name, &text)
}

fn analyze(word: &str) -> Spec {
    Spec::new("systemd-analyze").arg(word).hint("install it with: apt-get install systemd")
}

/// Words that systemd does not know are a warning to it, and a fault to us.
async fn verified(file: &Path) -> Result<(), String> {
    let said = run(analyze("verify").args(["--man=no", "--recursive-errors=no"]).arg(file)).await?;
    if said.trim().is_empty() { Ok(()) } else { Err(said) }
}

async fn judged(file: &Path) -> Result<String, String> {
    run(analyze("security").args(["--offline=true", EXPOSURE]).arg(file)).await
}

#[tokio::test]
async fn systemd_understands_the_units_and_refuses_each_broken_copy() {
    for (name, program) in UNITS {
        let (copies, whole) = (Copies::new(), unit(name));
        verified(&copied(&copies, name, program, &whole)).await.unwrap();
        for (right, wrong) in [
            ("Type=notify", "Type=notifies"),
            ("WatchdogSec=", "WatchDogSec="),
            ("KillMode=mixed", "KillMode=most"),
            ("ExecStart=/usr/bin/", "ExecStart=/usr/bin/nowhere/usr/bin/"),
            ("LoadCredential=redis-url:", "LoadCredentials=redis-url:"),
            ("[Service]", "[Serving]"),
        ] {
            let copy = if wrong.contains("nowhere") {
                copies.write(name, &broken(&whole, right, wrong))
            } else {
                copied(&copies, name, program, &broken(&whole, right, wrong))
            };
            assert!(verified(&copy).await.is_err(), "{name}: nothing is said of `{wrong}`");
        }
    }
}

#[tokio::test]
async fn what_the_units_leave_open_is_little_and_a_broken_copy_leaves_more() {
    for (name, program) in UNITS {
        let (copies, whole) = (Copies::new(), unit(name));
        judged(&copied(&copies, name, program, &whole)).await.unwrap();
        for (right, wrong) in [
            ("CapabilityBoundingSet=\n", ""),
            ("RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\n", ""),
            ("RestrictNamespaces=yes\n", ""),
        ] {
            let copy = copied(&copies, name, program, &broken(&whole, right, wrong));
            assert!(judged(&copy).await.is_err(), "{name} is as closed without `{right}`");
        }
    }
}

/// The value of a setting of a unit; the last one counts.
fn value(unit: &str, name: &str) -> String {
    let mut lines = unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    lines.next_back().unwrap_or_else(|| panic!("no {name}")).to_owned()
}

#[test]
fn a_unit_waits_for_a_drain_and_gives_up_on_a_refused_configuration_alone() {
    let worker = unit(UNITS[0].0);
    let drain = crate::settings::default("worker", "drain_timeout");
    let stop = seconds(&value(&worker, "TimeoutStopSec"));
    assert!(stop >= seconds(&drain) + 15, "a drain of {drain} has {stop} s");
    for (name, _) in UNITS {
        let unit = unit(name);
        assert_eq!(value(&unit, "Type"), "notify", "{name}");
        assert_eq!(value(&unit, "KillMode"), "mixed", "{name}: children end with their parent");
        assert_eq!(value(&unit, "RestartPreventExitStatus"), "78 2", "{name}");
        assert!(seconds(&value(&unit, "WatchdogSec")) >= 30, "{name}: a busy machine is no fault");
    }
}
