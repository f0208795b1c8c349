"""Training on data that outgrow memory, on this machine and under a URL."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.config import ExperimentConfig
from agent.data import RolloutStore, RolloutWriter
from agent.errors import MachineError, UserError
from agent.files.bundle import read_bundle
from agent.files.remote import RemotePath
from agent.model.checkpoint import checkpoint_facts
from agent.training import source
from agent.training.trainer import Trainer
from agent.training.whole import train_world_model

Config = Callable[..., ExperimentConfig]
FRAMES_IN_MEMORY = 12  # episodes of 20 whose frames fit


@pytest.fixture(scope="module")
def many(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 episodes, one a shard; not to be changed."""
    out = tmp_path_factory.mktemp("outgrown") / "data"
    store = RolloutStore.open(data)
    known = store.load()
    with RolloutWriter(out, store.header.spec, episodes_per_shard=1) as writer:
        for number in range(20):
            rows = known.rows(number % known.count)
            frames = np.roll(known.pixels[rows], number, axis=2)
            writer.add(frames, known.action[rows][:-1], known.state[rows])
    return out


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room for the frames of 12 episodes."""
    room = FRAMES_IN_MEMORY * 41 * 32 * 32 * 3
    monkeypatch.setattr(source, "memory_for_frames", lambda memory_gb: room)


def weights(out: Path) -> bytes:
    return read_bundle(out / "checkpoint")["model.safetensors"]


@pytest.mark.usefixtures("little_memory")
def test_it_learns_from_what_does_not_fit(many: Path, tmp_path: Path, config: Config) -> None:
    trainer = Trainer(many, tmp_path, config(steps=40, diagnose_every=20))
    assert trainer.episodes.pixels.nbytes < RolloutStore.open(many).pixel_bytes / 4
    reports = list(trainer.run())
    assert reports[-1].loss < reports[0].loss
    assert reports[-1].diagnostics is not None
    facts = checkpoint_facts(tmp_path / "checkpoint")
    assert facts["env_steps"] == 15 * 40
    assert facts["data"]["episodes"] == 20


@pytest.mark.usefixtures("little_memory")
def test_stopped_and_resumed_it_is_the_same(
    many: Path, tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(steps=30)
    list(Trainer(many, tmp_path / "whole", settings).run())
    running = Trainer(many, tmp_path / "cut", settings).run()
    next(running)
    running.close()
    monkeypatch.setattr(source, "memory_for_frames", lambda memory_gb: 10**9)
    list(Trainer(many, tmp_path / "cut", settings, resume=True).run())
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_no_room_for_any_part_is_refused_with_what_is_needed(
    many: Path, tmp_path: Path, config: Config
) -> None:
    with pytest.raises(UserError, match=r"expected --memory of \d+\.\d GB or more"):
        Trainer(many, tmp_path, config(memory_gb=0.01))


@pytest.fixture(scope="module")
def bucket(many: Path) -> Iterator[str]:
    """The same data set under a URL, while its server runs."""
    moto, fsspec = pytest.importorskip("moto.server"), pytest.importorskip("fsspec")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
        files = fsspec.filesystem("s3")
        files.mkdir("bucket")
        files.put(str(many), "s3://bucket/data", recursive=True)
        yield "s3://bucket/data"
    server.stop()


def test_what_lies_under_a_url_trains_the_same_model(
    many: Path, bucket: str, tmp_path: Path, config: Config
) -> None:
    settings = config(steps=12, save_every=6)
    list(train_world_model(many, tmp_path / "here", settings))
    list(train_world_model(bucket, tmp_path / "there", settings))
    assert weights(tmp_path / "here") == weights(tmp_path / "there")


@pytest.mark.usefixtures("little_memory")
def test_a_store_that_is_lost_on_the_way_loses_nothing(
    bucket: str, tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(steps=60, batch=8)
    trainer, usual = Trainer(bucket, tmp_path, settings), RemotePath.read_bytes

    def lost(self: RemotePath) -> bytes:
        if trainer.step < 10 and "shards" in threading.current_thread().name:
            return usual(self)
        raise MachineError(f"cannot reach {self}")

    monkeypatch.setattr(RemotePath, "read_bytes", lost)
    with pytest.raises(MachineError, match="cannot reach s3://bucket/data/shards"):
        list(trainer.run())
    monkeypatch.undo()
    assert 10 <= trainer.step < 60
    resumed = Trainer(bucket, tmp_path, settings, resume=True)
    assert resumed.step == trainer.step


def test_a_url_without_data_and_one_of_no_known_kind(bucket: str) -> None:
    with pytest.raises(UserError, match="no data set in s3://bucket/other"):
        RolloutStore.open("s3://bucket/other")
    with pytest.raises(UserError, match="got one of gopher://"):
        RolloutStore.open("gopher://bucket/other")


def test_without_credentials_one_line_says_so(
    bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    pytest.importorskip("s3fs").S3FileSystem.clear_instance_cache()
    with pytest.raises(MachineError, match=r"not allowed to read .*AWS_ACCESS_KEY_ID") as told:
        RolloutStore.open(bucket)
    assert "\n" not in str(told.value)


def test_a_store_that_answers_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    s3fs = pytest.importorskip("s3fs")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(MachineError, match=r"cannot reach s3://bucket/data.*AWS_ENDPOINT_URL"):
        RolloutStore.open("s3://bucket/data")


@pytest.mark.usefixtures("little_memory")
def test_with_less_memory_it_goes_on_and_says_that_weights_are_others(
    many: Path, tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(source, "memory_for_frames", lambda memory_gb: 10**9)
        running = Trainer(many, tmp_path, config(steps=30)).run()
        next(running)
        running.close()
    list(Trainer(many, tmp_path, config(steps=30), resume=True).run())
    assert "other parts of its data in memory (None shards at a time" in caplog.text
