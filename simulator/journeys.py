"""What happens to a customer from the first ring to the end, channel by channel."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import simpy

from simulator.chance import Choice
from simulator.contacts import Contact, Need, Steered
from simulator.endings import Endings
from simulator.pool import ANSWERED, GAVE_UP, Pool
from simulator.world import Process, World

FLOWED_OUT = "flowed_out"
AGENTS = ("hotline", "sms", "email", "im", "wechat", "weibo", "shops")
"""Channels whose contacts people may answer."""


class Journeys:
    """Chooses a channel for each need and leads the contact through machine, queue and agent."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._chance = world.chance("journeys")
        self._ways = Choice({name: way.preference for name, way in world.habits.channels.items()})
        self._entries = {name: Choice(way.entries) for name, way in world.habits.channels.items()}
        self._towards = Choice(world.habits.steering.towards)
        self._endings = Endings(world, self.begin)

    def begin(self, need: Need, channel: str = "", origin: Contact | None = None) -> None:
        """A customer comes in, on a channel of their own choice or on the one they were steered to."""
        way = channel or self._ways.draw(self._chance)
        journey = self._call(need) if way == "calls" else self._other(way, need, origin)
        self.world.env.process(journey)

    def _call(self, need: Need) -> Process:
        """A call: the IVR first unless the customer dials straight to a person."""
        habits = self.world.habits
        if self._chance.happens(habits.grades[need.grade].direct):
            yield from self._hotline(need, "human_queue")
            return
        call = self.world.born("ivr", need, "ivr")
        self.world.tell(call)
        if (yield from self._machine(call, "calls")):
            return
        call.to_agent, call.ended = True, self.world.now
        self.world.tell(call)
        yield from self._hotline(need, "ivr")

    def _hotline(self, need: Need, entry: str) -> Process:
        world = self.world
        call = world.born("hotline", need, entry)
        centre = world.least_loaded(world.nation.answering[need.city.code])
        call.centre = centre.code
        yield from self._queue(call, world.centres[centre.code], "calls")

    def _other(self, channel: str, need: Need, origin: Contact | None) -> Process:
        """A contact on any other channel."""
        if channel == "webhall":
            yield self.world.env.timeout(self._chance.duration(self.world.habits.channels[channel].machine_s))
            need = replace(need, repeat=False)  # its log names no customer, so nobody can be known to come back
        contact = self.world.born(channel, need, self._entries[channel].draw(self._chance))
        if origin is not None:
            self._endings.answers_to(contact, origin)
        if channel == "knowledge" or channel == "webhall":
            self._endings.by_machine_at_once(contact)
        elif contact.entry == "human_queue":
            yield from self._queue(contact, self._pool(contact), channel)
        else:
            self.world.tell(contact)
            if not (yield from self._machine(contact, channel)):
                yield from self._queue(contact, self._pool(contact), channel)

    def _machine(self, contact: Contact, way: str) -> Generator[simpy.Event, Any, bool]:
        """The machine's part; its value says whether the contact ended there."""
        habits = self.world.habits
        yield self.world.env.timeout(self._chance.duration(habits.channels[way].machine_s))
        serves = self._chance.happens(habits.machine_serves(way, contact.need.service))
        if serves or contact.channel not in (*AGENTS, "ivr"):
            self._endings.by_machine(contact, gave_up=self._chance.happens(habits.gives_up_in_machine), served=serves)
            return True
        return False

    def _queue(self, contact: Contact, pool: Pool, way: str) -> Process:
        """Queue for a person: answered, out of patience, or steered to another channel."""
        world = self.world
        contact.queued = world.now
        limit, reason = self._patience(contact, pool, way)
        turn = pool.join(limit, reason)
        if not turn.triggered:
            world.tell(contact)
        result = yield turn
        if result == ANSWERED:
            yield from self._agent(contact, pool, way)
        elif result == FLOWED_OUT:
            contact.left, contact.flowed_out = world.now, True
            self._endings.steered(contact)
            self.begin(contact.need, contact.towards, contact)
        else:
            contact.left = world.now
            self._endings.gave_up(contact)

    def _patience(self, contact: Contact, pool: Pool, way: str) -> tuple[float, str]:
        """How long the customer will wait and what they do then; calls that must queue are offered another channel."""
        steering = self.world.habits.steering
        patience = self._chance.gap(1 / self.world.habits.channels[way].patience_s)
        if way != "calls" or pool.busy < pool.capacity or not self._chance.happens(steering.offered):
            return patience, GAVE_UP
        contact.towards, contact.steered = self._towards.draw(self._chance), Steered.OFFERED
        if patience > steering.listening_s and self._chance.happens(steering.accepted):
            return steering.listening_s, FLOWED_OUT
        return patience, GAVE_UP

    def _agent(self, contact: Contact, pool: Pool, way: str) -> Process:
        """An agent talks, writes the wrap-up, and is free again."""
        world, habits, chance = self.world, self.world.habits, self._chance
        contact.answered = world.now
        contact.agent = f"{contact.centre or contact.channel}-{chance.number(3)}"
        talk_s = chance.duration(habits.services[contact.need.service].talk_s * habits.channels[way].talk)
        hold_s = chance.duration(habits.hold.seconds) if chance.happens(habits.hold.share) else 0
        acw_s = chance.duration(habits.after_contact_s)
        per_agent = pool.contacts_per_agent
        world.tell(contact)
        yield world.env.timeout(talk_s + hold_s + acw_s)
        contact.talk_s, contact.hold_s, contact.acw_s = talk_s, hold_s, acw_s
        contact.engaged_s = max(1, round((talk_s + acw_s) / per_agent))
        self._endings.by_agent(contact)
        pool.release()

    def _pool(self, contact: Contact) -> Pool:
        world = self.world
        return world.shops[contact.need.city.province] if contact.channel == "shops" else world.texts[contact.channel]
