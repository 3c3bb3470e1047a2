"""Rosa and Ana meet in a conference: who waits for whom, who must leave with whom, what the line hears of it."""

from typing import Literal

import pytest

from ivr.carrier import exchange_behaviours as b
from ivr.carrier.conferences import Room, RoomRules
from ivr.carrier.documents import Play, Speak
from ivr.carrier.loopback import CarrierRefused
from ivr.carrier.party import Party
from ivr.carrier.phones import Answers, Keys
from tests.carrier.scripted import HOST, Pages
from tests.carrier.shows import shows
from tests.carrier.switchboard import ANA, BEA, ROSA, Board, played, room

AFTER = f"{HOST}/after"
BACK = f"<Speak>Back</Speak><Redirect>{HOST}/menu</Redirect>"
MENU = "<GetDigits timeout='30'><Speak>Menu</Speak></GetDigits>"


def pages(rosas: str, anas: str, **more: str) -> Pages:
    return {"/answer": rosas, "/offer": anas, "/after": BACK, "/menu": MENU, **{f"/{k}": v for k, v in more.items()}}


async def together(board: Board, *, seconds: float = 10) -> tuple[Party, Party, Room]:
    """Rosa enters at 0, Ana at 4; then they talk for so long."""
    board.exchange.phone(ANA, Answers(after=4))
    rosa = await board.exchange.call(ROSA)
    await board.order(ANA)
    await board.exchange.run(4 + seconds)
    return rosa, board.exchange.leg(ANA), board.exchange.conferences["room"]


def test_it_is_known_who_was_with_whom_and_who_was_alone_for_how_long() -> None:
    async def scene(board: Board) -> None:
        rosa, ana, met = await together(board)
        assert (rosa.state, ana.state) == ("conference", "conference")
        assert met.together(rosa, ana) == 10
        assert (met.alone(rosa), met.alone(ana)) == (4, 0)
        await rosa.hang_up()
        await board.exchange.run(3)
        assert (met.together(rosa, ana), met.together(ana, rosa), met.alone(ana)) == (10, 10, 3)
        assert met.pairs() == {frozenset({ROSA, ANA})}
        assert [(stay.party, stay.why) for stay in met.stays] == [(rosa, "hung up"), (ana, None)]
        assert [stay.party for stay in met.members] == [ana]

    played(scene, pages(room(), room()))


def test_rooms_of_other_names_are_other_rooms() -> None:
    async def scene(board: Board) -> None:
        _, _, met = await together(board)
        assert met.pairs() == set()
        assert set(board.exchange.conferences) == {"room", "other"}

    played(scene, pages(room(), room("other")))


@shows(b.ENDS_ON_EXIT, b.ALONE, b.CONFERENCE_ACTION)
@pytest.mark.parametrize(
    ("rules", "rosas", "anas", "anas_state", "words"),
    [
        (RoomRules(), {"endConferenceOnExit": "true"}, {}, "listening", ("Back", "Menu")),
        (RoomRules(), {}, {"endConferenceOnExit": "true"}, "conference", ()),
        (RoomRules(ends="any"), {}, {"endConferenceOnExit": "true"}, "listening", ("Back", "Menu")),
        (RoomRules(ends="never"), {"endConferenceOnExit": "true"}, {}, "conference", ()),
        (RoomRules(sent_out="hangup"), {"endConferenceOnExit": "true"}, {}, "over", ()),
        (RoomRules(), {}, {"stayAlone": "false"}, "listening", ("Back", "Menu")),
        (RoomRules(), {"stayAlone": "false"}, {}, "conference", ()),
        (RoomRules(alone="stays"), {}, {"stayAlone": "false"}, "conference", ()),
        (RoomRules(sent_out="hangup"), {}, {"stayAlone": "false"}, "over", ()),
    ],
)
def test_who_must_leave_when_rosa_does(
    rules: RoomRules, rosas: dict[str, str], anas: dict[str, str], anas_state: str, words: tuple[str, ...]
) -> None:
    async def scene(board: Board) -> None:
        rosa, ana, _ = await together(board)
        await rosa.hang_up()
        await board.exchange.run(2)
        assert (ana.state, ana.words) == (anas_state, words)
        assert board.told("/hangup")[0]["CallUUID"] == rosa.uuid
        left = board.told("/after")
        assert [fields["CallUUID"] for fields in left] == ([ana.uuid] if words else [])
        for fields in left:
            assert (fields["Event"], fields["ConferenceName"], fields["ConferenceAction"]) == (
                *("Redirect", "room", "exit"),
            )
            assert fields["ConferenceMemberID"] == "2"

    played(scene, pages(room(action=AFTER, **rosas), room(action=AFTER, **anas)), rules=rules)


