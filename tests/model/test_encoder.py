"""Frames to embeddings: batch independence, normalisation, layout."""

from __future__ import annotations

import pytest
import torch

from agent.model.encoder import ConvEncoder, EncoderConfig
from agent.model.world_model import WorldModel


def frames(*leading: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(7)
    return torch.randint(0, 256, (*leading, 16, 16, 3), generator=draw, dtype=torch.uint8)


def test_in_evaluation_an_embedding_does_not_depend_on_the_batch(model: WorldModel) -> None:
    batch = frames(9)
    together = model.encode(batch)
    alone = torch.cat([model.encode(frame[None]) for frame in batch])
    assert together.std(0).min() > 1e-3  # a constant would prove nothing
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_evaluation_leaves_the_model_as_it_was(model: WorldModel) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.encode(frames(4))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_any_leading_shape(model: WorldModel) -> None:
    batch = frames(2, 3)
    embeddings = model.encode(batch)
    assert embeddings.shape == (2, 3, 4)
    flat = model.encode(batch.flatten(0, 1))
    torch.testing.assert_close(embeddings.flatten(0, 1), flat, atol=1e-6, rtol=0)
    assert model.encode(batch[0, 0]).shape == (4,)


def test_frames_are_not_changed(model: WorldModel) -> None:
    batch = frames(3)
    model.encode(batch)
    assert torch.equal(batch, frames(3))


def test_normalising_removes_the_background_and_scales_the_rest(model: WorldModel) -> None:
    moving = frames(200)
    moving[:, :4] = 77  # static rows
    model.encoder.set_pixel_statistics(moving)
    normal = model.encoder.normalise(moving)
    assert normal.shape == (200, 3, 16, 16)
    assert normal[:, :, :4].abs().max() == 0
    assert normal.mean(0).abs().max() < 1e-4
    assert abs(float(normal.std()) - 1) < 1e-3


def test_pixels_keep_their_place(model: WorldModel) -> None:
    """Row, column and colour of the one bright pixel, after HWC has become CHW."""
    frame = torch.zeros(1, 16, 16, 3, dtype=torch.uint8)
    frame[0, 2, 5, 1] = 255
    model.encoder.pixel_mean.zero_()
    assert model.encoder.normalise(frame).nonzero().tolist() == [[0, 1, 2, 5]]


def test_frames_that_never_change_do_not_divide_by_zero(model: WorldModel) -> None:
    still = frames(1).expand(10, -1, -1, -1)
    model.encoder.set_pixel_statistics(still)
    assert model.encode(still).isfinite().all()


def test_in_training_embeddings_are_centred_and_of_unit_variance(model: WorldModel) -> None:
    embeddings = model.train().encode(frames(64))
    assert embeddings.mean(0).abs().max() < 1e-5
    torch.testing.assert_close(embeddings.var(0, correction=0), torch.ones(4), atol=1e-3, rtol=0)


@pytest.mark.parametrize("wrong", [{"latent_dim": 0}, {"channels": (8, 8)}], ids=str)
def test_senseless_sizes_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"expected {next(iter(wrong))}"):
        EncoderConfig(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(16, 16), (48, 64), (50, 37)], ids=str)
def test_frames_of_any_size_and_shape(size: tuple[int, int]) -> None:
    encoder = ConvEncoder(EncoderConfig(latent_dim=3, channels=(4, 4, 8), hidden=8), size).eval()
    draw = torch.Generator().manual_seed(0)
    batch = torch.randint(0, 256, (5, *size, 3), generator=draw, dtype=torch.uint8)
    assert encoder(batch).shape == (5, 3)


def test_frames_too_small_to_see_anything_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 px"):
        ConvEncoder(EncoderConfig(), (15, 64))
