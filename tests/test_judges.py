"""The judges of day and night: what each of them sees, and that none is asked about a source that it learnt from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.judges import even_odds
from nightfx.errors import PresetError
from nightfx.metrics import call_night, judges
from nightfx.metrics.judges import HALVES, judge_of, load_judges, maps_of


def street(seed: int = 0) -> Tensor:
    """A textured picture (3, 128, 128) of middle brightness, coloured by rows."""
    rng = np.random.default_rng(seed)
    rows = np.linspace(0.7, 0.3, 128)[None, :, None] * np.array([1, 0.9, 0.8])[:, None, None]
    return torch.from_numpy(rows + rng.uniform(-0.1, 0.1, (1, 128, 128))).float()


def test_structure_forgets_exposure_and_tint() -> None:
    picture = street()
    seen = maps_of("structure", picture)
    dimmed = maps_of("structure", picture * torch.tensor([0.5, 0.4, 0.3])[:, None, None])
    other = maps_of("structure", street(1))
    assert seen.shape == (2, 128, 128)
    assert torch.corrcoef(torch.stack([seen.flatten(), dimmed.flatten()]))[0, 1] > 0.98
    assert torch.corrcoef(torch.stack([seen.flatten(), other.flatten()]))[0, 1].abs() < 0.2


def test_colours_forget_where_in_a_cell_a_pixel_lies() -> None:
    picture = street()
    cells = picture.view(3, 8, 16, 8, 16)
    stirred = cells[:, :, torch.randperm(16)][..., torch.randperm(16)].reshape(3, 128, 128)
    seen = maps_of("colours", picture)
    assert seen.shape == (9, 8, 8)
    assert torch.allclose(maps_of("colours", stirred), seen, atol=1e-5)
    darkest, mean, brightest = seen.view(3, 3, 8, 8)
    assert (darkest < mean).all()
    assert (mean < brightest).all()


def test_no_network_judges_a_source_that_it_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    says = {"first": 2.0, "second": -4.0}
    voices = {
        f"{kind}.{half}": lambda maps, odds=odds: torch.full((len(maps),), odds)
        for kind in ("colours", "structure")
        for half, odds in says.items()
    }
    monkeypatch.setattr(judges, "load_judges", lambda: voices)
    for half, other in (("first", "second"), ("second", "first")):
        for source in HALVES[half]:
            expected = float(torch.tensor(says[other]).sigmoid())
            assert call_night(street(), source) == pytest.approx((expected, expected))
    both = float(torch.tensor(-1.0).sigmoid())
    assert call_night(street(), "a show of one's own") == pytest.approx((both, both))


def test_the_networks_come_along_and_give_odds() -> None:
    assert set(load_judges()) == {f"{k}.{h}" for k in ("colours", "structure") for h in HALVES}
    assert all(0 <= odds <= 1 for odds in call_night(street()))
    assert judge_of("structure")(torch.zeros(2, 2, 128, 128)).shape == (2,)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "judges.safetensors").write_bytes(b"no weights")
    with pytest.raises(PresetError, match="not the judges"):
        load_judges(tmp_path / "judges.safetensors")


def test_odds_are_even_where_both_sides_err_alike() -> None:
    days = [torch.tensor([-3.0, -2.0, -1.0, 2.0])]
    nights = [torch.tensor([-1.5, 3.0, 4.0, 5.0])]
    odds = even_odds(days, nights)
    assert (
        float((days[0] > odds).float().mean()) == float((nights[0] < odds).float().mean()) == 0.25
    )
