"""What a report must say, worked out from the keys that were pressed and the codebook alone; never from the engine."""

from dataclasses import dataclass, field

from ivr.engine.asks import Answers
from ivr.flow.graph import Flow, Form, Question
from tests.promises.paths import Move, Situation


@dataclass
class Pass:
    """One pass through a form. `kept` is what it was when it was last saved; `ended` when its form was over by then."""

    form: str
    consent: str
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    typed: str = ""
    kept: tuple[str, str, Answers] | None = None
    ended: bool = False


@dataclass
class Notebook:
    """Somebody with the codebook before her, who listens to one call and writes down what was said."""

    flow: Flow
    passes: list[Pass] = field(default_factory=list)

    def hears(self, before: Situation, what: Move, after: Situation, *, saved: bool) -> None:
        """A move, where the call was and is now, and whether the line said that it saved."""
        name = before.call.step
        form = next((form for form in self.flow.forms.values() if _is_of(name, form)), None)
        if form is not None and what.do == "press" and before.place in ("key", "digits"):
            self._pressed(form, name, what.keys[: before.most])
        current = self._open(form.name) if form is not None else None
        if saved and current is not None:
            current.kept = (current.form, current.consent, self._in_order(current))
        for one in self.passes:
            one.ended = one.ended or _is_left(after, one)
        begun = [draft.form for draft in after.call.drafts if not draft.is_over]
        for entered in begun if after.place != "over" else ():
            if self._open(entered) is None:
                self.passes.append(Pass(entered, self.flow.forms[entered].consents[0]))

    def _open(self, form: str) -> Pass | None:
        """The pass through a form that is not over: of each form there is one at most."""
        return next((one for one in self.passes if one.form == form and not one.ended), None)

    def reports(self) -> list[tuple[str, str, Answers]]:
        """What must be found, once each."""
        return [one.kept for one in self.passes if one.kept is not None]

    def _in_order(self, current: Pass) -> Answers:
        questions = self.flow.forms[current.form].questions
        return tuple((q.name, current.answers[q.name]) for q in questions if q.name in current.answers)

    def _pressed(self, form: Form, step: str, keys: str) -> None:
        current = self._open(form.name)
        if current is None:
            return  # a star led her back to the receipt of one that is over
        if step == f"{form.name}:consent":
            if keys == "#":
                current.consent = form.consents[0]
            elif keys in "123456789" and int(keys) <= len(form.consents):
                current.consent = form.consents[int(keys) - 1]
            return
        question = next((q for q in form.questions if _is_at(step, form, q)), None)
        if question is None:
            return
        if question.kind == "digits":
            self._typed(current, question, step, keys)
        else:
            self._coded(current, question, step.removeprefix(f"{form.name}.{question.name}"), keys)

    def _typed(self, current: Pass, question: Question, step: str, keys: str) -> None:
        if not step.endswith(":heard"):
            current.typed = keys.partition("#")[0].rpartition("*")[2]
        elif keys in ("1", "#"):
            current.answers[question.name] = (current.typed,)

    def _coded(self, current: Pass, question: Question, where: str, keys: str) -> None:
        """`where` is what follows the question in a step's name: nothing, :more, or the group whose finer codes are
        offered."""
        more = where.startswith(":more")
        group = where.removeprefix(":more").removeprefix(".") or None
        offered = [code.name for code in question.codes if code.group == group]
        if keys in "123456789" and int(keys) <= len(offered):
            chosen = offered[int(keys) - 1]
            if group is None and any(code.group == chosen for code in question.codes):
                return  # only a door to its finer codes
        elif keys == "#" and group is not None:
            chosen = group
        else:
            return
        known = {*current.answers.get(question.name, ()), chosen} if more else {chosen}
        known -= {group for code in question.codes if code.name in known and (group := code.group)}
        current.answers[question.name] = tuple(code.name for code in question.codes if code.name in known)


def _is_of(step: str, form: Form) -> bool:
    return step.startswith((f"{form.name}.", f"{form.name}:"))


def _is_at(step: str, form: Form, question: Question) -> bool:
    asked = f"{form.name}.{question.name}"
    return step in (asked, f"{asked}:heard") or step.startswith((f"{asked}.", f"{asked}:more"))


def _is_left(after: Situation, current: Pass) -> bool:
    draft = after.call.draft(current.form)
    return draft is None or draft.is_over
