"""The encoder without its batch norms sees what the encoder sees."""

from __future__ import annotations

import pytest
import torch

from agent.model.encoder import ConvEncoder, EncoderConfig
from agent.model.folded_encoder import encoding
from agent.model.world_model import WorldModel

SIZES = ((16, 16), (24, 40))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_folded_and_unfolded_agree(size: tuple[int, int]) -> None:
    draw = torch.Generator().manual_seed(0)
    encoder = ConvEncoder(EncoderConfig(5, (4, 6, 8), 12), size)
    frames = torch.randint(0, 256, (7, *size, 3), generator=draw, dtype=torch.uint8)
    encoder.set_pixel_statistics(frames)
    for _ in range(3):  # batch norms with statistics of their own
        encoder(frames)
    expected = encoder.eval()(frames)
    torch.testing.assert_close(encoding(encoder)(frames), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(encoder(frames), expected)  # the encoder itself is as it was


def test_every_kind_of_encoder_can_be_asked(model: WorldModel) -> None:
    vit = torch.nn.Identity()
    assert encoding(vit) is vit
    frames = torch.zeros((1, *model.spec.frame_shape), dtype=torch.uint8)
    torch.testing.assert_close(encoding(model.encoder)(frames), model.encode(frames))
