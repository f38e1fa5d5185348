//! A private Redis on a socket in a temporary folder: nothing goes in, a URL comes out; it dies with
//! its test.

use child::{Running, Spec, Stream};
use redis::Connection;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::runtime::{Builder, Runtime};

/// One server, and the runtime that watches over it.
pub(crate) struct Server {
    _child: Running,
    folder: TempDir,
    runtime: Runtime,
}

impl Server {
    /// Keeps nothing on disk: the tests of persistence live elsewhere.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut child = runtime.block_on(spec(&folder).spawn()).expect("redis-server");
        let out = child.stdout.take().expect("stdout was piped");
        runtime.block_on(async {
            let mut lines = BufReader::new(out).lines();
            let mut ready = false;
            while !ready {
                let line = lines.next_line().await.expect("the log of Redis");
                let line = line.expect("redis-server lives until it is ready");
                ready = line.contains("ready to accept connections");
            }
        });
        Self { _child: child, folder, runtime }
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("redis.sock").display())
    }

    pub(crate) fn connect(&self) -> Connection {
        let client = redis::Client::open(self.url()).expect("the address of a socket");
        client.get_connection().expect("the server is ready")
    }

    /// Runs `future` to its end.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

fn spec(folder: &TempDir) -> Spec {
    Spec::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
        .arg(folder.path().join("redis.sock"))
        .arg("--dir")
        .arg(folder.path())
        .stdout(Stream::Piped)
        .stderr(Stream::Null)
        .hint("install it with: apt-get install redis-server")
}
