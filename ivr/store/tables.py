"""Every table and column, each with its purpose: the data inventory is generated from here.
Lasting tables are kept and backed up; nothing that a call writes into one is finer than an ISO week. Each says which
backup file it goes into: `data`, or `keys`, of which only the newest copy is kept, so that the forgotten stays so."""

from sqlalchemy import ForeignKey, MetaData, Table

from ivr.store.kinds import Bytes, SmallWhole, Text, Whole, YesNo, column

FORM_SIZE = 32
"""Characters of a form's name; the widest column that a report's budget of 900 bytes a row leaves room for."""
WORD_SIZE = 16

metadata = MetaData()


# Both tables of a report are clustered by its random id (WITHOUT ROWID), so that storage order is not arrival order.
reports = Table(
    "reports",
    metadata,
    column("id", Bytes(16), primary_key=True, why="derived from the call's seed: a repeated save is one report"),
    column("form", Text(FORM_SIZE), why="which form she answered, so that it can be counted and kept for its time"),
    column("epoch", Text(7), why="the month whose key opens it, YYYY-MM"),
    column("week", Text(8), why="the ISO week it was made in, YYYY-Www: expiry counts from it"),
    column("turn", Whole(), why="late saves cannot undo newer ones; the maximum once its form ended"),
    column(
        "consent",
        Text(WORD_SIZE),
        why="what it may be used for, in force without reading it; or that she asks to be called",
    ),
    column("state", Text(WORD_SIZE), why="new, or what became of it"),
    column(
        "receipt_tag",
        Bytes(16),
        nullable=True,
        index=True,
        why="answers to her receipt; none if the call was cut off, or for a request",
    ),
    column("body", Bytes(640), why="her answers, the day and the handle, sealed, always of one length"),
    column("signer", Bytes(8), why="whose signature it is: the line's, or an advocate's who changed it"),
    column("signature", Bytes(64), why="over every column: a planted or altered row shows"),
    info={
        "lasting": True,
        "backup": "data",
        "by_calls": True,
        "what": "one report, or one request to be called, sealed",
        "kept": "until its form's `keep_for` is over, from its week's Monday on; withdrawn, what is left of it too. A "
        "request for as many nights as its form says; done, what is left of it until no day of its week could be kept",
    },
    sqlite_with_rowid=False,
)

report_keys = Table(
    "report_keys",
    metadata,
    column(
        "report_id",
        Bytes(16),
        ForeignKey("reports.id", ondelete="CASCADE"),
        primary_key=True,
        why="the report that this key opens",
    ),
    column("sealed_key", Bytes(80), why="its data key, sealed to the epoch: deleting it makes the report noise"),
    column(
        "nights_left",
        SmallWhole(),
        nullable=True,
        why="a request has no date: nights until it goes, 3 to 0, which tell the day it came. A report that was cut "
        "off: 1 after its first night",
    ),
    info={
        "lasting": True,
        "backup": "keys",
        "by_calls": True,
        "what": "what opens one report, for whoever holds its epoch's private key",
        "kept": "until the report is withdrawn or expires, or the request is done",
    },
    sqlite_with_rowid=False,
)

contributions = Table(
    "contributions",
    metadata,
    column("handle", Bytes(16), primary_key=True, why="her receipt leads to it, so that she can take it back"),
    column("kind", Text(WORD_SIZE), primary_key=True, why="what it is used for"),
    column("grade", Text(WORD_SIZE), why="the consent it needs; checked again at every use"),
    column("payload", Bytes(), why="what that use needs of the report, and no more"),
    column("until", Text(10), why="the day it ends by itself, YYYY-MM-DD, counted from the week of the report"),
    info={
        "lasting": True,
        "backup": "keys",
        "by_calls": False,
        "what": "what an advocate derived from a report that she confirmed; nothing here leads to the report",
        "kept": "until its `until`, or until the report is withdrawn",
    },
    sqlite_with_rowid=False,
)

notes = Table(
    "notes",
    metadata,
    column("id", Bytes(16), primary_key=True, why="random: names the note"),
    column(
        "report_id",
        Bytes(16),
        ForeignKey("reports.id", ondelete="CASCADE"),
        index=True,
        why="the report it is about",
    ),
    column("epoch", Text(7), why="the month whose key opens it, YYYY-MM: that of the report"),
    column("body", Bytes(2064), why="what an advocate wrote, her name and the day, sealed, of one length"),
    column("signer", Bytes(8), why="whose signature it is: an advocate's"),
    column("signature", Bytes(64), why="over every column: a planted or altered note shows"),
    info={
        "lasting": True,
        "backup": "data",
        "by_calls": False,
        "what": "an advocate's note on a report, sealed",
        "kept": "as long as the report",
    },
    sqlite_with_rowid=False,
)

