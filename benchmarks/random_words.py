"""Command lines drawn at random: real flags of real subcommands, with sound and with nasty values.

Every draw follows from a seed and a number, so a call that failed can be made again.
"""

from __future__ import annotations

import os
import types
import typing
from pathlib import Path
from typing import Any

import numpy as np

import run_agent
from agent.commands.command import Command, Entry
from agent.commands.flag_checks import flags_of
from agent.config import preset
from agent.settings import flat
from studies.__main__ import ENTRY as STUDIES

NASTY = (
    "", ".", "..", "/proc/x", "/dev/null/x", "-1", "0", "1", "nan", "inf", "-inf", "1e308", "1e11",
    str(2**63 - 1), str(2**70), "1.5", "None", "True", "ü…²", os.fsdecode(b"bad\xff"), "x" * 300,
    "a/" * 2000, "--", "-", "*", "%s", "{}", "[1]", "'", "two words", "\n", "~",
)  # fmt: skip
PATHS = (
    "data", "run", "run/checkpoint", "model", "empty", "text.txt", "zeros.bin", "folder.png",
    "picture.png", "settings.toml", "new", "deep/er/new", "new.png", "new.webm", "new.gif",
    "new.json", "new.html", "loop", "gone", "text.txt/x", os.fsdecode(b"name\xff.png"), "own.py",
)  # fmt: skip
OUTPUTS = ("--out", "--onnx", "--json", "--video", "--save-goal", "--sheet")
NOT_MINE_TO_RISK = ("/",) if os.name != "posix" or os.geteuid() else ()  # root may write there
TEXTS = ("reacher", "two-room", "dmc:point_mass-easy", "gym:CartPole-v1", "own.py:Mine", "ou",
         "walk", "uniform", "anywhere", "hindsight", "hindsight-t5-b5", "noop", "random",
         "world-model", "direct", "clone", "fast", "dmc", "cpu", "cuda", "meta")  # fmt: skip
NUMBERS = ("0", "1", "2", "3", "0.08", "0.5", "-0.5", "64")
SMALL: dict[str, tuple[str, ...]] = {  # what keeps a sound call short; a drawn flag goes first
    "collect": ("--episodes 1", "--episode-steps 4", "--workers 1"),
    "train": ("--preset tiny", "--steps 2", "--head.steps 1", "--threads 1"),
    "baseline": ("--algorithm clone", "--data data", "--steps 2"),
    "control": ("--seconds 0.08", "--checkpoint model"),
    "export": ("--checkpoint run",),
    "evaluate": ("--episodes 1", "--no-floors", "--controller noop", "--world two-room"),
    "diagnose": ("--episodes 8", "--checkpoint model"),
    "sweep": ("--data data", "--preset tiny", "--workers 1"),
    "demo": ("--rollouts 2", "--steps 2", "--episodes 1", "--sac-env-steps 0", "--preset tiny",
             "--workers 1", "--world two-room"),
    "dataset preview": ("--episodes 1", "--frames 2"),
    "dataset frame": ("--episode 1", "--frame 2", "--frame=-9"),
    "studies": ("--workers 1", "--seeds 1"),
}  # fmt: skip
SOUND = {"--data": "data", "--checkpoint": "model", "--out": "new", "--onnx": "new"}
REQUIRED_SHARE, NASTY_SHARE, STRAY_SHARE, SOUND_SHARE = 0.9, 0.4, 0.05, 0.5


def subjects() -> dict[str, Entry]:
    """Every subcommand that ends by itself, by its words; ``studies`` is a program of its own."""
    found: dict[str, Entry] = {}
    for name, entry in run_agent.COMMANDS.items():
        if name == "live":  # it serves until it is interrupted
            continue
        inner = {"": entry} if isinstance(entry, Entry) else entry.entries
        found |= {f"{name} {word}".strip(): one for word, one in inner.items()}
    return {**found, "studies": STUDIES}


def draw_call(seed: int, number: int) -> tuple[str, list[str]]:
    """Which subcommand, and the words after it."""
    rng = np.random.default_rng([seed, number])
    known = subjects()
    subject = str(rng.choice(list(known)))
    kind = known[subject].load()
    words = [*_positional(subject, rng), *_flags(kind, rng), *_settings(subject, rng)]
    for short in SMALL.get(subject, ()):
        if short.split()[0] not in words:
            words += short.split()
    if rng.random() < STRAY_SHARE:
        words.insert(int(rng.integers(len(words) + 1)), _one(rng, NASTY))
    return subject, words


def _positional(subject: str, rng: np.random.Generator) -> list[str]:
    if subject.startswith("dataset"):
        return [_value(rng, PATHS)]
    if subject == "studies":
        return [_value(rng, ("bound", "worlds", "law"))]
    return [_value(rng, TEXTS)] if subject == "worlds" else []


def _flags(kind: type[Command], rng: np.random.Generator) -> list[str]:
    flags = {name: hint for name, hint in flags_of(kind).items() if name not in _POSITIONAL}
    needed = [name for name in flags if name[2:].replace("-", "_") in _required(kind)]
    drawn = [name for name in needed if rng.random() < REQUIRED_SHARE]
    others = sorted(set(flags) - set(needed))
    extra = min(len(others), int(rng.integers(0, 4)))
    drawn += [str(name) for name in rng.choice(others, extra, replace=False)] if extra else []
    return [word for name in drawn for word in _flag(name, flags[name], rng)]


_POSITIONAL = ("--directory", "--names", "--study")


def _flag(name: str, hint: Any, rng: np.random.Generator) -> list[str]:
    kinds = _kinds(hint)
    if bool in kinds:
        return [name]
    sound = NUMBERS if {int, float} & set(kinds) else PATHS if Path in kinds else TEXTS
    choices = [str(one) for one in kinds if isinstance(one, str)]
    value = _value(rng, choices or sound)
    if name in SOUND and rng.random() < SOUND_SHARE:
        value = SOUND[name]
    if name in OUTPUTS and value == "..":
        value = "."
    count = int(rng.integers(1, 4)) if tuple in kinds else 1
    words = [value, *(_value(rng, sound) for _ in range(count - 1))]
    return [f"{name}={value}"] if rng.random() < 0.2 and count == 1 else [name, *words]


def _settings(subject: str, rng: np.random.Generator) -> list[str]:
    """One of the many settings of ``train``, now and then."""
    if subject != "train" or rng.random() < 0.5:
        return []
    names = [name for name, _ in flat(preset("tiny"))]
    return [f"--{_one(rng, names).replace('_', '-')}", _value(rng, NUMBERS)]


def _value(rng: np.random.Generator, sound: typing.Sequence[str]) -> str:
    return _one(rng, NASTY + NOT_MINE_TO_RISK if rng.random() < NASTY_SHARE else sound)


def _one(rng: np.random.Generator, words: typing.Sequence[str]) -> str:
    return words[int(rng.integers(len(words)))]


def _kinds(hint: Any) -> list[Any]:
    """The types and choices inside a hint, and ``tuple`` where several values go."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _kinds(parts[0])
    if origin is typing.Literal:
        return list(parts)
    if origin in (typing.Union, types.UnionType, tuple):
        inner = [kind for part in parts for kind in _kinds(part)]
        return [*inner, tuple] if origin is tuple else inner
    return [hint]


def _required(kind: Any) -> set[str]:
    import dataclasses

    return {f.name for f in dataclasses.fields(kind) if f.default is f.default_factory}
