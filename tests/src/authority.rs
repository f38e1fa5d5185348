//! An authority of one's own: nothing goes in, a certificate that it signed for this host comes out.

use std::path::{Path, PathBuf};

use child::Spec;
use tempfile::TempDir;

/// Days that everything here is good for.
const DAYS: &str = "2";
/// Whom the server's certificate names.
const NAMES: &str = "subjectAltName=DNS:localhost,IP:127.0.0.1\n";

/// What a certificate says with whose key manifests of files are signed: its key signs, and documents.
const SIGNS: &str = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
    extendedKeyUsage=1.3.6.1.5.5.7.3.36\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";

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

    /// A certificate with whose key files are signed, good for so many days (-1 for one that has ended), and
    /// that key, which `kind` makes: words for `openssl req`, such as `-newkey ed25519`.
    pub async fn signer(&self, kind: &[&str], days: i32) -> anyhow::Result<[PathBuf; 2]> {
        let name = format!("signer-{}-{days}", kind.join("").replace([':', '/'], "-"));
        let [key, request, pem] = ["key", "csr", "pem"].map(|ending| format!("{name}.{ending}"));
        std::fs::write(self.at("signs"), SIGNS)?;
        let asked = ["req", "-nodes", "-subj", "/CN=A signer/O=An example", "-keyout", &key];
        self.openssl(&[&asked[..], &["-out", &request], kind].concat()).await?;
        let sign = ["x509", "-req", "-in", &request, "-CA", "ca.pem", "-CAkey", "ca.key"];
        let days = days.to_string();
        let how = ["-CAcreateserial", "-days", &days, "-extfile", "signs", "-out", &pem];
        self.openssl(&[&sign[..], &how].concat()).await?;
        Ok([pem, key].map(|name| self.at(&name)))
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
