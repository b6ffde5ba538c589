"""Compute a digest of the code that the results of a script depend on.

Snakemake does not notice a change in a module that a script imports, nor an upgrade of a package. A rule with this
digest as a param reruns after both. The digest covers

- the definitions that the script uses, directly or through others;
- the statements that run when the modules of these definitions are imported;
- the data files beside these modules;
- the versions of the packages that they use, and the minor version of Python.

It covers attributes, methods, fields, dictionary keys and all texts, except for what it leaves out:

- comments, docstrings, and the annotations of functions;
- the texts of exceptions, logs and help, and texts annotated as `Message` (`messages.py`, `annotations.py`);
- modules that define `FOR_PEOPLE_ONLY`, and definitions that the script does not use;
- the paths and names of modules, and the names of functions, classes, module constants, local variables and parameters
  of functions that are called directly (`form.py`).

If code can read its own names or import a module without an import statement, the digest covers the full source of all
modules (`special_names.py`).
"""

import ast
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache, cached_property, partial
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, version
from pathlib import Path

from tumorseg.codedigest.effects import has_effect
from tumorseg.codedigest.form import Forms
from tumorseg.codedigest.project import Definition, Module, Project
from tumorseg.codedigest.writer import CanonicalForm
from tumorseg.errors import UserError
from tumorseg.io.files import write_text


class CodeDigests:
    """Computes and caches the digests of scripts.

    Args:
        root: the folder of the scripts.
        cache_file: keeps the digests until code or packages change; None for no cache.
    """

    def __init__(self, root: Path, cache_file: Path | None = None) -> None:
        self._root, self._cache_file = root, cache_file
        self._state = _project_state(root)
        self._cached_digests = self._read()
        self._forms = Forms(Project(root))
        self._form_by_definition: dict[Definition, CanonicalForm] = {}
        self._effects: dict[str, list[CanonicalForm]] = {}
        self._data: dict[Path, list[tuple[str, str]]] = {}

    def digest(self, script: Path, imported_by_name: Sequence[Path] | None = None) -> str:
        """Return the digest of a script.

        Args:
            script: its file.
            imported_by_name: the modules that it imports by names that are known only at run time, in this run; None if
                they are not known.

        Returns:
            The digest and the versions, for example `"1f0c…  Python 3.11, numpy 2.4.6"`.
        """
        names = [self._forms.project.name_of(file) for file in (script, *(imported_by_name or ()))]
        key = " ".join(names) if imported_by_name is None else " ".join([*names, "alone"])
        if key not in self._cached_digests:
            modules = [self._module(name) for name in names]
            self._cached_digests[key] = self._compute(modules, all_modules_known=imported_by_name is not None)
            self._save()
        return self._cached_digests[key]

    def _compute(self, modules: list[Module], *, all_modules_known: bool) -> str:
        digest, numbers, packages = hashlib.sha256(), dict[Definition, int](), set[str]()
        places, unclear = set[Path](), set[str]()

        def add(form: CanonicalForm) -> None:
            digest.update(form.text.encode())
            digest.update(str([numbers.setdefault(found, len(numbers)) for found in form.references]).encode())
            packages.update(form.packages)
            unclear.update(form.introspection)

        def follow() -> None:
            for found in _iterate_growing(numbers):
                module = self._module(found.module)
                if not module.is_for_people_only:
                    places.add(module.path.parent)
                    add(self._form(found))

        for module in modules:
            for form in self._effects_of(module):
                add(form)
            public = [name for name in module.symbols if not name.startswith("_")]
            digest.update(str(public).encode())
            add(
                CanonicalForm(
                    "public", tuple(Definition(module.name, name) for name in public), frozenset(), frozenset()
                )
            )
        follow()
        imported = sorted(imported_modules(self._forms.project, modules) - {module.name for module in modules})
        effects = [form for name in imported for form in self._effects_of(self._module(name))]
        for form in sorted(effects, key=lambda form: form.text):
            add(form)
        follow()
        if all_modules_known:
            unclear.discard("importlib.import_module")
        if unclear:
            digest.update(self._all_sources.encode())
        digest.update(str(sorted(file for place in places for file in self._data_files(place))).encode())
        python = ".".join(map(str, sys.version_info[:2]))
        versions = [f"Python {python}", *(f"{name} {version(name)}" for name in sorted(distributions(packages)))]
        return f"{digest.hexdigest()[:32]}  {', '.join(versions)}"

    def _module(self, name: str) -> Module:
        module = self._forms.project.module(name)
        if module is None:
            raise LookupError(f"there is no module {name} below {self._root}")
        return module

    def _form(self, found: Definition) -> CanonicalForm:
        if found not in self._form_by_definition:
            module = self._module(found.module)
            if found.name == "*":
                names = sorted({*module.symbols, *module.imports})
                targets = (self._forms.project.resolve(module, name) for name in names)
                form = CanonicalForm(
                    str(names), tuple(t for t in targets if isinstance(t, Definition)), frozenset(), frozenset()
                )
            else:
                form = self._forms.of_statements(module, module.symbols[found.name])
            self._form_by_definition[found] = form
        return self._form_by_definition[found]

    def _effects_of(self, module: Module) -> list[CanonicalForm]:
        """Return the canonical forms of the statements with an effect when a module is imported."""
        if module.name not in self._effects:
            does = partial(has_effect, self._forms.project, module)
            statements = [] if module.is_for_people_only else filter(does, module.tree.body)
            self._effects[module.name] = [self._forms.of_statements(module, [statement]) for statement in statements]
        return self._effects[module.name]

    def _data_files(self, folder: Path) -> list[tuple[str, str]]:
        """Return names and digests of the data files of a package, such as templates, without `py.typed`.

        The folder of scripts is not a package and has no data files.
        """
        if folder not in self._data:
            inside = folder.iterdir() if (folder / "__init__.py").is_file() else ()
            files = [file for file in inside if file.suffix not in (".py", ".typed") and not file.name.startswith(".")]
            contents = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}
            self._data[folder] = sorted(contents.items())
        return self._data[folder]

    @cached_property
    def _all_sources(self) -> str:
        return "".join(ast.dump(self._module(name).tree) for name in self._forms.project.all_names())

    def _read(self) -> dict[str, str]:
        with suppress(OSError, ValueError, LookupError, TypeError):
            if self._cache_file is not None:
                content = json.loads(self._cache_file.read_text(encoding="utf-8"))
                if content["state"] == self._state:
                    return dict(content["digests"])
        return {}

    def _save(self) -> None:
        if self._cache_file is not None:
            with suppress(OSError, UserError):
                write_text(self._cache_file, json.dumps({"state": self._state, "digests": self._cached_digests}))


