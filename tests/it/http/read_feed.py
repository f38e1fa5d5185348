"""Reads a feed with two readers that know nothing of each other, and against the grammar of RSS 2.0:
`read_feed.py GRAMMAR FEED`. Prints what both see, and every fault."""

import json
import sys
import time

import feedparser
import podcastparser
from lxml import etree

grammar, feed = sys.argv[1:]
faults = []

document = etree.parse(feed)
schema = etree.RelaxNG(etree.parse(grammar))
if not schema.validate(document):
    faults += [f"grammar: {fault}" for fault in schema.error_log]

with open(feed, "rb") as file:
    parsed = feedparser.parse(file.read())
if parsed.bozo:
    faults.append(f"feedparser: {parsed.bozo_exception}")
with open(feed, "rb") as file:
    podcast = podcastparser.parse("http://localhost/feed.xml", file)
if len(podcast["episodes"]) != len(parsed.entries):
    faults.append("the readers see another number of episodes")

tags = {"podcast": "https://podcastindex.org/namespace/1.0"}
episodes = []
for entry, episode, item in zip(parsed.entries, podcast["episodes"], document.iter("item")):
    [enclosure] = entry.enclosures
    [other] = episode["enclosures"]
    own = (entry.id, enclosure.href, int(enclosure.length), enclosure.type)
    if own != (episode["guid"], other["url"], other["file_size"], other["mime_type"]):
        faults.append(f"the readers see another episode than {entry.id}")
    if int(entry.itunes_duration) != episode["total_time"]:
        faults.append(f"the readers see another length of {entry.id}")
    episodes.append(
        {
            "guid": entry.id,
            "title": item.findtext("title"),
            "enclosure": list(own[1:]),
            "seconds": episode["total_time"],
            "published": time.strftime("%Y-%m-%dT%H:%M:%S", entry.published_parsed),
            "transcript": item.find("podcast:transcript", tags).get("url"),
        }
    )
[itself] = [link.href for link in parsed.feed.links if link.rel == "self"]
print(json.dumps({"faults": faults, "episodes": episodes, "itself": itself}))
