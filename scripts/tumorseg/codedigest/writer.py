"""Write the canonical form of code, without names that do not matter and without messages for people."""

import ast
import builtins
from dataclasses import dataclass
from typing import Any

from tumorseg.codedigest.messages import Messages, is_text
from tumorseg.codedigest.parameters import Parameters
from tumorseg.codedigest.project import Definition, External, Module, Project
from tumorseg.codedigest.special_names import INTROSPECTION_ATTRIBUTES, INTROSPECTION_MODULES, INTROSPECTION_NAMES
from tumorseg.codedigest.syntax import is_bare_string, walk


@dataclass(frozen=True)
class CanonicalForm:
    """The canonical form of statements.

    Attributes:
        text: the form; `§` stands for a reference to a definition of the project.
        references: the definitions that it refers to, in order.
        packages: the modules of other distributions that it uses.
        introspection: names in it with which code can read what the form leaves out.
    """

    text: str
    references: tuple[Definition, ...]
    packages: frozenset[str]
    introspection: frozenset[str]


class Writer:
    """Writes the canonical form of the statements of a module."""

    def __init__(self, project: Project, messages: Messages, parameters: Parameters, module: Module) -> None:
        self._project, self._messages, self._parameters, self._module = project, messages, parameters, module
        self.text: list[str] = []
        self.references: list[Definition] = []
        self.packages: set[str] = set()
        self.introspection = {"import *" for _, names in module.imported if "*" in names}
        self._numbers: dict[str, int] | None = None  # numbers of local names in the current function
        self._local: frozenset[str] = frozenset()
        self._imports: dict[str, Definition | External] = {}
        self._in_class: frozenset[str] = frozenset()
        self._dropped_messages: set[ast.AST] = set()
        self._messages_found: set[ast.AST] = set()
        self._errors: set[str] = set()

    def write(self, node: Any) -> None:
        """Write a node, a list of nodes, or a plain value."""
        if isinstance(node, list):
            self.text.append("[")
            for entry in node:
                self.write(entry)
            self.text.append("]")
        elif isinstance(node, ast.AST):
            if node in self._dropped_messages:
                self.text.append(_placeholder(node))
                for part in walk(node):
                    if isinstance(part, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
                        self._plain(part)
                return
            if node in self._messages_found and isinstance(node, ast.expr) and is_text(node):
                self.text.append(_placeholder(node))
                self._write_needed(node)
                return
            special = getattr(self, f"_{type(node).__name__}", None)
            if special is not None:
                special(node)
            else:
                self._plain(node)
        else:
            self.text.append(repr(node))

    def form(self) -> CanonicalForm:
        """Return the form of what has been written."""
        return CanonicalForm(
            "\n".join(self.text), tuple(self.references), frozenset(self.packages), frozenset(self.introspection)
        )

    def _plain(self, node: ast.AST, *left_out: str) -> None:
        self.text.append(type(node).__name__)
        for name in node._fields:
            if name not in left_out:
                self.write(getattr(node, name, None))
        self.text.append(";")

    def _write_needed(self, node: ast.AST) -> None:
        for part in self._messages.required_parts(self._module, node, self._local):
            self.write(part)

    def _refer(self, found: Definition | External | None) -> None:
        if isinstance(found, Definition):
            self.text.append("§")
            self.references.append(found)
        elif isinstance(found, External):
            self.text.append(found.name)
            self.packages.add(found.name.partition(".")[0])
            if found.name in INTROSPECTION_NAMES or found.name.partition(".")[0] in INTROSPECTION_MODULES:
                self.introspection.add(found.name)

    def _resolved(self, node: ast.expr) -> Definition | External | None:
        if isinstance(node, ast.Name) and node.id in self._imports and node.id not in self._local:
            return self._imports[node.id]
        if isinstance(node, ast.Attribute):
            return self._project.attribute(self._resolved(node.value), node.attr)
        return self._project.resolve_expression(self._module, node, self._local)

    # Names

    def _Name(self, node: ast.Name) -> None:  # noqa: N802
        self._write_name(node.id)
        self.text.append(type(node.ctx).__name__)

    def _write_name(self, name: str) -> None:
        at_top = self._imports.get(name) or self._project.resolve(self._module, name)
        if self._numbers is not None and name in self._local:
            self.text.append(f"#{self._numbers.setdefault(name, len(self._numbers))}")
            if not hasattr(builtins, name) and at_top is None:
                return
        elif name in self._in_class:
            self.text.append(name)
        if at_top is None:
            self.text.append(repr(ast.get_docstring(self._module.tree)) if name == "__doc__" else name)
            self.introspection |= {name} & INTROSPECTION_NAMES
        else:
            self._refer(at_top)

    def _Attribute(self, node: ast.Attribute) -> None:  # noqa: N802
        found = self._resolved(node)
        if found is not None:
            self._refer(found)
            self.text.append(type(node.ctx).__name__)
            return
        of_error = node.attr == "__name__" and ast.unparse(node.value) in {f"type({name})" for name in self._errors}
        if not of_error:
            self.introspection |= {node.attr} & INTROSPECTION_ATTRIBUTES
        self._plain(node)

    def _ExceptHandler(self, node: ast.ExceptHandler) -> None:  # noqa: N802
        if node.name:
            self._errors.add(node.name)
            self._write_name(node.name)
        self._plain(node, "name")

    def _Global(self, node: ast.Global | ast.Nonlocal) -> None:  # noqa: N802
        self.text.append(type(node).__name__)
        for name in node.names:
            self._write_name(name)

    _Nonlocal = _Global

    def _MatchAs(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:  # noqa: N802
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name:
            self._write_name(name)
        self._plain(node, "name", "rest")

    _MatchStar = _MatchMapping = _MatchAs

    def _Import(self, node: ast.Import | ast.ImportFrom) -> None:  # noqa: N802
        for _, (source, name) in self._module.bindings(node):
            found = self._project.resolve_import(source, name)
            if isinstance(found, External):
                self._refer(found)

    _ImportFrom = _Import

    # Texts

    def _Constant(self, node: ast.Constant) -> None:  # noqa: N802
        self.text.append(repr(node.value))
        if isinstance(node.value, str) and "." in node.value and self._project.module(node.value) is not None:
            self._refer(Definition(node.value, "*"))

    def _Expr(self, node: ast.Expr) -> None:  # noqa: N802
        if is_bare_string(node):
            return
        if isinstance(node.value, ast.Call) and self._messages.is_output_call(self._module, node.value, self._local):
            for argument in [*node.value.args, *(keyword.value for keyword in node.value.keywords)]:
                self._write_needed(argument)
            return
        self._plain(node)

    def _Pass(self, node: ast.Pass) -> None:  # noqa: N802
        """Write nothing."""

    def _Raise(self, node: ast.Raise) -> None:  # noqa: N802
        self._dropped_messages |= set(self._messages.exception_messages(self._module, node.exc, self._local))
        self._plain(node)

    def _Assert(self, node: ast.Assert) -> None:  # noqa: N802
        self._plain(node, "msg")

    # Calls

    def _Call(self, node: ast.Call) -> None:  # noqa: N802
        self._dropped_messages |= set(self._messages.message_arguments(self._module, node, self._local))
        names = self._parameters.positions(self._resolved(node.func))
        self.text.append("Call")
        self.write(node.func)
        self.write(node.args)
        for keyword in node.keywords:
            self.text.append(f"@{names[keyword.arg]}" if keyword.arg in names else repr(keyword.arg))
            self.write(keyword.value)
        self.text.append(";")

    def _Compare(self, node: ast.Compare) -> None:  # noqa: N802
        if ast.unparse(node) == "__name__ == '__main__'":
            self.text.append("main")
        else:
            self._plain(node)


def _placeholder(message: ast.AST) -> str:
    """Return the placeholder of a message. Empty texts and None have another one, since code may test for them."""
    return "no words" if isinstance(message, ast.Constant) and not message.value else "words"