def test_stay_alone_can_also_be_about_the_first_who_enters() -> None:
    async def scene(board: Board) -> None:
        rosa = await board.exchange.call(ROSA)
        await board.exchange.run(1)
        assert rosa.words == ("Back", "Menu")

    played(scene, pages(room(stayAlone="false", action=AFTER), ""), rules=RoomRules(alone="entering"))


def test_without_an_action_the_next_element_runs() -> None:
    async def scene(board: Board) -> None:
        rosa, ana, _ = await together(board)
        await rosa.hang_up()
        assert ana.words == ("You were left",)

    played(scene, pages(room(), room(stayAlone="false") + "<Speak>You were left</Speak>"))


@shows(b.STAR_LEAVES, b.RELAYED)
def test_star_leaves_and_other_keys_are_heard_by_the_others_unless_they_are_not_relayed() -> None:
    async def scene(board: Board) -> None:
        rosa, ana, met = await together(board)
        await rosa.press("5")
        await ana.press("*7")
        assert (rosa.keys_heard, ana.keys_heard) == ([], ["5"])
        await rosa.press("*")
        assert rosa.words == ("Back",)
        assert met.stays[0].why == "star"
        assert ana.state == "conference"

    played(scene, pages(room(hangupOnStar="true", action=AFTER), room(relayDTMF="false")))


@shows(b.CONFERENCE_TIME_LIMIT)
def test_a_member_leaves_when_her_time_is_over() -> None:
    async def scene(board: Board) -> None:
        rosa, ana, met = await together(board, seconds=30)
        assert met.together(rosa, ana) == 21
        assert met.stays[0].why == "time limit"
        assert (rosa.state, ana.state) == ("listening", "conference")

    played(scene, pages(room(timeLimit="25", action=AFTER), room()))


@shows(b.FULL_IS_SKIPPED)
def test_a_full_room_is_skipped() -> None:
    async def scene(board: Board) -> None:
        _, ana, met = await together(board)
        board.exchange.phone(BEA, Answers(after=1))
        await board.order(BEA)
        await board.exchange.run(2)
        bea = board.exchange.leg(BEA)
        assert bea.words == ("Full",)
        assert len(met.members) == 2
        assert ana.state == "conference"

    both = room(maxMembers="2", action=AFTER) + "<Speak>Full</Speak>"
    played(scene, pages(both, both))


@shows(b.STARTS_ON_ENTER, b.WAIT_SOUND)
def test_a_conference_begins_with_whoever_may_begin_it_and_until_then_the_wait_sound_is_heard() -> None:
    sounds = f"<Play>{HOST}/tune.mp3</Play><Speak>Please wait</Speak><Redirect>{HOST}/no</Redirect><Hangup/>"

    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=1))
        board.exchange.phone(BEA, Answers(after=5))
        rosa = await board.exchange.call(ROSA)
        await board.order(ANA)
        await board.order(BEA, answer="/begin")
        await board.exchange.run(4.5)
        ana = board.exchange.leg(ANA)
        met = board.exchange.conferences["room"]
        assert met.together(rosa, ana) == 0
        assert rosa.heard == (
            Play(f"{HOST}/tune.mp3", 1),
            Speak("Please wait", "WOMAN", "en-US", 1, 0),
            Play(f"{HOST}/tune.mp3", 1),
        )
        await board.exchange.run(5.5)
        assert len(rosa.heard) == 3
        assert (met.together(rosa, ana), met.alone(rosa)) == (5, 5)
        assert board.script.count("/no") == 0

    waiting = room(startConferenceOnEnter="false", waitSound=f"{HOST}/wait")
    played(scene, pages(waiting, room(startConferenceOnEnter="false"), begin=room(), wait=sounds))


