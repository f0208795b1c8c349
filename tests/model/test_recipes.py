"""Both transformers of LeWorldModel, and how every kind of model is kept on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from agent.errors import UserError
from agent.files.bundle import read_bundle, write_bundle
from agent.model.checkpoint import load_checkpoint, save_checkpoint
from agent.model.rolling import roll
from agent.model.transformer import TransformerConfig
from agent.model.vit import ViTConfig, ViTEncoder, attend
from agent.model.world_model import WorldModel, WorldModelConfig
from envs import WorldSpec

DIM, WIDTH = 6, 10  # D, K*A
SPEC = WorldSpec("recorded:noise", "drawn", (16, 16), 2, 0.04)
ENCODER = ViTConfig(latent_dim=DIM, patch_size=4, width=12, depth=2, heads=3, projector_width=16)
PREDICTOR = TransformerConfig(
    width=12, depth=2, heads=2, head_width=5, hidden=16, dropout=0.5, projector_width=16
)


@pytest.fixture
def recipe() -> WorldModel:
    """Evaluation mode; every weight and statistic random, no gate closed."""
    model = WorldModel(WorldModelConfig(ENCODER, PREDICTOR, action_block=5), SPEC)
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                noise = 0.3 * torch.randn(value.shape, generator=draw)
                positive = name.endswith(("running_var", "pixel_std", "action_std"))
                value.copy_(0.5 + noise.abs() if positive else noise)
    model.encoder.pixel_std.mul_(100)
    return model.eval()


def frames(count: int) -> Tensor:
    draw = torch.Generator().manual_seed(7)
    return torch.randint(0, 256, (count, 16, 16, 3), generator=draw, dtype=torch.uint8)


def window(count: int = 4, length: int = 3) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(2)
    embeddings = torch.randn(count, length, DIM, generator=draw)
    return embeddings, torch.randn(count, length, WIDTH, generator=draw)


def test_the_paper_sizes_make_the_paper_count_of_weights() -> None:
    """18.03 million are reported for the public code, 10.79 of them in the predictor's layers."""
    config = WorldModelConfig(ViTConfig(patch_size=14), TransformerConfig(), action_block=5)
    with torch.device("meta"):
        model = WorldModel(config, WorldSpec("recorded:paper", "film", (224, 224), 2, 0.1))
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(18.03e6, rel=0.01)
    layers = sum(p.numel() for p in model.predictor.blocks.parameters())
    assert layers == pytest.approx(10.79e6, rel=0.01)


@pytest.mark.parametrize("leading", [(), (5,), (2, 3)], ids=str)
def test_any_leading_shape(recipe: WorldModel, leading: tuple[int, ...]) -> None:
    pictures = frames(6)[0].expand(*leading, -1, -1, -1)
    assert recipe.encode(pictures).shape == (*leading, DIM)
    embeddings, actions = torch.randn(*leading, 3, DIM), torch.randn(*leading, 3, WIDTH)
    assert recipe.predictor(embeddings, actions).shape == (*leading, DIM)
    assert recipe.predictor.each_step(embeddings, actions).shape == (*leading, 3, DIM)


def test_in_evaluation_nothing_depends_on_the_batch_or_on_chance(recipe: WorldModel) -> None:
    """BatchNorm in both halves and dropout in one: all must be still."""
    batch, (embeddings, actions) = frames(5), window(5)
    together = recipe.encode(batch)
    assert together.std(0).min() > 1e-3  # a constant would prove nothing
    torch.testing.assert_close(
        together, torch.stack([recipe.encode(frame) for frame in batch]), atol=1e-5, rtol=1e-5
    )
    predicted = recipe.predictor(embeddings, actions)
    alone = [recipe.predictor(*pair) for pair in zip(embeddings, actions, strict=True)]
    torch.testing.assert_close(predicted, torch.stack(alone), atol=1e-5, rtol=1e-5)
    assert torch.equal(predicted, recipe.predictor(embeddings, actions))


def test_dropout_is_on_in_training_only(recipe: WorldModel) -> None:
    recipe.train()
    embeddings, actions = window()
    assert not torch.equal(
        recipe.predictor(embeddings, actions), recipe.predictor(embeddings, actions)
    )


@pytest.mark.parametrize("causal", [False, True])
def test_attention_in_bfloat16_is_attention(causal: bool) -> None:
    exact = torch.randn(3, 5, 4, 17, 8, generator=torch.Generator().manual_seed(0))
    wanted = F.scaled_dot_product_attention(*exact, is_causal=causal)
    found = attend(*exact.bfloat16(), causal)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), wanted, atol=0.03, rtol=0)
    alone = attend(*exact[:, :, :, :1].bfloat16(), causal)
    assert torch.equal(alone[:, :, 0], exact[2, :, :, 0].bfloat16())
    if causal:  # the first token sees itself alone
        assert torch.equal(found[:, :, 0], exact[2, :, :, 0].bfloat16())


@pytest.mark.parametrize("late", [1, 2])
def test_a_prediction_does_not_see_what_comes_later(recipe: WorldModel, late: int) -> None:
    embeddings, actions = window()
    before = recipe.predictor.each_step(embeddings, actions)
    embeddings[:, late] += 1.0
    actions[:, late] += 1.0
    after = recipe.predictor.each_step(embeddings, actions)
    torch.testing.assert_close(before[:, :late], after[:, :late], atol=0, rtol=0)
    assert (before[:, late:] - after[:, late:]).abs().amax(-1).min() > 1e-4


