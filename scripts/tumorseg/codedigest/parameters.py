"""Find functions that are only called directly, so that the names of their parameters do not matter."""

import ast
from collections.abc import Mapping
from functools import cached_property

from tumorseg.codedigest.project import Definition, External, Project
from tumorseg.codedigest.syntax import Function, parameters_of, walk


class Parameters:
    """Finds the parameters in a project whose names do not matter."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def _used_by_name(self) -> set[Definition]:
        """Return the functions whose parameter names matter: those used as values, or called with `**`.

        A module that is used as a value stands for all its functions.
        """
        found: set[Definition] = set()
        for module in filter(None, map(self._project.module, self._project.all_names())):
            nodes = list(walk(module.tree))
            inner = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
            imports = {
                name: self._project.resolve_import(*target) for node in inner for name, target in module.bindings(node)
            }
            direct_uses = {
                node.func
                for node in nodes
                if isinstance(node, ast.Call) and not any(keyword.arg is None for keyword in node.keywords)
            }
            for node in nodes:  # outer nodes first
                if not isinstance(node, ast.Name | ast.Attribute):
                    continue
                for target in (
                    self._project.resolve_expression(module, node, frozenset()),
                    _resolve_by_imports(imports, node, self._project),
                ):
                    if isinstance(node, ast.Attribute) and target is not None:
                        direct_uses.add(node.value)
                    if isinstance(target, Definition) and node not in direct_uses:
                        found.add(target)
        return found

    @cached_property
    def _has_no_star_imports(self) -> bool:
        """Return whether no module uses `import *`."""
        modules = filter(None, map(self._project.module, self._project.all_names()))
        return not any("*" in names for module in modules for _, names in module.imported)

    def positions(self, found: Definition | External | None) -> dict[str, int]:
        """Return the position of each parameter of a function; empty if the names of its parameters matter."""
        function = self._project.function_of(found)
        if not isinstance(function, Function) or function.decorator_list or found in self._used_by_name:
            return {}
        if isinstance(found, Definition) and Definition(found.module, "*") in self._used_by_name:
            return {}
        if function.args.kwarg is not None or not self._has_no_star_imports:
            return {}
        return {part.arg: index for index, part in enumerate(parameters_of(function.args))}


def _resolve_by_imports(
    imports: Mapping[str, Definition | External], node: ast.expr, project: Project
) -> Definition | External | None:
    """Resolve a name or a chain of attributes by the imports of a module, including those inside its functions."""
    if isinstance(node, ast.Attribute):
        return project.attribute(_resolve_by_imports(imports, node.value, project), node.attr)
    return imports.get(node.id) if isinstance(node, ast.Name) else None
