"""Whatever a message tells one to give can be given: flags and settings are those there are."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import run_agent
from agent.commands.command import Entry
from agent.commands.flag_checks import flags_of
from agent.config import PRESETS
from agent.settings import flat
from studies import __main__ as studies

ROOT = Path(__file__).parents[1]
ROOMS = ("agent", "envs", "planners", "studies", "benchmarks/campaign")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9_.-]*[a-z0-9]")
OTHERS = {  # of git, pip, ray and torchrun, and beginnings or shapes of ours
    "--abbrev", "--always", "--dirty", "--error-unmatch", "--exclude", "--name-only", "--no-deps",
    "--goal", "--room.name", "--help", "--head", "--rdzv-endpoint",
}  # fmt: skip


@cache
def trees() -> dict[Path, ast.Module]:
    """Every module of the program."""
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the program and where it stands, docstrings left out."""
    for path, tree in trees().items():
        alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        alone |= {id(node) for own in ast.walk(tree) if _is_check(own) for node in ast.walk(own)}
        for node in ast.walk(tree):
            if id(node) in alone or not isinstance(node, ast.Constant):
                continue
            if isinstance(node.value, str):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def _is_check(node: ast.AST) -> bool:
    """Settings that check themselves speak of their own fields, whatever filled them."""
    return isinstance(node, ast.FunctionDef) and node.name == "__post_init__"


def settings() -> set[str]:
    return {name for preset in PRESETS.values() for name, _ in flat(preset())}


def flags() -> set[str]:
    """Every flag of every command, dotted settings included."""
    found = [studies.ENTRY]
    for entry in run_agent.COMMANDS.values():
        found += [entry] if isinstance(entry, Entry) else list(entry.entries.values())
    known = {flag for entry in found for flag in flags_of(entry.load())}
    known |= {f"--{name.replace('_', '-')}" for name in settings()}
    return known | of_argparse()


def of_argparse() -> set[str]:
    """What is given to ``add_argument`` in the programs that use argparse."""
    return {
        argument.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument"
        for argument in node.args
        if isinstance(argument, ast.Constant) and str(argument.value).startswith("--")
    }


def test_every_flag_a_text_names_is_one() -> None:
    known = flags() | OTHERS
    strange = [
        (where, flag) for where, text in texts() for flag in FLAG.findall(text) if flag not in known
    ]
    assert not strange


def test_advice_on_a_setting_names_its_flag() -> None:
    """A sentence that says only ``sigreg_weight`` leaves one to find out how that is changed."""
    bare = {name.rpartition(".")[2] for name in settings() if "_" in name}
    words = re.compile(rf"(?<![\w.-])({'|'.join(sorted(bare))})(?![\w=])")
    assert not [(where, t) for where, t in texts() if " " in t and words.search(t)]


@pytest.mark.parametrize("text", ["raise --training.sigreg-wieght", "leave --wrold away"])
def test_a_flag_that_is_none_is_found(text: str) -> None:
    assert not set(FLAG.findall(text)) <= flags() | OTHERS
