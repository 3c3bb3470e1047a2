"""Every setting, from the environment: IVR_NAME, or IVR_NAME_FILE with the path of a file that holds it.

All that is wrong is told at once, with cures. No secret has a default; what `ivr init` generates lies under the data
folder."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from string import hexdigits
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlsplit

import idna
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

PREFIX = "IVR_"
LOOPBACK_NUMBER = "+15005550006"
PLIVO = "https://api.plivo.com"
MIN_SECRET = 16
MOST_PORTS = 65_535
PIN_DIGITS = 64
_VOICE = re.compile(r"WOMAN|MAN|Polly\.[A-Z][A-Za-z]+(-[A-Z][a-z]+)?")
_LANGUAGE = re.compile(r"([a-z]{2,3}(-[A-Z]{2})?)?")
QUOTES = "\"'`“”‘’«»"


class SettingsWrong(Exception):
    """What is wrong with the settings: one sentence each, with its cure."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _numbers(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _voices(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    chosen = [part.strip() for part in value.split(",") if part.strip()]
    parts = [one.rpartition("=") for one in chosen]
    pairs = [(language.strip(), voice.strip()) for language, _, voice in parts]
    wrong = [voice for language, voice in pairs if not _VOICE.fullmatch(voice) or not _LANGUAGE.fullmatch(language)]
    if wrong or len({language for language, _ in pairs}) < len(pairs):
        raise ValueError("write en=Polly.Joanna,es=Polly.Penelope, or one voice for every language, like WOMAN")
    return dict(pairs)