def test_each_action_block_and_each_embedding_matters(recipe: WorldModel) -> None:
    embeddings, actions = window()
    before = recipe.predictor(embeddings, actions)
    for changed in (0, 1):
        for at in range(3):
            pair = [embeddings.clone(), actions.clone()]
            pair[changed][:, at] += 1.0
            assert (recipe.predictor(*pair) - before).abs().amax(-1).min() > 1e-5


def test_fewer_frames_than_the_context_are_the_first_of_more(recipe: WorldModel) -> None:
    embeddings, actions = window()
    every = recipe.predictor.each_step(embeddings, actions)
    for length in (1, 2, 3):
        some = recipe.predictor(embeddings[:, :length], actions[:, :length])
        torch.testing.assert_close(some, every[:, length - 1], atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="at most 3"):
        recipe.predictor(*window(length=4))


def test_actions_are_read_in_training_units(recipe: WorldModel) -> None:
    """Twice the action where actions are twice as wide is the same to the network."""
    embeddings, actions = window()
    sent = torch.randn(1000, 2)
    recipe.predictor.set_action_statistics(sent)
    before = recipe.predictor(embeddings, actions)
    recipe.predictor.set_action_statistics(2 * sent)
    torch.testing.assert_close(recipe.predictor(embeddings, 2 * actions), before)


def test_colours_are_normalised_each_on_its_own(recipe: WorldModel) -> None:
    recipe.encoder.set_pixel_statistics(frames(50))
    normal = recipe.encoder.normalise(frames(50))
    assert normal.shape == (50, 3, 16, 16)
    assert normal.mean((0, 2, 3)).abs().max() < 1e-4
    torch.testing.assert_close(normal.std((0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)


def test_an_untrained_block_is_the_identity() -> None:
    """Adaptive LayerNorm starts with closed gates: actions have no effect yet."""
    model = WorldModel(WorldModelConfig(ENCODER, PREDICTOR, action_block=5), SPEC).eval()
    embeddings, actions = window()
    torch.testing.assert_close(
        model.predictor(embeddings, actions), model.predictor(embeddings, -actions)
    )


def test_a_recipe_comes_back_from_disk_exactly(recipe: WorldModel, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "checkpoint", recipe, {})
    loaded = load_checkpoint(tmp_path / "checkpoint")
    assert loaded.config == recipe.config
    assert torch.equal(loaded.encode(frames(3)), recipe.encode(frames(3)))
    assert torch.equal(loaded.predictor(*window()), recipe.predictor(*window()))


def test_a_checkpoint_from_before_there_were_kinds_is_still_what_it_was(
    first_schema: Path, tmp_path: Path
) -> None:
    before = read_bundle(first_schema)
    config = json.loads(before["config.json"])
    assert "kind" not in config["model"]["encoder"]
    save_checkpoint(tmp_path / "again", load_checkpoint(first_schema), config["facts"])
    after = read_bundle(tmp_path / "again")
    assert after["model.safetensors"] == before["model.safetensors"]
    parts = json.loads(after["config.json"])["model"]
    del config["model"]["encoder"]["image_size"]  # the world's since
    for part in ("encoder", "predictor"):  # settings made since may stand beside them
        assert parts[part] == config["model"][part]


@pytest.mark.parametrize("part", ["encoder", "predictor"])
def test_an_unknown_kind_is_the_users_mistake(
    recipe: WorldModel, tmp_path: Path, part: str
) -> None:
    save_checkpoint(tmp_path / "checkpoint", recipe, {})
    files = read_bundle(tmp_path / "checkpoint")
    config = json.loads(files["config.json"])
    config["model"][part]["kind"] = "oracle"
    write_bundle(tmp_path / "checkpoint", {**files, "config.json": json.dumps(config).encode()})
    with pytest.raises(UserError, match="kind"):
        load_checkpoint(tmp_path / "checkpoint")


def test_a_planner_of_ours_is_given_the_slope_of_their_rollout(recipe: WorldModel) -> None:
    recipe.double()
    embeddings, actions = (x.double() for x in window(1))

    def rollout(plan: Tensor) -> Tensor:
        return roll(recipe.predictor, embeddings, actions[:, :2], plan[None, None])[0, 0]

    predicted = rollout(actions[0])[None].detach()
    slope = recipe.stepping().slopes(embeddings, actions[:, :2], actions, predicted)
    expected = torch.autograd.functional.jacobian(rollout, actions[0])  # (H, D, H, K*A)
    torch.testing.assert_close(slope[0], expected.flatten(2).mT)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (ViTConfig, {"width": 190}),
        (ViTConfig, {"depth": 0}),
        (TransformerConfig, {"dropout": 1.0}),
        (TransformerConfig, {"context": 0}),
        (TransformerConfig, {"kind": "vit"}),
    ],
    ids=str,
)
def test_senseless_sizes_are_refused(kind: type, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"expected {next(iter(wrong))}"):
        kind(**wrong)


def test_patches_must_fill_the_frames() -> None:
    with pytest.raises(ValueError, match="patch_size=4 divides, got \\(16, 18\\)"):
        ViTEncoder(ENCODER, (16, 18))
    frame = torch.zeros(2, 8, 24, 3, dtype=torch.uint8)
    assert ViTEncoder(ENCODER, (8, 24)).eval()(frame).shape == (2, DIM)
