"""Measures the making of files: `measure.py PROGRAMS [--rounds N] [--only PART…]`; prints one table."""

import argparse
import itertools
import os
import statistics
import tempfile
import time

from fleet import Peak, cpu_s, house, memory_mib, tuned

# Times as fast as a real provider where only memory is looked at.
HURRY = 0.1
# It writes to any length; the provider's transcripts have one.
WRITER = {"LLM_PROVIDER": "offline"}
# Slots of one worker, and how many jobs it is given.
LOADS = ((4, 24), (16, 64), (64, 128))
SAME = 1000

numbers = itertools.count(1)
rows = []


def note(measure, ours, theirs="", goal=""):
    rows.append((measure, ours, theirs, goal))
    print(f"  {measure}: {ours} {theirs}", flush=True)


def text():
    """One that nobody has had."""
    return f"Evening {next(numbers)} by the river, after the rain; Anna cannot put the day down."


def median(values):
    return statistics.median(values)


def one(home, pid, source, form, **options):
    """One job: seconds from the wish to the answer that it is done, CPU, and after the last speech."""
    began, before = time.monotonic(), cpu_s(pid)
    record = home.finished(home.enqueue(source, form, **options))
    took = {"seconds": time.monotonic() - began}
    took["cpu_s"] = cpu_s(pid) - before
    ended = {stage["stage"]: stage.get("ended_s") for stage in record["stages"]}
    # A copy of a file that another job has made has no times of its own.
    if ended["tts"] is not None:
        took["after_speech"] = ended["upload"] - ended["tts"]
        took["after_image"] = ended["upload"] - ended.get("image", ended["tts"])
    return took


def pairs(programs, home, rounds):
    """Both, one behind the other, in each round."""
    ours, theirs = {}, {}
    with house(programs, f"{home}/pairs") as place, place.workers() as [pid], tuned(place) as rival:
        one(place, pid, text(), "audio")  # The first one finds out what FFmpeg and the provider can do.
        for form in ("audio", "video") * rounds:
            source = text()
            ours.setdefault(form, []).append(one(place, pid, source, form))
            theirs.setdefault(form, []).append(rival.make(source, form))
            ours.setdefault(f"{form} again", []).append(one(place, pid, source, form))
            if form == "video":
                ours.setdefault("picture kept", []).append(one(place, pid, source, form, variant=1))
            if len(theirs[form]) == 1:
                theirs[f"{form} again"] = [rival.make(source, form)]
    compare(ours, theirs)


def compare(ours, theirs):
    def both(kind, what, of=None, unit="s"):
        mine = median(took[what] for took in ours[of or kind])
        other = median(took[what] for took in theirs[kind])
        return f"{mine:.2f} {unit} ({mine / other:.3f} ×)", f"{other:.1f} {unit}"

    note("audio, end to end", *both("audio", "seconds"), "≤ 0.22 ×")
    note("video, end to end", *both("video", "seconds"), "≤ 0.09 ×")
    waits = median(took["after_image"] for took in ours["video"])
    note("video, complete after its picture", f"{waits:.2f} s", "", "≤ 0.5 s")
    for form, goal in (("audio", 0.15), ("video", 0.30)):
        waits = median(took["after_speech"] for took in ours[form])
        note(f"{form}, complete after its last speech", f"{waits:.2f} s", "", f"≤ {goal:.2f} s")
    note("CPU of an audio job", *both("audio", "cpu_s"), "≤ 0.25 ×")
    note("CPU of a video job", *both("video", "cpu_s"), "≤ 0.033 ×")
    note("CPU of a video job whose picture is kept", *both("video", "cpu_s", "picture kept"), "≤ 0.02 ×")
    for form in ("audio", "video"):
        note(f"the same {form} again", *both(f"{form} again", "seconds"), "≤ 0.05 s")


def memory(programs, home, _):
    """What one job takes beside what the worker has when it is idle."""
    for minutes in (5, 60):
        with house(programs, f"{home}/memory{minutes}", HURRY) as place, place.workers(**WRITER) as [pid]:
            place.finished(place.enqueue(text()))
            base = memory_mib(pid)
            with Peak(pid) as peak:
                place.finished(place.enqueue(text(), duration=60 * minutes))
            goal = "≤ 60 MiB" if minutes == 5 else "as at 5 min"
            note(f"memory of a job of {minutes} min", f"{peak.most - base:.0f} MiB", f"({base:.0f} idle)", goal)


def drain(place, pids, wishes):
    """Seconds until all are done, and the share of this machine's CPU that the workers took."""
    before = sum(map(cpu_s, pids))
    began = time.monotonic()
    for job in [place.enqueue(wish) for wish in wishes]:
        place.finished(job)
    took = time.monotonic() - began
    return took, (sum(map(cpu_s, pids)) - before) / took / os.cpu_count()


def rate(programs, home, _):
    """Audio jobs an hour."""
    alone = None
    for workers, slots, jobs in (*((1, *load) for load in LOADS), (2, 4, 48)):
        name = f"{home}/rate{workers}-{slots}"
        with house(programs, name) as place, place.workers(workers, slots) as pids:
            took, busy = drain(place, pids, [text() for _ in range(jobs)])
        an_hour = jobs / took * 3600
        alone = alone or an_hour
        more, goal = (f"{an_hour / alone:.2f} × one", "≥ 1.9 ×") if workers > 1 else ("", "")
        bound = "bound by CPU" if busy > 0.85 else "bound by slots"
        kind = f"jobs an hour, {workers} worker{'s' * (workers > 1)} of {slots} slots"
        note(kind, f"{an_hour:.0f}", f"{more} ({busy:.0%} CPU, {bound})".strip(), goal)


def same(programs, home, _):
    """As many of the same as a push message brings."""
    with house(programs, f"{home}/same") as place, place.workers(4) as pids:
        took, _ = drain(place, pids, [text()] * SAME)
        sold = place.provider.sold()
    twice = len(sold) - len({(line["endpoint"], line["input"]) for line in sold})
    note(f"{SAME:,} of the same on 4 workers", f"{len(sold)} calls, {twice} bought twice", f"{took:.1f} s", "one call a key")


PARTS = {"pairs": pairs, "memory": memory, "rate": rate, "same": same}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        for name in asked.only:
            print(name, flush=True)
            PARTS[name](os.path.abspath(asked.programs), home, asked.rounds)
    print("\n| measure | stillcast | tuned flow | goal |\n|---|---:|---:|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


main()
