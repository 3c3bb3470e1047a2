"""Settings: what is wrong is told at once, each with its cure; secrets come from files too."""

from pathlib import Path

import pytest

from ivr.settings import SettingsWrong, read


def problems(**environment: str) -> list[str]:
    with pytest.raises(SettingsWrong) as wrong:
        read(environment)
    return list(wrong.value.problems)


def test_with_nothing_set_everything_is_local() -> None:
    settings = read({})
    assert settings.is_loopback
    assert settings.url == "http://127.0.0.1:8000"
    assert settings.keys_dir == Path("var/run")
    assert settings.database == "sqlite:///var/porchlight.db"


def test_no_secret_has_a_default() -> None:
    settings = read({})
    assert settings.secret.get_secret_value() == ""
    assert settings.plivo_auth_token.get_secret_value() == ""


def test_port_moves_the_line() -> None:
    assert read({"PORT": "9001"}).url == "http://127.0.0.1:9001"


def test_every_setting_can_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "numbers"
    file.write_text("+12125550101, +1 212 555 0102\n")
    assert read({"IVR_DUTY_NUMBERS_FILE": str(file)}).duty_numbers == ("+12125550101", "+12125550102")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = problems(
        IVR_PLIVO_AUTH_ID="MA123",
        IVR_PUBLIC_URL="line.example.org",
        IVR_DUTY_NUMBERS="5550101",
        IVR_SECRET="short",
        PORT="x",
    )
    assert len(told) == 5
    text = "\n".join(told)
    for part in ("IVR_PLIVO_AUTH_TOKEN", "IVR_PUBLIC_URL", "IVR_DUTY_NUMBERS", "+12125550100", "IVR_SECRET", "PORT"):
        assert part in text


def test_plivo_needs_its_token_its_number_and_our_address() -> None:
    [told] = problems(IVR_PLIVO_AUTH_ID="MA123")
    for name in ("IVR_PUBLIC_URL", "IVR_PLIVO_AUTH_TOKEN", "IVR_PLIVO_NUMBER"):
        assert name in told


def test_texts_are_answered_by_rest_unless_somebody_chose_otherwise() -> None:
    assert read({}).text_replies == "rest"
    assert read({"IVR_TEXT_REPLIES": "xml"}).text_replies == "xml"
    assert problems(IVR_TEXT_REPLIES="sms") == ["IVR_TEXT_REPLIES: write rest, or xml."]


def test_a_misspelt_setting_is_not_silently_ignored() -> None:
    assert problems(IVR_DUTY_NUMBER="+12125550101") == [
        "There is no setting IVR_DUTY_NUMBER. Did you mean IVR_DUTY_NUMBERS?"
    ]


def test_a_setting_and_its_file_cannot_both_speak(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("0123456789abcdef")
    assert "Keep one" in problems(IVR_SECRET="0123456789abcdef", IVR_SECRET_FILE=str(file))[0]


def test_a_file_that_is_not_there_is_named() -> None:
    assert "cannot be read" in problems(IVR_SECRET_FILE="/nowhere/secret")[0]


WHOLE = {
    "IVR_PLIVO_AUTH_ID": "MA123",
    "IVR_PLIVO_AUTH_TOKEN": "token",
    "IVR_PLIVO_NUMBER": "+12125550100",
    "IVR_PUBLIC_URL": "https://line.example.org",
}


def test_blanks_and_line_ends_around_a_value_are_nothing() -> None:
    """A file of settings from another system ends its lines in a carriage return, and no signature would ever fit."""
    settings = read({name: f" {value} \r\n" for name, value in WHOLE.items()} | {"PORT": "9000\r"})
    assert settings.url == "https://line.example.org"
    assert settings.plivo_auth_token.get_secret_value() == "token"
    assert (settings.plivo_auth_id, settings.number, settings.port) == ("MA123", "+12125550100", 9000)


@pytest.mark.parametrize("name", [*WHOLE, "IVR_SECRET", "IVR_DATA_DIR", "PORT"])
@pytest.mark.parametrize("marks", ['""', "''", "“”"])
def test_quotes_around_a_value_are_refused(name: str, marks: str) -> None:
    value = f"{marks[0]}{WHOLE.get(name, '8000')}{marks[1]}"
    told = [problem for problem in problems(**WHOLE | {name: value}) if "characters or longer" not in problem]
    assert told == [f"{name} is in quotes, which would be a part of it. Write it without them."]


def test_what_cannot_be_seen_inside_a_value_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("to\nken\n")
    without = {name: value for name, value in WHOLE.items() if name != "IVR_PLIVO_AUTH_TOKEN"}
    told = problems(**without, IVR_PLIVO_AUTH_TOKEN_FILE=str(file))
    assert any(problem.startswith("IVR_PLIVO_AUTH_TOKEN holds a line break") for problem in told)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://Line.Example.ORG/", "https://line.example.org"),
        ("https://line.example.org:443", "https://line.example.org"),
        ("https://line.example.org:8443//", "https://line.example.org:8443"),
        ("https://línea.example.org", "https://xn--lnea-vpa.example.org"),
        ("https://[::1]:9000", "https://[::1]:9000"),
        ("https://line.example.org/Porch/", "https://line.example.org/Porch"),
        ("https://line.example.org/línea", "https://line.example.org/l%C3%ADnea"),
    ],
)
def test_an_address_is_what_the_internet_knows_it_by(written: str, meant: str) -> None:
    assert read(WHOLE | {"IVR_PUBLIC_URL": written}).url == meant


