"""From a tree to a model: pydantic finds what does not fit, and this says it in an admin's words, with its place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from ivr.flow.diagnostics import ENOUGH, NOWHERE, Diagnostic, Place, listed, nearest, shortened, suggest
from ivr.flow.rules import dead_end, missing_field, unknown_field, wrong_type
from ivr.flow.source import Items, Node, Table, Word, at, key_of
from ivr.flow.values import REFUSED, kind_of

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[str | int, ...]


def validate(model: type[Model], tree: Node, found: list[Diagnostic], *, owner: str, place: Place) -> Model | None:
    """The model of a tree, or None; what is wrong is added to `found`. `owner` begins its sentences: "The step `main`".
    `place` is where a missing field is missed."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        problems = [dict(problem) for problem in error.errors(include_url=False, include_input=False)]
        found.extend(_Report(model, tree, owner, place).all(problems))
        return None


def beginning(tree: Node, file: str) -> Place:
    """Where a file begins to say something."""
    return next((key.place for key in tree), Place(file)) if isinstance(tree, Table) else Place(file)


@dataclass(slots=True)
class _Names:
    """What one table has too much, and what it lacks."""

    extra: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Report:
    model: type[BaseModel]
    tree: Node
    owner: str
    place: Place
    tables: dict[Path, _Names] = field(default_factory=dict)

    def all(self, problems: Sequence[dict[str, Any]]) -> Iterator[Diagnostic]:
        for problem in problems[:ENOUGH]:
            path: Path = tuple(problem["loc"])
            if problem["type"] == "missing":
                self._names(path).missing.append(str(path[-1]))
            elif problem["type"] == "extra_forbidden":
                self._names(path).extra.append(str(path[-1]))
            else:
                yield from self._value(path, problem)
        for inner in sorted(self.tables, key=len, reverse=True):
            yield from self._too_much(inner, self.tables[inner])
        for inner, names in self.tables.items():
            yield from self._too_little(inner, names.missing)

    def _names(self, path: Path) -> _Names:
        return self.tables.setdefault(path[:-1], _Names())

    # ---- names ----

    def _too_much(self, path: Path, names: _Names) -> Iterator[Diagnostic]:
        table = at(self.tree, path)
        assert isinstance(table, Table)
        known = _fields(self.model, path)
        strange: list[Word] = []
        header = self._lost_header(path)
        for name in names.extra:
            key = key_of(table, name)
            meant = nearest(name, names.missing) or (nearest(name, known) if header is None else None)
            if meant is None:
                strange.append(key)
                continue
            if meant in names.missing:
                names.missing.remove(meant)
            yield unknown_field.found(key, known=[meant], owner=self._owner(path), place=key.place)
        if strange:
            yield unknown_field.several(
                strange, known=known, owner=self._owner(path), place=strange[0].place, header=header
            )

    def _lost_header(self, path: Path) -> str | None:
        """A field that the table around this one lacks: its line may be what is missing above the strange names."""
        around = self.tables.get(path[:-1]) if path else None
        table = self.tables[path]
        alike = all(nearest(name, _fields(self.model, path)) for name in table.extra)
        return around.missing.pop() if around and around.missing and table.extra and not alike else None

    def _too_little(self, path: Path, missing: Sequence[str]) -> Iterator[Diagnostic]:
        where = self._where(path)
        others = [name for name in missing if name != "next"]
        if "next" in missing:
            yield dead_end.no_next(self._owner(path), where)
        if others:
            yield missing_field.found(*others, owner=self._owner(path), place=where)

    def _owner(self, path: Path) -> str:
        names = [str(part) for part in path if isinstance(part, str)]
        return f"`{'.'.join(names)}`" if names else self.owner

    # ---- values ----

    def _value(self, path: Path, problem: dict[str, Any]) -> Iterator[Diagnostic]:
        node, where = at(self.tree, path), self._where(path)
        kind, context = str(problem["type"]), problem.get("ctx", {})
        if kind == REFUSED:
            for refused in context["problems"]:
                yield replace(refused, place=where) if refused.place == NOWHERE else refused
        elif kind == "literal_error":
            yield _not_allowed(node, str(context["expected"]), where)
        elif kind == "too_short":
            yield wrong_type.found(where, "This list is empty.", "Write at least one.")
        elif kind == "too_long":
            yield wrong_type.found(where, f"There are more than {context['max_length']} here.", "Take some out.")
        elif kind == "list_type":
            shown = f"`[{shortened(node)}]`" if isinstance(node, Word) and node else "`[NAME, NAME]`"
            yield wrong_type.found(
                where, f"Here a list is wanted, not {_found(node)}.", f"Write it in brackets: {shown}."
            )
        else:
            message = f"Here `name: value` lines are wanted, not {_found(node)}."
            yield wrong_type.found(where, message, "Write names with values, each after a colon.")

    def _where(self, path: Path) -> Place:
        node, place = self.tree, self.place
        for part in path:
            if isinstance(node, Table) and part in node:
                key = key_of(node, str(part))
                node = node[key]
                place = node.place if isinstance(node, Word) and node else key.place
            elif isinstance(node, Items) and isinstance(part, int) and part < len(node):
                node = node[part]
                place = node.place
        return place


def _found(node: Node) -> str:
    return "nothing" if node == "" else kind_of(node)


def _not_allowed(node: Node, expected: str, where: Place) -> Diagnostic:
    allowed = [part.strip("' ") for part in expected.replace(" or ", ",").split(",")]
    if not isinstance(node, Word) or not node:
        return wrong_type.found(where, f"Here one word is wanted, not {_found(node)}.", f"Write {listed(allowed)}.")
    message = f"`{shortened(node)}` is not possible here."
    return wrong_type.found(where, message, suggest(node, allowed, otherwise=f"Write {listed(allowed)}."))


def _fields(model: type[BaseModel], path: Path) -> list[str]:
    for part in path:
        known = model.model_fields.get(str(part)) if isinstance(part, str) else None
        inner = _model_in(known.annotation) if known else None
        model = inner or model
    return [known.alias or name for name, known in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
