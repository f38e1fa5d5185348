//! Messages go to receivers of all kinds; what is sent, and where nothing is, is looked at.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::resolver::Lookup;
use crate::{Answer, Message, Sender, SenderOptions, Sent};

/// The example of Standard Webhooks.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Stands for a public address; its neighbour 127.0.0.1 is nobody's business.
const OUTSIDE: &str = "127.0.0.2";
const INSIDE: &str = "127.0.0.1";

/// Names as a test wants them: each call takes the next of the answers, round and round.
struct Names {
    answers: Vec<Vec<&'static str>>,
    calls: AtomicUsize,
}

impl Names {
    fn new(answers: &[&[&'static str]]) -> Arc<Self> {
        let answers = answers.iter().map(|all| all.to_vec()).collect();
        Arc::new(Self { answers, calls: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let answer = &self.answers[call % self.answers.len()];
        Ok(answer.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect())
    }
}

/// How a receiver answers.
#[derive(Clone)]
enum Manner {
    Says(String),
    HangsUp,
    IsSilent,
}

/// A receiver that counts its connections and keeps what it was sent.
struct Receiver {
    port: u16,
    connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<String>>>,
    _task: JoinSet<()>,
}

impl Receiver {
    async fn start(host: &str, port: u16, manner: Manner) -> Self {
        let listener = TcpListener::bind((host, port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, received) = (Arc::<AtomicUsize>::default(), Arc::default());
        let mut task = JoinSet::new();
        task.spawn(serve(listener, manner, Arc::clone(&connections), Arc::clone(&received)));
        Self { port, connections, received, _task: task }
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(
    listener: TcpListener,
    manner: Manner,
    connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<String>>>,
) {
    let mut held = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        connections.fetch_add(1, Ordering::SeqCst);
        let mut request = vec![0; 64 * 1024];
        let read = stream.read(&mut request).await.unwrap_or(0);
        let text = String::from_utf8_lossy(&request[..read]).into_owned();
        received.lock().unwrap().push(text);
        match &manner {
            Manner::Says(answer) => drop(stream.write_all(answer.as_bytes()).await),
            Manner::HangsUp => {}
            Manner::IsSilent => held.push(stream),
        }
    }
}

fn says(status: u16, headers: &str, body: &str) -> Manner {
    let length = body.len();
    Manner::Says(format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    ))
}

fn sender(allow: &[&str], lookup: Arc<dyn Lookup>) -> Sender {
    let options = SenderOptions {
        secrets: vec![("*".to_owned(), SecretString::from(SECRET))],
        allow: allow.iter().map(|entry| (*entry).to_owned()).collect(),
        ..SenderOptions::default()
    };
    Sender::with_lookup(&options, lookup).unwrap()
}

async fn send(sender: &Sender, url: &str) -> Answer {
    let message = Message { id: "evt_1", tenant: "acme", url, body: "{\"type\":\"job.done\"}" };
    match sender.send(message).await {
        Sent::Made(answer) => answer,
        other => unreachable!("{other:?}"),
    }
}

/// Hosts that lead inside, however they are written.
const CLOSED: [&str; 76] = [
    // This host.
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "127.0.0.53",
    "127.255.255.254",
    "0.0.0.0",
    "0",
    "0.1.2.3",
    "[::1]",
    "[::]",
    "127.0.0.1.",
    "\u{ff11}27.0.0.1",
    "127\u{3002}0\u{3002}0\u{3002}1",
    // In disguise.
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[::ffff:0:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::10.0.0.1]",
    "[::ffff:192.168.1.1]",
    "[64:ff9b::c0a8:101]",
    "[2002:c0a8:101::1]",
    "[0:0:0:0:0:ffff:a00:1]",
    // Private networks.
    "10.0.0.1",
    "10.255.255.255",
    "012.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "192.168.255.255",
    "0xc0a80001",
    "[fc00::1]",
    "[fdff::1]",
    "[fec0::1]",
    "100.64.0.1",
    "100.127.255.254",
    // Links and clouds.
    "169.254.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.170.2",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "[fe80::1]",
    "[fe80::a9fe:a9fe]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    // To everybody, to nobody, and examples.
    "224.0.0.1",
    "239.255.255.255",
    "[ff02::1]",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "198.19.255.255",
    "192.88.99.1",
    "[2001:db8::1]",
    "[3fff::1]",
    "[2001::1]",
    "[2001:10::1]",
    "[100::1]",
];

/// What a name may lead to: one address inside is one too many.
const LEADING_INSIDE: [&[&str]; 12] = [
    &["127.0.0.1"],
    &["::1"],
    &["93.184.215.14", "127.0.0.1"],
    &["127.0.0.1", "93.184.215.14"],
    &["2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::1"],
    &["::ffff:127.0.0.1"],
    &["::127.0.0.1"],
    &["64:ff9b::7f00:1"],
    &["169.254.169.254"],
    &["fd00:ec2::254"],
    &["10.0.0.1", "10.0.0.2"],
    &["0.0.0.0"],
];

#[tokio::test]
async fn nothing_inside_is_ever_reached() {
    let inside = Receiver::start(INSIDE, 0, says(200, "", "")).await;
    let port = inside.port;
    let literals = sender(&[], Names::new(&[&["127.0.0.1"]]));
    for host in CLOSED {
        for scheme in ["https", "http"] {
            let answer = send(&literals, &format!("{scheme}://{host}:{port}/")).await;
            let word = if scheme == "http" { "http-refused" } else { "address-refused" };
            assert_eq!((answer.status, answer.error), (None, Some(word)), "{scheme}://{host}");
        }
    }
    for addresses in LEADING_INSIDE {
        for name in ["evil.test", "localhost", "localhost.", "LOCALHOST", "127.0.0.1.nip.io"] {
            let names = sender(&[], Names::new(&[addresses]));
            let answer = send(&names, &format!("https://{name}:{port}/")).await;
            assert_eq!(answer.error, Some("address-refused"), "{name} is {addresses:?}");
        }
    }
    assert_eq!(inside.count(), 0, "connections to the inside");
}

#[test]
fn what_is_public_is_not_refused() {
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.215.14",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "169.253.255.255",
        "223.255.255.254",
        "192.0.1.1",
        "198.17.255.255",
        "198.20.0.1",
        "11.0.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "2a00:1450::1",
        "2001:200::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ] {
        assert!(crate::guard::is_public(address.parse().unwrap()), "{address}");
    }
}

/// A name that leads outside when it is looked at and inside a moment later: one look decides, and the
/// connection goes where it led.
#[tokio::test]
async fn a_name_that_changes_leads_where_it_was_looked_at() {
    let inside = Receiver::start(INSIDE, 0, says(200, "", "")).await;
    let outside = Receiver::start(OUTSIDE, inside.port, says(200, "", "")).await;
    let names = Names::new(&[&[OUTSIDE], &[INSIDE]]);
    // `http` is for receivers that are named alone: a TLS handshake counts as a connection too.
    let sender = sender(&["127.0.0.2/32"], Arc::clone(&names) as _);
    let url = format!("https://rebinding.test:{}/", inside.port);
    for call in 0..20 {
        let answer = send(&sender, &url).await;
        let word = if call % 2 == 0 { "connection-failed" } else { "address-refused" };
        assert_eq!(answer.error, Some(word), "call {call}");
    }
    assert_eq!((inside.count(), outside.count()), (0, 10));
    assert_eq!(names.calls.load(Ordering::SeqCst), 20, "each attempt looks once");
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_never_followed() {
    let inside = Receiver::start(INSIDE, 0, says(200, "", "")).await;
    let sender = sender(&[OUTSIDE], Names::new(&[&[INSIDE]]));
    for status in [301, 302, 303, 307, 308] {
        let to = format!("location: http://{INSIDE}:{}/\r\n", inside.port);
        let outside = Receiver::start(OUTSIDE, 0, says(status, &to, "")).await;
        let answer = send(&sender, &format!("http://{OUTSIDE}:{}/", outside.port)).await;
        assert_eq!((answer.status, outside.count()), (Some(status), 1));
    }
    assert_eq!(inside.count(), 0);
}

#[tokio::test]
async fn what_operators_name_is_reached_and_nothing_beside_it() {
    let receiver = Receiver::start(INSIDE, 0, says(204, "", "")).await;
    let port = receiver.port;
    let names: Arc<dyn Lookup> = Names::new(&[&[INSIDE]]);
    for (allow, url, expected) in [
        (&[INSIDE][..], format!("http://{INSIDE}:{port}/"), (Some(204), None)),
        (&["127.0.0.0/8"], format!("http://{INSIDE}:{port}/"), (Some(204), None)),
        (&["hooks.test"], format!("http://hooks.test:{port}/"), (Some(204), None)),
        (&["Hooks.Test."], format!("http://HOOKS.test:{port}/"), (Some(204), None)),
        (&["hooks.test"], format!("http://nohooks.test:{port}/"), (None, Some("http-refused"))),
        (&["hooks.test"], format!("https://other.test:{port}/"), (None, Some("address-refused"))),
        (
            &["10.0.0.0/8", "::1"],
            format!("https://{INSIDE}:{port}/"),
            (None, Some("address-refused")),
        ),
        (&[INSIDE], "ftp://127.0.0.1/".to_owned(), (None, Some("address-invalid"))),
        (&[INSIDE], format!("http://a:b@{INSIDE}:{port}/"), (None, Some("address-invalid"))),
        (&[INSIDE], "nonsense".to_owned(), (None, Some("address-invalid"))),
    ] {
        let answer = send(&sender(allow, Arc::clone(&names)), &url).await;
        assert_eq!((answer.status, answer.error), expected, "{allow:?} {url}");
    }
    assert_eq!(receiver.count(), 4);
    let unknown = send(&sender(&[], Names::new(&[&[]])), "https://nowhere.test/").await;
    assert_eq!(unknown.error, Some("name-unknown"));
}

#[tokio::test]
async fn a_receiver_is_told_once_and_what_it_says_is_kept() {
    let sender = sender(&[INSIDE], Names::new(&[&[INSIDE]]));
    let long = "a".repeat(5_000);
    for (manner, status, error, kept, wait) in [
        (says(200, "", "thanks"), Some(200), None, "thanks".len(), None),
        (says(500, "", &long), Some(500), None, 1024, None),
        (says(410, "", ""), Some(410), None, 0, None),
        (says(429, "retry-after: 7\r\n", ""), Some(429), None, 0, Some(7)),
        (
            Manner::Says("HTTP/1.1 200 x\r\ncontent-length: 9\r\n\r\nabc".into()),
            Some(200),
            None,
            3,
            None,
        ),
        (Manner::HangsUp, None, Some("connection-broken"), 0, None),
        (Manner::Says("220 mail.test ESMTP\r\n".into()), None, Some("connection-broken"), 0, None),
    ] {
        let receiver = Receiver::start(INSIDE, 0, manner).await;
        let answer = send(&sender, &format!("http://{INSIDE}:{}/hook", receiver.port)).await;
        assert_eq!((answer.status, answer.error, answer.body.len()), (status, error, kept));
        assert_eq!(answer.retry_after.map(|wait| wait.as_secs()), wait);
        assert_eq!(receiver.count(), 1, "one connection an attempt");
    }
    let closed = TcpListener::bind((INSIDE, 0)).await.unwrap().local_addr().unwrap();
    assert_eq!(send(&sender, &format!("http://{closed}/")).await.error, Some("connection-failed"));
}

#[tokio::test]
async fn a_silent_receiver_is_given_up() {
    let options = SenderOptions {
        secrets: vec![("*".to_owned(), SecretString::from(SECRET))],
        allow: vec![INSIDE.to_owned()],
        timeout: Duration::from_millis(50),
        ..SenderOptions::default()
    };
    let sender = Sender::new(&options).unwrap();
    let receiver = Receiver::start(INSIDE, 0, Manner::IsSilent).await;
    let answer = send(&sender, &format!("http://{INSIDE}:{}/", receiver.port)).await;
    assert_eq!((answer.status, answer.error), (None, Some("timed-out")));
}

#[tokio::test]
async fn the_headers_are_those_of_the_standard() {
    let sender = sender(&[INSIDE], Names::new(&[&[INSIDE]]));
    let receiver = Receiver::start(INSIDE, 0, says(200, "", "")).await;
    send(&sender, &format!("http://{INSIDE}:{}/hook?t=1", receiver.port)).await;
    let request = receiver.received.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /hook?t=1 HTTP/1.1\r\n"), "{request}");
    for header in [
        "webhook-id: evt_1\r\n",
        "webhook-timestamp: ",
        "webhook-signature: v1,",
        "content-type: application/json\r\n",
        "user-agent: stillcast/",
    ] {
        assert!(request.contains(header), "{header:?} is not in {request}");
    }
}

#[tokio::test]
async fn nothing_is_sent_unsigned() {
    let options = SenderOptions {
        secrets: vec![("other".to_owned(), SecretString::from(SECRET))],
        allow: vec![INSIDE.to_owned()],
        ..SenderOptions::default()
    };
    let sender = Sender::with_lookup(&options, Names::new(&[&[INSIDE]])).unwrap();
    let receiver = Receiver::start(INSIDE, 0, says(200, "", "")).await;
    let url = format!("http://{INSIDE}:{}/", receiver.port);
    let message = Message { id: "evt_1", tenant: "acme", url: &url, body: "{}" };
    assert!(matches!(sender.send(message).await, Sent::NoSecret));
    assert_eq!(receiver.count(), 0);
}

/// A proxy is asked for the name as it stands, also for names that this host cannot resolve.
#[tokio::test]
async fn a_proxy_decides_by_itself_but_for_addresses() {
    let proxy = Receiver::start(INSIDE, 0, says(403, "", "")).await;
    let options = SenderOptions {
        secrets: vec![("*".to_owned(), SecretString::from(SECRET))],
        proxy: Some(format!("http://{INSIDE}:{}", proxy.port)),
        ..SenderOptions::default()
    };
    let sender = Sender::new(&options).unwrap();
    assert_eq!(send(&sender, "https://hooks.test/").await.error, Some("connection-failed"));
    let asked = proxy.received.lock().unwrap()[0].clone();
    assert!(asked.starts_with("CONNECT hooks.test:443 "), "{asked}");
    assert_eq!(send(&sender, "https://169.254.169.254/").await.error, Some("address-refused"));
    assert_eq!(proxy.count(), 1);
}
