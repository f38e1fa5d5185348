//! How KEDA and the autoscaler of Kubernetes are set goes in, and what the query answers; the size of the
//! fleet that they wish comes out.
//!
//! Theirs are: nothing within a tenth is a change; downwards the highest wish of a while counts; in a period
//! no more comes or goes than a policy allows; an error changes nothing, and several ones in a row fall back.

use std::collections::VecDeque;

use serde_json::Value;

/// Between which ratios of wish and size nothing changes.
const TOLERANCE: f64 = 0.1;

/// One direction: how many workers may come, or go, in how many seconds, and how far back wishes count.
#[derive(Debug)]
struct Policy {
    pods: usize,
    period_s: u64,
    window_s: u64,
}

impl Policy {
    fn read(behavior: &Value) -> Self {
        let policy = &behavior["policies"][0];
        assert_eq!(policy["type"], "Pods", "{behavior}");
        Self {
            pods: number(&policy["value"]),
            period_s: number(&policy["periodSeconds"]) as u64,
            window_s: number(&behavior["stabilizationWindowSeconds"]) as u64,
        }
    }

    /// How many more may come, or go, after these.
    fn room(&self, now: u64, changes: &[(u64, usize)]) -> usize {
        let lately = changes.iter().filter(|(at, _)| at + self.period_s > now);
        self.pods.saturating_sub(lately.map(|(_, count)| count).sum())
    }
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))).unwrap()
}

/// The two as `scaling.yaml` sets them.
pub(super) struct Autoscaler {
    pub(super) every_s: u64,
    pub(super) least: usize,
    pub(super) most: usize,
    fallback: (usize, usize),
    up: Policy,
    down: Policy,
    failures: usize,
    /// When it wished for how many.
    wishes: VecDeque<(u64, usize)>,
    /// When how many came, and when how many went.
    came: Vec<(u64, usize)>,
    went: Vec<(u64, usize)>,
}

impl Autoscaler {
    /// Of the `spec` of a scaled object.
    pub(super) fn of(spec: &Value) -> Self {
        let behavior = &spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"];
        let fallback = &spec["fallback"];
        Self {
            every_s: number(&spec["pollingInterval"]) as u64,
            least: number(&spec["minReplicaCount"]),
            most: number(&spec["maxReplicaCount"]),
            fallback: (number(&fallback["failureThreshold"]), number(&fallback["replicas"])),
            up: Policy::read(&behavior["scaleUp"]),
            down: Policy::read(&behavior["scaleDown"]),
            failures: 0,
            wishes: VecDeque::new(),
            came: Vec::new(),
            went: Vec::new(),
        }
    }

    /// The size from now on, when the query answers this; an empty answer is an error.
    pub(super) fn size(&mut self, now: u64, size: usize, answer: Option<u64>) -> usize {
        let Some(wish) = self.wish(size, answer) else { return size };
        let is_close = (wish as f64 / size as f64 - 1.0).abs() <= TOLERANCE;
        let wish = if is_close { size } else { wish }.clamp(self.least, self.most);
        self.wishes.push_back((now, wish));
        self.wishes.retain(|(at, _)| at + self.down.window_s >= now);
        let highest = self.wishes.iter().map(|(_, wish)| *wish).max().unwrap_or(wish);
        assert_eq!(self.up.window_s, 0, "upwards each wish counts");
        let next = if wish > size {
            wish.min(size + self.up.room(now, &self.came))
        } else if highest < size {
            highest.max(size.saturating_sub(self.down.room(now, &self.went)))
        } else {
            size
        };
        self.came.push((now, next.saturating_sub(size)));
        self.went.push((now, size.saturating_sub(next)));
        next
    }

    fn wish(&mut self, size: usize, answer: Option<u64>) -> Option<usize> {
        if let Some(answer) = answer {
            self.failures = 0;
            return Some(usize::try_from(answer).unwrap());
        }
        self.failures += 1;
        let (threshold, replicas) = self.fallback;
        // `currentReplicasIfHigher`.
        (self.failures >= threshold).then(|| replicas.max(size))
    }
}
