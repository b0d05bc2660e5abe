"""The actions that a role may be given (`roles.yaml`), closed: there is no other thing to ask for.

Every route of the web names one of them (`dashboards/access/routes.py`). Where it may be done is not said here: inside
the region of who asks (`access/policy.py`).
"""

from enum import StrEnum


class Action(StrEnum):
    """Everything that can be asked for."""

    LOAD_PROGRAM = "load_program"
    """What a page needs to run and that holds no figure: Dash's layout and its list of callbacks."""
    OPEN_PAGES = "open_pages"
    """Pages at all; what stands on one is asked for by its window."""
    SEE_FLOW_WINDOW = "see_flow_window"
    SEE_HQ_WINDOW = "see_hq_window"
    SEE_PROVINCE_WINDOW = "see_province_window"
    SEE_QUALITY_WINDOW = "see_quality_window"
    SEE_OTHER_WINDOWS = "see_other_windows"
    """Windows that name no action of their own (`dashboards/window.py`)."""
    FOLLOW_LIVE = "follow_live"
    """The stream of a window that may be seen."""
    SEE_CATALOGUE = "see_catalogue"
    """Metrics, channels, regions and rules as the interface for other systems gives them."""
    SEE_READINGS = "see_readings"
    """The newest figures as the interface for other systems gives them."""
    SEE_SOURCES = "see_sources"
    SEE_FINDINGS = "see_findings"
    ASK_QUESTIONS = "ask_questions"
    """A metric over time, by place, channel or dimension."""
    SEE_ROWS = "see_rows"
    """The rows behind a figure or a finding."""
    SEE_ASIDE = "see_aside"
    """The bytes of what was kept aside because it could not be counted."""
    REPLAY_ASIDE = "replay_aside"
    DISCARD_ASIDE = "discard_aside"
    MANAGE_USERS = "manage_users"
    MANAGE_TOKENS = "manage_tokens"
    SIGN_OUT = "sign_out"
