//! A file of requests goes in, one line of JSON each; jobs whose text is nobody's secret come out, or what is wrong
//! with each line.

use std::collections::BTreeMap;
use std::path::Path;

use pipeline::{EVERYBODY, Request};
use sha2::{Digest, Sha256};
use stillcast_enqueue::{Job, Source};

/// Largest file: four thousand requests of the longest text.
const MAX_FILE: u64 = 64 << 20;
/// Lines whose faults are told.
const TOLD: usize = 20;
/// Digits of the file's digest in the errand's name.
const DIGITS: usize = 32;

/// Whatever shall be warm.
pub(super) struct Requests {
    /// By line, from 1.
    lines: Vec<(usize, Request)>,
    digest: String,
}

impl Requests {
    /// Reads and checks all lines; one that is empty is none.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let said = |error: std::io::Error| format!("{} cannot be read: {error}", file.display());
        if std::fs::metadata(file).map_err(said)?.len() > MAX_FILE {
            return Err(format!("{} is larger than 64 MiB; warm it in parts", file.display()));
        }
        let text = std::fs::read(file).map_err(said)?;
        let lines = text.split(|byte| *byte == b'\n').enumerate();
        let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
        let (mut read, mut faults) = (Vec::new(), Vec::new());
        for (at, line) in lines {
            match request(line) {
                Ok(request) => read.push((at + 1, request)),
                Err(fault) => faults.push(format!("line {}: {fault}", at + 1)),
            }
        }
        match (faults.is_empty(), read.is_empty()) {
            (false, _) => Err(faults.into_iter().take(TOLD).collect::<Vec<_>>().join("\n")),
            (true, true) => Err(format!("{} holds no request", file.display())),
            (true, false) => Ok(Self { lines: read, digest: hex::encode(Sha256::digest(&text)) }),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    /// A name by which what is spent for these lines is found again.
    pub(super) fn errand(&self) -> String {
        format!("warm-{}", self.digest.get(..DIGITS).unwrap_or(&self.digest))
    }

    pub(super) fn lines(&self) -> &[(usize, Request)] {
        &self.lines
    }

    /// Those of one text together: they share words and pictures, and buy them one after another.
    pub(super) fn by_text(self) -> Vec<Vec<(usize, Request)>> {
        let mut groups: BTreeMap<String, Vec<(usize, Request)>> = BTreeMap::new();
        for (line, request) in self.lines {
            let Source::Text(text) = &request.source else { continue };
            groups.entry(text.clone()).or_default().push((line, request));
        }
        groups.into_values().collect()
    }
}

fn request(line: &[u8]) -> Result<Request, String> {
    let job = Job::from_json(line).map_err(|error| error.to_string())?;
    let Source::Text(text) = &job.source else {
        let why = "`source` is a conversation, which is one tenant's, and what is warm is everybody's; give \
                   `source.text`";
        return Err(why.to_owned());
    };
    if job.tenant != Job::audio(Source::Text(text.clone())).tenant {
        let why = "`tenant` is named, and what is warm is everybody's; leave it out, and bring no private text";
        return Err(why.to_owned());
    }
    let Job { id, source, format, options, .. } = job;
    Ok(Request { job: id, tenant: EVERYBODY.to_owned(), source, format, options })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Requests, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Requests::read(file.path())
    }

    #[test]
    fn lines_are_grouped_by_their_text_and_belong_to_everybody() {
        let line = |text: &str, format: &str| {
            format!(r#"{{"source":{{"text":"{text}"}},"format":"{format}"}}"#)
        };
        let file =
            [line("Sea.", "audio"), String::new(), line("Hill.", "audio"), line("Sea.", "video")];
        let requests = read(&file.join("\n")).unwrap();
        assert_eq!(requests.count(), 3);
        assert!(requests.lines().iter().all(|(_, request)| request.tenant == "*"));
        let lines = |group: &Vec<(usize, Request)>| group.iter().map(|(line, _)| *line).collect();
        let groups: Vec<Vec<usize>> = requests.by_text().iter().map(lines).collect();
        assert_eq!(groups, [vec![3], vec![1, 4]]);
    }

    #[test]
    fn what_is_one_tenant_s_is_refused_by_its_line_and_so_is_what_is_no_request() {
        let file = r#"{"source":{"text":"Sea."},"format":"audio"}
{"source":{"text":"Sea."},"format":"audio","tenant":"acme"}
{"source":{"conversation_id":"0191d0c4-7a3b-7c52-9e0f-3c6d2f8a1b44"},"format":"audio"}
{"source":{"text":"Sea."}}"#;
        let faults = read(file).err().unwrap();
        for told in ["line 2: `tenant`", "line 3: `source` is a conversation", "line 4: "] {
            assert!(faults.contains(told), "{faults}");
        }
        assert!(!faults.contains("line 1"), "{faults}");
        assert!(read("\n\n").err().unwrap().contains("no request"));
    }
}
