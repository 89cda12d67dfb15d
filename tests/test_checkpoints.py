"""Others' checkpoints: what is imported paints what its own network paints, and what is not understood is refused."""

import argparse
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from media import Clip, make_clip
from torch import Tensor, nn
from typer.testing import CliRunner, Result

import nightfx
from nightfx.apply.field import blended, identity_field
from nightfx.cli import app
from nightfx.errors import PresetError, RetryError, TargetError, UsageError
from nightfx.job.asked import complete_options
from nightfx.light.fit import FieldPlan, field_of
from nightfx.light.see import Seen, see
from nightfx.network.backends import build_backend, verify_backends
from nightfx.network.checkpoints import UNDERSTOOD, import_checkpoint, read_checkpoint
from nightfx.network.presets import Preset, load_preset, verify_preset
from nightfx.source.reader import Reader

Weights = dict[str, Tensor]


class UsualBlock(nn.Module):
    """A residual block as CycleGAN's authors lay it out."""

    def __init__(self, width: int, norm: Callable[[int], nn.Module], dropout: bool) -> None:
        super().__init__()
        layers = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), norm(width), nn.ReLU()]
        layers += [nn.Dropout(0.5)] if dropout else []
        layers += [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), norm(width)]
        self.conv_block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.conv_block(x)
        return y