def _iterate_growing(numbers: dict[Definition, int]) -> Iterator[Definition]:
    """Yield each definition once, including those added during the iteration."""
    done = 0
    while done < len(numbers):
        new = list(numbers)[done:]
        done = len(numbers)
        yield from new


def imported_modules(project: Project, modules: Iterable[Module]) -> set[str]:
    """Return the names of all modules of the project that modules import, directly or not, with their packages."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        candidates = {module.name}
        for source, names in module.imported:
            candidates |= {source, *(f"{source}.{name}" for name in names)}
        for candidate in candidates:
            parts = candidate.split(".")
            for end in range(1, len(parts) + 1):
                imported = project.module(".".join(parts[:end]))
                if imported is not None and imported.name not in found:
                    found.add(imported.name)
                    waiting.append(imported)
    return found


def _project_state(root: Path) -> str:
    """Return a digest of everything that digests depend on: files below the root, Python, installed packages."""
    files = [file for file in root.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    state = hashlib.sha256(str(sys.version_info).encode())
    for file in sorted(files):
        state.update(str(file.relative_to(root)).encode() + hashlib.sha256(file.read_bytes()).digest())
    packages = [{entry.name for entry in Path(folder).glob("*-info")} for folder in sys.path]
    state.update(str([sorted(names) for names in packages if names]).encode())
    return state.hexdigest()


@cache
def _distribution_names() -> dict[str, list[str]]:
    return {module: list(names) for module, names in packages_distributions().items()}


def distributions(modules: set[str]) -> set[str]:
    """Return the installed distributions that provide these modules, without the standard library."""
    top_level = modules - sys.stdlib_module_names
    return {found for name in top_level if (found := _distribution(name))}


def _distribution(module: str) -> str | None:
    """Return the installed distribution that provides a module; None if there is none."""
    if module in _distribution_names():
        return _distribution_names()[module][0]
    with suppress(PackageNotFoundError):  # Python 3.11 does not list distributions of a single compiled module
        return str(distribution(module).metadata["Name"])
    return None
