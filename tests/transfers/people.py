"""Who is in these stories: what each advocate's phone does, what the caller does and when, how the phone company's REST
interface fails. All data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ivr.carrier.conferences import RoomRules
from ivr.carrier.phones import Answers, Fails, Keys, NeverAnswers, Phone, busy, declines, voicemail
from ivr.carrier.rest_api import Fault, hangs, refuses, unreachable

ROSA, LOLA = "+12125550100", "+12125550101"
"""Two who call."""

ON_CALL = {"ana": "+12125550141", "bo": "+12125550142", "cy": "+12125550143"}
BACKUP = {"dee": "+12125550151"}
ENGAGED = {"gil": "+12125550161"}
"""On call, and talking with Lola where a story says so; else off duty."""
OFF = {"off": "+12125550171", "zoe": "+12125550172"}
"""On the rota, and not on duty: one has no shift now, one is on a break."""
NUMBERS: Mapping[str, str] = {**ON_CALL, **BACKUP, **ENGAGED, **OFF}
NAMES: Mapping[str, str] = {number: name for name, number in NUMBERS.items()}


def pressing(first: str, second: str = "", *, after: float = 4.0, at: float = 1.0) -> Answers:
    """Somebody who presses a key at the whisper, and one the next time she is listened to."""
    keys = (Keys(first, at, whisper=1), *((Keys(second, 1.0, whisper=2),) if second else ()))
    return Answers(after, keys)


OUTCOMES: Mapping[str, Phone] = {
    "takes": pressing("1"),
    "takes at the last moment": pressing("1", after=19.5, at=15.0),
    "takes and drops out": Answers(4, (Keys("1", 1.0, whisper=1),), hangs_up=20),
    "takes and hangs up before they meet": Answers(4, (Keys("1", 1.0, whisper=1),), hangs_up=5.2),
    "hears more and takes": pressing("3", "1"),
    "hears more and passes": pressing("3", "2"),
    "hears more and is silent": pressing("3"),
    "passes": pressing("2"),
    "presses a wrong key": pressing("7"),
    "presses 0": pressing("0"),
    "presses 9": pressing("9"),
    "presses a star": pressing("*"),
    "presses a hash": pressing("#"),
    "is silent": Answers(4),
    "is busy": busy(),
    "declines": declines(),
    "has no number": Fails(),
    "fails while ringing": Fails(5, rings=True),
    "is refused at REST": NeverAnswers(),
    "has a mailbox": voicemail(15),
    "has a mailbox that listens for long": voicemail(8, listens=120),
    "hangs up in the whisper": Answers(4, hangs_up=2),
    "never answers": NeverAnswers(),
    "takes late": pressing("1", after=3, at=14.0),
}
TAKING = frozenset({"takes", "takes at the last moment", "takes and drops out", "hears more and takes", "takes late"})
"""Whoever is the only one rung with these has the call, if the caller stays."""
TAKING_SOON = frozenset({"takes", "takes and drops out", "hears more and takes"})
"""Of these, whoever has the call also where she is rung last."""
MAY_TAKE = TAKING | {"takes and hangs up before they meet"}
PLAIN = tuple(sorted(set(OUTCOMES) - {"presses 0", "presses 9", "presses a star", "presses a hash", "declines"}))
"""Without those that differ from another one in the key alone."""

ALIKE = frozenset({"has a mailbox that listens for long", "hears more and is silent", "hears more and passes"})
"""Differ from another one only in when they end: two of them together, or one beside somebody else, are enough."""

RULES: Mapping[str, RoomRules] = {
    "left": RoomRules(),
    "stays": RoomRules(alone="stays", ends="never", full="action", kicked="action"),
    "entering": RoomRules(alone="entering", ends="any", limit="room", after_hangup="action"),
}
"""What Plivo leaves open about conferences, by what stayAlone="false" does; with it, all else that is open."""

Language = Literal["en", "es"]
Moment = Literal[
    "at once", "while it rings", "while somebody listens", "in connecting", "in the doorway", "in the conference"
]
"""In the doorway: she hears that somebody is there for her, and is not in the conference yet."""
Act = Literal["stays", "hangs up", "1", "*", "9", "0", "7"]


@dataclass(frozen=True, slots=True)
class Caller:
    """What she does besides waiting, and when."""

    act: Act = "stays"
    when: Moment = "at once"

    def __str__(self) -> str:
        return self.act if self.act == "stays" else f"{self.act} {self.when}"


STAYS = Caller()
MOMENTS: tuple[Moment, ...] = ("at once", "while it rings", "while somebody listens", "in connecting")
LATER: tuple[Moment, ...] = ("in the doorway", "in the conference")
KEYS: tuple[Act, ...] = ("1", "*", "9")
"""Each leads elsewhere."""
ON_WITH_IT: tuple[Act, ...] = ("0", "7")
"""Each leads nowhere: she waits on."""
CALLERS = (
    STAYS,
    *(Caller("hangs up", when) for when in (*MOMENTS, *LATER)),
    *(Caller(act, when) for act in KEYS for when in MOMENTS),
    *(Caller(act, when) for act in ON_WITH_IT for when in MOMENTS[1::2]),
)

POLICIES: Mapping[str, tuple[int, Fault | None]] = {
    "works": (0, None),
    **{f"answers {status}": (1, refuses(status)) for status in (401, 429, 500)},
    **{f"answers {status} from the second on": (2, refuses(status, only="POST")) for status in (401, 429, 500)},
    "is unreachable": (1, unreachable()),
    "is unreachable from the second on": (2, unreachable()),
    "hangs and rings": (1, hangs(is_done=True, only="POST")),
    "hangs and rings from the second on": (2, hangs(is_done=True, only="POST")),
    "hangs and rings nobody": (1, hangs(only="POST")),
    "cancels nothing": (1, refuses(500, only="DELETE")),
}
"""From which request on the interface does what."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One story. `on_call` and `backup`: what those who are on duty do, in the order of their names."""

    on_call: tuple[str, ...]
    backup: tuple[str, ...] = ()
    language: Language = "en"
    caller: Caller = STAYS
    rest: str = "works"
    is_busy: bool = False
    """Somebody else is on call too, and talks with another caller all the while."""
    rules: str = ""
    """Of RULES; none: those of the town."""

    def __str__(self) -> str:
        told = f"{' + '.join(self.on_call)} / {' + '.join(self.backup) or 'no backup'}; {self.caller}; {self.language}"
        return f"{told}; REST {self.rest}{'; one is engaged' if self.is_busy else ''}; {self.rules}"

    @property
    def takes_out(self) -> bool:
        """Whether the phone company takes members out of conferences when it is asked to."""
        return POLICIES[self.rest][1] is None or self.rest in ("cancels nothing", "hangs and rings")

    @property
    def does(self) -> dict[str, str]:
        """Each of those on duty, and what she does."""
        on_call = dict(zip(ON_CALL, self.on_call, strict=False))
        return on_call | dict(zip(BACKUP, self.backup, strict=False))
