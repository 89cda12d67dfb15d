"""What a person said of a shot, and changes of it; each change gives a new state, so that it can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nightfx.errors import UsageError
from nightfx.lights import KINDS, LightList
from nightfx.options import LightOptions, Look, find_option
from nightfx.options.option import options_in
from nightfx.scene import SkyEdits
from nightfx.studio import lamps

LOOK = (*options_in(Look), "light_seed", "lit_windows")
"""Keys of the options that a page turns."""
assert set(LOOK[-2:]) <= set(options_in(LightOptions))
_MOST_UNDONE = 300


@dataclass(frozen=True, eq=False)
class ShotState:
    """What a person said of a shot: its table of `nightfx.toml`, and its list of lights."""

    said: Mapping[str, Any] = field(default_factory=dict)
    lights: LightList | None = None
    """None where they are as they are found."""
    sky: SkyEdits | None = None
    """None where nobody said anything of the sky."""

    def turned(self, key: str, value: Any, frame: int | None = None) -> ShotState:
        """With another value of an option, None for the preset's; of keyframes that of one `frame`. Raises UsageError."""
        if key not in LOOK:
            raise UsageError(f"a page does not turn {key!r}; it turns {', '.join(LOOK)}")
        one = find_option(key)[1]
        if value is None:
            return self._without(key)
        keyed = one.value(self.said[key]) if key in self.said else None
        if isinstance(keyed, tuple) and frame is not None:
            value = tuple(sorted({**dict(keyed), frame: float(one.value(value))}.items()))
        return replace(self, said={**self.said, key: as_text(one.value(value))})

    def keyed(self, key: str, value: float, frame: int) -> ShotState:
        """With a keyframe of an option at a frame, or without it where it has one there: the last one leaves its number."""
        one = find_option(key)[1]
        if key not in options_in(Look):
            raise UsageError(f"{one.flag} has no keyframes")
        before = one.value(self.said[key]) if key in self.said else None
        keys = dict(before) if isinstance(before, tuple) else {}
        if keys.pop(frame, None) is None:
            keys[frame] = float(one.value(value))
        if not keys:
            return self.turned(key, value)
        pairs = one.value(tuple(sorted(keys.items())))
        return replace(self, said={**self.said, key: as_text(pairs)})

    def with_keys_moved(self, before: int, after: int) -> ShotState:
        """With all keyframes of a frame at another; where an option has one there already, that goes. Raises UsageError."""
        said = dict(self.said)
        for key in options_in(Look):
            pairs = find_option(key)[1].value(said[key]) if key in said else None
            keys = dict(pairs) if isinstance(pairs, tuple) else {}
            if before in keys:
                keys[after] = keys.pop(before)
                said[key] = as_text(tuple(sorted(keys.items())))
        if said == dict(self.said):
            raise UsageError(f"there is no keyframe at {before} that this shot says")
        return replace(self, said=said)

    def with_preset(self, name: str) -> ShotState:
        """Under another preset; what was said of the look stays."""
        return replace(self, said={**self.said, "to": name})

    def with_look_of(self, other: ShotState) -> ShotState:
        """With preset and look of another shot; the lights stay."""
        kept = {k: v for k, v in self.said.items() if k not in (*LOOK, "to")}
        look = {k: v for k, v in other.said.items() if k in (*LOOK, "to")}
        return replace(self, said={**kept, **look})

    def without_look(self) -> ShotState:
        """With the preset's own look."""
        return replace(self, said={k: v for k, v in self.said.items() if k not in LOOK})

    def with_lights(self, lights: LightList, name: str) -> ShotState:
        """With a list of lights, which is in the file of that name beside the shot."""
        return replace(self, said={**self.said, "lights": name}, lights=lights)

    def with_sky(self, edits: SkyEdits, name: str) -> ShotState:
        """With what is said of the sky, which is in the file of that name beside the shot; of nothing there is no file to name."""
        rest = {key: value for key, value in self.said.items() if key != "sky_edits"}
        said = {**rest, "sky_edits": name} if edits.edits else rest
        return replace(self, said=said, sky=edits)

    def _without(self, key: str) -> ShotState:
        return replace(self, said={k: v for k, v in self.said.items() if k != key})


def as_text(value: Any) -> Any:
    """A value as nightfx.toml has it: keyframes as they are typed."""
    if isinstance(value, tuple):
        return ",".join(f"{frame}:{number!r}" for frame, number in value)
    return value


def changed_lights(lights: LightList, edit: Mapping[str, Any]) -> LightList:
    """The list with one change, as a page asks for it. Raises UsageError."""
    match edit:
        case {"do": "light", "id": int(number), "said": dict(said)}:
            return lamps.say(lights, number, said)
        case {"do": "move", "id": int(number), "by": [x, y]}:
            return lamps.move(lights, number, (_px(x), _px(y)))
        case {"do": "add", "kind": kind, "frame": int(frame), "at": [x, y]} if kind in KINDS:
            return lamps.add(lights, kind, frame, (_px(x), _px(y)))
        case {"do": "delete", "id": int(number)}:
            return lamps.delete(lights, number)
    raise UsageError(f"no such change of lights: {edit!s:.120}")


def _px(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e6:
        raise UsageError(f"a place is a number of px, got {value!r:.40}")
    return float(value)


class History:
    """States of a shot, the present one among them."""

    def __init__(self, state: ShotState) -> None:
        self._states, self._at = [state], 0
        self.revision = 0
        """Counts every change, back and forth."""

    @property
    def now(self) -> ShotState:
        """The present state."""
        return self._states[self._at]

    @property
    def can(self) -> tuple[bool, bool]:
        """Whether something can be undone, and redone."""
        return self._at > 0, self._at + 1 < len(self._states)

    def peek(self, step: int) -> ShotState | None:
        """The state so many steps later; None where there is none."""
        at = self._at + step
        return self._states[at] if 0 <= at < len(self._states) else None

    def go(self, step: int) -> None:
        """Go so many steps, -1 or 1."""
        self._at += step
        self.revision += 1

    def add(self, state: ShotState) -> None:
        """Go on to a new state; what was undone is forgotten."""
        self._states = [*self._states[: self._at + 1], state][-_MOST_UNDONE:]
        self._at = len(self._states) - 1
        self.revision += 1
