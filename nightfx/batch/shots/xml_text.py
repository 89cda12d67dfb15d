"""XML that is edited in place: comments, the lines before the root, and the encoding stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

from nightfx.errors import SourceError

Element = ElementTree.Element
_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([\w.-]+)")


class XmlText:
    """The tree of a file of XML, and what stands before it."""

    def __init__(self, path: Path, content: bytes, root: str) -> None:
        self._encoding = _encoding_of(content)
        text = content.decode(self._encoding).lstrip("\ufeff")
        begin = re.search(rf"<{root}[\s>/]", text)
        if begin is None:
            raise SourceError(f"{path}: cannot be read as a timeline (no <{root}> in it)")
        # the lines before it apart: entities that a DOCTYPE declares are not for a timeline
        self.head = text[: begin.start()]
        self._is_spaced = " />" in text
        builder = ElementTree.TreeBuilder(insert_comments=True, insert_pis=True)
        parser = ElementTree.XMLParser(target=builder)
        parser.feed(text[begin.start() :])
        self.root: Element = parser.close()
        self.parents = {child: parent for parent in self.root.iter() for child in parent}

    def save(self, path: Path) -> None:
        """Write it as it was encoded."""
        body = ElementTree.tostring(self.root, encoding="unicode")
        body = body if self._is_spaced else body.replace(" />", "/>")
        path.write_bytes(f"{self.head}{body}\n".encode(self._encoding, "xmlcharrefreplace"))

    def ancestors(self, element: Element) -> Iterator[Element]:
        """An element's parent, and so on up."""
        while (parent := self.parents.get(element)) is not None:
            yield parent
            element = parent


def said(element: Element, path: str, default: str = "") -> str:
    """The text of what is found below an element."""
    return (element.findtext(path) or default).strip()


def fraction_of(text: str, default: Fraction | None = None) -> Fraction:
    """A number, or a rational one; raises ValueError."""
    if not text and default is not None:
        return default
    try:
        return Fraction(text.strip())
    except ZeroDivisionError as error:
        raise ValueError(f"{text!r} is no number") from error


def _encoding_of(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    declared = _DECLARED.match(content.lstrip(b"\xef\xbb\xbf"))
    return declared[1].decode("ascii") if declared else "utf-8"
