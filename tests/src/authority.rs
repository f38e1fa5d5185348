//! An authority of one's own: nothing goes in, a certificate that it signed for this host comes out.

use std::path::{Path, PathBuf};

use child::Spec;
use tempfile::TempDir;

/// Days that everything here is good for.
const DAYS: &str = "2";
/// Whom the server's certificate names.
const NAMES: &str = "subjectAltName=DNS:localhost,IP:127.0.0.1\n";

/// Its files; gone when dropped.
pub struct Authority(TempDir);

impl Authority {
    /// Makes an authority, and lets it sign a server's certificate.
    pub async fn new() -> anyhow::Result<Self> {
        let made = Self(tempfile::tempdir()?);
        std::fs::write(made.at("names"), NAMES)?;
        let request = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let own = ["-x509", "-days", DAYS, "-subj", "/CN=An authority", "-keyout", "ca.key"];
        made.openssl(&[&request[..], &own, &["-out", "ca.pem"]].concat()).await?;
        let server = ["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"];
        made.openssl(&[&request[..], &server].concat()).await?;
        let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key"];
        let signed = ["-CAcreateserial", "-days", DAYS, "-extfile", "names", "-out", "server.pem"];
        made.openssl(&[&sign[..], &signed].concat()).await?;
        Ok(made)
    }

    /// Its own certificate: what a client must trust.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.at("ca.pem")
    }

    /// The server's certificate, and its key.
    #[must_use]
    pub fn server(&self) -> [PathBuf; 2] {
        ["server.pem", "server.key"].map(|name| self.at(name))
    }

    fn at(&self, name: &str) -> PathBuf {
        let Self(folder) = self;
        folder.path().join(Path::new(name))
    }

    async fn openssl(&self, args: &[&str]) -> anyhow::Result<()> {
        let Self(folder) = self;
        let spec = Spec::new("openssl").args(args).folder(folder.path());
        spec.hint("install it with: apt-get install openssl").run().await?;
        Ok(())
    }
}
