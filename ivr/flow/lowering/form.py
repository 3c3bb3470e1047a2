"""`form`: the questions of a form as ordinary steps, `bad_date.vehicle`; what the line adds of its own has a colon,
`bad_date:right`.

Read back and confirmed at `save_after` and at the end; saved at `save_after` and again with every later answer. A
request to be called is saved once, at its end."""

from dataclasses import dataclass

from ivr.flow.diagnostics import Place
from ivr.flow.graph import (
    Adds,
    Answered,
    Ask,
    Branch,
    Choose,
    Code,
    Collect,
    Condition,
    Confirmed,
    Enter,
    Form,
    Leave,
    Question,
    SavedBefore,
    Say,
    TypedReceipt,
)
from ivr.flow.keys import Add, Grant, Option, Pass, Put, PutTyped, Record
from ivr.flow.line import RECEIPT_DIGITS, REQUEST
from ivr.flow.lowering.building import Building, options, own
from ivr.flow.model import FormFile, FormLine, QuestionLine, ReportFile
from ivr.flow.phrases import Number, Phrase, Slot, phrase
from ivr.flow.source import Word
from ivr.flow.values import CodeLine
from ivr.flow.wants import WantSave

KEPT = phrase("line.keep_or_change", answer=Slot.ANSWER)
YOU_SAID = phrase("line.you_said", answers=Slot.ANSWERS)


def lower(name: str, line: FormLine, place: Place, building: Building) -> None:
    written = building.forms_written.get(line.form)
    to = building.to(line.next)
    if written is None or line.form in building.form_steps:
        return
    questions = {str(key): question for key, question in written.questions.items()}
    building.form_steps[str(line.form)] = name
    form = _codebook(written.file, questions, enter=name, adds=building.comes_back is not None)
    building.forms[form.name] = form
    _Lowering(form.name, questions, form.save_after, form.consents, place, building, _nights(form)).all(name, to)


def _nights(form: Form) -> int:
    return form.keep_days if form.is_request else 0


def _codebook(file: FormFile, questions: dict[str, QuestionLine], *, enter: str, adds: bool) -> Form:
    """A request is saved after its last question, and not before."""
    report = file if isinstance(file, ReportFile) else None
    return Form(
        str(file.form),
        file.keep_for.seconds // 86400,
        str(report.save_after) if report else list(questions)[-1],
        tuple(str(consent) for consent in report.consent) if report else (REQUEST,),
        tuple(
            Question(name, line.kind, _codes(line), str(line.needs) if line.needs else None)
            for name, line in questions.items()
        ),
        enter,
        is_request=report is None,
        add=f"{file.form}:add" if adds and report is not None else None,
    )


def _codes(line: QuestionLine) -> tuple[Code, ...]:
    codes: list[Code] = []
    for _, code in line.codes:
        codes.append(Code(str(code.name)))
        codes.extend(Code(str(finer), group=str(code.name)) for _, finer in code.finer)
    return tuple(codes)


@dataclass(frozen=True, slots=True)
class _Menu:
    """One menu of codes. `adds`: what is chosen is one more code; else it replaces an earlier answer."""

    question: str
    step: str
    leads_to: str
    adds: bool

    def record(self, code: str) -> Record:
        return Add(self.question, str(code)) if self.adds else Put(self.question, str(code))


