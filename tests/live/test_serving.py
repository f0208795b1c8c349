"""How the page is served: where, to whom, and what happens when something ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import viser
import zstandard
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from agent.commands.live import Live
from agent.live.controls import Button, Choice, Group
from agent.live.link import Link
from agent.live.loop import Beat, Sender
from agent.live.moment import Glimpse, Moment, Opening
from agent.live.page import Page
from agent.live.pilots import Pilots
from agent.live.wishes import Press, Set, Wish
from benchmarks.browser import Served, free_port
from envs import Dial
from run_agent import main

GROUPS = (
    Group("time", (Choice("speed", "speed", ("×1", "×2")), Button("tick", "one tick"))),
    Group("disturb", (Dial("light", "light ×", 0.2, 2.0, 1.0), Dial("hangs", "hangs", 0, 1, 0, 1))),
)
TRACED = ("time", "metric", "plain", "truth", "surprise", "drift", "tick ms", "action 1")


@pytest.fixture
def page() -> Iterator[Page]:
    made = Page("127.0.0.1", free_port(), lambda wish: True)
    gallery = np.zeros((8, 8, 3), np.uint8)
    made.begin(Glimpse("a world", 0.04, (), (), None, "", TRACED, gallery, None))
    made.open(Opening(GROUPS, gallery))
    yield made
    made.close()


def client_of(page: Page) -> Any:
    address = f"ws://127.0.0.1:{page.port}"
    return connect(address, subprotocols=[f"viser-v{viser.__version__}"], open_timeout=10)


def test_nonsense_from_one_client_ends_that_one_alone(page: Page) -> None:
    with client_of(page) as sound, client_of(page) as mad:
        assert sound.recv(10)
        mad.send(b"\xff\x00 nonsense")
        with pytest.raises(ConnectionClosed):
            while True:
                mad.recv(10)
        page.say("still there")
        assert sound.recv(10)


def test_the_last_words_reach_a_page_that_was_away(page: Page) -> None:
    speaking = threading.Thread(target=page.say, args=("**It has ended**: gone", 5.0))
    speaking.start()
    assert soon(lambda: page._status.content.endswith("gone"))
    with client_of(page) as back:
        while b"It has ended" not in unpacked(back.recv(10)):
            pass
    speaking.join()


def unpacked(window: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(window[16:], allow_extra_data=True)


def test_a_file_that_is_too_large_is_not_kept(page: Page) -> None:
    import msgspec

    coming = page._viser.gui._current_file_upload_states
    (button,) = [
        uuid
        for uuid, handle in page._viser.gui._gui_input_handle_from_uuid.items()
        if type(handle).__name__ == "GuiUploadButtonHandle"
    ]
    with client_of(page) as client:
        for transfer, size in (("small", 100), ("large", 11_000_000)):
            start = {
                "type": "FileTransferStartUpload", "source_component_uuid": button,
                "transfer_uuid": transfer, "filename": "my.png", "mime_type": "image/png",
                "part_count": 2, "size_bytes": size,
            }  # fmt: skip
            client.send(msgspec.msgpack.encode(start))
        assert soon(lambda: set(coming) == {"small"})


def soon(condition: Callable[[], bool], within_s: float = 10.0) -> bool:
    ends_s = time.monotonic() + within_s
    while not condition() and time.monotonic() < ends_s:
        time.sleep(0.02)
    return condition()


def test_a_port_in_use_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["live", "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in said and "name another --port" in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--port", "70000"), "65535"),
        (("--host", "nowhere.invalid"), "cannot listen there"),
        (("--checkpoint", "none/such"), "none/such"),
        (("--world", "two-room"), "expected world = 'reacher', got 'two-room'"),
    ],
)
def test_what_cannot_be_served_is_said_at_once(
    flags: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    port = () if "--port" in flags else ("--port", str(free_port()))
    assert main(["live", *port, *flags]) == 2
    assert words in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "viser", None)
    assert main(["live", "--port", str(free_port())]) == 4
    assert "pip install 'trimesh<6,>=4' 'viser<1.2,>=1.1'" in capsys.readouterr().err


def test_the_process_of_the_page_does_without_torch() -> None:
    code = (
        "import sys, agent.commands.live, agent.commands.opening, agent.live.link, agent.live.page,"
        "agent.live.server; from agent.commands.worlds_asked import world_asked;"
        "from agent.model.shipped import *; world_asked(None, '', find_checkpoint(SHIPPED));"
        "assert not {'torch', 'viser', 'matplotlib', 'mujoco'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def children_of(process_id: int) -> list[int]:
    told = Path(f"/proc/{process_id}/task/{process_id}/children")
    return [int(number) for number in told.read_text().split()]


def is_running(process_id: int) -> bool:
    """Whether it is there, and not a dead one that nobody has asked about yet."""
    try:
        told = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("host", "address", "is_open"),
    [("localhost", "localhost", False), ("::1", "[::1]", False), ("0.0.0.0", "0.0.0.0", True)],
)
def test_the_address_is_one_and_only_strangers_are_warned_of(
    host: str, address: str, is_open: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    Live(host=host, port=8123)._tell()
    said = capsys.readouterr()
    assert f"the page: http://{address}:8123\n" in said.out
    assert ("nothing is encrypted" in " ".join(said.err.split())) is is_open


def test_ctrl_c_ends_it_and_a_session_that_dies_is_told() -> None:
    served = Served()
    assert served.first_line == f"the page: http://127.0.0.1:{served.port}\n"
    session = children_of(served.process.pid)
    assert served.process.stdout is not None
    assert f"ssh -L {served.port}:127.0.0.1:{served.port}" in served.process.stdout.readline()
    said = served.end()
    assert "The page is closed." in said and "Traceback" not in said
    assert served.process.returncode == 130
    deadline = time.monotonic() + 5
    while any(is_running(one) for one in session) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_running(one) for one in session)

    served = Served("--set", "light=0.9")
    os.kill(served.session_id, signal.SIGKILL)
    said, _ = served.process.communicate(timeout=30)
    assert served.process.returncode == 4 and "died with exit code -9" in said


def test_one_steers_until_they_leave_or_another_takes_over() -> None:
    pilots = Pilots()
    assert pilots.words == "nobody steers"
    for visitor in (4, 5, 6):
        pilots.come(visitor)
    assert [pilots.steers(v) for v in (4, 5, 6)] == [True, False, False]
    pilots.take_over(6)
    assert pilots.words == "visitor 6 steers, 3 look on"
    pilots.leave(6)
    assert pilots.steers(4)
    pilots.leave(5)
    pilots.leave(4)
    pilots.leave(4)
    assert not pilots.steers(4) and pilots.words == "nobody steers"


def test_a_wish_of_one_who_looks_on_is_not_granted() -> None:
    asked: list[Wish] = []
    page = Page("127.0.0.1", free_port(), lambda wish: bool(asked.append(wish)) or True)
    page.pilots.come(1)
    page.pilots.come(2)
    assert page._ask(Wish(1)) and not page._ask(Wish(2))
    page.pilots.take_over(2)
    assert page._ask(Wish(2)) and not page._ask(Wish(1))
    assert [wish.of for wish in asked] == [1, 2]
    page.close()


class Clock:
    """Time passes only when told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def test_ticks_keep_their_time_and_late_ones_are_counted() -> None:
    clock = Clock()
    beat = Beat(clock, clock.sleep)
    for spent_s in (0.01, 0.03, 0.05, 0.01, 0.0):
        clock.now_s += spent_s
        beat.wait(0.04)
    assert (beat.due, beat.late) == (5, 1)
    assert clock.now_s == pytest.approx(0.04 * 2 + 0.05 + 0.04 * 2)
    assert beat.left_s(0.04) == pytest.approx(0.04)


