//! A paid provider to test against by hand: speaks OpenAI's shapes until it is ended.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use tests::simulator::{Fault, Key, Keys, Latency, Options, Prices, Simulator, Voice};

/// Sells words, speech and pictures as OpenAI's API does, and writes down what was bought.
#[derive(Parser)]
struct Cli {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8099")]
    listen: SocketAddr,
    /// Where each purchase is appended as a line of JSON.
    #[arg(long, default_value = "purchases.jsonl")]
    journal: PathBuf,
    /// Decides latencies and faults: equal seeds, equal runs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Times as slow as a real provider; 0 answers at once.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// The share of calls that fail, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    faults: f64,
    /// A tone instead of words: costs no CPU.
    #[arg(long, conflicts_with = "paragraph")]
    tone: bool,
    /// One paragraph again and again instead of the words: sounds like a voice, and costs no CPU.
    #[arg(long)]
    paragraph: bool,
    /// A key that may buy, and, after a `:`, its calls a minute; any key may when none is given.
    #[arg(long = "key", value_name = "KEY[:CALLS]")]
    keys: Vec<String>,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let options = Options {
        address: cli.listen,
        journal: cli.journal,
        seed: cli.seed,
        latency: Latency::TYPICAL.scaled(cli.scale),
        fault_rate: cli.faults,
        faults: Fault::passing(),
        paragraph: 4,
        voice: match (cli.tone, cli.paragraph) {
            (true, _) => Voice::Tone,
            (_, true) => Voice::Paragraph,
            _ => Voice::Flite,
        },
        prices: Prices::default(),
        keys: keys(&cli.keys)?,
        told: None,
    };
    let simulator = Simulator::start(options).await?;
    say(&format!("OPENAI_BASE_URL={}", simulator.base_url()))?;
    simulator.wait().await;
    Ok(())
}

fn keys(texts: &[String]) -> anyhow::Result<Keys> {
    texts.iter().try_fold(Keys::default(), |keys, text| {
        Ok(match text.split_once(':') {
            Some((key, calls)) => {
                keys.with(key, Key::default().with_calls_per_minute(calls.parse()?))
            }
            None => keys.with(text, Key::default()),
        })
    })
}

fn say(line: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}
