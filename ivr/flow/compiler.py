"""From files to a Flow, or to everything that is wrong with them, at once.

Handed bytes by path ("flows/hotline.yaml", "prompts/es.yaml"); opens nothing itself."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType

from ivr.flow.catalogues import Written, read_prompts
from ivr.flow.checker import (
    problems_of_figures,
    problems_of_recordings,
    problems_of_staff,
    problems_of_steps,
    problems_of_texts,
)
from ivr.flow.diagnostics import ENOUGH, Diagnostic, Place, in_order, without_echoes
from ivr.flow.forms import RESERVED, WrittenForm, read_form
from ivr.flow.graph import Flow, Index
from ivr.flow.lowering.building import Building
from ivr.flow.lowering.receipt import adding
from ivr.flow.lowering.verbs import lower
from ivr.flow.model import (
    FIELDS,
    STAFF_VERBS,
    VERBS,
    CountLine,
    FlowFile,
    FormLine,
    Menu,
    StaffFile,
    Transfer,
    Verb,
)
from ivr.flow.reading import beginning, validate
from ivr.flow.rules import (
    bad_name,
    duplicate_key,
    form_used_twice,
    keys_with_gaps,
    language_without_prompts,
    no_flow,
    receipt_without_report,
    unknown_file,
    unknown_form,
    unknown_step,
    unknown_verb,
    unused_form,
    wrong_type,
)
from ivr.flow.source import Items, Node, Source, Table, Word, at, read
from ivr.flow.subject import Subject, Texts
from ivr.flow.values import MENU_KEYS, is_language

NAME, STAFF_NAME = "hotline", "staff"
MOST_LANGUAGES = 4
FLOW = "flows/hotline.yaml"
STAFF = "flows/staff.yaml"
TALKS = "flows/hotline.talks.yaml"
_FORM = re.compile(r"flows/forms/([^/]+)\.yaml\Z")
_PROMPTS = re.compile(r"prompts/([^/]+)\.yaml\Z")
_AUDIO = re.compile(r"prompts/audio/([^/]+)/([^/]+)\.mp3\Z")

VERSION_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of the files: what callers walk through, and what those who answer them do. They are there only when
    nothing at all is wrong: only a clean flow may be run."""

    flow: Flow | None
    staff: Flow | None
    diagnostics: tuple[Diagnostic, ...]


def compile_flow(
    files: Mapping[str, bytes],
    recordings: Mapping[str, float] | None = None,
    voices: Mapping[str, str] | None = None,
) -> Compiled:
    """Compile the files of a line. `recordings`: path of an mp3 -> its length in seconds; `voices`: language -> the
    voice that speaks it in place of the one in its prompts file, and under "" the voice of every other language."""
    work = _Work(files, recordings or {}, voices or {})
    flows = work.flows()
    found = in_order(without_echoes(work.found))
    flow, staff = (None, None) if found or flows is None else flows
    return Compiled(flow, staff, found)


def version_of(files: Mapping[str, bytes]) -> str:
    """The content hash that names a version: the same files, the same name."""
    digest = hashlib.sha256()
    for path in sorted(path for path in files if path != TALKS):
        digest.update(f"{path}\0{len(files[path])}\0".encode())
        digest.update(files[path])
    return digest.hexdigest()[:VERSION_CHARACTERS]


@dataclass(slots=True)
class _Part:
    """One flow file, as far as it could be read."""

    path: str
    name: str
    verbs: Mapping[str, type[Verb]]
    starts: tuple[tuple[str, ...], ...]
    tree: Table | None
    building: Building
    lines: dict[str, Verb] = field(default_factory=dict)

    @property
    def steps(self) -> Table:
        return _table(self.tree, "steps", self.path)


