"""What lies on disk or in memory and is no table: the data inventory is generated from here.
A test starts a line and finds each of these files, and no other."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kept:
    """`name`: a file, with `*` for what differs; or some words where it is none."""

    name: str
    what: str
    why: str
    kept: str


DATA_FOLDER: tuple[Kept, ...] = (
    Kept(
        "porchlight.db",
        "the database, where it is SQLite: every table above",
        "reports and keys lie in it",
        "as each table says",
    ),
    Kept(
        "porchlight.db-*",
        "SQLite's log of the newest changes, in their order, and its index. The file's own time tells when"
        " something was last written",
        "what was said to be saved survives a loss of power",
        "emptied each night, and within a minute of a withdrawal by `ivr reports withdraw`, as soon as nobody reads",
    ),
    Kept(
        "spool.db",
        "reports, sealed as ever, while the database is away: two of the tables above",
        "a caller is not told that nothing was saved because a database has stopped",
        "until the database is back: it is tried every few seconds",
    ),
    Kept("spool.db-*", "SQLite's log of the spool", "as above", "emptied when the spool was brought home"),
    Kept(
        "spool.db.damaged-*",
        "a spool that was found damaged, as it was: a report may lie in it, sealed as ever",
        "`ivr serve` begins a new one and deletes none: no backup has what waited there",
        "until somebody deletes it. What was withdrawn or has expired meanwhile is not deleted in it; it opens as long"
        " as its month's keys are kept",
    ),
    Kept(
        "secret",
        "what the line's own keys are sealed under, where IVR_SECRET is not set",
        "`ivr init` makes it",
        "until `ivr keys roll` after it was changed",
    ),
    Kept(
        "organisation-key",
        "the public half of the organisation's key, where IVR_ORGANISATION_KEY is not set; no secret",
        "keys that it did not certify are nobody's",
        "as long as the organisation",
    ),
    Kept(
        "loopback-token",
        "what the stand-in for the phone company signs with, where there is no account at Plivo",
        "`ivr call --through-the-door` calls like Plivo does",
        "until somebody deletes it",
    ),
    Kept(
        "demo-passphrase",
        "a demo only: the passphrase of its advocate, beside the data",
        "anybody can try the line out",
        "until somebody deletes it: never for real callers",
    ),
    Kept("demo-shares-*", "a demo only: the three shares of its recovery key", "as above", "as above"),
)

RUN_FOLDER: tuple[Kept, ...] = (
    Kept(
        "token.*",
        "keys that calls in progress are sealed with",
        "the addresses that Plivo calls next hold the call, and the minute in which they were handed out; only these "
        "keys open them",
        "a new one every 6 hours, made one period ahead, destroyed 12 hours after its period began, while a line "
        "runs. A line that is stopped destroys nothing: in memory (tmpfs) they go with the machine, on a "
        "disk they stay until the next start",
    ),
    Kept(
        "seed.*",
        "keys that receipts and ids of a call are derived with, from Plivo's id of the call: who has one and Plivo's "
        "records knows which report came of which call",
        "a doubled webhook begins the same call",
        "a new one every 10 minutes, made one period ahead, destroyed 20 minutes after its period began, while a "
        "line runs; stopped, as above",
    ),
    Kept(
        "text.*",
        "keys that a conversation by text is found and opened with, together with the number that texts",
        "what was said must be there at the next text, for nobody else",
        "a new one every hour, made one period ahead, destroyed 2 hours after its period began, while a line runs; "
        "stopped, as above",
    ),
    Kept(
        "*.spare-*",
        "nothing: room for later keys, two files for each kind",
        "a full folder must not keep a key from being written",
        "while there is a folder; the file of a key that is destroyed is wiped and becomes one",
    ),
    Kept(
        "live.db",
        "the live tables above, where the database is SQLite; on PostgreSQL they lie there, in tables that its "
        "log does not hold",
        "a caller who waits for a person must be found by every worker",
        "each row until ten minutes after its end, while a line runs; stopped, as above",
    ),
    Kept(
        "live.db-*",
        "SQLite's log of it, and its index",
        "as above",
        "emptied each minute and after every megabyte, as soon as nobody reads",
    ),
)

ON_REQUEST: tuple[Kept, ...] = (
    Kept(
        "backups: a `data` file",
        "every table that says `data` above, sealed as it is",
        "the machine may be lost",
        "30 days",
    ),
    Kept(
        "backups: a `keys` file",
        "every table that says `keys` above: without it no report in any `data` file opens",
        "what was withdrawn or has expired is missing in the newest, so it is forgotten in every older `data` file too",
        "the newest copy only, replaced each day",
    ),
    Kept(
        "the file of `ivr reports export`",
        "confirmed reports that may be passed on, in clear",
        "they are handed over",
        "until whoever made it deletes it: what is withdrawn later stays in it",
    ),
    Kept(
        "the file of `--shares-file`",
        "the three printed shares",
        "they are printed",
        "until whoever made it deletes it: at once",
    ),
    Kept(
        "the file of `ivr call --save`",
        "a test call from the terminal: its day and minute, and the keys pressed",
        "it becomes a talk",
        "until somebody deletes it",
    ),
)

IN_MEMORY: tuple[Kept, ...] = (
    Kept("a call in progress", "answers, language, place", "the line answers a webhook", "the length of one request"),
    Kept(
        "the line's own keys",
        "what it signs reports with, and what turns receipts into tags; none of them opens a report",
        "reports are taken while the database is away, too",
        "while the line runs",
    ),
    Kept(
        "an advocate's keys",
        "her passphrase and what it opens, on the machine where she types it",
        "she reads",
        "while her `ivr` command runs; Python cannot wipe it afterwards",
    ),
    Kept(
        "documents as sent",
        "what is the same for every caller at a step, without her answers",
        "speed",
        "while the line runs",
    ),
)
