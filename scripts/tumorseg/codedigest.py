"""A digest of the code behind a script: what it does, not how it is written.

Snakemake notices neither a change of a module that a script imports nor an upgrade of a package; a rule that has this
digest among its params reruns for both, and for no comment, docstring, new formatting or fresh checkout.
"""

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_digest(script: Path) -> str:
    """Digest of a script and of the modules beside it that it imports, transitively, and versions of the packages used.

    The digest is taken over the syntax trees without comments and docstrings, and over the data files (templates,
    styles) that lie beside an imported module. For example `"1f0c…  numpy 2.4.6, torch 2.13.0"`.
    """
    root = script.parent
    digest, packages = hashlib.sha256(), set()
    for path in sorted(_reachable(script, root)):
        if path.suffix == ".py":
            digest.update(f"{path.relative_to(root).as_posix()} {_tree(path)}".encode())
            packages |= {name for name, _ in _imports(path)} - {file.stem for file in root.iterdir()}
        else:
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    versions = ", ".join(f"{name} {version(name)}" for name in sorted(_distributions(packages)))
    return f"{digest.hexdigest()[:32]}  {versions}"


def _reachable(script: Path, root: Path) -> set[Path]:
    """The script, the modules below `root` that it imports, directly or not, and the data files beside those."""
    found, waiting = {script}, [script]
    while waiting:
        for module, names in _imports(waiting.pop()):
            parts = module.split(".")
            modules = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
            for candidate in [*modules, *(f"{module}.{name}" for name in names)]:
                new = set(_files(candidate, root)) - found
                waiting += [path for path in new if path.suffix == ".py"]
                found |= new
    return found


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


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


@cache
def _imports(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Each module that a file imports, and the names that it takes from it; function bodies included."""
    return list(_import_statements(_parsed(path)))


def _import_statements(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, tuple(alias.name for alias in node.names)


@cache
def _tree(path: Path) -> str:
    """A file's syntax tree as text, without comments, positions and docstrings."""
    tree = ast.parse(path.read_text(), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree)


@cache
def _distribution_names() -> dict[str, list[str]]:
    return {module: list(names) for module, names in packages_distributions().items()}


def _distributions(modules: set[str]) -> set[str]:
    """The installed distributions that provide these modules; the standard library has none."""
    top_level = {module.split(".")[0] for module in modules} - sys.stdlib_module_names
    return {_distribution_names()[name][0] for name in top_level if name in _distribution_names()}
