#!/usr/bin/env python3
"""Stands in for a service manager: verb and units go in; the programs that those units start run, or have
ended, when it returns. As systemd does for `Type=notify`, it waits until a program says that it is ready."""

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

RUN, ETC = Path(os.environ["RUN"]), Path(os.environ["ETC"])
PATIENCE = 120


def settings(*files):
    lines = [line for file in files if file.exists() for line in file.read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def secrets(*names):
    words = {name: name.upper().replace("-", "_") + "_FILE" for name in names}
    return {word: str(ETC / "secrets" / name) for name, word in words.items()}


def plan(unit):
    """What the unit of this name runs, and what it is told."""
    programs = Path(os.environ["PREFIX"]) / "bin"
    if unit == "redis-server":
        return ["redis-server", os.environ["REDIS_CONF"]], {}
    if unit == "stillcast-serve":
        told = settings(ETC / "serve.env") | secrets("redis-url", "api-tokens")
        return [programs / "stillcast", "serve"], told | {"HTTP_ADDR": "127.0.0.1:0"}
    number = unit.removeprefix("stillcast-worker@")
    told = settings(ETC / "worker.env", ETC / f"worker-{number}.env")
    told |= secrets("redis-url", "openai-api-key")
    # Ports are the machine's, and tests run side by side.
    return [programs / "stillcast-worker"], told | {"WORKER_ADDR": "off"}


def start(unit):
    words, told = plan(unit)
    address = RUN / f"{unit}.notify"
    address.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(address))
    environment = {"PATH": os.environ["PATH"], "STILLCAST_HOME": str(RUN / "home"), **told}
    with open(RUN / f"{unit}.log", "ab") as log:
        running = subprocess.Popen(
            words, env=environment | {"NOTIFY_SOCKET": str(address)},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )
    (RUN / f"{unit}.pid").write_text(str(running.pid))
    process = os.pidfd_open(running.pid)
    while True:
        told, _, _ = select.select([listener, process], [], [], PATIENCE)
        if not told or process in told:
            sys.exit(f"{unit} is not ready: {(RUN / f'{unit}.log').read_text()[-2000:]}")
        if b"READY=1" in listener.recv(4096):
            return


def stop(unit):
    file = RUN / f"{unit}.pid"
    if not file.exists():
        return
    process = os.pidfd_open(int(file.read_text()))
    signal.pidfd_send_signal(process, signal.SIGTERM)
    ended, _, _ = select.select([process], [], [], PATIENCE)
    if not ended:
        sys.exit(f"{unit} did not end")
    file.unlink()


for unit in [word for word in sys.argv[2:] if not word.startswith("--")]:
    match sys.argv[1]:
        case "start" | "enable":
            start(unit)
        case "stop":
            stop(unit)
        case "restart":
            stop(unit)
            start(unit)
        case verb:
            sys.exit(f"{verb} is not known here")
