"""The processes of a measurement: a provider at the pace of real ones, a Redis, a server, workers, and the
flow to compare with. Each lives as long as its `with`; what a worker takes is read from /proc."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
HERE = os.path.dirname(os.path.abspath(__file__))


@contextlib.contextmanager
def running(*command, **environment):
    """A program; what it says goes to its caller, what it logs is shown."""
    environment |= {"PATH": os.environ["PATH"], "RUST_LOG": "warn"}
    pipe = subprocess.PIPE
    program = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
    try:
        yield program
    finally:
        program.terminate()
        program.wait()


@contextlib.contextmanager
def redis(home):
    """A durable one of its own; its address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    os.makedirs(os.path.join(home, "redis"))
    durable = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
    quiet = ("--dir", os.path.join(home, "redis"), "--logfile", "log")
    with running("redis-server", "--port", str(port), *durable, *quiet):
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}"


class Provider:
    """The paid provider: where it is, and what it has sold."""

    def __init__(self, url, journal):
        self.url, self.journal = url, journal

    def sold(self):
        with open(self.journal, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


class House:
    """One queue on one Redis, and the server in front of it."""

    def __init__(self, programs, home, provider, redis_url):
        self.programs, self.home, self.provider = programs, home, provider
        self.settings = {f"{part}_PROVIDER": "openai" for part in ("LLM", "TTS", "IMAGE")}
        self.settings |= {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": "any"}
        self.settings |= {"REDIS_URL": redis_url, "STORAGE_URL": f"file://{home}/store"}
        self.settings |= {"STILLCAST_HOME": home, "HTTP_ADDR": "127.0.0.1:0", "WORKER_ADDR": "off"}
        self.settings |= {"API_REQUESTS_PER_MINUTE": "0"}
        self.url = None

    @contextlib.contextmanager
    def workers(self, number=1, slots=4, **others):
        """So many workers of so many slots, and the server."""
        settings = self.settings | {"MAX_PARALLEL_TASKS": str(slots)} | others
        with contextlib.ExitStack() as stack:
            server = running(f"{self.programs}/stillcast", "serve", "--json", **self.settings)
            self.url = json.loads(stack.enter_context(server).stdout.readline())["url"]
            worker = f"{self.programs}/stillcast-worker"
            yield [
                stack.enter_context(running(worker, **settings)).pid for _ in range(number)
            ]

    def ask(self, path, body=None):
        data = body and json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())

    def enqueue(self, text, form="audio", **options):
        wish = {"source": {"text": text}, "format": form, "options": options}
        return self.ask("/v1/jobs", wish)["id"]

    def finished(self, job):
        """Its record, once it is done."""
        while True:
            record = self.ask(f"/v1/jobs/{job}?wait=30")
            if record["state"] == "done":
                return record
            if record["state"] in ("dead", "cancelled", "expired"):
                raise RuntimeError(f"{job} is {record['state']}: {record['error']}")


@contextlib.contextmanager
def house(programs, home, scale=1.0):
    """A provider, `scale` times as slow as a real one, a Redis, and a queue without workers."""
    os.makedirs(home)
    journal = os.path.join(home, "purchases.jsonl")
    listen = ("--listen", "127.0.0.1:0", "--paragraph", "--scale", str(scale), "--journal", journal)
    with running(f"{programs}/provider-simulator", *listen) as simulator, redis(home) as redis_url:
        url = simulator.stdout.readline().strip().split("=", 1)[1]
        yield House(programs, home, Provider(url, journal), redis_url)


class Tuned:
    """The flow to compare with."""

    def __init__(self, program, home):
        self.program, self.home = program, home

    def make(self, text, form):
        out = os.path.join(self.home, "tuned.mp4" if form == "video" else "tuned.m4a")
        print(json.dumps({"text": text, "format": form, "out": out}), file=self.program.stdin, flush=True)
        return json.loads(self.program.stdout.readline())


@contextlib.contextmanager
def tuned(house):
    script = os.path.join(HERE, "tuned.py")
    with running(sys.executable, script, OPENAI_BASE_URL=house.provider.url) as program:
        yield Tuned(program, house.home)


def cpu_s(pid):
    """Seconds of CPU of a process and of those children that have ended."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / TICKS_A_SECOND


def memory_mib(pid):
    """What a process and its children hold, shared pages by their share."""
    total = 0
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as rollup:
            total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="utf-8") as children:
                total += sum(1024 * memory_mib(child) for child in children.read().split())
    return total / 1024


class Peak(threading.Thread):
    """The most that a process and its children held while this was running."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.over = pid, 0.0, threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            self.most = max(self.most, memory_mib(self.pid))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