def test_a_room_that_was_left_by_all_has_to_be_begun_again() -> None:
    async def scene(board: Board) -> None:
        rosa, ana, met = await together(board)
        await ana.hang_up()
        await rosa.hang_up()
        board.exchange.phone(BEA, Answers(after=0))
        await board.order(BEA)
        await board.exchange.run(1)
        assert [stay.meets_from is None for stay in met.stays] == [False, False, True]

    played(scene, pages(room(), room(startConferenceOnEnter="false")))


def test_a_wait_sound_that_says_nothing_is_silence() -> None:
    async def scene(board: Board) -> None:
        rosa, _, met = await together(board)
        assert rosa.heard == ()
        assert met.alone(rosa) == 4

    played(scene, pages(room(waitSound=f"{HOST}/wait"), room(), wait=""))


@shows(b.CONFERENCE_CALLBACK)
def test_the_callback_hears_who_comes_and_goes() -> None:
    async def scene(board: Board) -> None:
        rosa, ana, _ = await together(board)
        await rosa.hang_up()
        await ana.hang_up()
        told = [
            (one["CallUUID"], one["Event"], one["ConferenceAction"], one["ConferenceMemberID"])
            for one in board.told("/told")
        ]
        assert told == [
            (rosa.uuid, "ConferenceEnter", "enter", "1"),
            (ana.uuid, "ConferenceEnter", "enter", "2"),
            (rosa.uuid, "ConferenceExit", "exit", "1"),
            (ana.uuid, "ConferenceExit", "exit", "2"),
        ]
        assert [one.get("ConferenceFirstMember") for one in board.told("/told")] == ["true", "false", None, None]
        assert [one.get("ConferenceLastMember") for one in board.told("/told")] == [None, None, "false", "true"]

    both = room(callbackUrl=f"{HOST}/told")
    played(scene, pages(both, both, told=""))


@shows(b.KICKED)
@pytest.mark.parametrize(
    ("member", "left"), [("1", ["kicked", None]), ("2", [None, "kicked"]), ("all", ["kicked"] * 2)]
)
def test_whoever_is_kicked_goes_on_with_her_document(member: str, left: list[str | None]) -> None:
    async def scene(board: Board) -> None:
        rosa, ana, met = await together(board)
        path = f"/v1/Account/MALOOPBACKLOOPBACK00/Conference/room/Member/{member}"
        assert (await board.ask("POST", f"{path}/Kick/")).status_code == 202
        await board.exchange.run(0)
        assert [stay.why for stay in met.stays] == left
        assert [party.words for party in (rosa, ana)] == [("Back",) if why else () for why in left]
        assert (await board.ask("POST", f"{path.replace('room', 'none')}/Kick/")).status_code == 404
        await board.exchange.run(1)
        for _ in range(2):
            await board.ask("DELETE", path + "/")
        await board.exchange.run(0)
        assert met.members == () or member != "all"

    both = room(action=AFTER) + f"<Redirect>{AFTER}</Redirect>"
    played(scene, pages(both, both))


