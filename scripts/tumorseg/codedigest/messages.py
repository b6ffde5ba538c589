"""Find the parts of expressions and statements that are messages for people."""

import ast
from collections.abc import Iterator, Sequence

from tumorseg.codedigest.annotations import message_parts, messages_of
from tumorseg.codedigest.project import Definition, External, Module, Project
from tumorseg.codedigest.special_names import (
    HELP_ARGUMENTS,
    LOG_METHODS,
    LOGGERS,
    MESSAGE,
    MESSAGE_EXCEPTIONS,
    PARSER_METHODS,
    PURE_FUNCTIONS,
    PURE_METHODS,
)
from tumorseg.codedigest.syntax import Function, bound_names, is_bare_string, parameters_of, walk


class Messages:
    """Finds messages in the modules of a project.

    Methods take a module, a node in it, and the names of local variables (`local`), which hide names of the module.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._text_functions: dict[Definition, bool] = {}

    def is_output_call(self, module: Module, call: ast.Call, local: frozenset[str]) -> bool:
        """Return whether a call prints or logs its arguments."""
        found = self._project.resolve_expression(module, call.func, local)
        match call.func:
            case ast.Name(id="print") if found is None and "print" not in local:
                return all(
                    keyword.arg in ("end", "flush", "sep")
                    or (keyword.arg == "file" and ast.unparse(keyword.value) in ("sys.stderr", "sys.stdout"))
                    for keyword in call.keywords
                )
            case ast.Attribute(value=ast.Name(id="parser"), attr="error"):
                return True
            case ast.Attribute(value=owner, attr=name) if name in LOG_METHODS:
                return ast.unparse(owner).rpartition(".")[2] in LOGGERS
        return found == External("warnings.warn")

    def message_arguments(self, module: Module, call: ast.Call, local: frozenset[str]) -> list[ast.expr]:
        """Return the arguments of a call that are messages, by the function's signature or as help of `argparse`."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        found = self._project.resolve_expression(module, call.func, local)
        if name in PARSER_METHODS or found == External("argparse.ArgumentParser"):
            return [keyword.value for keyword in call.keywords if keyword.arg in HELP_ARGUMENTS]
        if isinstance(found, Definition) and self._is_for_people_only(found):
            return [part for part in [*call.args, *(keyword.value for keyword in call.keywords)] if is_text(part)]
        function = self._project.function_of(found)
        if function is None:
            return []
        annotations = _annotated_parameters(function)
        starred = any(isinstance(argument, ast.Starred) for argument in call.args)
        given = [] if starred else list(zip(call.args, annotations.values(), strict=False))
        given += [(keyword.value, annotations.get(keyword.arg or "")) for keyword in call.keywords]
        return [part for value, annotation in given for part in _argument_messages(value, annotation)]

    def _is_for_people_only(self, found: Definition) -> bool:
        module = self._project.module(found.module)
        return module is not None and module.is_for_people_only

    def exception_messages(self, module: Module, raised: ast.expr | None, local: frozenset[str]) -> list[ast.expr]:
        """Return the arguments of a raised exception that are messages."""
        if not isinstance(raised, ast.Call) or raised.keywords:
            return []
        found = self._project.resolve_expression(module, raised.func, local)
        if found is None and isinstance(raised.func, ast.Name) and raised.func.id not in local:
            if raised.func.id in MESSAGE_EXCEPTIONS:
                return list(raised.args)
            return [text for text in raised.args if raised.func.id == "SystemExit" and is_text(text)]
        owner = self._project.function_of(found)
        plain = isinstance(owner, ast.ClassDef) and all(
            isinstance(node, ast.Pass) or is_bare_string(node) for node in owner.body
        )
        return list(raised.args) if plain or found == External("argparse.ArgumentTypeError") else []

    def required_parts(self, module: Module, node: ast.AST, local: frozenset[str]) -> Iterator[ast.expr]:
        """Yield the parts of a message that may have an effect, such as unknown calls, and belong to the digest."""
        match node:
            case ast.NamedExpr() | ast.Await() | ast.Yield() | ast.YieldFrom():
                yield node
                return
            case ast.Call(func=called) if not self._is_pure(module, node, local):
                yield node
                return
            case ast.Call(func=called):
                parts: list[ast.AST] = [*node.args, *(keyword.value for keyword in node.keywords)]
                parts += [called.value] if isinstance(called, ast.Attribute) else []
            case _:
                parts = list(ast.iter_child_nodes(node))
        for part in parts:
            yield from self.required_parts(module, part, local)

    def _is_pure(self, module: Module, call: ast.Call, local: frozenset[str]) -> bool:
        found = self._project.resolve_expression(module, call.func, local)
        if isinstance(found, Definition):
            return self._only_makes_text(found)
        if isinstance(call.func, ast.Attribute):
            return call.func.attr in PURE_METHODS or (isinstance(found, External) and found.name == "pathlib.Path")
        if isinstance(found, External):
            return found.name == "pathlib.Path"
        return isinstance(call.func, ast.Name) and call.func.id in PURE_FUNCTIONS and call.func.id not in local

    def _only_makes_text(self, found: Definition) -> bool:
        """Return whether a function only computes its result from its arguments."""
        if found not in self._text_functions:
            self._text_functions[found] = False  # ends the recursion if it calls itself
            module, function = self._project.module(found.module), self._project.function_of(found)
            if module is not None and isinstance(function, Function) and not function.decorator_list:
                self._text_functions[found] = module.is_for_people_only or self._has_only_pure_statements(
                    module, function
                )
        return self._text_functions[found]

    def _has_only_pure_statements(self, module: Module, function: Function) -> bool:
        local = frozenset().union(*map(bound_names, function.body), (part.arg for part in parameters_of(function.args)))
        allowed = (ast.Return, ast.If, ast.Assign, ast.Expr, ast.Pass)
        statements = [node for node in walk(function) if isinstance(node, ast.stmt) and node is not function]
        targets = [node for node in walk(function) if isinstance(node, ast.Subscript | ast.Attribute)]
        if not all(isinstance(node, allowed) for node in statements):
            return False
        if any(isinstance(node.ctx, ast.Store | ast.Del) for node in targets):
            return False
        return not any(True for statement in function.body for _ in self.required_parts(module, statement, local))


