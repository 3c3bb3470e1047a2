"""From files to a Flow, or to everything that is wrong with them, at once.

Handed bytes by path ("flows/hotline.yaml", "prompts/es.yaml"); opens nothing itself."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from types import MappingProxyType

from ivr.flow.catalogues import Written, read_prompts
from ivr.flow.diagnostics import Diagnostic, Place, in_order
from ivr.flow.forms import WrittenForm, read_form
from ivr.flow.graph import Flow, Index, Promises
from ivr.flow.lowering import branch, choose_language, exit, form, menu, say, transfer
from ivr.flow.lowering.building import Building
from ivr.flow.model import (
    VERBS,
    BranchLine,
    ChooseLanguage,
    Exit,
    FlowFile,
    FormLine,
    Menu,
    SayLine,
    Transfer,
    Verb,
)
from ivr.flow.reading import validate
from ivr.flow.checker import problems
from ivr.flow.rules import (
    form_used_twice,
    keys_with_gaps,
    language_without_prompts,
    no_flow,
    unknown_file,
    unknown_form,
    unknown_step,
    unknown_verb,
    unused_form,
    wrong_type,
)
from ivr.flow.source import Node, Source, Table, Word, read
from ivr.flow.subject import Subject

FLOW = "flows/hotline.yaml"
TALKS = "flows/hotline.talks.yaml"
_FORM = re.compile(r"flows/forms/([^/]+)\.yaml\Z")
_PROMPTS = re.compile(r"prompts/([^/]+)\.yaml\Z")
_AUDIO = re.compile(r"prompts/audio/([^/]+)/([^/]+)\.mp3\Z")

VERSION_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of the files. `flow` is there only when nothing at all is wrong: only a clean flow may be run."""

    flow: Flow | None
    diagnostics: tuple[Diagnostic, ...]


def compile_flow(files: Mapping[str, bytes], recordings: Mapping[str, float] | None = None) -> Compiled:
    """Compile the files of a line. `recordings`: path of an mp3 -> its length in seconds."""
    work = _Work(files, recordings or {})
    flow = work.flow()
    found = in_order(work.found)
    return Compiled(None if found else flow, found)


def version_of(files: Mapping[str, bytes]) -> str:
    """The content hash that names a version: the same files, the same name."""
    digest = hashlib.sha256()
    for path in sorted(path for path in files if path != TALKS):
        digest.update(f"{path}\0{len(files[path])}\0".encode())
        digest.update(files[path])
    return digest.hexdigest()[:VERSION_CHARACTERS]


