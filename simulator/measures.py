"""What a contact adds to each measure: the nation's own view, written apart from any collector's mapping."""

from simulator.contacts import Contact, Steered

SHORT_S = 5
"""Who gives up within this many seconds has not really waited."""
STEERING = (Steered.OFFERED, Steered.ACCEPTED, Steered.COMPLETED, Steered.NO_RETURN)
TEXT = frozenset({"sms", "email", "im", "wechat", "weibo"})
BY_MACHINE = "self_served"
KNOWN_AT_ONCE = ("first_line", "expert")
"""What is passed to the field or to another department is neither resolved nor unresolved yet."""


PATH = ("entry", "service_type", "handling", "outcome", "customer_grade")
"""What every contact is split by."""


def path_of(contact: Contact) -> dict[str, str]:
    """Dimension values of a contact; each contact is in exactly one path at every instant."""
    path = {
        "entry": contact.entry,
        "service_type": contact.need.service,
        "handling": contact.handling,
        "outcome": contact.outcome,
        "customer_grade": contact.need.grade,
    }
    return path | ({"to_channel": contact.towards} if contact.towards else {})


def measures_of(contact: Contact) -> dict[str, int]:
    """Everything that a contact adds, zeros left out."""
    found = {
        "contacts": int(not contact.to_agent),
        "marked_contacts": int(not contact.to_agent),
        "repeats_24h": int(contact.need.repeat and not contact.to_agent),
        "served_without_agent": int(
            contact.handling == BY_MACHINE and contact.outcome in ("resolved_first", "repeat_24h")
        ),
    }
    if contact.channel == "ivr":
        found |= {"ivr_entries": 1, "ivr_exits_no_agent": int(contact.ended is not None and not contact.to_agent)}
    if contact.queued is not None:
        found |= _queue(contact) | _steering(contact)
    if contact.answered is not None and contact.ended is not None:
        found |= _handling(contact)
    if contact.channel in TEXT and contact.answered is not None:
        found |= _session(contact)
    return {name: value for name, value in found.items() if value}


def _queue(contact: Contact) -> dict[str, int]:
    """Offered is answered, abandoned, flowed out or waiting: exactly one of them."""
    wait = contact.wait_s
    answered = contact.answered is not None
    abandoned = contact.left is not None and not contact.flowed_out
    return {
        "manual_requests": 1,
        "offered": 1,
        "answered": int(answered),
        "abandoned": int(abandoned),
        "flowed_out": int(contact.flowed_out),
        "waiting": int(wait is None),
        "answered_15s": int(answered and wait is not None and wait <= 15),
        "answered_20s": int(answered and wait is not None and wait <= 20),
        "abandoned_20s": int(abandoned and wait is not None and wait <= 20),
        "short_abandoned": int(abandoned and wait is not None and wait <= SHORT_S),
        "waits": int(answered),
        "wait_answered_s": wait if answered and wait is not None else 0,
    }


def _steering(contact: Contact) -> dict[str, int]:
    """Each step of steering includes those before it."""
    reached = STEERING.index(contact.steered) + 1 if contact.steered in STEERING else 0
    return {f"steering_{step.value}": int(place < reached) for place, step in enumerate(STEERING)}


def _handling(contact: Contact) -> dict[str, int]:
    return {
        "handled": 1,
        "talk_s": contact.talk_s,
        "hold_s": contact.hold_s,
        "acw_s": contact.acw_s,
        "transferred": int(contact.transferred),
        "resolvable": int(contact.handling in KNOWN_AT_ONCE),
        "resolved_first": int(contact.outcome == "resolved_first"),
        "votes": int(contact.vote > 0),
        "votes_4_5": int(contact.vote >= 4),
        "complaints": int(contact.need.service == "complaint"),
    }


def _session(contact: Contact) -> dict[str, int]:
    """A text session begins when an agent takes it, and that is the first reply."""
    ended = contact.ended is not None
    return {
        "sessions": 1,
        "replied_15s": int(contact.wait_s is not None and contact.wait_s <= 15),
        "session_s": contact.talk_s + contact.hold_s + contact.acw_s if ended else 0,
        "engaged_s": contact.engaged_s if ended else 0,
    }