class Settings(BaseModel):
    """What an operator may set. Each is also read from the file that IVR_NAME_FILE names."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    public_url: str = ""
    """Where the phone company reaches us: https://HOST. Signatures cover it, so it must be exact."""
    plivo_auth_id: str = ""
    """Set: the carrier is Plivo. Empty: the loopback carrier, which needs no account."""
    plivo_auth_token: SecretStr = SecretStr("")
    """What Plivo signs its webhooks with. It also opens Plivo's own records of every call: whoever takes it can read
    callers' numbers there, until it is changed at Plivo."""
    plivo_number: str = ""
    """The hotline's own number, in E.164: +12125550100. Phones that are rung show it, never the caller's."""
    plivo_api_url: str = ""
    """Plivo's REST interface, if it is not the usual one: it is asked to ring phones of advocates. Where the carrier is
    the loopback carrier, that one's: on this machine, at the port after the line's."""
    database_url: str = ""
    """Where reports and keys lie. Empty: SQLite under the data folder. Else postgresql://..., which may hold the
    database's password."""
    secret: SecretStr = SecretStr("")
    """What the line's own keys are sealed under. Empty: the one that `ivr init` put under the data folder."""
    organisation_key: str = ""
    """The public half of the organisation's key: keys that it did not certify are nobody's. Empty: the one that
    `ivr init` put under the data folder."""
    data_dir: Path = Path("var")
    """The data folder: the database, if it is SQLite, and what `ivr init` generates."""
    run_dir: Path | None = None
    """Short-lived keys: a tmpfs in production. Default: `run` in the data folder."""
    flows_dir: Path = Path("flows")
    """What a call walks through: flows, forms and talks."""
    prompts_dir: Path = Path("prompts")
    """Every word that is said, and recordings of them."""
    voices: Annotated[dict[str, str], BeforeValidator(_voices)] = {}
    """Who speaks on the phone, in place of the voices in the prompts files: `en=Polly.Joanna,es=Polly.Penelope`, or one
    voice for every language, like `WOMAN`. Plivo ends a call (error 8011) whose voice it does not know: where calls end
    at the first word, set `WOMAN`."""
    duty_numbers: Annotated[tuple[str, ...], BeforeValidator(_numbers)] = ()
    """Phones that are rung for a caller who wants a person as long as nobody is on the rota, in E.164, with commas
    between: the numbers of advocates, as readable as the settings are."""
    text_replies: Literal["rest", "xml"] = "rest"
    """How texts are answered: `rest`, a request to Plivo that asks it to log neither words nor whole numbers; `xml`, in
    the answer to its webhook, which has no switch against Plivo's logs: only where requests to Plivo are not possible.
    """
    health_token: SecretStr = SecretStr("")
    """What a monitor shows at `/readyz` to read each check there, as `Authorization: Bearer ...`. Empty: everybody
    reads only whether the line is ready."""
    port: int = 8000
    """Where the line listens."""

    @field_validator("public_url", "plivo_api_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        return _address(value) if value else ""

    @field_validator("plivo_auth_id")
    @classmethod
    def _is_id(cls, value: str) -> str:
        if not (value.isascii() and value.isalnum()) and value:
            raise ValueError("write only the letters and digits of the Auth ID that Plivo shows")
        return value

    @field_validator("plivo_auth_token")
    @classmethod
    def _is_token(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value()
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise ValueError("write only the characters of the Auth Token that Plivo shows, without blanks")
        return value

    @field_validator("plivo_number")
    @classmethod
    def _is_number(cls, value: str) -> str:
        if value and not _is_e164(value):
            raise ValueError(f"{value!r} is not a phone number with its country: write +12125550100")
        return _plain(value)

    @field_validator("duty_numbers")
    @classmethod
    def _are_numbers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [number for number in value if not _is_e164(number)]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: write each as +12125550100, with commas between")
        return tuple(_plain(number) for number in value)

    @field_validator("text_replies", mode="before")
    @classmethod
    def _is_way(cls, value: Any) -> Any:
        if value not in ("rest", "xml"):
            raise ValueError("write rest, or xml")
        return value

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("write postgresql://user@host/database, or sqlite:////path/to/porchlight.db")
        return value

    @field_validator("port", mode="before")
    @classmethod
    def _is_port(cls, value: Any) -> Any:
        if not str(value).isdecimal() or not 1 <= int(value) <= MOST_PORTS:
            raise ValueError(f"write a number from 1 to {MOST_PORTS}, like 8000")
        return int(value)

    @field_validator("organisation_key")
    @classmethod
    def _is_pin(cls, value: str) -> str:
        if value and not (len(value) == PIN_DIGITS and all(digit in hexdigits for digit in value)):
            raise ValueError(f"write the {PIN_DIGITS} hexadecimal digits that `ivr init` showed")
        return value.lower()

    @field_validator("secret", "health_token")
    @classmethod
    def _is_long(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_SECRET:
            raise ValueError(
                f"make it {MIN_SECRET} characters or longer: python3 -c 'import secrets; print(secrets.token_hex())'"
            )
        return value

    @model_validator(mode="after")
    def _asks_its_own_carrier(self) -> Self:
        host = (urlsplit(self.plivo_api_url).hostname or "").rstrip(".")
        if self.is_loopback and f".{host}".endswith(".plivo.com"):
            raise ValueError(
                "IVR_PLIVO_API_URL is Plivo's, but the carrier is not Plivo: set IVR_PLIVO_AUTH_ID too, or remove it"
            )
        return self

    @model_validator(mode="after")
    def _is_called_in_secret(self) -> Self:
        if not self.is_loopback and self.public_url.startswith("http:") and not _is_this_machine(self.public_url):
            raise ValueError(
                "IVR_PUBLIC_URL begins with http://, so anybody on the way could read what callers press: put a proxy "
                "with a certificate in front of the line and write https://"
            )
        return self

    @property
    def is_loopback(self) -> bool:
        return not self.plivo_auth_id

    @property
    def url(self) -> str:
        return self.public_url or f"http://127.0.0.1:{self.port}"

    @property
    def number(self) -> str:
        return self.plivo_number or LOOPBACK_NUMBER

    @property
    def api_url(self) -> str:
        """Who is asked to ring phones. Never Plivo, where the carrier is not Plivo."""
        if self.plivo_api_url or not self.is_loopback:
            return self.plivo_api_url or PLIVO
        return f"http://127.0.0.1:{self.port + 1 if self.port < MOST_PORTS else self.port - 1}"

    @property
    def keys_dir(self) -> Path:
        return self.run_dir or self.data_dir / "run"

    @property
    def spool(self) -> str:
        """Where reports wait while the database is away: always a file of this host's."""
        return f"sqlite:///{(self.data_dir / 'spool.db').as_posix()}"

    @property
    def live(self) -> str:
        """Where it lies who waits for whom: beside the short-lived keys, or with the rest on PostgreSQL."""
        own = f"sqlite:///{(self.keys_dir / 'live.db').as_posix()}"
        return self.database_url if self.database_url.startswith("postgresql") else own

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.data_dir / 'porchlight.db').as_posix()}"


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises SettingsWrong with every problem at once."""
    given = {name: value.strip() for name, value in (os.environ if environment is None else environment).items()}
    found, problems = _from_files(given)
    named = {name: value for name, value in {**given, **found}.items() if name.startswith(PREFIX)}
    problems.extend(_not_as_meant({**named, "PORT": given.get("PORT", "")}))
    unquoted = {name: value.strip(QUOTES) for name, value in named.items()}  # said once, as being in quotes
    values = {name.removeprefix(PREFIX).lower(): value for name, value in unquoted.items() if value}
    known = set(Settings.model_fields) - {"port"}
    problems.extend(_strays(named, known))
    chosen = {name: value for name, value in values.items() if name in known}
    problems.extend(_missing(chosen))
    if given.get("PORT"):
        chosen["port"] = given["PORT"].strip(QUOTES)
    try:
        settings = Settings.model_validate(chosen)
    except ValidationError as error:
        problems.extend(_sentence(dict(problem)) for problem in error.errors())
    if problems:
        raise SettingsWrong(tuple(problems))
    return settings


def _not_as_meant(named: Mapping[str, str]) -> Iterator[str]:
    """Values that a shell or a file of settings has not taken apart: no webhook would ever be genuine with them."""
    for name, value in named.items():
        if value and (value[0] in QUOTES or value[-1] in QUOTES):
            yield f"{name} is in quotes, which would be a part of it. Write it without them."
        elif not value.isprintable():
            yield f"{name} holds a line break, or another character that cannot be seen. Write it anew, on one line."


def _missing(chosen: Mapping[str, str]) -> Iterator[str]:
    """What Plivo cannot do without."""
    wanted = ("public_url", "plivo_auth_token", "plivo_number")
    missing = [PREFIX + name.upper() for name in wanted if name not in chosen]
    if "plivo_auth_id" in chosen and missing:
        yield f"With IVR_PLIVO_AUTH_ID also set {', '.join(missing)}."


def _from_files(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    problems: list[str] = []
    for name, path in given.items():
        target = name.removesuffix("_FILE")
        if not name.startswith(PREFIX) or target == name or not path:
            continue
        if given.get(target):
            problems.append(f"{target} and {name} are both set. Keep one.")
        try:
            found[target] = Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            problems.append(f"{name} names {path}, which cannot be read. Create it, or correct the path.")
    return found, problems


def _strays(named: Iterable[str], known: set[str]) -> Iterator[str]:
    settings = sorted(PREFIX + name.upper() for name in known)
    for name in named:
        if name not in settings and name.removesuffix("_FILE") not in settings:
            near = get_close_matches(name, settings, n=1)
            yield f"There is no setting {name}. {f'Did you mean {near[0]}?' if near else 'Remove it.'}"


def _sentence(problem: dict[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return f"{message[0].upper()}{message[1:]}."
    name = str(problem["loc"][0])
    return f"{'PORT' if name == 'port' else PREFIX + name.upper()}: {message}."


def _address(value: str) -> str:
    """An address as it is signed and handed out: its host in lower case and ASCII, without the usual port and without
    slashes at its end. Raises ValueError."""
    cure = "write a whole address without a query: https://line.example.org"
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(cure) from error
    is_whole = parts.scheme in ("http", "https") and host and value.isprintable() and " " not in value
    if not is_whole or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(cure)
    assert host is not None, "it is whole"
    usual = {"http": 80, "https": 443}[parts.scheme]
    written = f"[{host}]" if ":" in host else _ascii(host)
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~").rstrip("/")
    return f"{parts.scheme}://{written}{'' if port in (None, usual) else f':{port}'}{path}"


def _ascii(host: str) -> str:
    """The name of a host as the domain name system knows it: `línea.example` is `xn--lnea-vpa.example`."""
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError("its host is no name that the internet knows: write https://line.example.org") from error


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _plain(number: str) -> str:
    return number.replace(" ", "").replace("-", "")


def _is_e164(number: str) -> bool:
    plain = _plain(number)
    return plain.startswith("+") and plain[1:].isdecimal() and 7 <= len(plain[1:]) <= 15
