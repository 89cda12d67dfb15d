"""The scene network: shapes, weights on disk, backends, and what it says of a picture."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from nightfx.errors import PresetError
from nightfx.network.backends import installed_backends
from nightfx.network.scene_backends import build_scene_backend, fidelity
from nightfx.network.scene_net import SceneNetwork, load_scene_network
from nightfx.network.weights import pack_weights
from nightfx.options import Backend
from nightfx.scene import KINDS, LIGHTS, SURFACES, see_finely, see_scene

MOST_PARAMETERS = 1_500_000


@pytest.fixture
def network() -> SceneNetwork:
    torch.manual_seed(0)
    network = SceneNetwork(len(KINDS), (8, 12, 16)).eval()
    for last in (network.around.tell, network.around.say):  # as if it had learnt to look around
        torch.nn.init.normal_(last.weight, std=0.3)
    return network


def test_it_is_small() -> None:
    network = SceneNetwork(len(KINDS))
    assert sum(p.numel() for p in network.parameters()) < MOST_PARAMETERS


@pytest.mark.parametrize("size", [(64, 96), (8, 8), (72, 40), (33, 57)])
def test_a_picture_of_any_size_gets_logits_of_its_size(
    network: SceneNetwork, size: tuple[int, int]
) -> None:
    assert network(torch.rand(2, 3, *size)).shape == (2, len(KINDS), *size)


def test_a_picture_beyond_a_multiple_is_the_one_that_goes_on_with_its_edges(
    network: SceneNetwork,
) -> None:
    x = torch.rand(1, 3, 60, 44)
    wide = torch.nn.functional.pad(x, (0, 4, 0, 4), mode="replicate")
    assert torch.equal(network(x), network(wide)[..., :60, :44])


def test_the_row_is_seen(network: SceneNetwork) -> None:
    rows = network(torch.full((1, 3, 64, 64), 0.5))[0, 0, :, 32]
    assert rows.std() > 0


def test_weights_come_back_from_half_floats(network: SceneNetwork, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(pack_weights(network)[0])
    x = torch.rand(1, 3, 64, 64)
    assert torch.allclose(load_scene_network(path)(x), network(x), atol=2e-3)


def test_weights_that_are_none_are_refused(network: SceneNetwork, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(PresetError, match="not weights of a scene network"):
        load_scene_network(path)
    save_file({"enter.0.weight": torch.zeros(8, 13, 3, 3)}, path)
    with pytest.raises(PresetError, match=r"leave\.weight"):
        load_scene_network(path)
    tensors = network.state_dict() | {"leave.bias": torch.full((44,), torch.nan)}
    save_file(tensors, path)
    with pytest.raises(PresetError, match="not finite"):
        load_scene_network(path)
    with pytest.raises(PresetError, match="gone"):
        load_scene_network(tmp_path / "gone")


@pytest.mark.parametrize("backend", installed_backends())
def test_a_backend_sees_what_float32_sees(network: SceneNetwork, backend: Backend) -> None:
    shown = [torch.rand(1, 3, 64, 96) for _ in range(3)]
    fast = build_scene_backend(network, backend, "cpu", shown)
    assert fidelity(fast, network, shown) > 50


def test_a_scene_is_made_of_probabilities(network: SceneNetwork) -> None:
    shown = np.random.default_rng(0).uniform(-0.2, 1.2, (3, 40, 56)).astype(np.float32)
    scene = see_scene(network, shown)
    assert scene.surfaces.shape == (len(SURFACES), 40, 56)
    assert scene.lights.shape == (len(LIGHTS), 40, 56)
    assert np.allclose(scene.surfaces.sum(0), 1, atol=1e-5)
    assert scene.lights.min() >= 0
    assert scene.lights.max() <= 1
    assert np.array_equal(scene.of("wall"), scene.surfaces[2])
    assert np.array_equal(scene.of("lamp"), scene.lights[2])


def test_surfaces_are_seen_in_the_small_picture_and_lights_in_the_large(
    network: SceneNetwork,
) -> None:
    shown = np.random.default_rng(0).uniform(0, 1, (3, 64, 96)).astype(np.float32)
    small = np.ascontiguousarray(shown[:, ::2, ::2])
    scene, fine, coarse = (
        see_finely(network, shown, small),
        see_scene(network, shown),
        see_scene(network, small),
    )
    others = [kind for kind in LIGHTS if kind != "lamp"]
    assert all(np.array_equal(scene.of(kind), fine.of(kind)) for kind in others)
    assert (scene.of("lamp") <= np.sqrt(fine.of("lamp"))).all()
    assert scene.of("lamp").max() <= np.sqrt(coarse.of("lamp").max())
    assert scene.surfaces.shape == fine.surfaces.shape
    assert np.allclose(scene.surfaces.sum(0), 1, atol=1e-5)
    halved = scene.surfaces.reshape(6, 32, 2, 48, 2).mean((2, 4))
    assert np.abs(halved - coarse.surfaces).mean() < 0.05
    assert np.array_equal(see_finely(network, shown, shown).surfaces, fine.surfaces)


def test_weights_of_before_it_looked_around_are_so_of_this_network(
    network: SceneNetwork, tmp_path: Path
) -> None:
    tensors = {k: v.half() for k, v in network.state_dict().items() if "around" not in k}
    save_file(tensors, tmp_path / "old.safetensors")
    old = load_scene_network(tmp_path / "old.safetensors")
    x = torch.rand(1, 3, 64, 96)
    deep = torch.rand(1, 16, 3, 4)
    assert torch.equal(old.around(deep), deep)
    assert old(x).shape == (1, network.channels, 64, 96)


def test_where_it_is_coarsest_each_place_looks_at_all_others(network: SceneNetwork) -> None:
    around = network.around
    deep = torch.rand(1, 16, 4, 30)
    other = deep.clone()
    other[..., -1] += 1
    moved = (around(other) - around(deep)).abs()
    assert float(moved[..., 0].detach().max()) > 1e-5
