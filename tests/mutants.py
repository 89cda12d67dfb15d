"""Broken copies of files: flipped bytes, cuts, and swapped, doubled or lying boxes; the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable

Mutation = Callable[[bytearray, random.Random], bytearray]


def mutant(data: bytes, seed: int) -> bytes:
    """Return the data broken in one of five ways."""
    dice = random.Random(seed)
    kinds: list[Mutation] = [flipped, header_flipped, cut, swapped, lying]
    return bytes(dice.choice(kinds)(bytearray(data), dice))


def flipped(data: bytearray, dice: random.Random) -> bytearray:
    """Change bytes anywhere."""
    for _ in range(dice.randint(1, 40)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return data


def header_flipped(data: bytearray, dice: random.Random) -> bytearray:
    """Change bytes at the beginning, and at the end, where boxes and indexes are."""
    for _ in range(dice.randint(1, 20)):
        at = dice.randrange(min(len(data), 1500))
        data[at if dice.random() < 0.5 else -at - 1] = dice.choice([0, 1, 127, 128, 255])
    return data


def cut(data: bytearray, dice: random.Random) -> bytearray:
    """Lose a piece: the end, or something in the middle."""
    start = dice.randrange(len(data))
    end = len(data) if dice.random() < 0.5 else min(len(data), start + dice.randint(1, 2000))
    return data[:start] + data[end:]


def swapped(data: bytearray, dice: random.Random) -> bytearray:
    """Let two pieces change places."""
    a, b, c = sorted(dice.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def lying(data: bytearray, dice: random.Random) -> bytearray:
    """Write a large or a negative number over four bytes of the part where headers are."""
    at = dice.randrange(max(min(len(data), 4000) - 4, 1))
    number = dice.choice([0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 0xFFFF, 0])
    data[at : at + 4] = number.to_bytes(4, dice.choice(["big", "little"]))
    return data