def test_a_tick_as_long_as_many_is_as_many_late_and_a_pause_none() -> None:
    clock = Clock()
    beat = Beat(clock, clock.sleep)
    clock.now_s += 0.39  # nine ticks had to be done meanwhile
    beat.wait(0.04)
    beat.rest(0.04)
    beat.wait(0.04)
    assert (beat.due, beat.late) == (10, 9)


def test_a_page_that_does_not_read_is_not_waited_for() -> None:
    ours, theirs = multiprocessing.Pipe()
    Sender(theirs).give(b"moment" * 1_000_000)  # more than a pipe holds
    assert len(ours.recv()) == 6_000_000
    ours.close()


class Pipe:
    """The session's end: moments that are late as told."""

    def __init__(self, late: list[int]) -> None:
        self.late, self.sent = late, 0

    def send(self, wishes: object) -> None:
        self.sent += 1

    def recv(self) -> Moment:
        nothing = np.zeros((1, 1, 3), np.uint8)
        late, traces = self.late[self.sent - 1], np.zeros((0, 1), np.float32)
        return Moment(0, late, 0, nothing, nothing, None, None, None, None, traces, {}, "", "")


def link_to(pipe: Any) -> Any:
    link: Any = Link.__new__(Link)
    link._pipe, link._lock, link._waiting = pipe, threading.Lock(), {}
    link._asked = threading.Event()
    return link


def test_fewer_moments_are_asked_for_while_ticks_are_late(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    link = link_to(Pipe([0, 1, 2, 9, 20, 30, 30, 30]))
    monkeypatch.setattr(link._asked, "wait", rests.append)
    moments = link.moments()
    for _ in range(8):
        next(moments)
    assert np.allclose(rests, [0.0, 0.02, 0.04, 0.06, 0.08, 0.08, 0.06])


def test_only_so_many_wishes_wait_and_like_ones_replace_one_another() -> None:
    link = link_to(None)
    assert all(link.ask(Set(0, f"dial {i % 64}", float(i))) for i in range(1000))
    assert not link.ask(Press(0, "one more"))
    assert len(link._waiting) == 64 and link._waiting["dial 7"].value == 967.0


def test_what_ended_a_session_is_told_and_not_that_it_died() -> None:
    """It was said before the page asked for more, which a closed pipe no longer takes."""
    link = Link.__new__(Link)
    link._pipe, theirs = multiprocessing.Pipe()
    link._waiting, link._lock, link._asked = {}, threading.Lock(), threading.Event()
    theirs.send(RuntimeError("serial port lost"))
    theirs.close()
    with pytest.raises(RuntimeError, match="serial port lost"):
        link.next_moment()
