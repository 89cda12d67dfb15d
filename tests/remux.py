"""Copies of clips with one thing changed: a packet, a stream's flag, a chapter, a byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.stream import AttachmentStream, Stream

Packets = list["av.Packet[Any]"]


@dataclass
class Copied:
    """All that a copy is made of; an edit changes it."""

    metadata: dict[str, str]
    chapters: list[Any]
    streams: dict[int, dict[str, Any]]
    packets: dict[int, Packets] = field(default_factory=dict)
    attachments: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Names, types and bytes of files to attach."""
    doubles: list[int] = field(default_factory=list)
    """Streams to write a second time."""


Edit = Callable[[Copied], None]


def remux(source: Path, target: Path, edit: Edit | None = None) -> Path:
    """Copy a clip packet for packet, in order of time, `edit` being asked between reading and writing."""
    with av.open(source) as container:
        copied = _read(container)
        if edit:
            edit(copied)
        with av.open(target, "w") as out:
            out.metadata.update(copied.metadata)
            out.set_chapters(copied.chapters)
            _write(container, out, copied)
    return target


def _read(container: InputContainer) -> Copied:
    titles = {s.index for s in container.streams if s.type == "data"}
    streams = {
        s.index: {
            "metadata": dict(s.metadata),
            "disposition": s.disposition,
            "name": getattr(s, "name", None),
            "data": s.data if isinstance(s, AttachmentStream) else None,
        }
        for s in container.streams
        if s.index not in titles
    }
    own = ("encoder", "major_brand", "minor_version", "compatible_brands")
    metadata = {k: v for k, v in container.metadata.items() if k.lower() not in own}
    copied = Copied(metadata, container.chapters(), streams)
    for index in streams:
        copied.packets[index] = []
    for packet in container.demux():
        if packet.size and packet.stream_index in copied.packets:
            copied.packets[packet.stream_index].append(packet)
    return copied


def _write(container: InputContainer, out: OutputContainer, copied: Copied) -> None:
    pairs: dict[int, Stream] = {}
    for index, said in copied.streams.items():
        stream = container.streams[index]
        if isinstance(stream, AttachmentStream):
            out.add_attachment(said["name"], stream.mimetype or "", said["data"])
            continue
        pair = out.add_stream_from_template(stream, opaque=True)
        pair.metadata.update(said["metadata"])
        pair.disposition = said["disposition"]
        pairs[index] = pair
    for name, kind, data in copied.attachments:
        out.add_attachment(name, kind, data)
    for index in copied.doubles:
        twin = out.add_stream_from_template(container.streams[index], opaque=True)
        pairs[twin.index] = twin
        copied.packets[twin.index] = [like(p, bytes(p)) for p in copied.packets[index]]
    ordered = [p for index, packets in copied.packets.items() if index in pairs for p in packets]
    places = {id(p): index for index, packets in copied.packets.items() for p in packets}
    ordered.sort(key=lambda p: (p.dts if p.dts is not None else p.pts or 0) * p.time_base)
    for packet in ordered:
        packet.stream = pairs[places[id(packet)]]
        out.mux(packet)


def like(packet: av.Packet[Any], data: bytes) -> av.Packet[Any]:
    """A packet with other bytes at the same time."""
    made: av.Packet[Any] = av.Packet(data)
    made.time_base = packet.time_base
    made.pts, made.dts, made.duration = packet.pts, packet.dts, packet.duration
    made.is_keyframe = packet.is_keyframe
    return made


def put_in_place(packets: Packets, order: list[int]) -> None:
    """Let each packet show the picture of another: of `order[i]` in place i."""
    data = [bytes(packet) for packet in packets]
    packets[:] = [like(packet, data[other]) for packet, other in zip(packets, order, strict=True)]


def with_bytes(source: Path, target: Path, old: bytes, new: bytes, last: bool = False) -> Path:
    """Copy a file with some of its bytes changed, where they stand first (or last)."""
    data = source.read_bytes()
    at = data.rfind(old) if last else data.find(old)
    assert at >= 0, old
    assert len(old) == len(new)
    target.write_bytes(data[:at] + new + data[at + len(old) :])
    return target
