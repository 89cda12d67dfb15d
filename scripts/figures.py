"""Figures of the code of one or more checkouts, as a Markdown table: its size, its names, its hops, and the way of a frame.

    python scripts/figures.py [CHECKOUT ...] [--no-way] [--pairs]

Read from the syntax of all files of `nightfx`; what each row counts stands at the function that counts it. The way of a frame is
measured by real renders (`frame_way.py`), which `--no-way` leaves out; `--pairs` lists which file enters which.
"""

from __future__ import annotations

import argparse
import ast
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from frame_way import SEGMENTS_FRAMES, Way, way_of

MOST_FILES = 15  # in a folder
FLAGS = "cli/"  # where parameters are the flags of a command
MOST_PAIRS = 40
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A file of the package."""

    name: str
    """Its path in the package."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.text)

    @cached_property
    def functions(self) -> list[Function]:
        """All its functions, methods and inner ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]


def main() -> None:
    """Read the arguments, count, print the table."""
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkouts", type=Path, nargs="*", default=[Path()], metavar="CHECKOUT")
    parser.add_argument("--no-way", action="store_true", help="leave out the renders")
    parser.add_argument("--pairs", action="store_true", help="list which file enters which")
    args = parser.parse_args()
    checkouts = [path.resolve() for path in args.checkouts]
    columns = [figures_of(read_sources(path)) for path in checkouts]
    ways = [] if args.no_way else [way_of(path) for path in checkouts]
    for checkout, column, way in zip(checkouts, columns, ways, strict=bool(ways)):
        column |= words_of(way) | words_of(way_of(checkout, SEGMENTS_FRAMES), " in segments")
    print_table([path.name for path in checkouts], columns)
    for path, way in zip(checkouts, ways if args.pairs else [], strict=False):
        print_pairs(path.name, way)


def read_sources(checkout: Path) -> list[Source]:
    """All Python files of the package of a checkout; exits where there is none."""
    package = checkout / "nightfx"
    paths = sorted(package.rglob("*.py"))
    if not paths:
        raise SystemExit(f"{checkout}: no nightfx/*.py in it: name a checkout of the project")
    return [
        Source(path.relative_to(package).as_posix(), path.read_text(encoding="utf-8"))
        for path in paths
    ]


def figures_of(sources: Sequence[Source]) -> dict[str, str]:
    """All figures that are read from the files, by name."""
    lines = sum(source.text.count("\n") for source in sources)
    names, unpacked = (sum(map(count, sources)) for count in (public_names, unpacked_names))
    folders = files_in_folders(sources)
    largest, size = max(folders.items(), key=lambda pair: pair[1])
    crowded = [f"{name} {count}" for name, count in folders.items() if count > MOST_FILES]
    bodies = sorted(body_lines(node) for source in sources for node in source.functions)
    documented = [share for source in sources for share in have_docstrings(source)]
    imports = [own_imports(source) for source in sources]
    openings = Counter(word for source in sources for word in first_words(source))
    return {
        "lines": f"{lines:,}",
        "files": str(len(sources)),
        "public names per 1,000 lines": f"{1000 * names / lines:.1f}",
        "the same, with names unpacked from a tuple": f"{1000 * (names + unpacked) / lines:.1f}",
        "imports a file": f"{sum(len(set(each)) for each in imports) / len(sources):.2f}",
        "statements that import, a file": f"{sum(map(len, imports)) / len(sources):.2f}",
        "largest folder": f"{size}: `{largest}`",
        f"folders above {MOST_FILES} files": listed(crowded),
        "longest parameter list": longest_parameters(sources),
        "longest outside the flags of commands": longest_parameters(sources, FLAGS),
        "lines of a function's body, median and p90": f"{statistics.median(bodies):g}, {p90(bodies)}",
        "public functions with docstrings": f"{100 * sum(documented) / len(documented):.0f} %",
        "docstrings that open with What, Of": f"{openings['What']}, {openings['Of']}",
        "class names that stand twice": listed(names_that_stand_twice(sources)),
    }


def public_names(source: Source) -> int:
    """Functions and classes of the module, and names assigned to, that do not begin with `_`; unpacked ones apart."""
    names: list[str] = []
    for node in source.tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.append(node.name)
            case ast.Assign():
                names += [each.id for each in node.targets if isinstance(each, ast.Name)]
            case ast.AnnAssign(target=ast.Name(name)):
                names.append(name)
    return sum(not name.startswith("_") for name in names)


def unpacked_names(source: Source) -> int:
    """Public names of the module that are assigned several at a time: `A, B = 1, 2` has two."""
    assigned = [node for node in source.tree.body if isinstance(node, ast.Assign)]
    tuples = [t for node in assigned for t in node.targets if not isinstance(t, ast.Name)]
    names = [
        node.id for target in tuples for node in ast.walk(target) if isinstance(node, ast.Name)
    ]
    return sum(not name.startswith("_") for name in names)


def own_imports(source: Source) -> list[str]:
    """The modules and folders of nightfx that a file imports from, anywhere in it, one for each statement."""
    nodes = [node for node in ast.walk(source.tree) if isinstance(node, ast.ImportFrom)]
    modules = [node.module or "" for node in nodes]
    return [module for module in modules if module.split(".")[0] == "nightfx"]


def files_in_folders(sources: Sequence[Source]) -> Counter[str]:
    """Python files directly in each folder, `__init__.py` left out."""
    paths = [Path(source.name) for source in sources]
    return Counter(path.parent.as_posix() for path in paths if path.name != "__init__.py")


def longest_parameters(sources: Sequence[Source], but_in: str = "nowhere") -> str:
    """The longest list of parameters of any function, `self` too, and whose it is; of files that do not begin with `but_in`."""
    lists = [
        (parameter_count(node.args), f"{source.name}:{node.name}")
        for source in sources
        for node in source.functions
        if not source.name.startswith(but_in)
    ]
    count, name = max(lists)
    return f"{count}: `{name}`"


def parameter_count(args: ast.arguments) -> int:
    """Parameters of any kind, `*args` and `**kwargs` as one each."""
    named = len(args.posonlyargs) + len(args.args) + len(args.kwonlyargs)
    return named + bool(args.vararg) + bool(args.kwarg)


def body_lines(node: Function) -> int:
    """Lines from the first statement after the docstring to the last; 0 where there is a docstring alone."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def p90(values: Sequence[int]) -> int:
    """The value that nine in ten of these, sorted, are not above."""
    return values[int(0.9 * len(values))]