@pytest.mark.parametrize(
    "url",
    [
        "line.example.org",
        "https://",
        "https://user:password@line.example.org",
        "https://line.example.org:port",
        "https://li ne.example.org",
        "https://line.example.org?a=1",
        "https://[::1",
        "https://-.example.org/\x00",
        "https://ａ..example.org",
    ],
)
def test_an_address_that_leads_nowhere_is_refused_with_one_that_would(url: str) -> None:
    assert any("https://line.example.org" in problem for problem in problems(**WHOLE | {"IVR_PUBLIC_URL": url}))


def test_with_plivo_callers_are_not_carried_in_the_clear() -> None:
    [told] = problems(**WHOLE | {"IVR_PUBLIC_URL": "http://line.example.org"})
    assert "https://" in told
    assert read(WHOLE | {"IVR_PUBLIC_URL": "http://127.0.0.1:8000"}).url == "http://127.0.0.1:8000"
    assert read({"IVR_PUBLIC_URL": "http://line.example.org"}).is_loopback


def test_a_secret_is_never_shown() -> None:
    settings = read({"IVR_SECRET": "0123456789abcdef", "IVR_PLIVO_AUTH_TOKEN": "abcdef"})
    assert "0123456789abcdef" not in repr(settings)
    assert "0123456789abcdef" not in "\n".join(problems(IVR_SECRET="0123456789abcdef", PORT="x"))


def test_phones_are_rung_by_plivo_or_by_whoever_stands_in_for_it_on_this_machine() -> None:
    plivo = {
        "IVR_PLIVO_AUTH_ID": "MA123",
        "IVR_PLIVO_AUTH_TOKEN": "token",
        "IVR_PLIVO_NUMBER": "+12125550100",
        "IVR_PUBLIC_URL": "https://line.example.org",
    }
    elsewhere = {"IVR_PLIVO_API_URL": "http://127.0.0.1:9100/"}
    assert read(plivo).api_url == "https://api.plivo.com"
    assert read(plivo | elsewhere).api_url == read(elsewhere).api_url == "http://127.0.0.1:9100"
    assert read({}).api_url == "http://127.0.0.1:8001"
    assert read({"PORT": "65535"}).api_url == "http://127.0.0.1:65534"


@pytest.mark.parametrize("url", ["https://api.plivo.com", "https://API.plivo.com.", "http://plivo.com:80/"])
def test_a_line_that_stands_in_for_plivo_never_asks_it(url: str) -> None:
    [told] = problems(IVR_PLIVO_API_URL=url)
    assert "IVR_PLIVO_API_URL is Plivo's" in told


def test_voices_are_chosen_for_each_language_or_for_all() -> None:
    assert read({}).voices == {}
    assert read({"IVR_VOICES": "WOMAN"}).voices == {"": "WOMAN"}
    assert read({"IVR_VOICES": " en = Polly.Joey, es=Polly.Mia "}).voices == {"en": "Polly.Joey", "es": "Polly.Mia"}
    assert read({"IVR_VOICES": "es=MAN,WOMAN"}).voices == {"es": "MAN", "": "WOMAN"}


@pytest.mark.parametrize("wrong", ["joanna", "en=", "en:Polly.Joanna", "en=Polly.Joey,en=MAN", "en=es=MAN", "Polly."])
def test_voices_that_are_none_are_refused_with_an_example(wrong: str) -> None:
    cure = "IVR_VOICES: write en=Polly.Joanna,es=Polly.Penelope, or one voice for every language, like WOMAN."
    assert problems(IVR_VOICES=wrong) == [cure]
