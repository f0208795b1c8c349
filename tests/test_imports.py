"""Who may import whom, as in docs/architecture.md: walks every import, lazy ones included."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import envs
import envs.reacher
import planners

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "envs", "planners")
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
PUBLIC = {"envs": envs, "envs.reacher": envs.reacher, "planners": planners}
ANYONE = {
    "agent.errors", "agent.extras", "agent.interfaces", "agent.machine", "agent.settings",
    "agent.streams",
}  # fmt: skip
MAY_IMPORT = {  # rooms of agent; each may import itself and ANYONE
    "agent": {"agent.api", "agent.data", "agent.export", "agent.resizing", "envs"},
    "agent.api": {
        "agent.config", "agent.control", "agent.model", "agent.training", "envs", "planners",
    },
    "agent.errors": set(),
    "agent.extras": set(),
    "agent.interfaces": {"envs"},
    "agent.resizing": {"envs"},
    "agent.machine": set(),
    "agent.settings": set(),
    "agent.streams": set(),
    "agent.files": set(),
    "agent.model": {"agent.files", "envs"},
    "agent.cluster": {"agent.files", "envs"},
    "agent.data": {"agent.cluster", "agent.files", "agent.resizing", "envs"},
    "agent.config": {"agent.model", "agent.training"},
    "agent.training": {"agent.config", "agent.data", "agent.files", "agent.model", "envs"},
    "agent.control": {"agent.model", "envs", "planners"},
    "agent.export": {"agent.control", "agent.files", "agent.model", "envs", "planners"},
    "agent.rivals": {
        "agent.control", "agent.data", "agent.files", "agent.model", "envs", "planners",
    },
    "agent.evaluation": {
        "agent.cluster", "agent.control", "agent.data", "agent.files", "agent.model", "envs",
    },
    "agent.diagnosis": {
        "agent.data", "agent.files", "agent.model", "agent.reporting", "agent.training", "envs",
    },
    "agent.reporting": {
        "agent.control", "agent.data", "agent.evaluation", "agent.files", "agent.model",
        "agent.training", "envs",
    },
    "agent.sweep": {
        "agent.cluster", "agent.config", "agent.data", "agent.files", "agent.reporting",
        "agent.training",
    },
    "agent.live": {
        "agent.cluster", "agent.control", "agent.data", "agent.evaluation", "agent.files",
        "agent.model", "agent.reporting", "envs", "planners",
    },
    "agent.commands": {
        "agent.cluster", "agent.config", "agent.control", "agent.data", "agent.diagnosis",
        "agent.evaluation", "agent.export", "agent.files", "agent.live", "agent.model",
        "agent.reporting", "agent.rivals", "agent.sweep", "agent.training", "envs", "planners",
    },
}  # fmt: skip


def imports(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each module imported and the names taken from it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full here"
            yield str(node.module), tuple(alias.name for alias in node.names)


def room(module: str) -> str:
    """``agent.model.encoder`` is in the room ``agent.model``, ``envs.gl`` in ``envs``."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "agent" else parts[0]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def at(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [p for p in SOURCES if p.is_relative_to(ROOT / "envs")], ids=at)
def test_envs_import_no_torch_and_none_of_ours(path: Path) -> None:
    assert {room(m) for m, _ in imports(path)}.isdisjoint({"torch", "planners", "run_agent"})
    assert not [m for m, _ in imports(path) if m.split(".")[0] == "agent"]


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.is_relative_to(ROOT / "planners")], ids=at
)
def test_planners_see_neither_network_nor_simulator(path: Path) -> None:
    found = {module.split(".")[0] for module, _ in imports(path)}
    assert found.isdisjoint({"agent", "envs", "run_agent", "mujoco", "dm_control", "gymnasium"})


@pytest.mark.parametrize("path", [p for p in SOURCES if p.is_relative_to(ROOT / "agent")], ids=at)
def test_rooms_of_agent_import_only_what_they_may(path: Path) -> None:
    own = room(module_of(path))
    assert own in MAY_IMPORT, f"{own} is a new room: say in MAY_IMPORT what it may import"
    # `from agent import errors` names a room as well.
    named = [f"{m}.{name}" for m, names in imports(path) if m == "agent" for name in names]
    found = {room(module) for module in [*(m for m, _ in imports(path)), *named]} - {"agent"}
    ours = {name for name in found if name.split(".")[0] in (*PACKAGES, "run_agent")}
    assert ours <= MAY_IMPORT[own] | ANYONE | {own}


@pytest.mark.parametrize(
    "path", [ROOT / "run_agent.py", *(p for p in SOURCES if p.is_relative_to(ROOT / "agent"))],
    ids=at,
)  # fmt: skip
def test_only_public_names_of_envs_and_planners_are_used(path: Path) -> None:
    for module, names in imports(path):
        if module.split(".")[0] in ("envs", "planners"):
            assert module in PUBLIC, f"import {module} from {module.split('.')[0]} itself"
            assert set(names) <= set(PUBLIC[module].__all__)


def test_one_module_imports_stable_baselines() -> None:
    found = {at(p) for p in SOURCES for m, _ in imports(p) if m.startswith("stable_baselines3")}
    assert found <= {"agent/rivals/learners.py"}


def test_what_makes_pages_is_imported_in_the_room_of_the_live_page_alone() -> None:
    found = {
        at(p) for p in SOURCES for m, _ in imports(p) if m.split(".")[0] in ("viser", "trimesh")
    }
    assert all(path.startswith("agent/live/") for path in found)


def test_the_arguments_are_read_in_one_place() -> None:
    readers = {
        at(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "argv"
    }
    assert not readers


def test_the_table_names_no_room_that_is_gone() -> None:
    rooms = {room(module_of(path)) for path in SOURCES}
    assert set(MAY_IMPORT) <= rooms
