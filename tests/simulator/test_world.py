"""The model itself: determinism, conservation, queues, incidents, and figures that can be believed."""

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
import simpy

from config.catalogue import Catalogue
from simulator.chance import Chance
from simulator.contacts import Contact
from simulator.measures import measures_of
from simulator.nation import Nation, Unanswered, nation_of
from simulator.pool import ANSWERED, GAVE_UP, Pool
from simulator.simulation import Plan, Simulation, starting
from tests.support.nation_world import SECRETS, Watched

NOON = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)


def lived(nation: Nation, home: Path, minutes: int, seed: int = 7, scale: float = 0.2) -> dict[str, dict[str, object]]:
    simulation = Simulation(Plan(nation, home, SECRETS, NOON, seed, scale))
    found: dict[str, Contact] = {}
    simulation.world.listeners.append(lambda contact: found.update({contact.key: contact}))
    simulation.advance(NOON.timestamp() + minutes * 60)
    simulation.close()
    return {key: asdict(contact) for key, contact in found.items()}


def test_the_same_seed_and_start_give_the_same_contacts(nation: Nation, tmp_path: Path) -> None:
    first, again = lived(nation, tmp_path / "a", 10), lived(nation, tmp_path / "b", 10)
    assert len(first) > 1000
    assert again == first
    assert lived(nation, tmp_path / "c", 10, seed=8) != first


def test_the_way_the_clock_is_moved_changes_nothing(nation: Nation, tmp_path: Path) -> None:
    simulation = Simulation(Plan(nation, tmp_path / "steps", SECRETS, NOON, 7, 0.2))
    found: dict[str, Contact] = {}
    simulation.world.listeners.append(lambda contact: found.update({contact.key: contact}))
    for quarter in range(4 * 600):
        simulation.advance(NOON.timestamp() + (quarter + 1) / 4)
    simulation.close()
    assert {key: asdict(contact) for key, contact in found.items()} == lived(nation, tmp_path / "once", 10)


def test_every_contact_is_in_one_state_at_every_instant(nation: Nation, tmp_path: Path) -> None:
    watched = Watched(nation, tmp_path)
    for _ in range(60):
        watched.live(0.5)
        for contact in watched.contacts.values():
            told = Counter(measures_of(contact))
            parts = told["answered"] + told["abandoned"] + told["flowed_out"] + told["waiting"]
            assert told["offered"] == parts
            assert (contact.ended is None) == (contact.outcome == "waiting" and not contact.to_agent)
            assert (contact.outcome == "waiting") == (contact.handling == "in_progress")
    waiting = sum(measures_of(contact).get("waiting", 0) for contact in watched.contacts.values())
    world = watched.simulation.world
    queued = sum(pool.queue_length for pool in (*world.centres.values(), *world.texts.values(), *world.shops.values()))
    assert waiting == queued > 0
    watched.simulation.close()


def test_the_figures_can_be_believed(nation: Nation, tmp_path: Path) -> None:
    simulation = Simulation(Plan(nation, tmp_path, SECRETS, NOON, 7, 1.0))
    found: dict[str, Contact] = {}
    simulation.world.listeners.append(lambda contact: found.update({contact.key: contact}))
    simulation.advance(NOON.timestamp() + 30 * 60)
    simulation.close()
    total: Counter[str] = Counter()
    for contact in found.values():
        total.update(measures_of(contact) if contact.channel == "hotline" else {})
    contacts = sum(measures_of(contact).get("contacts", 0) for contact in found.values())
    assert 1000 < contacts / 30 < 1500
    assert 0.75 < total["answered_20s"] / total["offered"] < 0.92
    assert 2 < total["wait_answered_s"] / total["answered"] < 40
    assert 180 < (total["talk_s"] + total["hold_s"] + total["acw_s"]) / total["handled"] < 300
    assert 0.01 < total["abandoned"] / total["offered"] < 0.08
    assert 0.78 < total["resolved_first"] / total["resolvable"] < 0.9
    assert 0.86 < total["votes_4_5"] / total["votes"] < 0.94