def test_whoever_is_kicked_may_also_have_their_action_called() -> None:
    async def scene(board: Board) -> None:
        rosa, ana, _ = await together(board)
        await board.ask("POST", "/v1/Account/MALOOPBACKLOOPBACK00/Conference/room/Member/all/Kick/")
        await board.exchange.run(0)
        assert [party.words for party in (rosa, ana)] == [("Back",), ("Back",)]

    both = room(action=AFTER) + "<Speak>Next</Speak>"
    played(scene, pages(both, both), rules=RoomRules(kicked="action"))
    with pytest.raises(AssertionError, match="Next"):
        played(scene, pages(both, both))


@pytest.mark.parametrize("after_hangup", ["nothing", "action"])
def test_the_action_of_whoever_hangs_up_may_be_called_too(after_hangup: Literal["nothing", "action"]) -> None:
    async def scene(board: Board) -> None:
        rosa, _, _ = await together(board)
        await rosa.hang_up()
        late = [fields for fields in board.told("/after") if fields["CallUUID"] == rosa.uuid]
        assert [fields["CallStatus"] for fields in late] == (["in-progress"] if after_hangup == "action" else [])
        assert rosa.words == ()

    both = room(action=AFTER)
    played(scene, pages(both, both), rules=RoomRules(after_hangup=after_hangup))


@pytest.mark.parametrize(("limit", "state"), [("member", "conference"), ("room", "listening")])
def test_a_time_limit_may_send_out_everybody(limit: Literal["member", "room"], state: str) -> None:
    async def scene(board: Board) -> None:
        rosa, ana, _ = await together(board, seconds=30)
        assert (rosa.state, ana.state) == ("listening", state)

    played(scene, pages(room(timeLimit="25", action=AFTER), room(action=AFTER)), rules=RoomRules(limit=limit))


def test_a_full_room_may_call_the_action_without_ids() -> None:
    async def scene(board: Board) -> None:
        await together(board)
        board.exchange.phone(BEA, Answers(after=1))
        await board.order(BEA)
        await board.exchange.run(1)
        bea = board.exchange.leg(BEA)
        assert bea.words[0] == "Back"
        told = [fields for fields in board.told("/after") if fields["CallUUID"] == bea.uuid]
        assert [(fields["ConferenceUUID"], fields["ConferenceMemberID"]) for fields in told] == [("", "")]

    both = room(maxMembers="2", action=AFTER)
    played(scene, pages(both, both), rules=RoomRules(full="action"))


def test_a_member_can_be_hung_up() -> None:
    async def scene(board: Board) -> None:
        rosa, ana, _ = await together(board)
        path = "/v1/Account/MALOOPBACKLOOPBACK00/Conference/room/Member/2/"
        assert (await board.ask("DELETE", path)).status_code == 204
        await board.exchange.run(1)
        assert (rosa.state, ana.state) == ("conference", "over")
        assert (await board.ask("DELETE", path)).status_code == 404

    played(scene, pages(room(), room()))


@pytest.mark.parametrize(
    "attributes",
    [
        {"record": "true"},
        {"transcriptionType": "auto"},
        {"digitsMatch": "1"},
        {"floorEvent": "true"},
        {"enterSound": f"{HOST}/x"},
        {"exitSound": f"{HOST}/x"},
    ],
)
def test_what_nobody_should_want_of_a_conference_is_refused(attributes: dict[str, str]) -> None:
    async def scene(board: Board) -> None:
        with pytest.raises(CarrierRefused, match="imitated"):
            await board.exchange.call(ROSA)

    played(scene, pages(room(**attributes), ""))


def test_the_scripted_keys_of_a_phone_lead_into_the_room() -> None:
    whisper = f'<GetDigits action="{HOST}/join" numDigits="1"><Speak>A call</Speak></GetDigits>'

    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=2, keys=(Keys("1", at=1),), hangs_up=31))
        rosa = await board.exchange.call(ROSA)
        await board.order(ANA)
        await board.exchange.run(60)
        met = board.exchange.conferences["room"]
        assert met.together(rosa, board.exchange.leg(ANA)) == 30
        assert rosa.words == ("Back", "Menu")

    played(scene, pages(room(stayAlone="false", action=AFTER), whisper, join=room()))