@dataclass(slots=True)
class _Work:
    files: Mapping[str, bytes]
    recordings: Mapping[str, float]
    voices: Mapping[str, str] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)
    complete: bool = True
    """Every step and every form could be read: what nothing names is really not named."""

    def flows(self) -> tuple[Flow, Flow] | None:
        self._nothing_misplaced()
        written = self._prompts()
        read = len(self.found)
        forms = self._forms()
        trees = [self._flow_tree(path) for path in (FLOW, STAFF)]
        file = None if trees[0] is None else self._flow_file(trees[0])
        staff_file = None if trees[1] is None else self._staff_file(trees[1])
        spoken = _spoken(trees[0]) or [Word(language, Place(FLOW)) for language in written]
        texts = frozenset(name for prompts in written.values() for name in prompts.places)
        always = (("start",), ("always", "0"), ("always", "9"))
        languages = tuple(map(str, spoken))
        callers = _Part(FLOW, NAME, VERBS, always, trees[0], Building(languages, forms, texts))
        starts = (*always, ("offered",))
        staff = _Part(STAFF, STAFF_NAME, STAFF_VERBS, starts, trees[1], Building(languages, {}, texts))
        parts = (callers, staff)
        for part in parts:
            self._part(part)
        self._files(spoken, forms, callers)
        sound = file is not None and staff_file is not None and self.complete and len(self.found) == read
        offered = {str(language): written[language] for language in spoken if language in written}
        self._texts(offered, parts, complete=sound)
        if file is None or staff_file is None or not sound:
            return None
        return self._judged(file, staff_file, callers, staff, offered, forms)

    def _part(self, part: _Part) -> None:
        """The steps of one flow file, and whether they lead somewhere."""
        for path in part.starts:
            node = at(part.tree, path) if part.tree is not None else None
            if isinstance(node, Word) and bad_name.is_name(node):
                part.building.to(node)
        steps = part.steps
        found = len(self.found)
        self._steps(part)
        if steps:
            unknown = unknown_step.check(part.building.targets, steps, some_unread=not self.complete)
            self.found.extend(islice(unknown, ENOUGH))
        is_unknown = any(one.code == "unknown-step" for one in self.found[found:])
        self.complete = self.complete and bool(steps) and not is_unknown

    # ---- files ----

    def _nothing_misplaced(self) -> None:
        strays = [
            path
            for path in self.files
            if path not in (FLOW, STAFF, TALKS) and not any(known.match(path) for known in (_AUDIO, _FORM, _PROMPTS))
        ]
        for wanted in (FLOW, STAFF):
            if wanted not in self.files:
                self.found.append(no_flow.found(wanted, others=strays))
                strays = [path for path in strays if path != no_flow.misnamed(wanted, strays)]
        self.found.extend(unknown_file.found(path) for path in strays[:ENOUGH])

    def _read(self, path: str) -> Node | None:
        source: Source = read(path, self.files[path])
        self.found.extend(source.found)
        self.complete = self.complete and (not source.found or bool(_PROMPTS.match(path)))
        return source.tree

    def _prompts(self) -> dict[str, Written]:
        written = {}
        for path in sorted(self.files):
            match = _PROMPTS.match(path)
            tree = self._read(path) if match else None
            if match and tree is not None:
                audio = [(_AUDIO.match(name), seconds) for name, seconds in self.recordings.items()]
                lengths = {found[2]: seconds for found, seconds in audio if found and found[1] == match[1]}
                voice = self.voices.get(match[1]) or self.voices.get("", "")
                prompts = read_prompts(tree, self.found, path=path, language=match[1], recordings=lengths, voice=voice)
                if prompts is not None:
                    written[match[1]] = prompts
        return written

    def _forms(self) -> dict[str, WrittenForm]:
        forms = {}
        for path in sorted(self.files):
            match = _FORM.match(path)
            tree = self._read(path) if match else None
            form_file = read_form(tree, self.found, path=path, name=match[1]) if match and tree is not None else None
            if match and form_file is not None:
                forms[match[1]] = form_file
            self.complete = self.complete and (match is None or form_file is not None)
        return forms

    def _flow_tree(self, path: str) -> Table | None:
        if path not in self.files:
            return None
        tree = self._read(path)
        if tree is not None and not isinstance(tree, Table):
            name = NAME if path == FLOW else STAFF_NAME
            cure = f"Begin it with `flow: {name}`, and write the rest as `name: value` lines."
            self.found.append(wrong_type.found(tree.place, "This file is not a flow.", cure))
            return None
        return tree

    def _flow_file(self, tree: Table) -> FlowFile | None:
        file = validate(FlowFile, tree, self.found, owner="The flow", place=beginning(tree, FLOW))
        if file is not None and file.flow != NAME:
            self.found.append(unknown_file.named_otherwise(file.flow, wanted=NAME, place=file.flow.place))
        return file

    def _staff_file(self, tree: Table) -> StaffFile | None:
        file = validate(StaffFile, tree, self.found, owner="The flow", place=beginning(tree, STAFF))
        if file is not None and file.flow != STAFF_NAME:
            self.found.append(unknown_file.named_otherwise(file.flow, wanted=STAFF_NAME, place=file.flow.place))
        return file

    # ---- steps ----

    def _steps(self, part: _Part) -> None:
        building = part.building
        building.comes_back = adding(part.steps)
        for name, node in part.steps.items():
            if len(self.found) > ENOUGH:
                break
            if not bad_name.is_name(name):
                self.found.append(bad_name.found(name, name.place))
            elif name in RESERVED:
                self.found.append(bad_name.reserved(name, name.place))
            line = self._verb(name, node, part.verbs)
            if line is None:
                self.complete = False
                continue
            if isinstance(line, FormLine):
                self._one_door(line, building)
            if isinstance(line, Menu | Transfer | CountLine):
                self._keys(line)
            part.lines[str(name)] = line
            lower(line, str(name), name.place, building)
        self.found.extend(building.found)

    def _verb(self, name: Word, node: Node, known: Mapping[str, type[Verb]]) -> Verb | None:
        if not isinstance(node, Table):
            said = [node.partition(":")[0]] if isinstance(node, Word) and node else []
            self.found.append(unknown_verb.found(name, said, verbs=known, place=name.place))
            return None
        verbs = [key for key in node if key in known]
        elsewhere = [key for key in node if key in (STAFF_VERBS if known is VERBS else VERBS)]
        if len(verbs) > 1:
            self.found.append(unknown_verb.several(name, verbs))
        elif not verbs and node and all(key in MENU_KEYS for key in node):
            self.found.append(unknown_verb.only_keys(name, name.place))
        elif not verbs and elsewhere:
            there = STAFF if known is VERBS else FLOW
            self.found.append(unknown_verb.of_the_other(name, elsewhere[0], file=there, verbs=known))
        elif not verbs:
            words = [key for key in node if key not in FIELDS]
            place = (words or [*node, name])[0].place
            self.found.append(unknown_verb.found(name, words, verbs=known, place=place))
        else:
            return validate(known[verbs[0]], node, self.found, owner=f"The step `{name}`", place=name.place)
        return None

    def _one_door(self, line: FormLine, building: Building) -> None:
        if line.form not in building.forms_written:
            forms = [match[1] for path in self.files if (match := _FORM.match(path))]
            if line.form not in forms:
                self.found.append(unknown_form.found(line.form, forms=forms, place=line.form.place))
            self.complete = False
        elif line.form in building.form_steps:
            first = building.form_steps[str(line.form)]
            self.found.append(form_used_twice.found(line.form, first=first, place=line.form.place))

    def _keys(self, line: Menu | Transfer | CountLine) -> None:
        options = line.menu if isinstance(line, Menu) else line.count if isinstance(line, CountLine) else line.meanwhile
        gap = keys_with_gaps.check([key for key, _ in options])
        if gap:
            self.found.append(gap)

    def _files(self, spoken: Sequence[Word], forms: Mapping[str, WrittenForm], callers: _Part) -> None:
        """Files that a flow names, and files that it does not."""
        offered = [match[1] for path in self.files if (match := _PROMPTS.match(path))]
        unread = [language for language in offered if language not in spoken]
        lacking = [language for language in spoken if language not in offered and is_language(language)]
        self.found.extend(language_without_prompts.found(name, name.place, unread=unread) for name in lacking)
        if not lacking and all(map(is_language, spoken)):
            strange = {f"prompts/{name}.yaml": name for name in unread}
            self.found = [found for found in self.found if found.place.file not in strange]
            self.found.extend(unknown_file.unspoken(name, Place(path)) for path, name in strange.items())
        for position, language in enumerate(spoken):
            if language in spoken[:position]:
                first = spoken[spoken.index(language)].place
                self.found.append(duplicate_key.found(language, language.place, first=first))
        if self.complete:
            self.found.extend(
                unused_form.found(name, form.file.form.place)
                for name, form in forms.items()
                if name not in callers.building.form_steps
            )
            self.found.extend(receipt_without_report.check(callers.steps, [form.file for form in forms.values()]))

    # ---- rules ----

    def _texts(self, written: Mapping[str, Written], parts: Sequence[_Part], *, complete: bool) -> None:
        told = {diagnostic.place for diagnostic in self.found}
        uses: dict[str, Place] = {}
        for part in parts:
            misnamed = {str(name) for name in part.steps if name.place in told}
            if any(found.code == "unknown-step" for found in self.found):
                misnamed |= {str(name) for name in part.steps if name not in part.building.targets}
            for prompt, place in part.building.uses.items():
                if place not in told and prompt.partition(".")[0] not in misnamed:
                    uses.setdefault(prompt, place)
        optional = frozenset(name for part in parts for name in part.building.optional)
        of_callers = frozenset(parts[0].building.uses) | parts[0].building.optional
        self.found.extend(problems_of_texts(Texts(written, uses, optional, complete, of_callers)))

    def _judged(
        self,
        file: FlowFile,
        staff_file: StaffFile,
        callers: _Part,
        staff: _Part,
        written: Mapping[str, Written],
        forms: Mapping[str, WrittenForm],
    ) -> tuple[Flow, Flow]:
        version = version_of(self.files)
        flow = _assembled(file, file, version, callers.building, written)
        staff_flow = _assembled(file, staff_file, version, staff.building, written)
        subject = Subject(flow, file, callers.lines, forms)
        staff_subject = Subject(staff_flow, staff_file, staff.lines, {})
        self.found.extend(problems_of_steps(subject))
        self.found.extend(problems_of_staff(staff_subject))
        self.found.extend(problems_of_recordings(subject, staff_subject))
        if not self.found:
            self.found.extend(problems_of_figures(subject, staff_subject))
        return flow, staff_flow


def _table(tree: Node | None, name: str, path: str) -> Table:
    node = at(tree, (name,)) if tree is not None else None
    if isinstance(node, Table) and node is not tree:
        return node
    empty = Table()
    empty.place = Place(path)
    return empty


def _spoken(tree: Node | None) -> list[Word]:
    """The languages of a flow, as far as they can be read."""
    node = at(tree, ("languages",)) if tree is not None else None
    return (
        [item for item in node if isinstance(item, Word) and item][:MOST_LANGUAGES] if isinstance(node, Items) else []
    )


def _assembled(
    callers: FlowFile,
    file: FlowFile | StaffFile,
    version: str,
    building: Building,
    written: Mapping[str, Written],
) -> Flow:
    return Flow(
        name=str(file.flow),
        version=version,
        languages=building.languages,
        zone=str(callers.zone),
        start=str(file.start),
        person=str(file.always.person),
        leave=str(file.always.leave),
        steps=MappingProxyType(building.steps),
        forms=MappingProxyType(building.forms),
        catalogues=MappingProxyType({language: prompts.catalogue for language, prompts in written.items()}),
        promises=file.promises.figures(),
        index=Index.of(building.steps, building.forms),
        offered=str(file.offered) if isinstance(file, StaffFile) else None,
    )
