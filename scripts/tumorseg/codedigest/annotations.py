"""Find the parts of a value that are messages, by the annotation of the variable, parameter or function.

In `_FORMATS: Final[dict[bytes, Message]] = {b"PK": "a zip archive"}` the values are messages, the keys are not.
"""

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from tumorseg.codedigest.special_names import MESSAGE
from tumorseg.codedigest.syntax import Function, walk

_WRAPPERS: Final = ("Final", "ClassVar")
_MAPPINGS: Final = ("dict", "Mapping")
_YIELDING: Final = ("Iterator", "Iterable", "Generator")


def annotated_messages(tree: ast.AST) -> Iterator[ast.expr]:
    """Find the messages in a tree: values of annotated variables, and values that functions return or yield.

    The digest leaves out such a value if it is a text. Any other value, such as a name, is part of the digest.

    Args:
        tree: a module, a statement or an expression.

    Yields:
        The expressions that are messages.
    """
    for node in walk(tree):
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            yield from message_parts(node.value, node.annotation)
        elif isinstance(node, Function):
            parts = list(_walk_without_nested_scopes(node))
            yield from _variable_messages(parts)
            for part in parts:
                if isinstance(part, ast.Return | ast.YieldFrom) and part.value is not None:
                    yield from message_parts(part.value, node.returns)
                elif (
                    isinstance(part, ast.Yield) and part.value is not None and _generic_name(node.returns) in _YIELDING
                ):
                    yield from message_parts(part.value, _type_argument(node.returns, 0))


def _variable_messages(parts: Iterable[ast.AST]) -> Iterator[ast.expr]:
    """Yield the messages that are later assigned or appended to the annotated variables of a function."""
    annotations = {
        part.target.id: part.annotation
        for part in parts
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }
    for part in parts:
        match part:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AugAssign(target=ast.Name(id=name), value=value)
            ):
                yield from message_parts(value, annotations.get(name))
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=key)], value=value):
                yield from _item_messages(key, value, annotations.get(name))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value]):
                yield from message_parts(value, _type_argument(annotations.get(name), 0))


def message_parts(value: ast.expr, annotation: ast.expr | None) -> Iterator[ast.expr]:
    """Yield the parts of a value that are messages by the annotation of the whole value."""
    for kind in _union_members(annotation):
        match value:
            case _ if isinstance(kind, ast.Name) and kind.id == MESSAGE:
                yield from messages_of(value)
            case ast.IfExp(body=body, orelse=orelse):
                yield from message_parts(body, kind)
                yield from message_parts(orelse, kind)
            case ast.BoolOp(values=parts):
                for part in parts:
                    yield from message_parts(part, kind)
            case ast.Dict(keys=keys, values=values) if _generic_name(kind) in _MAPPINGS:
                for key, part in zip(keys, values, strict=True):
                    yield from message_parts(part, kind) if key is None else _item_messages(key, part, kind)
            case ast.DictComp(value=part) if _generic_name(kind) in _MAPPINGS:
                yield from message_parts(part, _type_argument(kind, 1))
            case ast.Starred(value=several):
                yield from message_parts(several, kind)
            case ast.Tuple() | ast.List() | ast.Set() | ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                for place, part in enumerate(_element_expressions(value)):
                    yield from message_parts(
                        part, kind if isinstance(part, ast.Starred) else _type_argument(kind, place)
                    )


def _item_messages(key: ast.expr, value: ast.expr, mapping: ast.expr | None) -> Iterator[ast.expr]:
    yield from message_parts(key, _type_argument(mapping, 0))
    yield from message_parts(value, _type_argument(mapping, 1))


def messages_of(value: ast.expr) -> Iterator[ast.expr]:
    """Yield the message in a value: itself, or the alternatives of a condition."""
    match value:
        case ast.IfExp(body=body, orelse=orelse):
            yield from messages_of(body)
            yield from messages_of(orelse)
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from messages_of(part)
        case _:
            yield value


def _element_expressions(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.Tuple | ast.List | ast.Set):
        return value.elts
    return [value.elt] if isinstance(value, ast.ListComp | ast.SetComp | ast.GeneratorExp) else []


def _union_members(annotation: ast.expr | None) -> Iterator[ast.expr]:
    """Yield the members of a union, without `Final`."""
    match annotation:
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            yield from _union_members(left)
            yield from _union_members(right)
        case ast.Subscript(slice=inner) if _generic_name(annotation) in _WRAPPERS:
            yield from _union_members(inner)
        case ast.expr():
            yield annotation


def _generic_name(annotation: ast.expr | None) -> str:
    return ast.unparse(annotation.value).rpartition(".")[2] if isinstance(annotation, ast.Subscript) else ""


def _type_argument(annotation: ast.expr | None, place: int) -> ast.expr | None:
    """Return the annotation of the element at a place of a container; None if it is not annotated."""
    if not isinstance(annotation, ast.Subscript):
        return None
    if _generic_name(annotation) in _MAPPINGS or (
        _generic_name(annotation) == "tuple" and not _has_ellipsis(annotation.slice)
    ):
        parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        return parts[place] if place < len(parts) else None
    return annotation.slice.elts[0] if isinstance(annotation.slice, ast.Tuple) else annotation.slice


def _has_ellipsis(inner: ast.expr) -> bool:
    return isinstance(inner, ast.Tuple) and ast.unparse(inner.elts[-1]) == "..."


def _walk_without_nested_scopes(function: Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function, without those of functions and classes inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
