"""The full rule suite on a nation's minute with faults, beside a pandera schema of the equivalent checks.

Both see the same rows in the same process, by turns, and both are timed by the processor time of the process, the
least of several runs; Python looks for cycles as rarely as in the processes of the product. Before that each must find
the same bad figures: what pandera alone finds must hold a figure that an earlier rule of ours has failed, because what
has failed once is not judged again.

The figure is the whole suite, findings for users included; pandera makes none. The note tells what the checks alone
take, and what both take where nothing is wrong.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from bench.audit_schema import Cell, bad_cells, failure_cases, schema
from bench.measurement import Measurement
from data_quality import audit
from data_quality.evidence import Evidence
from data_quality.grid.coded_facts import code_facts
from data_quality.grid.grid import build_grid
from data_quality.grid.places import arrange
from data_quality.grid.rhythms import rhythms
from data_quality.grid.schedule import schedule
from data_quality.registry import RULES, Sight, in_order
from metrics.findings import CheckState, Finding
from service.process import collect_rarely
from tests.support.audited_nation import CITIES, afresh, interval

RUNS = 7
LOADS = (1, 2, 4)
BAD = (CheckState.FAIL, CheckState.QUERY)


def measure() -> Iterator[Measurement]:
    """Time of the suite at the reference load beside the peer's, and how it grows with the load."""
    collect_rarely()
    evidence = interval()
    table = schema(evidence)
    found, cases = audit(evidence), failure_cases(table, evidence)
    compared = agree(found, bad_cells(cases))
    bad = sum(one.state in BAD for one in found)
    good = interval(faults=False)
    ours, checks, clean, peer, peer_clean = least(
        partial(_audit, evidence), partial(_checks_alone, evidence), partial(_audit, good),
        partial(failure_cases, table, evidence), partial(failure_cases, table, good),
    )  # fmt: skip
    note = (
        f"{len(evidence.observations)} rows; ours: {len(RULES)} rules, {len(found)} findings, {bad} of what is wrong; "
        f"the checks without findings {checks:.4f} s; nothing wrong {clean:.4f} s, pandera's {peer_clean:.4f} s; "
        f"pandera's schema covers {', '.join(sorted(compared))} and found {len(cases)} failure cases; "
        f"the same bad figures in each: {', '.join(f'{rule} {count}' for rule, count in sorted(compared.items()))}"
    )
    yield Measurement("audit_interval", "s", round(ours, 4), round(peer, 4), "pandera 0.35 (pandas)", note)
    times = [least(partial(_audit, interval(load)))[0] for load in LOADS]
    exponent = math.log(times[-1] / times[0]) / math.log(LOADS[-1] / LOADS[0])
    told = ", ".join(f"{load}x {seconds:.4f} s" for load, seconds in zip(LOADS, times, strict=True))
    yield Measurement("audit_growth", "exponent", round(exponent, 2), note=f"{told}; load is cities, faults grow along")


def _audit(evidence: Evidence) -> list[Finding]:
    """Audit with nothing worked out before."""
    return audit(afresh(evidence))


def _checks_alone(evidence: Evidence) -> None:
    """Ask every rule, with no cell spoiled before, and make nothing of what it says."""
    evidence = afresh(evidence)
    places = arrange(evidence.catalogue)
    facts = code_facts(evidence.observations, places)
    for edges, channels in rhythms(evidence):
        grid = build_grid(evidence.catalogue, facts, places, schedule(evidence, edges, channels))
        spoiled = np.zeros(grid.shape, np.bool_)
        for rule in in_order():
            list(rule.check(Sight(rule.id, evidence, grid, spoiled)))


def least(*works: Callable[[], object]) -> list[float]:
    """Least processor seconds of each work over a few rounds; one round takes each of them in turn."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(RUNS):
        for own, work in zip(times, works, strict=True):
            began = time.process_time()
            work()
            own.append(time.process_time() - began)
    return [min(own) for own in times]


def agree(found: list[Finding], theirs: dict[str, set[Cell]]) -> dict[str, int]:
    """How many figures both call bad, by rule; fails where one sees what the other does not."""
    counted = sum(one.bad for one in found if one.rule == "TM-04")
    assert counted == len(theirs["TM-04"]), "TM-04 counts figures and names none"
    failed = {where for one in found for cell in told_cells(one) for where in touched(cell)}
    ours: dict[str, set[Cell]] = {rule: set() for rule in theirs if rule != "TM-04"}
    for one in found:
        if one.rule in ours:
            ours[one.rule] |= set(told_cells(one))
    for rule, cells in ours.items():
        assert cells, f"{rule}: nothing was found"
        assert cells <= theirs[rule], f"{rule}: pandera does not see {sorted(cells - theirs[rule])[:3]}"
        alone = {cell for cell in somewhere(theirs[rule]) - cells if failed.isdisjoint(touched(cell))}
        assert not alone, f"{rule}: only pandera sees {sorted(alone)[:3]}"
    return {rule: len(cells) for rule, cells in ours.items()} | {"TM-04": counted}


def somewhere(cells: set[Cell]) -> set[Cell]:
    """Without measures that no place sent: ours tells them as one absent batch (CP-01) or measure (CP-04)."""
    places = Counter((channel, measure) for channel, measure, _ in cells)
    return {cell for cell in cells if places[cell[:2]] < CITIES}


def touched(cell: Cell) -> set[tuple[str, str]]:
    """The channel and place of a figure, and of the total that it is part of."""
    channel, _, place = cell
    return {(channel, place), (channel, f"{place[:2]}0000")}


def told_cells(finding: Finding) -> Iterator[Cell]:
    """The figures (channel, measure, place) behind a finding, or (channel, source, '') of one about a source."""
    if finding.state not in BAD:
        return
    for row in finding.rows:
        if "place" in row:
            yield finding.channel, str(row.get("measure", finding.measure)), str(row["place"])
        elif "start" in row and not finding.measure:
            yield finding.channel, finding.source, ""
