"""What Plivo keeps of a call by itself, as far as it says so in public: the data inventory is generated from here.
None of it was tried on a live account, and none of it is in our hands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """`source`: the address of the page that says so, or what was looked for and not found."""

    what: str
    why: str
    kept: str
    source: str


RECORDS: tuple[Record, ...] = (
    Record(
        "a record of each call: her number, the hotline's, when it began and ended, how long, its id",
        "billing. Whoever has the account's id and token can list the last 90 days of it",
        "90 days in full; then with the last three digits of the numbers masked, up to seven years; no way to delete "
        "it was found",
        "https://www.plivo.com/blog/plivo-gdpr-update-cdr-and-mdr-compliance-done/, "
        "https://plivo.com/docs/voice/api/call/retrieve-all-calls",
    ),
    Record(
        "a record of each phone that was rung: the advocate's number, when, how long, the call it belonged to",
        "billing",
        "the same",
        "https://www.plivo.com/blog/plivo-gdpr-update-cdr-and-mdr-compliance-done/",
    ),
    Record(
        "a debugging log: the documents that we sent, so perhaps what was read back to her and her receipt",
        "its customers find mistakes with it",
        "unknown",
        "looked for, not found",
    ),
    Record(
        "the keys that she pressed",
        "the call needs them; every input that we send asks that they are not logged",
        "not logged, as far as that switch goes: where else it counts is not said",
        "Plivo's documentation of GetInput, attribute `log`",
    ),
    Record(
        "the sound of calls, captured for Plivo's support",
        "mending lines",
        "30 days, unless `Consent for Media Files` is off in the account's voice settings: switch it off",
        "https://support.plivo.com/hc/en-us/sections/360008303631-Call-Quality",
    ),
    Record(
        "a record of each text, either way: her number, the hotline's, when, of how many parts, its id",
        "billing",
        "the same as of calls; of a text that is redacted, her number without its last three digits from the beginning",
        "https://www.plivo.com/docs/messaging/concepts/sms-data-redaction",
    ),
    Record(
        "the words of texts",
        "sending them; its customers find mistakes with them",
        "not, where the application redacts incoming messages (`log_incoming_messages`: switch it) and for each text"
        " that the line sends by REST; else seven days, as far as is known. Where `IVR_TEXT_REPLIES` is `xml`, what the"
        " line sends is not redacted",
        "https://www.plivo.com/docs/messaging/concepts/sms-data-redaction",
    ),
    Record("recordings", "none are ever asked for", "-", "tests/promises/test_a8_documents.py"),
)
