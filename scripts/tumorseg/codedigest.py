"""A digest of the code behind a script: what it does, not how it is written.

Snakemake notices neither a change of a module that a script imports nor an upgrade of a package; a rule that has this
digest among its params reruns for both, and for no comment, docstring, new formatting or fresh checkout. Python's own
minor version counts like that of a package: another parses the same code to another tree.
"""

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path


def code_digest(*scripts: Path) -> str:
    """Digest of scripts and of the modules below their folder that they import, transitively, and of package versions.

    The first one's folder is where modules are looked for; the others may lie anywhere below it.

    The digest is taken over the syntax trees without comments and docstrings, and over the data files (templates,
    styles) that lie beside an imported module. For example `"1f0c…  Python 3.11, numpy 2.4.6"`.
    """
    root = scripts[0].parent
    digest, packages = hashlib.sha256(), set()
    for path in sorted(set().union(*(_reachable(script, root) for script in scripts))):
        name = path.relative_to(root).as_posix()
        if path.suffix == ".py":
            digest.update(f"{name} {_read(path).tree}".encode())
            packages |= {module for module, _ in _read(path).imports}
        else:
            digest.update(name.encode() + path.read_bytes())
    packages -= {file.stem for file in root.iterdir()}
    python = ".".join(map(str, sys.version_info[:2]))
    versions = [f"Python {python}", *(f"{name} {version(name)}" for name in sorted(_distributions(packages)))]
    return f"{digest.hexdigest()[:32]}  {', '.join(versions)}"


def _reachable(script: Path, root: Path) -> set[Path]:
    """The script, the modules below `root` that it imports, directly or not, and the data files beside those."""
    found, waiting = {script}, [script]
    while waiting:
        new = _imported(waiting.pop(), root) - found
        waiting += [path for path in new if path.suffix == ".py"]
        found |= new
    return found


@cache
def _imported(path: Path, root: Path) -> set[Path]:
    """The modules below `root` that a file imports itself, and the data files beside them."""
    candidates = set()
    for module, names in _read(path).imports:
        parts = module.split(".")
        candidates |= {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
        candidates |= {f"{module}.{name}" for name in names}
    return {file for candidate in candidates for file in _files(candidate, root)}


@cache
def _files(module: str, root: Path) -> list[Path]:
    """The file of a module below `root`; of a package its `__init__` and its data files; nothing for other modules."""
    path = root.joinpath(*module.split("."))
    if path.with_suffix(".py").is_file():
        return [path.with_suffix(".py")]
    if not (path / "__init__.py").is_file():
        return []
    data = [
        file for file in path.iterdir() if file.is_file() and file.suffix != ".py" and not file.name.startswith(".")
    ]
    return [path / "__init__.py", *data]


@dataclass(frozen=True)
class _Module:
    """imports: each module that a file imports, function bodies included, and the names that it takes from it.

    tree: its syntax tree as text, without comments, positions and docstrings.
    """

    imports: tuple[tuple[str, tuple[str, ...]], ...]
    tree: str


@cache
def _read(path: Path) -> _Module:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    nodes = list(ast.walk(tree))
    for node in nodes:
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(node, field, [entry for entry in value if not _is_docstring(entry)])
    return _Module(tuple(_import_statements(nodes)), ast.dump(tree))


def _is_docstring(node: object) -> bool:
    """Whether a statement is nothing but a string: of a module, class, function, or behind a constant."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _import_statements(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, tuple(alias.name for alias in node.names)


@cache
def _distribution_names() -> dict[str, list[str]]:
    return {module: list(names) for module, names in packages_distributions().items()}


def _distributions(modules: set[str]) -> set[str]:
    """The installed distributions that provide these modules; the standard library has none."""
    top_level = {module.split(".")[0] for module in modules} - sys.stdlib_module_names
    return {_distribution_names()[name][0] for name in top_level if name in _distribution_names()}
