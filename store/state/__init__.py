"""State that is not facts: where each source stands, batches, findings, users, tokens, deeds, what was kept aside."""

from dataclasses import dataclass

from sqlalchemy import Engine

from config.catalogue import RuleBook
from store.state.aside import AsideBodies
from store.state.aside_requests import AsideRequests
from store.state.batches import Batches
from store.state.findings import Findings
from store.state.opening import migrate, open_engine
from store.state.past import Past
from store.state.progress import Progress
from store.state.tier_progress import TierProgressStore
from store.state.tokens import Tokens
from store.state.users import Users


@dataclass(frozen=True)
class State:
    """The groups of state over one database; safe to use from any thread."""

    engine: Engine
    progress: Progress
    batches: Batches
    findings: Findings
    users: Users
    tokens: Tokens
    tier_progress: TierProgressStore
    past: Past
    aside: AsideBodies
    aside_requests: AsideRequests

    def close(self) -> None:
        """Let the connections go."""
        self.engine.dispose()


def open_state(url: str, rules: RuleBook) -> State:
    """Open the database and bring its tables up to date.

    `sqlite:///FILE` or `postgresql://…`; raises BadSetting for another database, StoreUnreachable
    when it does not answer, StoreTooNew when a newer program has been here.
    """
    engine = open_engine(url)
    try:
        migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return State(
        engine,
        Progress(engine),
        Batches(engine),
        Findings(engine, rules),
        Users(engine),
        Tokens(engine),
        TierProgressStore(engine),
        Past(engine),
        AsideBodies(engine),
        AsideRequests(engine),
    )
