"""What is shipped: the wheel works away from the checkout, the lock agrees with pyproject.toml."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agent.commands.checks import DISTRIBUTION, EXACT_PAIR, OTHERS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


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


def test_gymnasium_makes_our_environments_from_the_wheel(installed: Path) -> None:
    script = (
        "import gymnasium, envs; env = gymnasium.make('envs:LeJEPA/ReacherStateGoal-v0'); "
        "print(envs.__file__, env.reset(seed=1)[0]['desired_goal'].shape)"
    )
    shown = in_place(installed, sys.executable, "-c", script, PYTHONPATH=str(installed / "site"))
    assert shown.startswith(str(installed / "site"))


def test_the_lock_pins_every_dependency_once_and_exactly() -> None:
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line]
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", pin) for pin in pins)
    names = [pin.split("==")[0] for pin in pins]
    assert len(names) == len(set(names))
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    assert {re.split(r"[<>=]", want)[0] for want in wanted} <= set(names)
    assert {f"{name}=={version}" for name, version in EXACT_PAIR.items()} <= set(pins)


def test_the_doctor_looks_at_every_dependency() -> None:
    declared = {re.split(r"[<>=]", want)[0] for want in PROJECT["dependencies"]}
    assert declared == {*EXACT_PAIR, *OTHERS}
    assert {f"{name}=={version}" for name, version in EXACT_PAIR.items()} <= set(
        PROJECT["dependencies"]
    )
