"""Walk syntax trees, and list the names that statements bind."""

import ast
from functools import cache

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def walk(node: ast.AST) -> list[ast.AST]:
    """Return a node and all nodes below it, outer nodes first, without the contexts of names."""
    found = [node]
    for part in found:  # the list grows in the loop
        for name in part._fields:
            value = getattr(part, name, None)
            if isinstance(value, list):
                found += [entry for entry in value if isinstance(entry, ast.AST)]
            elif isinstance(value, ast.AST) and name != "ctx":
                found.append(value)
    return found


def is_bare_string(statement: object) -> bool:
    """Return whether a statement is only a string, such as a docstring."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def is_type_checking(statement: ast.AST) -> bool:
    """Return whether a statement is an `if TYPE_CHECKING:` block."""
    return (
        isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING") and not statement.orelse
    )


def bound_names(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds in its own scope."""
    found: set[str] = set()
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        found.update(names_bound_by(node))
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found


def names_bound_by(node: ast.AST) -> list[str]:
    """Return the names that a node itself binds, without the nodes below it."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
            return [name]
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
        case ast.Import() | ast.ImportFrom():
            return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    return []


def parameters_of(arguments: ast.arguments) -> list[ast.arg]:
    """Return all parameters of a function in order."""
    extra = [part for part in (arguments.vararg, arguments.kwarg) if part is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra]
