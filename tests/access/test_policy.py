"""Who may do what where, said once more by hand and compared for every role, action and kind of region."""

from itertools import product

import pytest

from access.policy import Policy, Viewer
from config.actions import Action
from config.catalogue import NATION
from config.loading import load

GUANGDONG, GUANGZHOU, BEIJING = "440000", "440100", "110000"
CENTRE = "C-440100-1"
POLICY = Policy(load())
WINDOWS = {"see_flow_window", "see_hq_window", "see_province_window", "see_quality_window"}
PAGES = {"load_program", "open_pages", "follow_live", "sign_out"}
FIGURES = {"see_catalogue", "see_readings", "see_sources", "see_findings", "ask_questions", "see_rows"}
ASIDE = {"see_aside", "replay_aside", "discard_aside"}
MAY = {
    "wall": PAGES | WINDOWS,
    "executive": PAGES | WINDOWS | FIGURES | {"see_other_windows"},
    "province_manager": PAGES | FIGURES | {"see_province_window", "see_quality_window"},
    "steward": PAGES | WINDOWS | FIGURES | ASIDE | {"see_other_windows"},
    "administrator": {*Action},
}


def test_the_roles_are_those_of_the_catalogue() -> None:
    assert set(MAY) == set(load().roles)
    assert {action for actions in MAY.values() for action in actions} == {*Action}


@pytest.mark.parametrize("role", MAY)
def test_the_nations_people_may_everywhere_what_their_role_may(role: str) -> None:
    viewer = Viewer("Li Na", role, NATION)
    for action, scope in product(Action, (NATION, GUANGDONG, GUANGZHOU, CENTRE, BEIJING)):
        assert POLICY.may(viewer, action, scope) == (action in MAY[role]), (action, scope)


@pytest.mark.parametrize("role", MAY)
def test_a_provinces_people_may_nothing_outside_it(role: str) -> None:
    viewer = Viewer("Li Na", role, GUANGDONG)
    for action in Action:
        for scope in (GUANGDONG, GUANGZHOU, CENTRE):
            assert POLICY.may(viewer, action, scope) == (action in MAY[role]), (action, scope)
        for scope in (NATION, BEIJING, "110100", "", "440", "999999"):
            assert not POLICY.may(viewer, action, scope), (action, scope)


@pytest.mark.parametrize("role", ["", "Wall", "viewer", "nobody"])
def test_a_role_that_does_not_exist_may_nothing(role: str) -> None:
    viewer = Viewer("Li Na", role, NATION)
    assert not any(POLICY.may(viewer, action, scope) for action, scope in product(Action, (NATION, GUANGDONG)))


def test_a_region_that_does_not_exist_is_nowhere() -> None:
    for region in ("", "999999"):
        viewer = Viewer("Li Na", "administrator", region)
        assert not any(POLICY.may(viewer, Action.OPEN_PAGES, scope) for scope in (NATION, GUANGDONG, region))
    assert not POLICY.may(Viewer("Li Na", "administrator", NATION), Action.OPEN_PAGES, "999999")


def test_a_window_is_seen_by_its_action_in_its_region() -> None:
    manager, wall = Viewer("Li Na", "province_manager", GUANGDONG), Viewer("hall", "wall", NATION)
    assert POLICY.may(manager, Action.SEE_PROVINCE_WINDOW, GUANGDONG)
    assert POLICY.may(manager, Action.SEE_QUALITY_WINDOW, GUANGDONG)
    for action, scope in (
        (Action.SEE_QUALITY_WINDOW, NATION),
        (Action.SEE_HQ_WINDOW, GUANGDONG),
        (Action.SEE_PROVINCE_WINDOW, BEIJING),
        (Action.SEE_OTHER_WINDOWS, GUANGDONG),
    ):
        assert not POLICY.may(manager, action, scope), (action, scope)
    assert POLICY.may(wall, Action.SEE_HQ_WINDOW, NATION)
    assert not POLICY.may(wall, Action.SEE_OTHER_WINDOWS, NATION)


def test_a_stream_needs_both_to_be_followed_and_to_be_seen() -> None:
    catalogue = load()
    roles = {
        name: role.model_copy(update={"may": role.may - {without}})
        for name, without, role in (
            ("blind", Action.SEE_HQ_WINDOW, catalogue.roles["wall"]),
            ("still", Action.FOLLOW_LIVE, catalogue.roles["wall"]),
            ("wall", None, catalogue.roles["wall"]),
        )
    }
    policy = Policy(catalogue.model_copy(update={"roles": roles}))
    followed = {name: policy.may_follow(Viewer("hall", name, NATION), Action.SEE_HQ_WINDOW, NATION) for name in roles}
    assert followed == {"blind": False, "still": False, "wall": True}
