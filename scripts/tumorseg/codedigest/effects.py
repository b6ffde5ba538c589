"""Find the top-level statements of a module that have an effect when it is imported."""

import ast

from tumorseg.codedigest.project import Definition, External, Module, Project
from tumorseg.codedigest.special_names import PURE_CALLS, PURE_DECORATORS, PURE_METHODS
from tumorseg.codedigest.syntax import Function, is_bare_string, is_type_checking, walk


def has_effect(project: Project, module: Module, statement: ast.stmt) -> bool:
    """Return whether a top-level statement may do more than bind names to constant values."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Pass():
            return False
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return _calls(project, module, statement.decorator_list, statement.args)
        case ast.ClassDef():
            registers = bool(statement.keywords) or _base_registers(project, module, statement)
            return (
                registers
                or _calls(project, module, statement.decorator_list)
                or any(has_effect(project, module, inner) for inner in statement.body)
            )
        case ast.Assign(targets=targets) if all(isinstance(target, ast.Name) for target in targets):
            return _calls(project, module, [], statement)
        case ast.AnnAssign(target=ast.Name()):
            return statement.value is not None and _calls(project, module, [], statement.value)
    return not is_bare_string(statement) and not is_type_checking(statement)


def _calls(project: Project, module: Module, decorators: list[ast.expr], *nodes: ast.AST) -> bool:
    """Return whether decorators, or calls in these nodes, may have an effect."""
    calls = [node.func for part in nodes for node in walk(part) if isinstance(node, ast.Call)]
    return not (
        all(_is_pure(project, module, decorator, PURE_DECORATORS) for decorator in decorators)
        and all(_is_pure(project, module, call, PURE_CALLS) for call in calls)
    )


def _base_registers(project: Project, module: Module, statement: ast.ClassDef) -> bool:
    """Return whether a base class in the project registers its subclasses."""
    for base in statement.bases:
        found = project.resolve_expression(module, base, frozenset())
        owner = project.function_of(found)
        if isinstance(owner, ast.ClassDef) and isinstance(found, Definition):
            if any(isinstance(node, Function) and node.name == "__init_subclass__" for node in owner.body):
                return True
            base_module = project.module(found.module)
            if base_module is not None and _base_registers(project, base_module, owner):
                return True
    return False


def _is_pure(project: Project, module: Module, called: ast.expr, pure: frozenset[str]) -> bool:
    called = called.func if isinstance(called, ast.Call) else called
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Constant):
        return True  # a method of a literal
    if isinstance(called, ast.Attribute) and called.attr in PURE_METHODS and pure is PURE_CALLS:
        return True
    found = project.resolve_expression(module, called, frozenset())
    if isinstance(found, External):
        return found.name in pure
    function = project.function_of(found)
    if isinstance(function, ast.ClassDef):  # pure if it is a plain record
        return not any(isinstance(node, Function) and node.name.startswith("__") for node in function.body)
    return found is None and ast.unparse(called) in pure
