//! The dashboard goes in; what Grafana's own schema does not know of it, and what overlaps, comes out.

use std::collections::BTreeSet;
use std::time::Duration;

use child::Spec;
use serde_json::Value;

use crate::tree::{root, text_of};

const BOARD: &str = "deploy/grafana/stillcast.json";
/// Reads it with the classes that Grafana makes of its schema, and writes it again: what is lost or
/// changed on the way, the schema does not know.
const ROUND_TRIP: &str = "\
import json, sys
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
board = json.load(open(sys.argv[1]))
again = json.loads(json.dumps(Dashboard.from_json(board).to_json(), cls=JSONEncoder))
def differs(one, other, path):
    if isinstance(one, dict) and isinstance(other, dict):
        return [found for name in one for found in differs(one[name], other.get(name), f'{path}/{name}')]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [found for at in range(len(one)) for found in differs(one[at], other[at], f'{path}/{at}')]
    return [] if one == other else [path]
sys.exit('the schema does not know ' + ', '.join(found) if (found := differs(board, again, '')) else 0)
";

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the runner says which Python has the tools")]
async fn grafana_s_schema_knows_every_field_of_the_dashboard() {
    let python = std::env::var("STILLCAST_TEST_PYTHON").expect("tests/run sets it");
    let reads = Spec::new(python).args(["-c", ROUND_TRIP, BOARD]).folder(root());
    let ended = reads.timeout(Duration::from_mins(1)).run().await;
    assert!(ended.is_ok(), "{ended:?}");
}

#[test]
fn panels_have_places_and_numbers_of_their_own_and_the_datasource_that_is_chosen() {
    let board: Value = serde_json::from_str(&text_of(BOARD)).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "two panels have one number");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let [x, y, w, h] =
            ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        assert!(x + w <= 24, "{} is wider than the page", panel["title"]);
        for cell in (y..y + h).flat_map(|row| (x..x + w).map(move |column| (row, column))) {
            assert!(taken.insert(cell), "{} lies on another panel at {cell:?}", panel["title"]);
        }
        for target in panel["targets"].as_array().into_iter().flatten() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        }
    }
}
