"""Says passages to a voice's program, and prints how long it took.

In: the program. Out: rows of a table.
"""

import json
import statistics
import subprocess
import sys
import time

PASSAGE = (
    "Let your shoulders sink a little lower with each slow breath, and notice the air as it comes in, "
    "cool."
)
BYTES_A_SECOND = 48_000
PASSAGES = 20
FIVE_MINUTES = 300


def say(program, text):
    """Seconds of sound, and seconds that it took."""
    began = time.monotonic()
    program.stdin.write(json.dumps({"text": text}).encode() + b"\n")
    program.stdin.flush()
    length = json.loads(program.stdout.readline())["bytes"]
    program.stdout.read(length)
    return length / BYTES_A_SECOND, time.monotonic() - began


def main():
    command = [sys.argv[1], "--speed", "0.85"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as program:
        _, first = say(program, PASSAGE)
        took = [say(program, PASSAGE)[1] for _ in range(PASSAGES)]
        sound, wall = 0.0, 0.0
        while sound < FIVE_MINUTES:
            seconds, waited = say(program, PASSAGE * 2)
            sound, wall = sound + seconds, wall + waited
    words = len(PASSAGE.split())
    print(f"| the first passage, with its start | {first:.2f} s |")
    print(f"| a passage of {words} words, p50 / most | {statistics.median(took):.2f} / {max(took):.2f} s |")
    print(f"| five minutes of sound | {wall:.1f} s |")


main()
