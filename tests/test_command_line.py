"""The command line as a user meets it: help, typos, exit codes, no tracebacks."""

import dataclasses
import importlib.metadata
import inspect
import os
import re
import shlex
import subprocess
import sys
import typing
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

import run_agent
from agent.commands.baseline import FROM_ROLLOUTS, Baseline
from agent.commands.collect import Collect
from agent.commands.command import Command, Entry, Group
from agent.commands.control import Control
from agent.commands.controllers import CONTROLLERS
from agent.commands.demo import Demo
from agent.commands.evaluate import Evaluate
from agent.commands.flag_checks import check_flags, flags_of
from agent.commands.live import Live
from agent.commands.parsing import line_of, parse
from agent.commands.places import run_beside
from agent.commands.train import Train
from agent.commands.worlds_asked import DEFAULT_WORLD, USUAL_BEHAVIOUR
from agent.settings import MAX_SEED
from envs import distance_to_goal, make_world

NONE = type(None)
ROOT = Path(__file__).parents[1]
NEW = "lejepa-agent-test"  # nothing may make that
HEAVY = {
    "cv2",
    "dm_control",
    "gymnasium",
    "h5py",
    "matplotlib",
    "mujoco",
    "numpy",
    "scipy",
    "torch",
}
WORDS = [
    *([name] for name, entry in run_agent.COMMANDS.items() if isinstance(entry, Entry)),
    *(["dataset", name] for name in ("inspect", "verify", "preview")),
]
Output = pytest.CaptureFixture[str]