note_keys = Table(
    "note_keys",
    metadata,
    column(
        "note_id",
        Bytes(16),
        ForeignKey("notes.id", ondelete="CASCADE"),
        primary_key=True,
        why="the note that this key opens",
    ),
    column("sealed_key", Bytes(80), why="its data key, sealed to the epoch"),
    info={
        "lasting": True,
        "backup": "keys",
        "by_calls": False,
        "what": "what opens one note, for whoever holds its epoch's private key",
        "kept": "as long as the key of the report",
    },
    sqlite_with_rowid=False,
)

# In the backup file of which only the newest is kept: those of two days, compared, would tell the day of a call.
tallies = Table(
    "tallies",
    metadata,
    column("week", Text(8), primary_key=True, why="the ISO week, YYYY-Www: nothing finer is kept"),
    column("kind", Text(WORD_SIZE), primary_key=True, why="what is counted: calls that somebody took"),
    column("what", Text(WORD_SIZE), primary_key=True, why="what she keyed about it, of a few words"),
    column("count", Whole(), why="how many"),
    info={
        "lasting": True,
        "backup": "keys",
        "by_calls": True,
        "what": "how calls ended, roughly, counted by the week: no row for any one of them",
        "kept": "as long as the installation",
    },
    sqlite_with_rowid=False,
)

claims = Table(
    "claims",
    metadata,
    column("id", Bytes(16), primary_key=True, why="derived from the call's seed: a wish that comes twice is one"),
    column("nights", SmallWhole(), why="nights until it goes, 2 to 1: no address of its call opens any more by then"),
    info={
        "lasting": True,
        "backup": "keys",
        "by_calls": True,
        "what": "that somebody changed with her receipt what her report may be used for; not whose, and not to what",
        "kept": "until its second night",
    },
    sqlite_with_rowid=False,
)

REWRITTEN = (reports, report_keys, notes, note_keys, contributions, tallies, claims)
"""The tables whose rows are written anew each night, in the order of their keys: everything that came of a call."""

# In `keys`, as its wraps are: months that were made anew since a data file was written would open to nobody.
epochs = Table(
    "epochs",
    metadata,
    column("id", Text(7), primary_key=True, why="the month it takes reports in, YYYY-MM"),
    column("public_key", Bytes(32), why="reports are sealed to it"),
    column("receipt_key", Bytes(80), why="turns receipts into tags; wrapped to the line"),
    column("certificate", Bytes(64), why="the organisation's signature: a planted epoch gets no reports"),
    info={
        "lasting": True,
        "backup": "keys",
        "by_calls": False,
        "what": "the keys of a month, as far as the line may know them",
        "kept": "until the last of its reports has expired",
    },
)

epoch_wraps = Table(
    "epoch_wraps",
    metadata,
    column("epoch", Text(7), ForeignKey("epochs.id", ondelete="CASCADE"), primary_key=True, why="the month"),
    column("holder", Bytes(16), primary_key=True, why="who may open it: an advocate, or the recovery key"),
    column("wrapped", Bytes(80), why="the month's private key, sealed to the holder's public key"),
    info={
        "lasting": True,
        "backup": "keys",
        "by_calls": False,
        "what": "who can read the reports of a month",
        "kept": "as long as the epoch and the holder",
    },
)

advocates = Table(
    "advocates",
    metadata,
    column("id", Bytes(16), primary_key=True, why="names her where her name is not needed"),
    column("name", Text(200), unique=True, why="how she and her colleagues call her here"),
    column("role", Text(WORD_SIZE), why="an advocate reads; a lead also holds the organisation's key"),
    column("sealing_key", Bytes(32), why="public: epochs are wrapped to it"),
    column("signing_key", Bytes(32), why="public: verifies what she changed"),
    column("certificate", Bytes(64), why="the organisation's signature: a planted advocate is nobody"),
    column("salt", Bytes(16), why="makes guessing her passphrase a work of its own"),
    column("passes", Whole(), why="what a guess at her passphrase costs: passes"),
    column("memory", Whole(), why="what a guess at her passphrase costs: bytes"),
    column("wrapped", Bytes(136), why="her private keys and her organisation's public one, under her passphrase"),
    info={
        "lasting": True,
        "backup": "data",
        "by_calls": False,
        "what": "somebody who reads reports",
        "kept": "until she is removed",
    },
)

organisation_wraps = Table(
    "organisation_wraps",
    metadata,
    column("holder", Bytes(16), primary_key=True, why="who holds it: a lead, or the recovery key"),
    column("wrapped", Bytes(80), why="the organisation's private key, sealed to the holder's public key"),
    info={
        "lasting": True,
        "backup": "keys",
        "by_calls": False,
        "what": "who may act for the organisation",
        "kept": "as long as the holder",
    },
)

