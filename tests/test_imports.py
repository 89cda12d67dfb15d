"""The import direction of the package, and its public names, as tests."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import nightfx

PACKAGE = Path(nightfx.__file__).parent

MAY_IMPORT = {
    # what everybody may know
    "errors": set(),
    "lazy": set(),
    "ahead": set(),
    "pace": set(),
    "disk": {"errors"},
    "options": {"disk", "errors"},
    # pictures, and files of them
    "picture": {"errors", "options", "pace"},
    "metrics": {"errors", "lazy", "picture"},
    "source": {"errors", "options", "picture"},
    "carry": {"errors", "options", "picture", "source"},
    "target": {"carry", "disk", "errors", "options", "picture", "source"},
    "check": {"carry", "errors", "options", "picture", "source"},
    # light
    "network": {"disk", "errors", "lazy", "options"},
    "scene": {"disk", "errors", "lazy", "network", "picture"},
    "apply": {"errors", "picture"},
    "baked": {"apply", "errors", "picture", "scene"},
    "lights": {"disk", "errors", "options", "picture", "scene"},
    "light": {
        *(
            "ahead",
            "apply",
            "baked",
            "disk",
            "errors",
            "lazy",
            "lights",
            "network",
            "options",
            "picture",
            "scene",
        ),
    },
    # renders
    "process": {"network", "source"},
    "job": {
        *(
            "ahead",
            "apply",
            "baked",
            "carry",
            "check",
            "disk",
            "errors",
            "light",
            "lights",
            "network",
            "options",
        ),
        *("picture", "process", "scene", "source", "target"),
    },
    "mattes": {
        *("disk", "errors", "job", "light", "lights", "network", "options", "picture", "process"),
        *("scene", "source", "target"),
    },
    "preview": {
        *("apply", "errors", "job", "light", "lights", "network", "options", "picture"),
        *("source", "target"),
    },
    "batch": {
        *("disk", "errors", "job", "metrics", "network", "options", "pace", "picture"),
        *("preview", "process", "scene", "source", "target"),
    },
    "export": {
        *("apply", "disk", "errors", "job", "light", "lights", "network", "options", "picture"),
        "source",
    },
    "hosts": {
        *(
            "ahead",
            "apply",
            "baked",
            "disk",
            "errors",
            "job",
            "light",
            "network",
            "options",
            "picture",
        ),
        "source",
    },
    "farm": {"disk", "errors", "job"},
    "studio": {
        *("apply", "batch", "disk", "errors", "job", "light", "lights", "mattes", "network"),
        *("options", "picture", "preview", "scene", "source"),
    },
    "quality": {
        *("disk", "errors", "job", "light", "metrics", "network", "options", "picture", "preview"),
        *("scene", "source"),
    },
    # looks
    "training": {
        *("disk", "errors", "metrics", "network", "options", "picture", "scene", "source"),
    },
}
"""Who may import whom: folders, from what all may know to what nobody but the command line may."""
MOST_FILES = 15  # of a folder


def imported_parts(path: Path) -> set[str]:
    """Top-level parts of nightfx that the file at `path` imports, lazily or not."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: use an absolute import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("nightfx.")}


def names_from(path: Path) -> set[str]:
    """Names that the file at `path` takes from modules of nightfx, for type checkers alone or not."""
    return {
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nightfx.")
        for alias in node.names
    }


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_point_downwards(part: str) -> None:
    module = PACKAGE / f"{part}.py"
    files = [module] if module.exists() else sorted((PACKAGE / part).rglob("*.py"))
    assert files, f"{part} is in the table but not in the package"
    for path in files:
        assert imported_parts(path) <= MAY_IMPORT[part] | {part}, path


def test_every_part_is_in_the_table() -> None:
    parts = {
        path.stem
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert parts - {"__init__", "__main__", "cli"} == set(MAY_IMPORT)


def test_public_names_are_all_and_resolve() -> None:
    assert nightfx.__all__ == sorted(nightfx.__all__)
    assert set(nightfx.__all__) == names_from(PACKAGE / "__init__.py") | {"__version__"}
    for name in nightfx.__all__:
        assert getattr(nightfx, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = nightfx.nothing


def test_help_imports_neither_torch_nor_av() -> None:
    code = "import sys, nightfx.cli; print([m for m in ('torch', 'av', 'numba', 'cv2') if m in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def _folders() -> list[Path]:
    return [PACKAGE, *(path.parent for path in PACKAGE.rglob("__init__.py"))]


def test_no_folder_is_a_corridor() -> None:
    for folder in _folders():
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= MOST_FILES, folder


def test_no_public_class_stands_twice() -> None:
    names = Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []
