"""Afterwork: everything that goes on beside the dialling - promises, tickets, messages, word to other systems."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from voicebot.campaign.aftermath import Aftermath
from voicebot.campaign.care import load_follow_up
from voicebot.campaign.keeper import PromiseKeeper
from voicebot.compliance.packs import Packs, shipped_packs
from voicebot.config import Settings
from voicebot.domain.clock import Clock
from voicebot.messages.courier import Courier
from voicebot.messages.gateways import open_gateways
from voicebot.messages.manners import load_manners
from voicebot.messages.sender import Sender
from voicebot.messages.templates import load_templates
from voicebot.store import Store


async def afterwork(
    store: Store, settings: Settings, clock: Clock, packs: Callable[[], Packs] = shipped_packs
) -> None:
    """Run all of it until cancelled. SettingsError, CareError, TemplateError and MannersError name what is wrong."""
    care = load_follow_up(settings.follow_up)
    store.payments.terms = care.promises.terms
    channels = open_gateways(settings, clock)
    sender = Sender(
        store,
        channels,
        load_templates(settings.message_templates),
        clock,
        packs=packs,
        manners=load_manners(settings.channels),
    )
    in_writing = bool(channels)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(PromiseKeeper(store, care, clock, in_writing=in_writing).run())
            tasks.create_task(Aftermath(store, care, clock, in_writing=in_writing).run())
            tasks.create_task(Courier(store, clock).run())
            if channels:
                tasks.create_task(sender.run())
    finally:
        for channel in channels.values():
            await channel.close()
