//! A real socket stands in for the service manager; what it hears is compared.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram as Blocking};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::UnixDatagram;
use tokio::sync::Notify;

use super::*;

/// Longest wait for a message; reaching it is a failure.
const WAIT: Duration = Duration::from_secs(30);

fn environment(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
    let pairs: Vec<(String, OsString)> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
    move |name| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

async fn heard(listener: &UnixDatagram) -> String {
    let mut words = [0; 256];
    let length = timeout(WAIT, listener.recv(&mut words)).await.unwrap().unwrap();
    String::from_utf8(words[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn readiness_and_the_end_are_told_by_path_and_by_abstract_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify").display().to_string();
    let by_path = UnixDatagram::bind(&path).unwrap();
    let name = format!("stillcast-{}", path.replace('/', "-"));
    let abstract_one =
        Blocking::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    abstract_one.set_nonblocking(true).unwrap();
    let by_name = UnixDatagram::from_std(abstract_one).unwrap();
    for (address, listener) in [(path, by_path), (format!("@{name}"), by_name)] {
        let supervisor = Supervisor::new(environment(&[("NOTIFY_SOCKET", &address)])).unwrap();
        supervisor.ready("claims jobs").await;
        assert_eq!(heard(&listener).await, "READY=1\nSTATUS=claims jobs");
        supervisor.stopping(Duration::from_millis(1500)).await;
        let end = "STOPPING=1\nSTATUS=ending\nEXTEND_TIMEOUT_USEC=1500000";
        assert_eq!(heard(&listener).await, end);
    }
}

#[tokio::test]
async fn a_sign_of_life_is_given_while_all_is_well_and_none_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify").display().to_string();
    let listener = UnixDatagram::bind(&path).unwrap();
    let variables = [("NOTIFY_SOCKET", path.as_str()), ("WATCHDOG_USEC", "4000")];
    let supervisor = Supervisor::new(environment(&variables)).unwrap();
    let (turns, is_over) = (AtomicUsize::new(0), Arc::new(Notify::new()));
    let over = Arc::clone(&is_over);
    let watch = supervisor.watch(move || {
        let turn = turns.fetch_add(1, Ordering::Relaxed);
        if turn == 9 {
            over.notify_one();
        }
        turn < 3
    });
    timeout(WAIT, is_over.notified()).await.unwrap();
    drop(watch);
    for _ in 0..3 {
        assert_eq!(heard(&listener).await, "WATCHDOG=1");
    }
    let more = listener.try_recv(&mut [0; 16]);
    assert_eq!(more.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "it was ill, and told so");
}

#[tokio::test]
async fn nobody_is_watched_who_was_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify").display().to_string();
    let _listener = UnixDatagram::bind(&path).unwrap();
    let socket = ("NOTIFY_SOCKET", path.as_str());
    let own = std::process::id().to_string();
    let is_watched = |variables: &[(&str, &str)]| {
        let supervisor = Supervisor::new(environment(variables)).unwrap();
        !supervisor.watch(|| true).is_empty()
    };
    assert!(is_watched(&[socket, ("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", &own)]));
    assert!(is_watched(&[socket, ("WATCHDOG_USEC", "1000000")]));
    assert!(!is_watched(&[socket, ("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", "1")]), "a child");
    assert!(!is_watched(&[socket]) && !is_watched(&[("WATCHDOG_USEC", "1000000")]));
}

#[tokio::test]
async fn what_no_service_manager_sets_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify").display().to_string();
    let _listener = UnixDatagram::bind(&path).unwrap();
    let refused = |variables: &[(&str, &str)]| {
        Supervisor::new(environment(variables)).err().map(|error| error.to_string())
    };
    let relative = refused(&[("NOTIFY_SOCKET", "notify")]).unwrap();
    assert!(relative.starts_with("NOTIFY_SOCKET=notify: "), "{relative}");
    let nobody = refused(&[("NOTIFY_SOCKET", "/nowhere/at/all")]).unwrap();
    assert!(nobody.starts_with("NOTIFY_SOCKET: nobody listens there"), "{nobody}");
    let late = refused(&[("NOTIFY_SOCKET", &path), ("WATCHDOG_USEC", "soon")]).unwrap();
    assert!(late.starts_with("WATCHDOG_USEC=soon: "), "{late}");
    assert_eq!(refused(&[]), None, "nobody asks");
}
