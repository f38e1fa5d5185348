"""The client's types and the description of the API go in; how many are the same comes out, or the first
difference."""

import json
import sys
import typing

from stillcast import types

NAMES = [
    "Accepted", "Artifact", "BulkPlan", "BulkRecord", "Cost", "ConversationSource", "ErrorReport",
    "Eta", "ExtraFile", "JobList", "JobRecord", "JobRequest", "OptionsRequest", "Price", "ReplayRequest", "Search",
    "StageRecord", "TextSource", "Waiting",
]
WORDS = {"State": types.State, "Format": types.Format, "StageName": types.Stage, "BulkAction": types.Action,
         "Bed": types.Bed,
         "Container": types.Container, "Aspect": types.Aspect}

with open(sys.argv[1], encoding="utf-8") as file:
    schemas = json.load(file)["components"]["schemas"]

for name in NAMES:
    described = set(schemas[name]["properties"])
    known = set(typing.get_type_hints(getattr(types, name)))
    assert known == described, f"{name}: {sorted(known ^ described)}"
for name, word in WORDS.items():
    assert list(typing.get_args(word)) == schemas[name]["enum"], name

print(len(NAMES) + len(WORDS))