@dataclass(slots=True)
class _Lowering:
    form: str
    questions: dict[str, QuestionLine]
    save_after: str
    consents: tuple[str, ...]
    place: Place
    building: Building
    nights: int
    """For how many a request is kept; 0: it is a report."""

    def all(self, name: str, to: str) -> None:
        hello = self.building.said_first(self.form)
        opening = f"{self.form}:hello" if hello else f"{self.form}:open"
        self.building.add(Enter(name, self.form, opening, place=self.place))
        if self.adds:
            self.building.add(Enter(f"{self.form}:add", self.form, f"{self.form}:open", adds=True, place=self.place))
        if hello:
            self._say("hello", hello[0], f"{self.form}:open")
        self._say("open", phrase("line.any_question"), self._entry(0))
        for position, (question, line) in enumerate(self.questions.items()):
            self._gates(position, line)
            self._question(position, question, line)
        if not self._is_last(self.save_after):
            self._confirmed_halfway()
        if self.nights:
            self._ending_of_request()
        else:
            self._ending()
        added = f"{self.building.comes_back}:menu" if self.adds else None
        self.building.add(Leave(f"{self.form}:leave", self.form, to, added, place=self.place))

    # ---- the way through ----

    @property
    def adds(self) -> bool:
        """Can a report be added to?"""
        return self.building.comes_back is not None and not self.nights

    def _unless_adding(self, name: str, adding: str, told: str, to: str, otherwise: str) -> str:
        """A fork: where an addition to a report is told something else, or nothing at all. Its name."""
        if not self.adds:
            return otherwise
        self._branch(name, Adds(), f"{self.form}:{adding}", otherwise)
        if told:
            self._say(adding, phrase(told), to)
        return f"{self.form}:{name}"

    def _names(self) -> list[str]:
        return list(self.questions)

    def _is_last(self, question: str) -> bool:
        return question == self._names()[-1]

    def _step(self, position: int) -> str:
        return f"{self.form}.{self._names()[position]}"

    @property
    def _end(self) -> str:
        """Behind the last question. A request has a number by then."""
        return f"{self.form}:all" if self.nights else f"{self.form}:end"

    def _entry(self, position: int) -> str:
        """Where a question begins for somebody who comes from the one before."""
        if position == len(self.questions):
            return self._end
        needs = self.questions[self._names()[position]].needs
        return f"{self._step(position)}:if" if needs else self._step(position)

    def _behind(self, position: int) -> str | None:
        """Where `*` leads from a question: the one before that she was asked. None: out of the form."""
        if position == 0:
            return None
        needs = self.questions[self._names()[position - 1]].needs
        return f"{self._step(position - 1)}:behind" if needs else self._step(position - 1)

    def _gates(self, position: int, line: QuestionLine) -> None:
        if line.needs is None:
            return
        asked, condition = self._step(position), Answered(str(line.needs))
        before = self._behind(position)
        assert before is not None, "a question that needs another is never the first"
        self._branch(f"{asked}:if", condition, asked, self._entry(position + 1))
        self._branch(f"{asked}:behind", condition, asked, before)

    def _answered(self, position: int) -> str:
        """Where an answer leads: to the next question; once she has confirmed something, past a save."""
        names = self._names()
        if position < names.index(self.save_after):
            return self._entry(position + 1)
        if names[position] == self.save_after:
            return self._end if self._is_last(self.save_after) else f"{self.form}:halfway"
        step = self._step(position)
        return f"{step}:save" if self._is_confirmed(position) else f"{step}:keep"

    def _is_confirmed(self, position: int) -> bool:
        """A question that needs one which was read back is asked only when she confirmed something."""
        names = self._names()
        return self.questions[names[position]].needs in names[: names.index(self.save_after) + 1]

    def _skipped(self, position: int) -> str:
        if self.nights and self._is_number(self._names()[position]):
            return f"{self._step(position)}:given"
        after_save = position > self._names().index(self.save_after)
        return self._entry(position + 1) if after_save else self._answered(position)

    def _is_number(self, question: str) -> bool:
        digits = self.questions[question].digits
        return digits is not None and digits.is_phone

    # ---- one question ----

    def _question(self, position: int, question: str, line: QuestionLine) -> None:
        step = self._step(position)
        if line.digits is not None:
            self._digits(position, question, line)
        elif line.several is not None:
            more = f"{step}:more"
            self._first_menu(position, _Menu(question, step, leads_to=more, adds=False), line)
            again = _Menu(question, more, leads_to=more, adds=True)
            told = self._codes(step, again, line)
            onward = Pass(self._answered(position))
            self._choose(more, (phrase("line.more"),), told, onward, back=step, terse=True)
        else:
            self._first_menu(position, _Menu(question, step, self._answered(position), adds=False), line)
        if position > self._names().index(self.save_after):
            after = self._entry(position + 1)
            if not self._is_confirmed(position):
                self._branch(f"{step}:keep", Confirmed(), f"{step}:save", after)
            self._save(f"{step}:", yes=after, no=after, back=step)

    def _first_menu(self, position: int, menu: _Menu, line: QuestionLine) -> None:
        told = self._codes(menu.step, menu, line)
        asked = (phrase(self.building.use(menu.step, self._place_of(menu.question))),)
        onward = Pass(self._skipped(position))
        self._choose(menu.step, asked, told, onward, back=self._behind(position), question=menu.question)

    def _codes(self, base: str, menu: _Menu, line: QuestionLine) -> tuple[Option, ...]:
        """The options of one menu, and below each that has finer codes a menu of those. `base` begins the labels."""
        choices: list[tuple[Word, str, str, Record | None]] = []
        for key, code in line.codes:
            label = self.building.use(f"{base}.{code.name}", code.name.place)
            if code.finer:
                choices.append((key, label, self._finer(base, menu, code), None))
            else:
                choices.append((key, label, menu.leads_to, menu.record(code.name)))
        return options("line.code", "line.next_code", choices)

    def _finer(self, base: str, menu: _Menu, group: CodeLine) -> str:
        step = f"{menu.step}.{group.name}"
        choices = [
            (key, self.building.use(f"{base}.{code}", code.place), menu.leads_to, menu.record(code))
            for key, code in group.finer
        ]
        told = options("line.code", "line.next_code", choices)
        self._choose(step, (), told, Pass(menu.leads_to, menu.record(group.name)), back=menu.step)
        return step

    def _digits(self, position: int, question: str, line: QuestionLine) -> None:
        assert line.digits is not None
        step, answered = self._step(position), self._answered(position)
        self.building.add(
            Collect(
                step,
                (phrase(self.building.use(step, self._place_of(question))), phrase("line.digits")),
                line.digits.least,
                line.digits.most,
                f"{step}:heard",
                Pass(self._skipped(position)),
                self.form,
                question,
                KEPT,
                back=self._behind(position),
                place=self._place_of(question),
            )
        )
        typed = PutTyped(question)
        told = (own("1", "line.right", answered, typed), own("2", "line.change", step))
        heard = (phrase("line.digits_heard", digits=Slot.TYPED),)
        self._choose(f"{step}:heard", heard, told, Pass(answered, typed), back=step)

    # ---- reading back, saving, the end ----

    def _confirmed_halfway(self) -> None:
        position = self._names().index(self.save_after)
        onward = self._entry(position + 1)
        quietly = f"{self.form}:again:save"
        self._branch("halfway", SavedBefore(), quietly, f"{self.form}:said")
        self._branch("said", Answered(), f"{self.form}:right", onward)
        self._save(f"{self.form}:again:", yes=onward, no=onward, back=self._step(position))
        self._read_back("right", f"{self.form}:save", back=self._step(position))
        saved = self._unless_adding("saved:of", "adding", "line.adding", onward, f"{self.form}:saved")
        self._save(f"{self.form}:", yes=saved, no=onward, back=f"{self.form}:right")
        self._say("saved", phrase("line.saved"), f"{self.form}:later")
        self._say("later", phrase("line.later"), onward)

    def _ending(self) -> None:
        last = self._behind(len(self.questions))
        assert last is not None, "a form has a question"
        self._branch("end", Answered(), f"{self.form}:all", f"{self.form}:nothing")
        consent = self._unless_adding("all:of", "finish:save", "", "", f"{self.form}:consent")
        self._read_back("all", consent, back=last)
        self._consent()
        leave = f"{self.form}:leave"
        done = self._unless_adding("done:of", "added", "line.added", leave, f"{self.form}:done")
        back = self._unless_adding("unsaved:of", "all", "", "", f"{self.form}:consent")
        self._save(f"{self.form}:finish:", yes=done, no=f"{self.form}:kept", back=back, ends=True)
        before = self._unless_adding("before:of", "added_before", "line.added_before", leave, f"{self.form}:before")
        self._branch("kept", SavedBefore(), before, f"{self.form}:nothing")
        self._say("before", phrase("line.saved_before"), f"{self.form}:leave")
        self._say("nothing", phrase("line.nothing_saved"), f"{self.form}:leave")
        self._say("done", phrase("line.saved"), f"{self.form}:receipt")
        self._receipt(leave)

    def _receipt(self, leave: str) -> None:
        """Her receipt, as often as she likes; she may key it in to make sure."""
        name, practice = f"{self.form}:receipt", f"{self.form}:practice"
        told = (own("1", "line.receipt_try", name), own("2", "line.receipt_practice", practice))
        receipt = (phrase("line.receipt", receipt=Slot.RECEIPT),)
        outro = (phrase("line.receipt_onward"), phrase("line.what_is_kept"))
        self._choose(name, receipt, told, Pass(leave), back=name, outro=outro)
        intro, count = (phrase("line.practice_ask"), phrase("line.digits")), RECEIPT_DIGITS
        typed, onward = f"{practice}:typed", Pass(leave)
        self.building.add(
            Collect(practice, intro, count, count, typed, onward, self.form, back=name, gathers=True, place=self.place)
        )
        self._branch("practice:typed", TypedReceipt(), f"{practice}:right", f"{practice}:wrong")
        self._say("practice:right", phrase("line.practice_right"), leave)
        self._say("practice:wrong", phrase("line.practice_wrong"), name)

    def _ending_of_request(self) -> None:
        """Nothing to choose, nothing to note; and without a number nothing to save, nor anything more to ask."""
        names = self._names()
        position = next(position for position, name in enumerate(names) if self._is_number(name))
        nothing, last = f"{self.form}:nothing", self._behind(len(names))
        assert last is not None, "a request asks for a number"
        skipped = self._skipped(position).removeprefix(f"{self.form}:")
        self._branch(skipped, Answered(names[position]), self._answered(position), nothing)
        self._read_back("all", f"{self.form}:finish:save", back=last)
        back = f"{self.form}:all"
        self._save(f"{self.form}:finish:", yes=f"{self.form}:done", no=nothing, back=back, ends=True)
        self._say("nothing", phrase("line.nothing_saved"), f"{self.form}:leave")
        self._say("done", phrase("line.request_saved", n=Number(self.nights)), f"{self.form}:leave")

    def _read_back(self, name: str, right: str, *, back: str) -> None:
        told = (own("1", "line.right", right), own("2", "line.change", self._step(0)))
        self._choose(f"{self.form}:{name}", (YOU_SAID,), told, Pass(right), back=back)

    def _consent(self) -> None:
        finish = f"{self.form}:finish:save"
        choices = [
            (str(key), f"line.consent.{consent}", finish, Grant(consent))
            for key, consent in enumerate(self.consents, start=1)
        ]
        least = Pass(finish, Grant(self.consents[0]))
        told = options("line.option", "line.next_option", choices)
        self._choose(
            f"{self.form}:consent",
            (phrase("line.consent"),),
            told,
            least,
            back=f"{self.form}:all",
            outro=(phrase("line.consent_skip"),),
        )

    def _save(self, prefix: str, *, yes: str, no: str, back: str, ends: bool = False) -> None:
        """A save, and what she may do when it fails: try again, go on without, or a person."""
        save, unsaved = f"{prefix}save", f"{prefix}unsaved"
        self.building.add(Ask(save, WantSave(ends, nights=self.nights), yes, unsaved, form=self.form, place=self.place))
        choices = [("1", "line.not_saved.again", save, None), ("2", "line.not_saved.go_on", no, None)]
        told = options("line.option", "line.next_option", choices)
        self._choose(unsaved, (phrase("line.not_saved"),), told, Pass(no), back=back)

    # ---- small things ----

    def _say(self, name: str, told: Phrase, to: str) -> None:
        self.building.add(Say(f"{self.form}:{name}", told, to, form=self.form, place=self.place))

    def _branch(self, name: str, condition: Condition, yes: str, no: str) -> None:
        """`name` of the line's own: the form's goes before it; of a question: it is there already."""
        whole = name if name.startswith(f"{self.form}.") else f"{self.form}:{name}"
        self.building.add(Branch(whole, condition, yes, no, form=self.form, place=self.place))

    def _choose(
        self,
        step: str,
        intro: tuple[Phrase, ...],
        told: tuple[Option, ...],
        onward: Pass,
        *,
        back: str | None,
        outro: tuple[Phrase, ...] = (),
        question: str | None = None,
        terse: bool = False,
    ) -> None:
        kept = KEPT if question else None
        self.building.add(
            Choose(step, intro, told, onward, back, outro, kept, self.form, question, terse, place=self.place)
        )

    def _place_of(self, question: str) -> Place:
        return next(key.place for key in self.building.forms_written[self.form].questions if key == question)
