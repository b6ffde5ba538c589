"""Compute the canonical form of a definition: a text that does not depend on its place or on local names."""

import ast
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tumorseg.codedigest.annotations import annotated_messages, messages_of
from tumorseg.codedigest.messages import Messages, is_text, message_locals
from tumorseg.codedigest.parameters import Parameters
from tumorseg.codedigest.project import Definition, Module, Project
from tumorseg.codedigest.syntax import Function, bound_names, names_bound_by, walk
from tumorseg.codedigest.writer import CanonicalForm, Writer


class Forms:
    """Computes the canonical forms of the definitions of a project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._messages, self._parameters = Messages(project), Parameters(project)

    def of_statements(self, module: Module, statements: Iterable[ast.AST]) -> CanonicalForm:
        """Return the canonical form of top-level statements of a module."""
        writer = _DefinitionWriter(self.project, self._messages, self._parameters, module)
        for statement in statements:
            writer.write_statement(statement)
        return writer.form()


class _DefinitionWriter(Writer):
    """Writes functions and classes in addition to what `Writer` does."""

    def write_statement(self, statement: ast.AST) -> None:
        """Write a top-level statement of a module."""
        self._messages_found = set(annotated_messages(statement))
        self.write(statement)

    def _FunctionDef(self, node: Function) -> None:  # noqa: N802
        if self._numbers is not None:
            self._write_name(node.name)
            self._write_function(node, frozenset())
            return
        in_class, self._in_class = self._in_class, frozenset()
        if self._inside_class:
            self.text.append(node.name)
        else:
            self._write_name(node.name)
        names = {} if self._inside_class else self._parameters.positions(Definition(self._module.name, node.name))
        bound = sum((_binding_counts(part) for part in [*node.body, node.args]), Counter[str]())
        outside = {name for part in walk(node) if isinstance(part, ast.Global) for name in part.names}
        self._imports = {
            name: self._project.resolve_import(*target)
            for part in walk(node)
            if isinstance(part, ast.Import | ast.ImportFrom)
            for name, target in self._module.bindings(part)
        }
        self._local = frozenset(name for name in bound if name not in self._imports or bound[name] > 1) - outside
        # Names in a class body are attributes, and stay.
        self._numbers = {} if not any(isinstance(part, ast.ClassDef) for part in walk(node)) else _KeepNames()
        self._mark_messages(node)
        self._write_function(node, frozenset(names))
        self._numbers, self._local, self._imports, self._in_class = None, frozenset(), {}, in_class

    _AsyncFunctionDef = _FunctionDef
    _inside_class = False

    def _write_function(self, node: Function, canonical: frozenset[str]) -> None:
        self.text.append(type(node).__name__)
        self.write(node.decorator_list)
        self._write_arguments(node.args, canonical)
        self.write(node.body)

    def _write_arguments(self, arguments: ast.arguments, canonical: frozenset[str]) -> None:
        for kind in ("posonlyargs", "args", "vararg", "kwonlyargs", "kwarg"):
            self.text.append(kind)
            parts = getattr(arguments, kind)
            for part in parts if isinstance(parts, list) else [parts] if parts else []:
                if part.arg not in canonical:
                    self.text.append(part.arg)
                self._write_name(part.arg)
        self.write(arguments.kw_defaults)
        self.write(arguments.defaults)

    def _arguments(self, node: ast.arguments) -> None:
        self._write_arguments(node, frozenset())

    def _ClassDef(self, node: ast.ClassDef) -> None:  # noqa: N802
        if self._inside_class:
            self.text.append(node.name)
        else:
            self._write_name(node.name)
        before = self._inside_class, self._in_class
        self._inside_class = True
        self._in_class = frozenset().union(*map(bound_names, node.body))
        self._plain(node, "name", "type_params")
        self._inside_class, self._in_class = before

    def _AnnAssign(self, node: ast.AnnAssign) -> None:  # noqa: N802
        if self._numbers is None and self._inside_class:
            self._plain(node)
        elif node.value is not None:
            self._Assign(node)

    def _Assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:  # noqa: N802
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if self._numbers is not None and isinstance(target, ast.Name) and target.id in self._message_names:
            self._messages_found |= set(messages_of(node.value)) if node.value is not None else set()
        self._plain(node, "annotation", "simple", "type_comment")

    _AugAssign = _Assign
    _message_names: frozenset[str] = frozenset()

    def _mark_messages(self, function: Function) -> None:
        """Find the local variables of a function that only messages use."""
        messages = self._messages
        found = [part for part in annotated_messages(function) if is_text(part) or isinstance(part, ast.Name)]
        for node in walk(function):
            if isinstance(node, ast.Raise):
                found += messages.exception_messages(self._module, node.exc, self._local)
            if isinstance(node, ast.Call):
                found += messages.message_arguments(self._module, node, self._local)
                if messages.is_output_call(self._module, node, self._local):
                    found += [*node.args, *(keyword.value for keyword in node.keywords)]
        self._message_names = frozenset(message_locals(function, found))


class _KeepNames(dict[str, int]):
    """Keeps names instead of numbering them."""

    def setdefault(self, key: str, default: Any = None) -> Any:  # noqa: ARG002
        """Return the name itself."""
        return key


def _binding_counts(node: ast.AST) -> Counter[str]:
    """Count the places in a node, including nested functions, that bind each name."""
    return Counter(name for part in walk(node) for name in names_bound_by(part))
