"""Waits for the first sound of live jobs, one behind the other: `measure.py PROGRAMS JOBS`."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

programs, jobs = sys.argv[1], int(sys.argv[2])


@contextlib.contextmanager
def running(name, *arguments, **environment):
    """A program that lives as long as it is needed, and its first line."""
    environment |= {"PATH": os.environ["PATH"]}
    command = [os.path.join(programs, name), *arguments]
    program = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield program.stdout.readline()
    finally:
        program.terminate()
        program.wait()


def ask(url, body=None):
    """The answer's text; nothing where there is nothing to be heard yet."""
    data = body and json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as failure:
        if failure.code != 409:
            raise
        return None


def measure(url, number):
    options = {"live": True, "variant": number}
    source = {"text": "An evening by the river, after the rain."}
    began = time.monotonic()
    job = json.loads(ask(f"{url}/v1/jobs", {"source": source, "format": "audio", "options": options}))
    place = f"{url}/v1/jobs/{job['id']}"
    while (heard := ask(f"{place}/live/index.m3u8")) is None:
        time.sleep(0.02)
    first = time.monotonic() - began
    while (record := json.loads(ask(f"{place}?wait=30")))["state"] not in ("done", "dead"):
        pass
    whole = time.monotonic() - began
    parts = heard.count("#EXTINF")
    print(f"{record['state']}: first sound {first:.2f} s, then {parts} parts; file {whole:.2f} s")
    return first, whole


with tempfile.TemporaryDirectory() as home:
    journal = os.path.join(home, "purchases.jsonl")
    with running("provider-simulator", "--journal", journal, "--listen", "127.0.0.1:0", "--tone") as line:
        settings = {f"{part}_PROVIDER": "openai" for part in ("LLM", "TTS", "IMAGE")}
        settings |= {"OPENAI_BASE_URL": line.strip().split("=", 1)[1], "OPENAI_API_KEY": "any"}
        settings |= {"STILLCAST_HOME": home, "HTTP_ADDR": "127.0.0.1:0"}
        settings |= {"API_REQUESTS_PER_MINUTE": "0"}
        with running("stillcast", "dev", "--json", **settings) as line:
            url = json.loads(line)["url"]
            times = [measure(url, number) for number in range(jobs)]
for name, column in zip(("first sound", "file"), zip(*times)):
    print(f"{name}: median {statistics.median(column):.2f} s, longest {max(column):.2f} s")
