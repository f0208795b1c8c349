"""Films are whole or not there, under any name, and nobody else's file is written over."""

import os
import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from agent.commands.places import require_file_place
from agent.errors import MachineError, UserError
from agent.files.json_files import write_json
from agent.reporting.film import Camera
from agent.reporting.markup import Markup, document
from agent.reporting.video import (
    CAPTION_PX,
    GAP_PX,
    PANEL_PX,
    SUFFIXES,
    beside_goal,
    write_picture,
    write_video,
)
from envs import make_world

FRAMES = list(np.random.default_rng(0).integers(0, 255, (7, 64, 64, 3), np.uint8))


def frames_in(film: Path) -> int:
    return sum(1 for _ in iter(cv2.VideoCapture(str(film)).grab, False))


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_signed_film_plays_and_is_ours(suffix: str, tmp_path: Path) -> None:
    film = write_video(tmp_path / f"film{suffix}", FRAMES, 25.0)
    assert frames_in(film) == len(FRAMES)
    require_file_place(film, "--video")
    assert list(tmp_path.iterdir()) == [film]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_film_that_does_not_fit_leaves_the_old_one(suffix: str, tmp_path: Path) -> None:
    film = tmp_path / f"film{suffix}"
    film.write_bytes(b"old")
    with files_of_at_most(5000), pytest.raises(MachineError):
        write_video(film, FRAMES, 25.0)
    assert film.read_bytes() == b"old" and list(tmp_path.iterdir()) == [film]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_film_may_have_any_name(suffix: str, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff-\xc3\xbc")
    film = write_video(odd / f"ü\udcfe{suffix}", FRAMES, 25.0)
    plain = tmp_path / f"plain{suffix}"
    plain.write_bytes(film.read_bytes())
    assert frames_in(plain) == len(FRAMES)


def test_a_signed_picture_is_read_and_is_ours(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "goal.png", FRAMES[0])
    assert (cv2.imread(str(path))[..., ::-1] == FRAMES[0]).all()
    with Image.open(path) as seen:
        seen.verify()
    require_file_place(path, "--save-goal")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("README.md", ".json"), ("settings.json", ".json"), ("page.html", ".html"),
        ("mine.png", ".png"), ("holiday.webm", ".webm"), ("holiday.mp4", ".mp4"), ("a.gif", ".gif"),
        ("own.py", ""), ("text", ""),
    ],
)  # fmt: skip
def test_somebody_elses_file_is_refused(name: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text('{"about": "lejepa-agent"}\nwritten by lejepa-agent', encoding="utf-8")
    if kind == ".png":
        Image.fromarray(FRAMES[0]).save(path)
    if name == "settings.json":
        write_json(path, {"schema": "lejepa-agent/world-model/2"})  # ours, and no result
    with pytest.raises(UserError, match=f"--flag: .*{name} is there already"):
        require_file_place(path, "--flag", kind)


def test_earlier_results_and_pages_and_empty_files_are_written_over(tmp_path: Path) -> None:
    result, page, empty = (tmp_path / name for name in ("a.txt", "a.html", "empty.webm"))
    write_json(result, {"schema": "lejepa-agent/evaluation/3"})
    page.write_text(document("title", "", Markup("")), encoding="utf-8")
    empty.touch()
    require_file_place(result, "--json", ".json")
    require_file_place(page, "--out")
    require_file_place(empty, "--video")
    with pytest.raises(UserError, match="device"):
        require_file_place(Path("/dev/null"), "--json", ".json")


def test_captions_can_be_read_in_a_small_film_and_stay_above_their_picture() -> None:
    dark = np.zeros((PANEL_PX, PANEL_PX, 3), np.uint8)
    short = beside_goal(dark, dark, "9.99 s\nerror 0.0123 rad")[:CAPTION_PX]
    rows = np.flatnonzero((short > 200).any((1, 2)))
    assert np.ptp(rows) > CAPTION_PX // 2
    long = beside_goal(dark, dark, f"9.99 s\nerror 0.0123 {'very ' * 9}long units")
    right = long[CAPTION_PX // 2 + 4 : CAPTION_PX, GAP_PX + PANEL_PX + 4 :]
    assert (right < 100).all()


@pytest.mark.parametrize(("shape", "aspect"), [((30, 60), None), ((64, 64), 2.0), ((60, 60), 0.5)])
def test_what_a_wide_camera_sees_is_not_squeezed(
    shape: tuple[int, int], aspect: float | None
) -> None:
    """A film panel shows it as wide as it is, between bars; of 480 by 640, say, three quarters."""
    white = np.full((*shape, 3), 255, np.uint8)
    panel = beside_goal(white, white, "", aspect)[CAPTION_PX:, GAP_PX : GAP_PX + PANEL_PX]
    lit = (panel > 200).all(2)
    height, width = lit.any(1).sum(), lit.any(0).sum()
    assert width / height == (aspect or 2.0) and max(width, height) == PANEL_PX


OWN = """
import numpy as np
from envs import WorldSpec

class Own:
    spec = WorldSpec("own", "plain", (32, 32), 1, 0.1)
    def reset(self, rng, state=None): pass
    def step(self, action): return False
    def frame(self): return np.zeros((32, 32, 3), np.uint8)
    def picture(self, state): return self.frame()
    def sample_state(self, rng): return np.empty(0)
    def state(self): return np.empty(0)
    def close(self): pass

class Named(Own):
    def __init__(self):
        self.spec = WorldSpec(f"{__file__}:Named", "plain", (32, 32), 1, 0.1)
"""


@pytest.mark.parametrize("name", ["Own", "Named"])
def test_a_users_world_of_one_size_is_filmed_as_it_is(name: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    called = f"{tmp_path / 'own.py'}:{name}"
    world = make_world(called)
    frame = world.frame()
    with closing(Camera(world, partial(make_world, called, ""))) as camera:
        assert camera.shoot(frame, world.state()) is frame and camera.aspect == 1.0


def test_what_stands_still_is_a_film_too(tmp_path: Path) -> None:
    frames = [np.full((16, 16, 3), shade, np.uint8) for shade in (10, 10, 10, 200, 200)]
    for suffix in (".gif", ".webm"):
        assert write_video(tmp_path / f"still{suffix}", frames, 25.0).stat().st_size > 0
