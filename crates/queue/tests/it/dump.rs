//! The whole content of a queue, read in one script: keys without their prefix go out, each with
//! its value and whether it dies by itself.

use std::collections::{BTreeMap, BTreeSet};

use redis::Connection;

/// Every key of a queue by its name without the prefix.
pub(crate) type Dump = BTreeMap<String, Entry>;

/// Fields of a job that hold a set of flights, one a line; their order means nothing.
const LISTS: [&str; 3] = ["owns", "awaits", "heir"];

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) content: Content,
    /// Whether it has a time to live.
    pub(crate) mortal: bool,
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Text(String),
    Map(BTreeMap<String, String>),
    Ranks(BTreeMap<String, i64>),
    Set(BTreeSet<String>),
}

impl Content {
    pub(crate) fn mortal(self) -> Entry {
        Entry { content: self, mortal: true }
    }

    pub(crate) fn immortal(self) -> Entry {
        Entry { content: self, mortal: false }
    }
}

const READ_ALL: &str = "
local out = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local kind, value = redis.call('TYPE', key)['ok']
  if kind == 'hash' then value = redis.call('HGETALL', key)
  elseif kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'set' then value = redis.call('SMEMBERS', key)
  else value = { redis.call('GET', key) } end
  out[#out + 1] = { string.sub(key, #ARGV[1] + 1), kind, redis.call('PTTL', key), value }
end
return out";

/// Key, kind, time to live, values.
type Row = (Vec<u8>, String, i64, Vec<Vec<u8>>);

/// Reads every key that begins with `prefix`, but for the clock of the tests and the moment's
/// verdict on memory.
pub(crate) fn read(connection: &mut Connection, prefix: &str) -> Dump {
    let rows: Vec<Row> = redis::cmd("EVAL")
        .arg(READ_ALL)
        .arg(0)
        .arg(prefix)
        .query(connection)
        .expect("a look at every key");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    rows.into_iter()
        .map(|(key, kind, ttl, value)| {
            let values = value.into_iter().map(text).collect();
            (text(key), Entry { content: content(&kind, values), mortal: ttl >= 0 })
        })
        .filter(|(key, _)| key != "clock" && key != "pressure")
        .filter(|(_, entry)| entry.content != Content::Map(BTreeMap::new()))
        .collect()
}

fn content(kind: &str, values: Vec<String>) -> Content {
    match kind {
        "hash" => Content::Map(without_verdict(fields(&values))),
        "zset" => Content::Ranks(ranks(&values)),
        "set" => Content::Set(values.into_iter().collect()),
        _ => Content::Text(values.into_iter().next().unwrap_or_default()),
    }
}

/// The moment's verdict on memory is nobody's business.
fn without_verdict(mut fields: BTreeMap<String, String>) -> BTreeMap<String, String> {
    fields.remove("full_ms");
    fields
}

/// The pairs of a hash; sets of flights are sorted.
pub(crate) fn fields(values: &[String]) -> BTreeMap<String, String> {
    let pair = |pair: &[String]| {
        let mut value = pair[1].clone();
        if LISTS.contains(&pair[0].as_str()) {
            let lines: BTreeSet<&str> = value.lines().collect();
            value = lines.into_iter().collect::<Vec<_>>().join("\n");
        }
        (pair[0].clone(), value)
    };
    values.chunks_exact(2).map(pair).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "every score is a whole number of ms")]
fn ranks(values: &[String]) -> BTreeMap<String, i64> {
    let score = |text: &str| text.parse::<f64>().expect("a score") as i64;
    values.chunks_exact(2).map(|pair| (pair[0].clone(), score(&pair[1]))).collect()
}