def is_text(node: ast.expr) -> bool:
    """Return whether an expression is a text: a literal, an f-string, or a combination of these."""
    match node:
        case ast.JoinedStr() | ast.Constant(value=str()):
            return True
        case ast.BinOp(op=ast.Add() | ast.Mod(), left=left, right=right):
            return is_text(left) or (isinstance(node.op, ast.Add) and is_text(right))
        case ast.Call(func=ast.Attribute(value=owner, attr="format" | "join")):
            return is_text(owner)
    return False


def message_locals(function: ast.AST, messages: Sequence[ast.expr]) -> set[str]:
    """Return the local variables of a function that are read only in messages, and set only by plain assignments.

    Args:
        function: to search.
        messages: its expressions that are messages.

    Returns:
        The names of the variables.
    """
    assigned: dict[str, list[ast.expr]] = {}
    other: set[str] = set()
    loads: dict[str, set[ast.AST]] = {}
    for node in walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                assigned.setdefault(name, []).append(value)
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                assigned.setdefault(name, []).append(value)
            case ast.Name(id=name, ctx=ast.Load()):
                loads.setdefault(name, set()).add(node)
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                other.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                other |= set(names)
    stored = [node for node in walk(function) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)]
    plain = {name for name in assigned if sum(node.id == name for node in stored) == len(assigned[name])} - other
    read = {node for message in messages for node in walk(message)}
    found = {name for name in plain if name in loads}
    while True:
        inside = {node for name in found for value in assigned[name] for node in walk(value)}
        left = {name for name in found if loads[name] <= read | inside}
        if left == found:
            return found
        found = left


def _annotated_parameters(function: Function | ast.ClassDef) -> dict[str, ast.expr | None]:
    """Return the annotations of the parameters of a function, an `__init__` or a record, by name."""
    if isinstance(function, ast.ClassDef):
        inits = [node for node in function.body if isinstance(node, Function) and node.name == "__init__"]
        if not inits:
            if any(ast.unparse(base) not in ("NamedTuple", "Exception") for base in function.bases):
                return {}  # the base class may have fields before these
            fields = [node for node in function.body if isinstance(node, ast.AnnAssign)]
            return {ast.unparse(node.target): node.annotation for node in fields}
        parts = parameters_of(inits[0].args)[1:]
    else:
        parts = parameters_of(function.args)
    return {part.arg: part.annotation for part in parts}


def _argument_messages(value: ast.expr, annotation: ast.expr | None) -> list[ast.expr]:
    """Return the parts of an argument that are messages: all of it if the parameter takes only messages.

    The condition that chooses between messages is not one of them, since it may decide whether there is a message.
    """
    if annotation is None:
        return []
    if ast.unparse(annotation).removesuffix(" | None") in {MESSAGE, f"Sequence[{MESSAGE}]", f"list[{MESSAGE}]"}:
        return list(messages_of(value))
    return [part for part in message_parts(value, annotation) if is_text(part)]