def test_an_incident_multiplies_one_provinces_needs_and_ends(nation: Nation, tmp_path: Path) -> None:
    watched = Watched(nation, tmp_path, scale=0.5)
    watched.live(10)
    usual = about(watched, "440000", 0, 10)
    watched.simulation.begin_incident("440000", 3.0)
    watched.live(10)
    assert 2.3 < about(watched, "440000", 10, 20) / usual < 3.9
    watched.simulation.end_incident("440000")
    watched.live(10)
    assert about(watched, "440000", 20, 30) / usual < 1.7
    faults = [contact for contact in watched.contacts.values() if contact.need.service == "broadband_fault"]
    assert Counter(contact.need.city.province for contact in faults).most_common(1)[0][0] == "440000"
    watched.simulation.close()


def about(watched: Watched, province: str, first: int, last: int) -> int:
    start = watched.start.timestamp()
    return sum(
        contact.need.city.province == province and first * 60 <= contact.began - start < last * 60
        for contact in watched.contacts.values()
        if not contact.to_agent
    )


def test_an_incident_needs_a_province_and_a_factor(nation: Nation, tmp_path: Path) -> None:
    simulation = Simulation(Plan(nation, tmp_path, SECRETS, NOON))
    with pytest.raises(ValueError, match="unknown province '999999'"):
        simulation.begin_incident("999999", 3)
    with pytest.raises(ValueError, match="above 1"):
        simulation.begin_incident("440000", 1)
    simulation.close()


def test_a_pool_answers_in_order_and_patience_ends() -> None:
    env = simpy.Environment()
    pool = Pool(env)
    pool.staff(1, 1)
    first, second, third = pool.join(100), pool.join(5), pool.join(100)
    assert first.triggered
    assert pool.queue_length == 2
    env.run(until=10)
    assert second.value == GAVE_UP
    assert (pool.queue_length, pool.longest_wait) == (1, 10)
    pool.release()
    assert third.value == ANSWERED
    assert pool.queue_length == 0
    assert pool.seconds() == (10, 10, 10)


def test_agents_who_go_home_finish_what_they_have_in_hand() -> None:
    env = simpy.Environment()
    pool = Pool(env)
    pool.staff(2, 2)
    pool.join(100)
    pool.join(100)
    pool.staff(1, 1)
    waiting = pool.join(100)
    pool.release()
    assert not waiting.triggered
    pool.release()
    assert waiting.triggered


def test_a_city_that_no_centre_serves_stops_the_start(catalogue: Catalogue) -> None:
    without = {code: region for code, region in catalogue.regions.items() if "510000" not in region.serves}
    with pytest.raises(Unanswered, match="no seat centre serves city 51"):
        nation_of(without)


def test_a_start_without_a_zone_is_refused(nation: Nation, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        Simulation(Plan(nation, tmp_path, SECRETS, datetime(2026, 11, 18, 2)))  # noqa: DTZ001 - naive on purpose


def test_a_second_nation_begins_after_the_first(nation: Nation, tmp_path: Path) -> None:
    now = datetime(2026, 11, 18, 3, 0, 30, tzinfo=UTC)
    assert starting(tmp_path, now, 60) == datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
    simulation = Simulation(Plan(nation, tmp_path, SECRETS, NOON, scale=0.01))
    simulation.advance(NOON.timestamp() + 25 * 60 + 10)
    simulation.close()
    assert starting(tmp_path, now, 60) == datetime(2026, 11, 18, 2, 26, tzinfo=UTC)


def test_durations_have_their_mean_and_an_end() -> None:
    chance = Chance(7, "durations")
    drawn = [chance.duration(200) for _ in range(20_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(200, rel=0.03)
    assert max(drawn) == 600
