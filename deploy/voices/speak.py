"""Says texts aloud: what `deploy/voice` puts behind `TTS_COMMAND`, with `TTS_COMMAND_RESIDENT=true`.

In: one line of JSON a text, {"text": "…"}, perhaps with "voice" and "language". Out: for each
{"bytes": N} on a line and N bytes of WAV, or {"error": S}, an exit status of sysexits.h. It ends when
its stdin does. With --once it reads one text as it stands, and writes WAV alone.
"""

import argparse
import io
import json
import os
import pathlib
import sys
import wave

RATE = 24_000
# Of sysexits.h: the text's fault, and a fault of this program.
DATA_ERROR, SOFTWARE = 65, 70
# Noise in breaths and hisses: the same text sounds the same again.
SEED = 1
# Lengths of a text for which each voice of Kokoro has a style, and numbers of a style.
LENGTHS, STYLE = 510, 256


class Refused(Exception):
    """No other try could do better."""


class Small:
    """hibari's own voice."""

    voices = ["heart"]

    def __init__(self):
        from hibari import Hibari

        self.hibari = Hibari()

    def say(self, text, _voice, speed):
        """Samples between -1 and 1."""
        return self.hibari(text, speed=speed, seed=SEED)


class Best:
    """The whole of Kokoro-82M in 8 bits; what its words sound like hibari knows."""

    voices = ["af_nicole", "af_heart"]

    def __init__(self, folder):
        import numpy
        import onnxruntime
        from hibari import Hibari

        self.numpy, self.hibari = numpy, Hibari()
        at = pathlib.Path(folder)
        self.session = onnxruntime.InferenceSession(at / "model.onnx", providers=["CPUExecutionProvider"])
        self.numbers = json.loads((at / "vocab.json").read_text())["vocab"]
        read = lambda name: numpy.fromfile(at / f"{name}.bin", "<f4").reshape(LENGTHS, 1, STYLE)
        self.styles = {name: read(name) for name in self.voices}

    def say(self, text, voice, speed):
        """Samples between -1 and 1."""
        spoken = [self.sentence(sounds, voice, speed) for sounds in self.hibari.phonemize(text)]
        return self.numpy.concatenate(spoken) if spoken else self.numpy.zeros(0)

    def sentence(self, sounds, voice, speed):
        numbers = [self.numbers[sound] for sound in sounds if sound in self.numbers]
        asked = {
            "tokens": self.numpy.array([[0, *numbers, 0]], "int64"),
            "style": self.styles[voice][min(len(numbers), LENGTHS - 1)],
            "speed": self.numpy.array([speed], "float32"),
        }
        return self.session.run(None, asked)[0].ravel()


def pack(samples):
    """A WAV file of 16 bits, mono."""
    import numpy

    whole = (numpy.clip(samples, -1.0, 1.0) * 32_767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(whole.tobytes())
    return file.getvalue()


def answer(speaker, speed, line):
    """Head and body of the answer to one request."""
    try:
        asked = json.loads(line)
        voice = asked.get("voice", speaker.voices[0])
        if voice not in speaker.voices or not asked.get("language", "en").startswith("en"):
            raise Refused
        body = pack(speaker.say(asked["text"], voice, speed))
        return {"bytes": len(body)}, body
    except Refused:
        return {"error": DATA_ERROR}, b""
    except Exception:  # Whatever it was, the next text may fare better; and the words are private.
        return {"error": SOFTWARE}, b""


def main():
    options = argparse.ArgumentParser(description="Says texts aloud.")
    options.add_argument("--speed", type=float, default=1.0, help="0.5 to 2")
    options.add_argument("--kokoro", metavar="FOLDER", help="speaks with the model that lies there")
    options.add_argument("--once", action="store_true", help="one text, as it stands")
    asked = options.parse_args()
    # What a library prints must not get in between.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    speaker = Best(asked.kokoro) if asked.kokoro else Small()
    if asked.once:
        text = sys.stdin.buffer.read().decode()
        out.write(pack(speaker.say(text, speaker.voices[0], asked.speed)))
        return
    for line in sys.stdin.buffer:
        head, body = answer(speaker, asked.speed, line)
        out.write(json.dumps(head).encode() + b"\n" + body)
        out.flush()


main()
