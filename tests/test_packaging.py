"""What is shipped: the wheel works away from the checkout, the lock agrees with pyproject.toml."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agent.commands import checks
from agent.commands.checks import DISTRIBUTION, EXACT_PAIR, OTHERS
from agent.extras import EXTRAS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = PROJECT["optional-dependencies"]


def in_place(directory: Path, *words: str, **variables: str) -> str:
    """Standard output of a program run in ``directory``; an assertion error if it fails."""
    done = subprocess.run(
        words, cwd=directory, env={**os.environ, **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty directory with the wheel installed in ``site``, without its dependencies."""
    place = tmp_path_factory.mktemp("install")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    build = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", ".", str(ROOT))
    in_place(place, *pip, *build)
    (wheel,) = place.glob("*.whl")
    in_place(place, *pip, "install", "--no-deps", "--no-index", "--target", "site", str(wheel))
    return place


def test_the_installed_script_shows_help(installed: Path) -> None:
    script = str(installed / "site" / "bin" / DISTRIBUTION)
    site = str(installed / "site")
    assert f"usage: {DISTRIBUTION} SUBCOMMAND" in in_place(
        installed, script, "--help", PYTHONPATH=site
    )
    shown = in_place(installed, script, "collect", "--help", PYTHONPATH=site)
    assert f"usage: {DISTRIBUTION} collect" in shown


def test_the_wheel_brings_a_model_that_acts_in_an_empty_folder(installed: Path) -> None:
    site, place = installed / "site", installed / "elsewhere"
    place.mkdir()
    shipped, ours = site / "agent" / "shipped" / "reacher", ROOT / "checkpoints" / "reacher"
    weights = "model.safetensors"
    assert (shipped / weights).read_bytes() == (ours / weights).read_bytes()
    script = str(site / "bin" / DISTRIBUTION)
    words = ("control", "--goal-seed", "3", "--seconds", "0.2")
    assert "final error" in in_place(place, script, *words, PYTHONPATH=str(site))
    assert not list(place.iterdir())


def test_the_wheel_brings_the_rooms_and_nothing_else(installed: Path) -> None:
    brought = {path.name for path in (installed / "site").iterdir()}
    ours = {name for name in brought if not name.endswith(".dist-info")} - {"__pycache__", "bin"}
    assert ours == {"agent", "envs", "planners", "run_agent.py"}
    for room in ("agent", "envs"):
        assert (installed / "site" / room / "py.typed").exists()


def test_the_lock_pins_every_dependency_once_and_exactly() -> None:
    locks = [(ROOT / name).read_text() for name in ("requirements.lock", "requirements-test.lock")]
    lines = [line for lock in locks for line in lock.splitlines() if line]
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", pin) for pin in pins)
    names = [pin.split("==")[0] for pin in pins]
    assert len(names) == len(set(names))
    wanted = [*PROJECT["dependencies"], *OPTIONAL["dev"]]
    wanted += [want for extra in EXTRAS for want in OPTIONAL[extra]]
    assert {named(want) for want in wanted} <= set(names)
    assert {f"{name}=={version}" for name, version in EXACT_PAIR.items()} <= set(pins)


def named(wanted: str) -> str:
    """The distribution that a requirement is about."""
    return re.split(r"[<>=\[]", wanted)[0]


def test_the_doctor_looks_at_every_dependency() -> None:
    declared = {named(want) for want in PROJECT["dependencies"]}
    assert declared == {*EXACT_PAIR, *OTHERS}
    assert {f"{name}=={version}" for name, version in EXACT_PAIR.items()} <= set(
        PROJECT["dependencies"]
    )


def test_the_doctor_looks_at_every_extra() -> None:
    assert set(OPTIONAL) == {*EXTRAS, "all", "dev"}
    for extra, (_, names) in EXTRAS.items():
        assert {named(want) for want in OPTIONAL[extra]} == set(names)
    assert OPTIONAL["all"] == [f"{DISTRIBUTION}[{','.join(EXTRAS)}]"]


class Machine:
    """A machine that lacks some distributions."""

    def __init__(self, *missing: str) -> None:
        self.missing = missing

    def version(self, name: str) -> str:
        if name in self.missing:
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"


def test_a_missing_core_package_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", Machine("h5py", "scipy").version)
    problems = [one for one in checks.check_packages() if one.status == "problem"]
    assert [one.found for one in problems] == ["missing: h5py, scipy"]
    assert all(one.status == "ok" for one in checks.check_extras())


def test_a_missing_extra_is_a_note_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", Machine("onnx", "stable-baselines3").version)
    notes = {one.what: one for one in checks.check_extras() if one.status != "ok"}
    assert set(notes) == {"extra rl", "extra export"}
    assert {one.status for one in notes.values()} == {"note"}
    assert "pip install 'stable-baselines3<3,>=2.7'" in notes["extra rl"].found
    assert "missing: onnx, for" in notes["extra export"].found
    assert not [one for one in checks.check_packages() if one.status == "problem"]


@pytest.mark.parametrize("bringing", ["opencv-contrib-python-headless", "a-build-of-ones-own"])
def test_whatever_brings_cv2_is_opencv(monkeypatch: pytest.MonkeyPatch, bringing: str) -> None:
    machine, brought = Machine("opencv-python"), {"cv2": ["opencv-python", bringing]}
    monkeypatch.setattr(importlib.metadata, "version", machine.version)
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: brought)
    assert not [one for one in checks.check_packages() if one.status == "problem"]
    brought.clear()
    problems = [one for one in checks.check_packages() if one.status == "problem"]
    assert [one.found for one in problems] == ["missing: opencv-python"]
