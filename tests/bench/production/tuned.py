"""The tuned Python flow that this project succeeds, by its own notes: what waits for nothing is asked for
side by side, transcripts and pictures are kept in the process, FFmpeg has its fastest preset.

Reads a request a line, {"text": …, "format": "audio" or "video", "out": FILE}, and answers a line each,
{"seconds": …, "cpu_s": …}, children included. What is in its favour here: it reads no database, starts
once, and puts its files into a folder instead of a bucket. Environment: OPENAI_BASE_URL.
"""

import asyncio
import base64
import hashlib
import json
import os
import subprocess
import sys
import time

import httpx

TIMEOUT_S = 300
SPEECH = ("-f", "s16le", "-ar", "24000", "-ac", "1", "-i", "pipe:0")
AUDIO = ("-c:a", "aac", "-b:a", "96k", "-threads", "0")
PICTURE = ("-hwaccel", "auto", "-loop", "1", "-i")
VIDEO = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "28", "-pix_fmt", "yuv420p", "-shortest")
PROMPT = "Write a guided meditation of 400 to 500 words about what follows."

transcripts, pictures = {}, {}


async def write(client, text):
    """The whole transcript; once for each text."""
    key = hashlib.sha256(text.encode()).hexdigest()
    if key not in transcripts:
        messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": text[:2000]}]
        body = {"model": "gpt-4o-mini", "messages": messages, "stream": True}
        answer = await client.post("/chat/completions", json=body)
        events = (line[6:] for line in answer.raise_for_status().text.splitlines() if line[:6] == "data: ")
        said = (json.loads(event)["choices"] for event in events if event != "[DONE]")
        transcripts[key] = "".join(choices[0]["delta"].get("content") or "" for choices in said if choices)
    return transcripts[key]


async def paint(client, text):
    """The picture's file; once for each text. Its prompt was kept already."""
    if text not in pictures:
        body = {"model": "gpt-image-1", "prompt": text, "size": "1920x1088", "output_format": "jpeg"}
        answer = (await client.post("/images/generations", json=body)).raise_for_status().json()
        pictures[text] = base64.b64decode(answer["data"][0]["b64_json"])
    return pictures[text]


async def speak(client, words):
    """All words in one call."""
    body = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": words, "response_format": "pcm"}
    answer = await client.post("/audio/speech", json=body)
    return answer.raise_for_status().content


def encode(sound, picture, out):
    command = ["ffmpeg", "-v", "error", "-y"]
    if picture is None:
        command += [*SPEECH, *AUDIO, out]
    else:
        with open(f"{out}.jpg", "wb") as file:
            file.write(picture)
        command += [*PICTURE, f"{out}.jpg", *SPEECH, *VIDEO, *AUDIO, out]
    subprocess.run(command, input=sound, check=True, timeout=TIMEOUT_S)


async def make(client, text, form, out):
    async def no_picture():
        return None

    picture = paint(client, text) if form == "video" else no_picture()
    words, picture = await asyncio.gather(write(client, text), picture)
    sound = await speak(client, words)
    await asyncio.to_thread(encode, sound, picture, out)


def cpu_s():
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


async def main():
    async with httpx.AsyncClient(base_url=os.environ["OPENAI_BASE_URL"], timeout=TIMEOUT_S) as client:
        for line in sys.stdin:
            wish = json.loads(line)
            began, before = time.monotonic(), cpu_s()
            await make(client, wish["text"], wish["format"], wish["out"])
            told = {"seconds": time.monotonic() - began, "cpu_s": cpu_s() - before}
            print(json.dumps(told), flush=True)


asyncio.run(main())