recovery_keys = Table(
    "recovery_keys",
    metadata,
    column("id", Bytes(16), primary_key=True, why="two of the printed shares lead to it"),
    column("public_key", Bytes(32), why="epochs and the organisation's key are wrapped to it"),
    column("certificate", Bytes(64), why="the organisation's signature: nothing is wrapped to a planted key"),
    info={
        "lasting": True,
        "backup": "data",
        "by_calls": False,
        "what": "the key whose shares are printed",
        "kept": "until new shares are printed",
    },
)

line_keys = Table(
    "line_keys",
    metadata,
    column("signer", Bytes(8), primary_key=True, why="how reports name the key they are signed with"),
    column("signing_key", Bytes(32), why="public: verifies what the line wrote"),
    column("sealing_key", Bytes(32), why="public: the line's receipt keys and salt are wrapped to it"),
    column("site_salt", Bytes(64), why="makes this organisation's receipts nobody else's; wrapped to the line"),
    column("sealed", Bytes(104), why="its private halves, sealed under IVR_SECRET"),
    column("certificate", Bytes(64), why="the organisation's signature: a planted line vouches for nothing"),
    info={
        "lasting": True,
        "backup": "data",
        "by_calls": False,
        "what": "the line's own keys",
        "kept": "until a lead makes new ones",
    },
)

people = Table(
    "people",
    metadata,
    column("id", Bytes(16), primary_key=True, why="whose shifts; the same as her keys', if she has keys"),
    column("name", Text(200), unique=True, why="how her colleagues call her here"),
    column("phone", Bytes(56), why="the number that is rung for a caller, sealed under IVR_SECRET"),
    column("languages", Text(100), why="a caller is put through to somebody who speaks hers"),
    column("tier", Text(WORD_SIZE), why="whether she is rung first, or when nobody else takes the call"),
    column("zone", Text(64), why="where her clock is"),
    column("is_failing", YesNo(), why="her phone could not be reached when it was last rung: ask her"),
    column(
        "pin_tag",
        Bytes(16),
        nullable=True,
        unique=True,
        index=True,
        why="by it she is known when she keys her PIN, of which nothing else is kept; worthless without IVR_SECRET",
    ),
    info={
        "lasting": True,
        "backup": "data",
        "by_calls": False,
        "what": "somebody who answers callers",
        "kept": "until she is removed",
    },
)

shifts = Table(
    "shifts",
    metadata,
    column("id", Bytes(8), primary_key=True, why="random: names the shift where somebody removes it"),
    column("person", Bytes(16), ForeignKey("people.id", ondelete="CASCADE"), index=True, why="whose it is"),
    column("first", Text(10), why="the first day it may fall on, YYYY-MM-DD"),
    column("start", Text(5), why="when it begins on the clock, HH:MM"),
    column("end", Text(5), why="when it ends on the clock, HH:MM"),
    column("zone", Text(64), why="whose clock"),
    column("rule", Text(200), why="the days it falls on, as an RRULE; empty: only the first"),
    column("is_break", YesNo(), why="she is away then, whatever her other shifts say"),
    info={
        "lasting": True,
        "backup": "data",
        "by_calls": False,
        "what": "hours on which somebody answers, or does not",
        "kept": "until somebody removes it, or her",
    },
)

switches = Table(
    "switches",
    metadata,
    column("person", Bytes(16), ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, why="who decided"),
    column("is_on", YesNo(), why="on or off, whatever her shifts say"),
    column("until_at", Text(17), nullable=True, why="until when, in UTC; none: until she decides anew"),
    info={
        "lasting": True,
        "backup": "data",
        "by_calls": False,
        "what": "what somebody decided for now: to be rung, or not",
        "kept": "until its end, or until she decides anew",
    },
)

facts = Table(
    "facts",
    metadata,
    column("name", Text(64), primary_key=True, why="which fact"),
    column("value", Bytes(), why="whether the data is a demo"),
    info={
        "lasting": True,
        "backup": "data",
        "by_calls": False,
        "what": "what is true of the whole installation",
        "kept": "as long as the installation",
    },
)

# In `keys`, as the nights are that requests and claims have left: none of them is counted twice.
jobs = Table(
    "jobs",
    metadata,
    column("name", Text(32), primary_key=True, why="which job"),
    column(
        "ran_on", Text(10), why="the day it last ran, YYYY-MM-DD: one worker runs it, once; and no clock shows less"
    ),
    info={
        "lasting": True,
        "backup": "keys",
        "by_calls": False,
        "what": "the nightly work, and when it was last done",
        "kept": "as long as the installation",
    },
)