def modules_after(*arguments: str) -> set[str]:
    """Top-level modules a new process has loaded after ``run_agent.main(arguments)``."""
    script = (
        f"import sys, run_agent; code = run_agent.main({list(arguments)!r}); "
        "print('modules', *{name.split('.')[0] for name in sys.modules}); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("words", [[], ["dataset"], *WORDS], ids=" ".join)
def test_help_explains_without_loading_anything_heavy(words: list[str]) -> None:
    assert modules_after(*words, "--help").isdisjoint(HEAVY)


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_help_of_a_subcommand_starts_with_an_example(words: list[str], capsys: Output) -> None:
    assert run_agent.main([*words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"python run_agent.py {' '.join(words)}" in shown.split("usage:")[0]
    assert "Example" in shown


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_help_of_a_flag_is_one_text_of_what_can_be_given(
    words: list[str], capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines break where the terminal ends, not where the source does; and nobody can give None."""
    monkeypatch.setenv("COLUMNS", "2000")
    assert run_agent.main([*words, "--help"]) == 0
    options = capsys.readouterr().out.split("options")[1]
    assert "None" not in options
    lines = [text for line in options.splitlines() if (text := line.strip("│ "))]
    for before, line in pairwise(lines):  # a text stands beside its flag, or in the line below
        assert line.startswith(("-", "─", "╰")) or "  " not in before


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_every_flag_that_help_lists_can_be_given(words: list[str], capsys: Output) -> None:
    assert run_agent.main([*words, "--help"]) == 0
    shown = re.findall(r"^[│ ] (?:-h, )?(--[a-z][a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    entry = run_agent.COMMANDS[words[0]]
    kind = (entry.entries[words[1]] if isinstance(entry, Group) else entry).load()
    known = {"--help", *flags_of(kind)}
    assert shown and set(shown) <= known


@pytest.mark.parametrize("command", ["train", "diagnose", "evaluate", "sweep"])
def test_a_data_set_without_its_flag_is_told_the_flag(command: str, capsys: Output) -> None:
    assert run_agent.main([command, "data/mine"]) == 2
    assert "expected a flag before data/mine: --data data/mine?" in capsys.readouterr().err


def test_help_lists_every_subcommand(capsys: Output) -> None:
    assert run_agent.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in run_agent.COMMANDS)


def test_nothing_asked_is_a_mistake_that_gets_help(capsys: Output) -> None:
    assert run_agent.main([]) == 2
    assert "usage:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        (["colect", "--out", "x"], "'collect'"),
        (["dataset", "vrify", "x"], "'verify'"),
        (["collect", "--out", "x", "--behavior", "ou"], "'--behaviour'"),
        (["collect", "--episode", "3"], "'--episodes'"),
        (["collect", "--out", "x", "--behaviour", "unifrm"], "'uniform'"),
        (["collect", "--out", "x", "--behaviour=unifrm"], "'uniform'"),
        (["evaluate", "--controller", "worldmodel"], "'world-model'"),
        (["evaluate", "--controller", "noop", "--protocol", "anywere"], "'anywhere'"),
        (["evaluate", "--controller", "noop", "--world", "two-rom"], "'two-room'"),
        (["collect", "--out", "x", "--world", "reachr"], "'reacher'"),
        (["baseline", "--algorithm", "sac-dmc", "--task", "esy"], "'easy'"),
    ],
)
def test_a_typo_gets_the_nearest_name(words: list[str], nearest: str, capsys: Output) -> None:
    assert run_agent.main(words) == 2
    assert f"did you mean {nearest}?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("evaluate --episodes ten", "--episodes with a whole number, got 'ten'"),
        ("evaluate --episodes=1.5", "--episodes with a whole number, got '1.5'"),
        ("evaluate --episodes --no-floors", "--episodes with a whole number, got none"),
        ("control --tick-ms fast", "--tick-ms with a number, got 'fast'"),
        ("control --goal-state 1 b", "--goal-state with numbers, got '1' 'b'"),
        ("control --start-state left", "--start-state with numbers, got 'left'"),
        ("control --goal-state --seconds 0.4", "--goal-state with numbers, got none"),
        ("collect --out x --image-size big", "--image-size with a whole number, got 'big'"),
    ],
)
def test_what_is_no_number_is_said(words: str, said: str, capsys: Output) -> None:
    assert run_agent.main(words.split()) == 2
    assert f"error: expected {said}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", ["--tick-ms None", "--tick-ms 4e1", "--goal-state -1 -.5 --seconds 2", "--seconds=2"]
)
def test_numbers_are_let_through(words: str) -> None:
    check_flags(Control, words.split())


@pytest.mark.parametrize(
    "words",
    [
        ["collect"],
        ["collect", "--out"],
        ["collect", "--out", "x", "--episodes", "ten"],
        ["collect", "--out", "x", "--episodes", "0"],
        ["dataset", "verify", "no-such-data"],
        ["train", "--data", "no-such-data", "--out", "x"],
        ["evaluate", "--controller", "noop", "--episodes", "0"],
        ["evaluate", "--controller", "sac"],
        ["evaluate", "--controller", "random", "--checkpoint", "x"],
        ["control", "--checkpoint", "no-such-checkpoint"],
        ["control", "--goal-seed", "1", "--goal-state", "0", "0"],
        ["control", "--video", "film.avi"],
        ["control", "--delay-ticks", "9"],
        ["control", "--tick-ms", "0"],
        ["control", "--checkpoint", "."],
        ["control", "--checkpoint", ".."],
        ["control", "--checkpoint", "/"],
        ["control", "--checkpoint="],
        ["control", "--goal-state", "1e308", "0"],
        ["control", "--start-state", "1e11", "0"],
        ["control", "--tick-ms", "nan"],
        ["control", "--threads", "0"],
        ["control", "--threads", "-1"],
        ["control", "--threads", "100000"],
        ["collect", "--out", "x", "--workers", "100000"],
        ["collect", "--out", "x", "--episodes", str(2**70)],
        ["diagnose", "--data", "x", "--seed", "-1"],
        ["evaluate", "--seed", str(2**64)],
        ["train", "--data", "x", "--out", "y", "--training.seed", str(2**63), "--print-config"],
        ["export", "--onnx", ""],
        ["export", "--onnx", "x" * 300],
        ["export", "--onnx", "."],
        ["export", "--onnx", "/proc/there"],
        ["worlds", "two-room", "--sheet", "/proc/there.png"],
        *([*words, "--out", f"/dev/{NEW}"] for words in (["collect"], ["demo"])),
        ["evaluate", "--controller", "noop", "--json", f"/dev/{NEW}/there.json"],
        ["export", "--onnx", f"/dev/{NEW}/there"],
        ["control", "--goal-seed", "-7"],
        ["control", "--goal-state", "0", "3.0"],
        ["control", "--start-state", "0", "-3.0"],
        ["control", "--goal-state", "0", "0", "0", "0", "0"],
        ["control", "--goal-state", "nan", "0"],
        ["control", "--world", "two-room", "--goal-seed", "1"],
        ["control", "--save-goal", "goal.txt"],
        ["control", "--save-goal", "/proc/x/goal.png"],
        ["control", "--controller", "direct", "--planner", "cem"],
        ["evaluate", "--controller", "noop", "--json", "."],
        ["evaluate", "--controller", "noop", "--world", "two-rom"],
        ["evaluate", "--controller", "noop", "--look", "nigth"],
        ["evaluate", "--controller", "oracle", "--world", "two-room"],
        ["evaluate", "--controller", "none.py:Mine"],
        ["evaluate", "--controller", "noop", "--data", "data"],
        ["evaluate", "--data", "no-such-data"],
        ["evaluate", "--world", "two-room", "--episodes", "1"],
        ["collect", "--out", "x", "--world", "two-rom"],
        ["collect", "--out", "x", "--look", "nigth"],
        ["collect", "--out", "x", "--behaviour", "none.py:wave"],
        ["evaluate", "--controller", "noop", "--planner", "cem"],
        ["export", "--onnx", "/proc/x/there"],
        ["baseline", "--out", "x", "--env-steps", "0"],
        ["baseline", "--out", "x", "--algorithm", "clone"],
    ],
    ids=" ".join,
)
def test_mistakes_end_in_2_without_a_traceback_or_a_file(
    words: list[str], capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_agent.main(words) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert not Path("/dev", NEW).exists()


@pytest.mark.parametrize("words", [["collect", "--out"], ["train", "--data", "x", "--out"]])
def test_a_link_to_itself_is_no_place(
    words: list[str], tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    assert run_agent.main([*words, "loop"]) == 2
    assert "--out with a path, got loop" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "run"),
    [("a", "runs/a"), ("b/a", "runs/a"), (".", "../runs/here"), ("..", "../../runs/above")],
)
def test_a_run_is_advised_beside_its_data(
    data: str, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "above" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "above" / "here")
    assert run_beside(Path(data)) == Path(run)


SEEDS = [
    ("collect", "--seed"), ("train", "--seed"), ("train", "--training.seed"),
    ("baseline", "--seed"), ("control", "--seed"), ("control", "--goal-seed"),
    ("evaluate", "--seed"), ("live", "--seed"), ("sweep", "--draw-seed"),
    ("diagnose", "--seed"), ("demo", "--seed"), ("demo", "--evaluation-seed"),
]  # fmt: skip
PLACES = {
    "collect": ["--out", "x"], "baseline": ["--out", "x"], "diagnose": ["--data", "x"],
    "train": ["--data", "x", "--out", "x", "--print-config"],
    "sweep": ["--data", "x", "--out", "x"],
}  # fmt: skip


@pytest.mark.parametrize(("command", "flag"), SEEDS, ids=str)
def test_every_seed_has_the_same_range(
    command: str, flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in (-1, 2**63, 2**64, 10**30):
        words = [command, f"{flag}={seed}", *PLACES.get(command, [])]
        assert run_agent.main(words) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert f"from 0 to {MAX_SEED}, got {seed}" in said
    assert not list(tmp_path.iterdir())


def test_no_seed_is_forgotten() -> None:
    named = {command for command, _ in SEEDS}
    for command, entry in run_agent.COMMANDS.items():
        kinds: typing.Any = entry.entries.values() if isinstance(entry, Group) else [entry]
        flags = {one.name for kind in kinds for one in dataclasses.fields(kind.load())}
        assert command in named or not any(flag.endswith("seed") for flag in flags)


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_an_interrupt_says_what_is_left(words: list[str], capsys: Output) -> None:
    found: typing.Any = run_agent.COMMANDS[words[0]]
    kind = (found if len(words) == 1 else found.entries[words[1]]).load()
    given = {f.name: Path("x") for f in dataclasses.fields(kind) if f.default is f.default_factory}
    command: Command = kind(**given)
    assert command.after_interrupt.endswith((".", "!"))


@pytest.mark.parametrize(
    "command",
    [
        Collect(Path("my data"), "two-room", episodes=3),
        Train("data", Path("run"), begin=Path("before"), resume=True),
        Evaluate("noop", tick_ms=5.0, no_guard=True),
        Live(start_state=(0.5, -1.2), set=("light=0.6", "delay=2")),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_command_is_written_as_it_is_read(command: Command) -> None:
    name, *words = shlex.split(line_of(command))[2:]
    entry = run_agent.COMMANDS[name]
    assert isinstance(entry, Entry) and parse(entry, name, words) == command


def test_the_version_names_what_a_report_of_a_bug_needs(capsys: Output) -> None:
    assert run_agent.main(["--version"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("lejepa-agent ") and shown.count("\n") == 1
    assert all(
        f"{name} {importlib.metadata.version(name)}" in shown for name in ("torch", "mujoco")
    )


def test_a_pager_that_leaves_early_is_no_failure() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "run_agent.py", "--help"],
        cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writer)
    assert done.stderr == "" and done.returncode == 0


def test_flags_offer_what_the_libraries_know() -> None:
    from agent.commands.controllers import DEFAULT_PLANNER
    from agent.config import PRESETS
    from agent.data import CollectConfig
    from agent.rivals.algorithms import ALGORITHMS, DMC_TASKS
    from agent.rivals.cloning import GOAL_TICKS
    from planners import PLANNERS

    assert choices(Train, "preset") == set(PRESETS)
    assert choices(Demo, "preset") < set(PRESETS)
    for command in (Control, Evaluate):
        assert all(name in inspect.getsource(command) for name in PLANNERS)
    assert DEFAULT_PLANNER in PLANNERS
    ours, theirs = Collect(out=Path("x"), workers=2), CollectConfig(out=Path("x"), workers=2)
    same = {name: value for name, value in vars(ours).items() if name != "behaviour"}
    assert same.items() <= vars(theirs).items()  # how it is moved depends on the world
    assert set(vars(theirs)) - set(vars(ours)) == {"find_behaviour"}
    assert (
        choices(Baseline, "algorithm")
        == {*ALGORITHMS, *GOAL_TICKS}
        == {*ALGORITHMS, *FROM_ROLLOUTS}
    )
    assert choices(Baseline, "task") == set(DMC_TASKS)


def choices(kind: type, name: str) -> set[str]:
    """What a flag with a choice may be."""
    hint = typing.get_type_hints(kind)[name]
    given = typing.get_args(hint)
    return {one for part in given for one in (typing.get_args(part) or [part]) if one} - {NONE}


def test_the_world_taken_where_none_is_named_is_the_librarys() -> None:
    import envs
    from agent.data import CollectConfig

    assert DEFAULT_WORLD == envs.DEFAULT_WORLD
    assert Collect(out=Path("x")).world == Demo().world == DEFAULT_WORLD
    assert USUAL_BEHAVIOUR == envs.USUAL_BEHAVIOUR == CollectConfig(out=Path("x")).behaviour
    assert Collect(out=Path("x")).behaviour == Demo().behaviour == USUAL_BEHAVIOUR
    assert Collect(out=Path("x")).episodes == Demo().rollouts == CollectConfig(Path("x")).episodes


def test_every_controller_is_one_that_help_names() -> None:
    shown = " ".join((inspect.getsource(Evaluate)).split())
    general = [name for name, entry in CONTROLLERS.items() if getattr(entry, "world", None) is None]
    own_ways = {"lewm", "sac-dmc", "td3-dmc"}  # of one preset, or one world
    assert all(name in shown for name in general if name not in own_ways)


def test_a_bare_interpreter_is_told_what_to_do(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(name: str) -> None:
        def run(*_: object) -> int:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        monkeypatch.setattr(run_agent, "_run", run)

    lacks("rich.console")
    assert run_agent.main(["doctor"]) == 4
    assert "make setup" in capsys.readouterr().err
    lacks("fcntl")  # of Python itself, but not on every system
    assert run_agent.main(["doctor"]) == 4
    said = capsys.readouterr().err
    assert "make setup" not in said and "WSL" in said
    lacks("agent.commands.nothing")  # a bug of ours
    with pytest.raises(ModuleNotFoundError):
        run_agent.main(["doctor"])


@pytest.mark.parametrize("name", ["reacher", "two-room"])
def test_control_does_not_begin_at_its_goal(name: str) -> None:
    with closing(make_world(name)) as world:
        for seed in range(3):
            episode = Control(goal_seed=seed, seed=seed)._episode(world)
            episode.begin(world)
            assert distance_to_goal(world.spec, world.state(), episode.goal) > 1


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--data", "one", "--data", "two", "--out", "x"],
        ["control", "--goal-seed=1", "--goal-seed", "2"],
        ["live", "--set", "light=0.6", "--set", "delay=2"],
        ["train", "--print-config", "--training.steps", "5", "--training.steps=6"],
        ["sweep", "--data", "one", "--model.latent-dim", "5,6", "--model.latent_dim", "7"],
    ],
    ids=" ".join,
)
def test_a_flag_that_is_given_twice_drops_nothing(words: list[str], capsys: Output) -> None:
    assert run_agent.main(words) == 2
    assert "once, got it twice" in " ".join(capsys.readouterr().err.split())
