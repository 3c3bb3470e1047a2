"""What a caller keyed lies beside her transfer only while somebody may still be told of it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from ivr.services.offering import GONE_AFTER, Connecting, Details
from ivr.store import live
from tests.services.test_transfers import BO, CY, SECOND, Scene, leg, offer, play, wish

ROSA = replace(wish(), told="sealed")


async def told(scene: Scene) -> str | None:
    row = await scene.database.write(lambda connection: live.transfer(connection, ROSA.id))
    assert row is not None
    return row.told


def test_it_is_gone_when_somebody_takes_the_call(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.line.ask(ROSA)
        await scene.line.answered(offer(BO, ROSA), leg(BO))
        assert await told(scene) == "sealed"
        await scene.line.take(offer(BO, ROSA), leg(BO))
        assert await told(scene) is None

    play(tmp_path, story, BO)


def test_it_is_there_again_for_whoever_is_rung_after_one_who_took_the_call_and_left(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.line.ask(ROSA)
        await scene.line.answered(offer(BO, ROSA), leg(BO))
        assert await scene.line.take(offer(BO, ROSA), leg(BO)) == Connecting()
        await scene.line.leg_over(offer(BO, ROSA), leg(BO), is_failing=False)
        scene.duty.people = (BO, CY)
        await scene.line.ask(ROSA)
        await scene.line.answered(offer(CY, ROSA), leg(CY))
        details = await scene.line.details(offer(CY, ROSA), leg(CY))
        assert details == Details(ROSA.id, "en", timedelta(), "sealed")

    play(tmp_path, story, BO)


def test_it_is_gone_with_the_first_sweep_after_a_caller_has_gone_and_comes_back_with_her(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.line.ask(ROSA)
        scene.clock.advance(GONE_AFTER)
        await scene.line.sweep()
        assert await told(scene) == "sealed"
        scene.clock.advance(SECOND)
        await scene.line.sweep()
        assert await told(scene) is None
        await scene.line.ask(replace(ROSA, turn=1))
        assert await told(scene) == "sealed"

    play(tmp_path, story, BO)