def have_docstrings(source: Source) -> Iterator[bool]:
    """Whether each function or method that does not begin with `_` has a docstring."""
    for node in source.functions:
        if not node.name.startswith("_"):
            yield ast.get_docstring(node) is not None


def first_words(source: Source) -> Iterator[str]:
    """The first word of every text that stands as a statement: docstrings, and what is said below fields."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))) if text.strip():
                yield text.split()[0]


def names_that_stand_twice(sources: Sequence[Source]) -> list[str]:
    """Public classes of modules whose names other modules have too, with how many have them."""
    found = Counter(
        node.name
        for source in sources
        for node in source.tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    return [f"`{name}` {count}" for name, count in sorted(found.items()) if count > 1]


def listed(words: Sequence[str]) -> str:
    """How many, and which."""
    return f"{len(words)}: {', '.join(words)}" if words else "0"


def words_of(way: Way, where: str = "") -> dict[str, str]:
    """The figures of the way of a frame, by name."""
    return {
        f"files that a frame enters{where}": str(len(way.files)),
        f"entries of a file from another, a frame{where}": f"{way.entries:.1f}",
        f"of these, generators resumed{where}": f"{way.resumes:.1f}",
        f"returns to files entered before, a frame{where}": f"{way.returns:.1f}",
    }


def print_table(names: Sequence[str], columns: Sequence[dict[str, str]]) -> None:
    """Print a row for each figure, a column for each checkout."""
    print(f"| | {' | '.join(names)} |")
    print(f"|---|{'---|' * len(names)}")
    for row in columns[0]:
        print(f"| {row} | {' | '.join(column[row] for column in columns)} |")


def print_pairs(name: str, way: Way) -> None:
    """Print which file enters which how often a frame, the most frequent first."""
    print(f"\n{name}: entries a frame\n")
    ranked = sorted(way.pairs.items(), key=lambda pair: -pair[1])
    for (left, entered, resumes), count in ranked[:MOST_PAIRS]:
        print(f"{count:8.2f}  {left} -> {entered}{' (resumed)' if resumes else ''}")


if __name__ == "__main__":
    main()
