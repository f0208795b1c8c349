"""No room knows one world: its words stand in its own package alone."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OWN = ("envs/reacher", "agent/rivals/reacher")
WORDS = r"reacher|shoulder|wrist|finger(?:tip)?|joints?|torques?|qpos|qvel|arms?"
WORD = re.compile(rf"(?<![A-Za-z])(?:{WORDS})(?![A-Za-z])", re.IGNORECASE)
SHOWN_ON_THE_DEFAULT = (
    "checks",
    "collect",
    "dataset",
    "diagnose",
    "evaluate",
    "export",
    "sweep",
    "train",
)
MAY_NAME = {  # the catalogue lists worlds; MuJoCo's own words are not one world's
    "envs/__init__.py": {"reacher"},
    "envs/catalogue.py": {"reacher"},
    "envs/dmc_columns.py": {"joint", "joints", "qpos", "qvel"},
    "envs/dmc_world.py": {"joint", "joints", "qpos", "qvel"},
    "envs/mujoco_scene.py": {"joint", "joints", "qpos"},
    "envs/mujoco_stage.py": {"joint", "joints", "qpos", "qvel"},
    "envs/mujoco_world.py": {"joint", "qpos", "qvel"},
    "agent/model/shipped.py": {"reacher"},
    "agent/api.py": {"reacher"},
    "agent/export/__main__.py": {"reacher"},
    "agent/commands/controllers.py": {"reacher", "torque"},
    **{f"agent/commands/{name}.py": {"reacher"} for name in SHOWN_ON_THE_DEFAULT},
}
SOURCES = sorted(
    path.relative_to(ROOT).as_posix()
    for room in ("agent", "envs", "planners")
    for path in (ROOT / room).rglob("*.py")
)


@pytest.mark.parametrize("name", [n for n in SOURCES if not n.startswith(OWN)])
def test_no_word_of_one_world_in_the_rooms_of_all(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = {
        (number, word.group())
        for number, line in enumerate(lines, 1)
        for word in WORD.finditer(line)
        if word.group().lower() not in MAY_NAME.get(name, set())
    }
    assert not found


def test_the_search_finds_words_inside_names() -> None:
    assert WORD.search("max_torque_nm") and WORD.search("Arm") and WORD.search("qpos_rad")
    assert not WORD.search("disjoint") and not WORD.search("warm") and not WORD.search("charm")
