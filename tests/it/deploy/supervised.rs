//! A socket that stands in for the service manager, and `stillcast serve`; what the one hears of the
//! other, and what the check of its container says meanwhile.

use std::time::Duration;

use child::Spec;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::program::{Program, ended, serve};
use tests::server::Server;
use tokio::net::UnixDatagram;

use crate::compose;
use crate::tools::run;

/// Longest wait for a message; reaching it is a failure.
const WAIT: Duration = Duration::from_secs(150);

async fn heard(listener: &UnixDatagram) -> String {
    let mut words = [0; 256];
    let length = tokio::time::timeout(WAIT, listener.recv(&mut words)).await.unwrap().unwrap();
    String::from_utf8(words[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn a_service_manager_hears_that_a_server_is_ready_turns_and_ends() {
    let server = Server::start().await.unwrap();
    let path = server.folder().join("notify");
    let listener = UnixDatagram::bind(&path).unwrap();
    let program = Program::stillcast(&server.folder().join("home"))
        .env("REDIS_URL", server.url())
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "20000");
    let (serving, url) = serve(&program).await.unwrap();
    let mut told = Vec::new();
    while !told.iter().any(|word| word == "WATCHDOG=1") || told.len() < 4 {
        told.push(heard(&listener).await);
    }
    assert!(told.contains(&format!("READY=1\nSTATUS=answers at {url}")), "{told:?}");
    kill(Pid::from_raw(serving.pid()), Signal::SIGTERM).unwrap();
    loop {
        let word = heard(&listener).await;
        if word != "WATCHDOG=1" {
            assert_eq!(word, "STOPPING=1\nSTATUS=ending\nEXTEND_TIMEOUT_USEC=15000000");
            break;
        }
    }
    let ran = ended(serving).await.unwrap();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// The check is the one that Compose would run, at another port.
#[tokio::test]
async fn the_check_of_a_server_s_container_says_what_the_server_says() {
    let mut redis = Server::start().await.unwrap();
    let program = Program::stillcast(&redis.folder().join("home")).env("REDIS_URL", redis.url());
    let (_serving, url) = serve(&program).await.unwrap();
    let fleet = compose::understood().await;
    let test = fleet["services"]["serve"]["healthcheck"]["test"].as_array().unwrap();
    let words: Vec<String> = test.iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    assert_eq!(words[..3], ["CMD", "bash", "-c"]);
    let port = url.rsplit(':').next().unwrap();
    let command = words[3].replace("$$", "$").replace("/8090", &format!("/{port}"));
    let asked = async || run(Spec::new("bash").args(["-c", &command])).await;
    tests::wait::until("the check is content", async || asked().await.ok()).await;
    redis.kill().await.unwrap();
    tests::wait::until("the check is not", async || asked().await.err()).await;
}
