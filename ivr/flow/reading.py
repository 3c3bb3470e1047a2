"""From a tree to a model: pydantic finds what does not fit, and this says it in an admin's words, with its place."""

from collections.abc import Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from ivr.flow.diagnostics import Diagnostic, Place, listed, suggest
from ivr.flow.model import kind_of
from ivr.flow.rules import dead_end, missing_field, unknown_field, wrong_type
from ivr.flow.source import Items, Node, Table, Word, at, key_of

Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], tree: Node, found: list[Diagnostic], *, owner: str, place: Place) -> Model | None:
    """The model of a tree, or None; what is wrong is added to `found`. `owner` begins its sentences: "The step `main`".
    `place` is where a missing field is missed."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        found.extend(_diagnose(model, tree, dict(problem), owner=owner, place=place) for problem in error.errors())
        return None


def _diagnose(model: type[BaseModel], tree: Node, problem: dict[str, Any], *, owner: str, place: Place) -> Diagnostic:
    path: tuple[str | int, ...] = tuple(problem["loc"])
    node, kind, context = at(tree, path), str(problem["type"]), problem.get("ctx", {})
    where = _where(tree, path, place)
    if len(path) > 1:
        owner = f"`{_readable(path[:-1])}`"
    if kind == "missing" and path[-1] == "next":
        return dead_end.no_next(owner, where)
    if kind == "missing":
        return missing_field.found(str(path[-1]), owner=owner, place=where)
    if kind == "extra_forbidden":
        known = _fields(model, path[:-1])
        key = key_of(_table(at(tree, path[:-1])), str(path[-1]))
        return unknown_field.found(key, known=known, owner=owner, place=key.place)
    if kind == "literal_error":
        allowed = [part.strip("' ") for part in str(context["expected"]).replace(" or ", ",").split(",")]
        shown = f"`{node}`" if isinstance(node, Word) else f"A {kind_of(node)}"
        cure = suggest(str(node), allowed, otherwise=f"Write {listed(allowed)}.")
        return wrong_type.found(where, f"{shown} is not possible here.", cure)
    if kind in ("too_short", "too_long"):
        return wrong_type.found(where, f"Here {context.get('min_length', context.get('max_length'))} is the limit.", _listing(kind))
    if "cure" in context:
        return Diagnostic(where, kind, str(context["message"]), str(context["cure"]))
    return wrong_type.found(where, *_of_another_kind(kind, node))


def _of_another_kind(kind: str, node: Node) -> tuple[str, str]:
    if kind == "list_type":
        return f"Here a list is wanted, not a {kind_of(node)}.", f"Write it in brackets: `[{node if isinstance(node, Word) else '...'}]`."
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"Here `name: value` lines are wanted, not a {kind_of(node)}.", "Write names with values, each after a colon."
    return f"Here a word is wanted, not a {kind_of(node)}.", "Write one word or one text after the colon."


def _listing(kind: str) -> str:
    return "Write at least one." if kind == "too_short" else "Take some out."


def _where(tree: Node, path: Sequence[str | int], place: Place) -> Place:
    node = tree
    for part in path:
        if isinstance(node, Table) and part in node:
            key = key_of(node, str(part))
            node = node[key]
            place = node.place if isinstance(node, Word) and node else key.place
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node):
            node = node[part]
            place = node.place
    return place


def _readable(path: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in path if isinstance(part, str)) or "this"


def _fields(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    for part in path:
        field = model.model_fields.get(str(part)) if isinstance(part, str) else None
        inner = _model_in(field.annotation) if field else None
        model = inner or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _table(node: Node) -> Table:
    assert isinstance(node, Table)
    return node
