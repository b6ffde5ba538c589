"""Read the modules below a folder, list their top-level definitions, and resolve names in them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tumorseg.codedigest.special_names import FOR_PEOPLE_ONLY
from tumorseg.codedigest.syntax import Function, bound_names, is_type_checking, walk


@dataclass(frozen=True)
class Definition:
    """A top-level name of a module in the project. The name `*` stands for the whole module."""

    module: str
    name: str


@dataclass(frozen=True)
class External:
    """A dotted name of another package or of the standard library."""

    name: str


@dataclass
class Module:
    """A module of the project.

    Attributes:
        name: dotted name.
        path: its file.
        tree: its syntax tree.
        is_package: whether its file is an `__init__.py`.
        symbols: the statements that bind each of its names.
        imports: names that only an import binds, each with a module and a name in it, or with a module and None.
    """

    name: str
    path: Path
    tree: ast.Module
    is_package: bool
    symbols: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    @cached_property
    def imported(self) -> list[tuple[str, tuple[str, ...]]]:
        """The imports without those for type checkers: each module with the names imported from it."""
        found: list[tuple[str, tuple[str, ...]]] = []
        running = [statement for statement in self.tree.body if not is_type_checking(statement)]
        for node in (node for statement in running for node in walk(statement)):
            if isinstance(node, ast.Import):
                found += [(alias.name, ()) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found.append((self.source(node), tuple(alias.name for alias in node.names)))
        return found

    @property
    def is_for_people_only(self) -> bool:
        """Whether the module defines `FOR_PEOPLE_ONLY`."""
        return FOR_PEOPLE_ONLY in self.symbols

    def source(self, node: ast.ImportFrom) -> str:
        """Return the dotted name of the module from which a statement imports."""
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        parts = parts[: len(parts) - node.level + self.is_package]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def bindings(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, tuple[str, str | None]]]:
        """Yield each name that an import binds, with the module and the name in it that it stands for."""
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                yield alias.asname or alias.name, (self.source(node), alias.name)
            elif alias.asname:
                yield alias.asname, (alias.name, None)
            else:
                yield alias.name.partition(".")[0], (alias.name.partition(".")[0], None)


class Project:
    """The Python modules below a folder. Each is read when it is first needed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._outermost = {entry.stem for entry in root.iterdir()}
        self._modules: dict[str, Module | None] = {}

    def all_names(self) -> list[str]:
        """Return the dotted names of all modules."""
        parts = [path.relative_to(self.root).with_suffix("").parts for path in sorted(self.root.rglob("*.py"))]
        return [".".join(names[:-1] if names[-1] == "__init__" else names) for names in parts]

    def name_of(self, path: Path) -> str:
        """Return the dotted name of the module in a file."""
        parts = path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def module(self, name: str) -> Module | None:
        """Return the module with a dotted name; None if it is not part of the project."""
        if name not in self._modules:
            self._modules[name] = self._read(name)
        return self._modules[name]

    def _read(self, name: str) -> Module | None:
        parts = name.split(".")
        if parts[0] not in self._outermost or not all(part.isidentifier() for part in parts):
            return None
        place = self.root.joinpath(*parts)
        files = [place.with_suffix(".py"), place / "__init__.py"]
        path = next((file for file in files if file.is_file()), None)
        if path is None:
            return None
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        module = Module(name, path, tree, path.name == "__init__.py")
        bound: dict[str, list[ast.stmt]] = {}
        imports: dict[str, tuple[str, str | None]] = {}
        for statement in tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                for alias, target in module.bindings(statement):
                    imports[alias] = target
                    bound.setdefault(alias, []).append(statement)
                continue
            for alias in bound_names(statement):
                bound.setdefault(alias, []).append(statement)
        for alias, statements in bound.items():
            if alias in imports and len(statements) == 1:
                module.imports[alias] = imports[alias]
            else:
                module.symbols[alias] = statements
        return module

    def resolve(self, module: Module, name: str) -> Definition | External | None:
        """Resolve a name at the top level of a module; None for builtins and unknown names."""
        if name in module.symbols:
            return Definition(module.name, name)
        if name not in module.imports:
            return None
        source, imported = module.imports[name]
        return self.resolve_import(source, imported)

    def resolve_import(self, source: str, name: str | None) -> Definition | External:
        """Resolve the import of a name from a module, or of the module itself."""
        module = self.module(source)
        if module is None:
            return External(source if name is None else f"{source}.{name}")
        if name is None:
            return Definition(source, "*")
        found = self.resolve(module, name)
        if found is not None:
            return found
        return Definition(f"{source}.{name}" if self.module(f"{source}.{name}") else source, "*")

    def resolve_expression(self, module: Module, node: ast.expr, local: frozenset[str]) -> Definition | External | None:
        """Resolve a name or a chain of attributes of a module.

        Args:
            module: contains the expression.
            node: the expression.
            local: names of the function's local variables, which hide names of the module.

        Returns:
            The definition; None for other expressions and local names.
        """
        if isinstance(node, ast.Name):
            return None if node.id in local else self.resolve(module, node.id)
        if not isinstance(node, ast.Attribute):
            return None
        return self.attribute(self.resolve_expression(module, node.value, local), node.attr)

    def attribute(self, owner: Definition | External | None, name: str) -> Definition | External | None:
        """Resolve an attribute of a module; None for attributes of anything else."""
        if isinstance(owner, External):
            return External(f"{owner.name}.{name}")
        if owner is None or owner.name != "*":
            return None
        found = self.resolve_import(owner.module, name)
        return None if found == owner else found

    def function_of(self, found: Definition | External | None) -> Function | ast.ClassDef | None:
        """Return the function or class of a definition; None if it is something else or is defined more than once."""
        if not isinstance(found, Definition) or found.name == "*":
            return None
        module = self.module(found.module)
        statements = module.symbols[found.name] if module else []
        if len(statements) == 1 and isinstance(statements[0], Function | ast.ClassDef):
            return statements[0] if statements[0].name == found.name else None
        return None