class Usual(nn.Module):
    """Their generator, [-1, 1] to [-1, 1]; random weights as they begin, scaled so that its pictures are not flat."""

    def __init__(
        self,
        blocks: int = 6,
        width: int = 8,
        *,
        dropout: bool = False,
        channels: int = 3,
        norm: Callable[[int], nn.Module] = nn.InstanceNorm2d,
        bias: bool = True,
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(channels, width, 7, bias=bias)]
        layers += [norm(width), nn.ReLU()]
        for n in (width, 2 * width):
            layers += [nn.Conv2d(n, 2 * n, 3, 2, 1, bias=bias), norm(2 * n), nn.ReLU()]
        layers += [UsualBlock(4 * width, norm, dropout) for _ in range(blocks)]
        for n in (4 * width, 2 * width):
            up = nn.ConvTranspose2d(n, n // 2, 3, 2, 1, output_padding=1, bias=bias)
            layers += [up, norm(n // 2), nn.ReLU()]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, channels, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)
        for name, parameter in self.named_parameters():
            scale = 1.0 if name.endswith("weight") and parameter.ndim == 1 else 0.0
            nn.init.normal_(parameter, scale, 0.1)
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.model(x)
        return y


def affine(channels: int) -> nn.Module:
    return nn.InstanceNorm2d(channels, affine=True)


def old(channels: int) -> nn.Module:
    """Instance norm as torch stored it before 0.4; it normalises by what it is shown all the same."""
    norm = nn.InstanceNorm2d(channels, track_running_stats=True)
    assert norm.running_mean is not None
    norm.running_mean.fill_(7.0)
    return norm


def old_affine(channels: int) -> nn.Module:
    return nn.InstanceNorm2d(channels, affine=True, track_running_stats=True)


def saved(tmp_path: Path, checkpoint: Any, name: str = "latest_net_G_A", **how: Any) -> Path:
    path = tmp_path / f"{name}.pth"
    torch.save(checkpoint, path, **how)
    return path


def shown() -> Tensor:
    return torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(1))


def own_picture(network: Usual, *, rounded: bool = False) -> Tensor:
    """What the network itself makes of `shown`, in [0, 1]; instance norm by what it is shown."""
    for module in network.modules():
        if isinstance(module, nn.InstanceNorm2d):
            module.train()
    if rounded:
        network.load_state_dict({k: v.half().float() for k, v in network.state_dict().items()})
    picture: Tensor = (network(2 * shown() - 1) + 1) / 2
    return picture


def nightfx_cli(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def imported(tmp_path: Path) -> Preset:
    path = saved(tmp_path, Usual(dropout=True).state_dict(), "horse2zebra")
    return import_checkpoint(path, out=tmp_path / "looks")


@pytest.mark.parametrize("blocks", [6, 9])
@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("norm", [nn.InstanceNorm2d, affine, old, old_affine])
def test_an_imported_generator_paints_what_its_own_network_paints(
    blocks: int, dropout: bool, norm: Any, tmp_path: Path
) -> None:
    network = Usual(blocks, dropout=dropout, norm=norm)
    preset = import_checkpoint(saved(tmp_path, network.state_dict()), "look", tmp_path)
    picture = preset.generator(shown())
    wanted, same = own_picture(network), own_picture(network, rounded=True)
    assert float(wanted.std()) > 0.1
    torch.testing.assert_close(picture, same, atol=1e-4, rtol=0)
    torch.testing.assert_close(picture, wanted, atol=0.02, rtol=0)  # weights of 11 bits


@pytest.mark.parametrize(("blocks", "width"), [(6, 8), (9, 12)])
@pytest.mark.parametrize("dropout", [False, True])
def test_what_the_layout_says_is_recorded(
    blocks: int, width: int, dropout: bool, tmp_path: Path
) -> None:
    path = saved(tmp_path, Usual(blocks, width, dropout=dropout, norm=old_affine).state_dict())
    layout = {"blocks": blocks, "channels": width, "affine": True, "dropout": dropout}
    dropped = 3 * (5 + 2 * blocks)
    assert read_checkpoint(path).layout == {**layout, "statistics_dropped": dropped}


def test_the_keys_are_numbered_as_in_the_checkpoints_of_the_wild() -> None:
    def kernels(network: Usual) -> list[str]:
        return [key for key, weight in network.state_dict().items() if weight.ndim == 4]

    plain = kernels(Usual(9))
    assert plain[3:5] == ["model.10.conv_block.1.weight", "model.10.conv_block.5.weight"]
    assert plain[-3:] == ["model.19.weight", "model.22.weight", "model.26.weight"]
    assert kernels(Usual(9, dropout=True))[4] == "model.10.conv_block.6.weight"
    assert kernels(Usual(6))[-1] == "model.23.weight"


NESTED: dict[str, Callable[[Weights], Any]] = {
    "DataParallel": lambda w: {f"module.{key}": value for key, value in w.items()},
    "state_dict": lambda w: {"state_dict": w, "epoch": 200},
    "generator beside others": lambda w: {
        "netG": w,
        "netD": {"model.0.weight": torch.zeros(64, 3, 4, 4)},
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]},
    },
    "both": lambda w: {"model": {f"module.{key}": value for key, value in w.items()}},
    "Lightning": lambda w: {"state_dict": {f"net_g.{key}": value for key, value in w.items()}},
    "parameters": lambda w: {key: nn.Parameter(value) for key, value in w.items()},
    "half": lambda w: {key: value.half() for key, value in w.items()},
}


@pytest.mark.parametrize("nest", NESTED)
@pytest.mark.parametrize("zipped", [True, False])
def test_weights_are_found_where_they_are_usually_put(
    nest: str, zipped: bool, tmp_path: Path
) -> None:
    network = Usual()
    checkpoint = NESTED[nest](network.state_dict())
    path = saved(tmp_path, checkpoint, _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(path).generator(shown())
    torch.testing.assert_close(found, own_picture(network, rounded=nest == "half"))


def test_a_checkpoint_that_holds_itself_is_read_once(tmp_path: Path) -> None:
    checkpoint: dict[str, Any] = {"netG": Usual().state_dict()}
    checkpoint["again"] = checkpoint
    assert read_checkpoint(saved(tmp_path, checkpoint)).layout["blocks"] == 6


class Code:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_pickle_is_refused_and_does_not_run(tmp_path: Path, zipped: bool) -> None:
    mark = tmp_path / "ran"
    checkpoint = {**Usual().state_dict(), "code": Code(mark)}
    path = saved(tmp_path, checkpoint, _use_new_zipfile_serialization=zipped)
    with pytest.raises(PresetError, match="holds code or objects beside tensors"):
        import_checkpoint(path, "evil", tmp_path)
    assert not mark.exists()
    assert list(tmp_path.iterdir()) == [path]
    torch.load(path, weights_only=False)
    assert mark.exists()  # it would have run


def without(key: str) -> Weights:
    return {k: w for k, w in Usual().state_dict().items() if k != key}


def with_one(key: str, weight: Tensor) -> Weights:
    return {**Usual().state_dict(), key: weight}


UNET = {
    "model.model.0.weight": torch.zeros(64, 3, 4, 4),
    "model.model.1.model.1.weight": torch.zeros(128, 64, 4, 4),
    "model.model.1.model.3.model.1.weight": torch.zeros(256, 128, 4, 4),
}
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "U-Net": (lambda: UNET, "its network is a U-Net"),
    "batch norm": (
        lambda: Usual(norm=nn.BatchNorm2d, bias=False).state_dict(),
        "it has batch norm, not instance norm",
    ),
    "7 blocks": (lambda: Usual(7).state_dict(), "7 residual blocks, where 6 or 9 are known"),
    "one channel": (
        lambda: Usual(channels=1).state_dict(),
        r"model.1.weight is \[8, 1, 7, 7\], not \[8, 3, 7, 7\]",
    ),
    "two generators": (
        lambda: {"G_A": Usual().state_dict(), "G_B": Usual().state_dict()},
        r"it holds 2 generators \(G_A, G_B\); save the one you want alone",
    ),
    "wide": (
        lambda: with_one("model.1.weight", torch.zeros(1).expand(10**6, 3, 7, 7)),
        r"model.1.weight is \[1000000, 3, 7, 7\]",
    ),
    "nothing": (dict, "there are no weights in it"),
    "list": (lambda: [torch.zeros(3)], "there are no weights in it"),
    "other network": (
        lambda: nn.Linear(2, 2).state_dict(),
        "no residual blocks are where they should be",
    ),
    "missing": (lambda: without("model.4.bias"), "model.4.bias is missing"),
    "more": (lambda: with_one("model.7.filt", torch.ones(3)), "model.7.filt has no place in it"),
    "integers": (
        lambda: {k: w.int() for k, w in Usual().state_dict().items()},
        "is torch.int32, not floating-point",
    ),
    "sparse": (
        lambda: {k: w.to_sparse() for k, w in Usual().state_dict().items()},
        "is no plain tensor",
    ),
    "meta": (
        lambda: {k: w.to("meta") for k, w in Usual().state_dict().items()},
        "is no plain tensor",
    ),
    "not finite": (
        lambda: with_one("model.4.bias", torch.full((16,), float("nan"))),
        "model.4.bias has values that are not finite",
    ),
    "too large": (
        lambda: with_one("model.4.bias", torch.full((16,), 1e6)),
        "too large for float16",
    ),
    "options": (
        lambda: {"opt": argparse.Namespace(), "G": Usual().state_dict()},
        "holds code or objects beside tensors",
    ),
    "whole module": (Usual, "holds code or objects beside tensors"),
}


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_understood_is_refused_with_what_is(kind: str, tmp_path: Path) -> None:
    make, message = REFUSED[kind]
    path = saved(tmp_path, make())
    with pytest.raises(PresetError, match=message) as refusal:
        import_checkpoint(path, "look", tmp_path)
    assert str(refusal.value).endswith(UNDERSTOOD)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused(share: float, zipped: bool, tmp_path: Path) -> None:
    path = saved(tmp_path, Usual().state_dict(), _use_new_zipfile_serialization=zipped)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(PresetError, match=r"not a checkpoint of torch\.save, or a damaged one"):
        read_checkpoint(path)


@pytest.mark.parametrize("data", [b"hello", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"\x80\x02."])
def test_what_is_no_checkpoint_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "picture.pth"
    path.write_bytes(data)
    with pytest.raises(PresetError, match=r"picture\.pth: not a checkpoint of torch\.save"):
        read_checkpoint(path)
    with pytest.raises(PresetError, match="no such file"):
        read_checkpoint(tmp_path)


def test_a_preset_is_named_after_its_file_and_says_where_it_comes_from(imported: Preset) -> None:
    assert (imported.name, imported.folder.name) == ("horse2zebra", "horse2zebra")
    facts = imported.facts
    assert (facts.architecture, facts.method, facts.working_height_px) == ("resnet", "relight", 256)
    assert facts.training is not None
    assert facts.training["imported_from"] == "horse2zebra.pth"
    assert {path.name for path in imported.folder.iterdir()} == {
        "preset.toml",
        "weights.safetensors",
        "CARD.md",
    }
    card = (imported.folder / "CARD.md").read_text(encoding="utf-8")
    for words in ("horse2zebra.pth", "does not know the licence", "relight method only"):
        assert words in card


def test_names_of_files_from_others_are_made_harmless(tmp_path: Path) -> None:
    path = saved(tmp_path, Usual().state_dict(), 'my "day" to\nnight.v2')
    preset = import_checkpoint(path, out=tmp_path)
    assert preset.name == "my-day-to-night-v2"
    assert preset.facts.description == 'Imported from my "day" to?night.v2.pth.'


@pytest.mark.parametrize("name", ["", "..", "../evil", "a b", "night"])
def test_a_name_that_will_not_do_is_refused(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, Usual().state_dict())
    with pytest.raises(UsageError, match="--name"):
        import_checkpoint(path, name, tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_exists_is_not_replaced(imported: Preset, tmp_path: Path) -> None:
    before = (imported.folder / "weights.safetensors").read_bytes()
    path = saved(tmp_path, Usual(9).state_dict())
    with pytest.raises(TargetError, match="horse2zebra: exists already; choose another --name"):
        import_checkpoint(path, "horse2zebra", imported.folder.parent)
    assert (imported.folder / "weights.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, RetryError), (errno.EACCES, TargetError)]
)
def test_a_disk_that_will_not_take_it_leaves_nothing(
    number: int, kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def fail(path: Path, data: bytes) -> int:
        if "preset.toml" in path.name:
            raise OSError(number, os.strerror(number))
        return write(path, data)

    path = saved(tmp_path, Usual().state_dict())
    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(kind):
        import_checkpoint(path, "look", tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_tiles_are_refused_with_the_reason(imported: Preset, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "plate.mp4", Clip(count=2))
    result = nightfx_cli("render", clip, "--to", imported.folder, "--method", "tiles")
    assert result.exit_code == 2
    assert "--method tiles is not for horse2zebra: its network has instance norm" in result.stderr
    assert not clip.with_name("plate.horse2zebra.mp4").exists()
    with pytest.raises(UsageError, match="instance norm"):
        complete_options(nightfx.RenderOptions.of(method="tiles"), imported)


def test_a_toml_that_asks_for_tiles_is_refused(imported: Preset) -> None:
    path = imported.folder / "preset.toml"
    path.write_text(path.read_text().replace('"relight"', '"tiles"'))
    with pytest.raises(PresetError, match="method must be relight, got 'tiles': its network has"):
        load_preset(imported.folder)


def test_damaged_weights_are_refused(imported: Preset) -> None:
    path = imported.folder / "preset.toml"
    path.write_text(path.read_text().replace('"resnet"', '"relit"').replace("relight", "tiles"))
    with pytest.raises(PresetError, match="not weights of a relit generator"):
        _ = load_preset(imported.folder).generator
    other = load_preset("night").folder
    facts = (other / "preset.toml").read_text().replace('"relit"', '"resnet"')
    path.write_text(facts)
    weights = (other / "weights.safetensors").read_bytes()
    (imported.folder / "weights.safetensors").write_bytes(weights)
    with pytest.raises(PresetError, match="not weights of a resnet generator: 0 residual blocks"):
        _ = load_preset(imported.folder).generator


def test_a_clip_renders_under_the_networks_light(imported: Preset, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "plate.mkv", Clip("ffv1", count=3, size=(64, 96)))
    result = nightfx_cli("render", clip, "--to", imported.folder)
    assert result.exit_code == 0, result.output
    with Reader(clip) as plates, Reader(clip.with_name("plate.horse2zebra.mkv")) as lit:
        pairs = list(zip(plates.frames(), lit.frames(), strict=True))
    wanted = []
    for plate, _ in pairs:
        small = torch.from_numpy(see(plate, 256).small)[None]
        wanted.append(float(imported.generator(small).mean() - small.mean()))
    found = [see(b, 256).small.mean() - see(a, 256).small.mean() for a, b in pairs]
    assert len(pairs) == 3
    assert min(abs(change) for change in wanted) > 0.02
    np.testing.assert_allclose(found, wanted, atol=0.05)


def seen_of(folder: Path) -> Seen:
    """A frame with colours far outside [0, 1]."""
    with Reader(make_clip(folder / "plate.mkv", Clip("ffv1", count=1, size=(64, 96)))) as reader:
        return see(next(iter(reader.frames())), 256)


def test_strength_dissolves_between_plate_and_painting(imported: Preset, tmp_path: Path) -> None:
    wild = seen_of(tmp_path)
    seen = wild._replace(small=wild.small.clip(0.1, 0.9), cells=wild.cells.clip(0.1, 0.9))
    whole = field_of(seen, imported.generator, FieldPlan())
    none = identity_field(*seen.cells.shape[1:])
    assert np.abs(whole - none).mean() > 0.02
    np.testing.assert_array_equal(blended(whole, 0), none)
    np.testing.assert_allclose(blended(whole, 0.5), (none + whole) / 2, atol=1e-6)


def test_list_show_and_verify_say_that_it_is_for_relight_only(imported: Preset) -> None:
    looks = imported.folder.parent
    (looks / "broken").mkdir()
    (looks / "broken" / "preset.toml").write_text("what?")
    listed = nightfx_cli("presets", "list", looks)
    assert listed.exit_code == 1
    assert "broken" in listed.stderr
    told = "Imported from horse2zebra.pth. (--method relight only)"
    assert f"{imported.folder}  {told}" in listed.stdout
    shown = nightfx_cli("presets", "show", imported.folder).stdout
    assert "px; no other: its network has instance norm" in shown
    assert verify_preset(imported.folder).startswith("ok, resnet, relight only, hash matches")


def test_every_backend_is_near_or_says_that_it_is_judged_later(imported: Preset) -> None:
    lines = list(verify_backends(imported.generator))
    assert [float(line.split()[1]) > 80 for line in lines[:2]] == [True, True]  # both in float32
    assert lines[2] == "openvino-int8 is measured at each render, and refused where it is too far"


def test_a_stand_in_paints_the_same_picture(imported: Preset) -> None:
    fast = build_backend(imported.generator, "openvino")
    difference = fast(shown()) - imported.generator(shown())
    assert float(difference.abs().mean()) < 0.01


def test_import_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path, Usual().state_dict())
    done = nightfx_cli("presets", "import", path)
    assert done.exit_code == 0, done.output
    assert "render with --to latest_net_G_A" in done.stdout
    assert load_preset("latest_net_G_A").facts.architecture == "resnet"
    refused = nightfx_cli("presets", "import", path, "--name", "night")
    assert (refused.exit_code, "choose another" in refused.stderr) == (2, True)
    path.write_bytes(b"nothing")
    refused = nightfx_cli("presets", "import", path, "--name", "other", "--out", "looks")
    assert refused.exit_code == 1
    said, error = refused.stderr.splitlines()
    assert (said, error[:6]) == (f"{path.name}: reading", "error:")
    assert not Path("looks").exists()
