"""A push endpoint, and the tokens of its senders."""

from tests.support.push_world import door, standing, tokens

__all__ = ["door", "standing", "tokens"]