@dataclass(slots=True)
class _Work:
    files: Mapping[str, bytes]
    recordings: Mapping[str, float]
    found: list[Diagnostic] = field(default_factory=list)
    lines: dict[str, Verb] = field(default_factory=dict)
    broken: bool = False
    """Something could not be read at all: what seems missing may only be unreadable, so it is not reported."""

    def flow(self) -> Flow | None:
        self._nothing_misplaced()
        written = self._prompts()
        forms = self._forms()
        file = self._flow_file()
        if file is None:
            return None
        texts = frozenset(name for language in written for name in written[language].places)
        building = Building(tuple(map(str, file.languages)), forms, texts)
        building.to(file.start)
        building.to(file.always.person)
        building.to(file.always.leave)
        self._steps(file, building)
        if self.found:
            self.broken = True
        self._names(file, building, forms, written)
        if self.broken or self.found:
            return None
        flow = self._assembled(file, building, written)
        self._judge(flow, file, building, forms, written)
        return flow

    # ---- files ----

    def _nothing_misplaced(self) -> None:
        audio = {path for path in self.files if _AUDIO.match(path)}
        for path in self.files:
            if path not in (FLOW, TALKS) and path not in audio and not _FORM.match(path) and not _PROMPTS.match(path):
                self.found.append(unknown_file.found(path))

    def _read(self, path: str) -> Node | None:
        source: Source = read(path, self.files[path])
        self.found.extend(source.found)
        self.broken = self.broken or bool(source.found)
        return source.tree

    def _prompts(self) -> dict[str, Written]:
        written = {}
        for path in sorted(self.files):
            match = _PROMPTS.match(path)
            tree = self._read(path) if match else None
            if match and tree is not None:
                before = len(self.found)
                lengths = {
                    audio[2]: seconds
                    for name, seconds in self.recordings.items()
                    if (audio := _AUDIO.match(name)) and audio[1] == match[1]
                }
                prompts = read_prompts(tree, self.found, path=path, language=match[1], recordings=lengths)
                if prompts is not None:
                    written[match[1]] = prompts
                self.broken = self.broken or len(self.found) > before
            elif match:
                self.broken = True
        return written

    def _forms(self) -> dict[str, WrittenForm]:
        forms = {}
        for path in sorted(self.files):
            match = _FORM.match(path)
            tree = self._read(path) if match else None
            if match and tree is not None:
                form_file = read_form(tree, self.found, path=path, name=match[1])
                if form_file is not None:
                    forms[match[1]] = form_file
                else:
                    self.broken = True
        return forms

    def _flow_file(self) -> FlowFile | None:
        if FLOW not in self.files:
            self.found.append(no_flow.found(FLOW))
            return None
        tree = self._read(FLOW)
        if tree is None:
            return None
        if not isinstance(tree, Table):
            self.found.append(wrong_type.found(Place(FLOW), "This file is not a flow.", "Begin it with `flow: hotline`."))
            return None
        return validate(FlowFile, tree, self.found, owner="The flow", place=Place(FLOW))

    # ---- steps ----

    def _steps(self, file: FlowFile, building: Building) -> None:
        for name, node in file.steps.items():
            line = self._verb(name, node)
            if line is None:
                continue
            if isinstance(line, FormLine):
                self._one_door(line, building)
            if isinstance(line, Menu | Transfer):
                self._keys(line)
            self.lines[str(name)] = line
            _lower(line, str(name), name.place, building)
        self.found.extend(building.found)

    def _verb(self, name: Word, node: Node) -> Verb | None:
        if not isinstance(node, Table):
            self.found.append(unknown_verb.found(name, [node] if isinstance(node, Word) else [], verbs=VERBS, place=name.place))
            return None
        verbs = [str(key) for key in node if key in VERBS]
        if not verbs:
            self.found.append(unknown_verb.found(name, list(node), verbs=VERBS, place=next(iter(node), name).place))
            return None
        if len(verbs) > 1:
            self.found.append(unknown_verb.several(name, verbs, name.place))
            return None
        return validate(VERBS[verbs[0]], node, self.found, owner=f"The step `{name}`", place=name.place)

    def _one_door(self, line: FormLine, building: Building) -> None:
        if line.form not in building.forms_written:
            if not self.broken:
                self.found.append(unknown_form.found(line.form, forms=building.forms_written, place=line.form.place))
        elif line.form in building.form_steps:
            first = building.form_steps[str(line.form)]
            self.found.append(form_used_twice.found(line.form, first=first, place=line.form.place))

    def _keys(self, line: Menu | Transfer) -> None:
        options = line.menu if isinstance(line, Menu) else line.meanwhile
        gap = keys_with_gaps.check([key for key, _ in options])
        if gap:
            self.found.append(gap)

    def _names(
        self, file: FlowFile, building: Building, forms: Mapping[str, WrittenForm], written: Mapping[str, Written]
    ) -> None:
        names = {str(name) for name in file.steps}
        self.found.extend(
            unknown_step.found(target, steps=names, place=target.place) for target in building.targets if target not in names
        )
        if file.flow != "hotline":
            self.found.append(unknown_file.named_otherwise(file.flow, wanted="hotline", place=file.flow.place))
        if self.broken:
            return
        self.found.extend(
            language_without_prompts.found(language, language.place) for language in file.languages if language not in written
        )
        self.found.extend(
            unused_form.found(name, form.file.form.place) for name, form in forms.items() if name not in building.form_steps
        )

    def _assembled(self, file: FlowFile, building: Building, written: Mapping[str, Written]) -> Flow:
        promised = file.promises
        within = promised.report_within
        keys = int(within.keys) if within and within.keys.isdecimal() else None
        return Flow(
            name=str(file.flow),
            version=version_of(self.files),
            languages=building.languages,
            zone=str(file.zone),
            start=str(file.start),
            person=str(file.always.person),
            leave=str(file.always.leave),
            steps=MappingProxyType(building.steps),
            forms=MappingProxyType(building.forms),
            catalogues=MappingProxyType({language: written[language].catalogue for language in building.languages}),
            promises=Promises(
                promised.first_key_within.seconds if promised.first_key_within else None,
                promised.hears_of_person_within.seconds if promised.hears_of_person_within else None,
                keys,
                within.speech.seconds if within else None,
            ),
            index=Index.of(building.steps, building.forms),
        )

    def _judge(
        self,
        flow: Flow,
        file: FlowFile,
        building: Building,
        forms: Mapping[str, WrittenForm],
        written: Mapping[str, Written],
    ) -> None:
        subject = Subject(flow, file, self.lines, forms, building.uses, frozenset(building.optional), written)
        self.found.extend(problems(subject))


@singledispatch
def _lower(line: Verb, name: str, place: Place, building: Building) -> None:
    raise AssertionError(f"no lowering for {type(line).__name__}")


_lower.register(ChooseLanguage)(lambda line, name, place, building: choose_language.lower(name, line, place, building))
_lower.register(SayLine)(lambda line, name, place, building: say.lower(name, line, place, building))
_lower.register(Menu)(lambda line, name, place, building: menu.lower(name, line, place, building))
_lower.register(FormLine)(lambda line, name, place, building: form.lower(name, line, place, building))
_lower.register(Transfer)(lambda line, name, place, building: transfer.lower(name, line, place, building))
_lower.register(BranchLine)(lambda line, name, place, building: branch.lower(name, line, place, building))
_lower.register(Exit)(lambda line, name, place, building: exit.lower(name, line, place, building))
