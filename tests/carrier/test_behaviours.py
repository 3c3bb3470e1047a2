"""Every imitated behaviour is documented or assumed, done by some code and shown by some test."""

import pytest

import tests.carrier.test_dial
import tests.carrier.test_documents
import tests.carrier.test_exchange_conferences
import tests.carrier.test_exchange_dial
import tests.carrier.test_exchange_rest
import tests.carrier.test_exchange_ringing
import tests.carrier.test_exchange_texts
import tests.carrier.test_failures
import tests.carrier.test_loopback  # noqa: F401 -- they note what they show
from ivr.carrier.behaviours import IMITATED, Behaviour
from ivr.carrier.checklist import BEHAVIOURS
from tests.carrier.shows import SHOWN


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.name)
def test_a_behaviour_has_code_a_test_and_a_source(behaviour: Behaviour) -> None:
    assert IMITATED.get(behaviour.name), f"nothing imitates {behaviour.name}"
    assert SHOWN.get(behaviour.name), f"no test shows {behaviour.name}"
    assert behaviour.what.endswith(".")
    assert behaviour.source


def test_names_are_unique_and_nothing_else_is_claimed() -> None:
    names = [behaviour.name for behaviour in BEHAVIOURS]
    assert len(set(names)) == len(names)
    assert set(IMITATED) | set(SHOWN) == set(names)


def test_both_kinds_are_there() -> None:
    assert {behaviour.status for behaviour in BEHAVIOURS} == {"documented", "assumed", "contradicted"}
