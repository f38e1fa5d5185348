//! What the kernel knows of this process and its children, read at each scrape; nothing where there is
//! no `/proc`.

use std::fmt;
use std::fs;
use std::path::Path;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// `USER_HZ`: the unit of times in `/proc`, the same on every Linux.
const TICKS: f64 = 100.0;

/// Names that all exporters share go to `common`.
pub(super) fn register(own: &mut Registry, common: &mut Registry) {
    own.register_collector(Box::new(Children));
    common.register_collector(Box::new(Process));
}

#[derive(Debug)]
struct Process;

#[derive(Debug)]
struct Children;

impl Collector for Process {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let folder = Path::new("/proc/self");
        if let Some((own, _)) = cpu_seconds(folder) {
            let help = "CPU time of this process, without its children";
            write(&mut to, "process_cpu_seconds", help, &ConstCounter::new(own))?;
        }
        if let Some(bytes) = resident_bytes(folder) {
            let help = "Memory of this process, without its children";
            write(&mut to, "process_resident_memory_bytes", help, &ConstGauge::new(bytes))?;
        }
        if let Ok(open) = fs::read_dir(folder.join("fd")) {
            let open = ConstGauge::new(count(open.count()));
            write(&mut to, "process_open_fds", "Open files and sockets", &open)?;
        }
        Ok(())
    }
}

impl Collector for Children {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let folder = Path::new("/proc/self");
        if let Some((_, ended)) = cpu_seconds(folder) {
            let help = "CPU time of children that have ended, theirs among them";
            write(&mut to, "children_cpu_seconds", help, &ConstCounter::new(ended))?;
        }
        if let Some(children) = children(folder) {
            let at_work = ConstGauge::new(count(children.len()));
            write(&mut to, "children", "Child processes, such as FFmpeg", &at_work)?;
            let bytes =
                children.iter().filter_map(|id| resident_bytes(&Path::new("/proc").join(id)));
            let bytes = ConstGauge::new(bytes.sum::<i64>());
            write(&mut to, "children_resident_memory_bytes", "Memory of child processes", &bytes)?;
        }
        Ok(())
    }
}

fn write(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    let encoder = to.encode_descriptor(name, help, None, metric.metric_type())?;
    metric.encode(encoder)
}

/// Of the process itself, and of the children that it has waited for.
fn cpu_seconds(folder: &Path) -> Option<(f64, f64)> {
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    // The second field, the program's name, may hold blanks and brackets.
    let behind_name = stat.rsplit_once(") ")?.1;
    let ticks: Vec<f64> =
        behind_name.split(' ').skip(11).take(4).filter_map(|field| field.parse().ok()).collect();
    let [user, system, user_ended, system_ended] = <[f64; 4]>::try_from(ticks).ok()?;
    Some(((user + system) / TICKS, (user_ended + system_ended) / TICKS))
}

fn resident_bytes(folder: &Path) -> Option<i64> {
    let status = fs::read_to_string(folder.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

/// The process numbers of all children, whichever thread has started them.
fn children(folder: &Path) -> Option<Vec<String>> {
    let threads = fs::read_dir(folder.join("task")).ok()?.flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    Some(
        lists
            .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect(),
    )
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
