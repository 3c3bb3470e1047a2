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
