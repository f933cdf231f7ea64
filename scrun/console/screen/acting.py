"""What both screens have in common: keys that carry out commands on the container that has the cursor."""

import asyncio
import contextlib
from collections.abc import Sequence

from textual import work
from textual.binding import Binding
from textual.screen import Screen

from scrun.packages import PROGRAM
from scrun.report.lines import printable

from .card import Card
from .keys import CHANGING, KEYS, Key, help_text
from .questions import Ask, Confirm, Outcome
from .rows import short

SECONDS = 60.0
"""How long a command may take."""
MOST = 1 << 20
"""Bytes of its text that are shown."""
ASKED = {"level": "level of its log, quiet to debug5", "event": "number or name of an event"}
NAMES = {"?": "question_mark", "/": "slash"}
"""Keys that textual has words for."""


def binding(key: str, action: str, text: str, *, show: bool = False) -> Binding:
    """A key as textual has it."""
    return Binding(NAMES.get(key, key), action, text, show=show, key_display=key)


def bindings(*shown: str, actors: bool) -> list[Binding]:
    """Those of the table.

    Args:
        shown: commands whose keys are in the last line of the screen.
        actors: whether there is an actor that has the cursor.

    """
    keys = [key for key in KEYS if actors or not key.of_actor]
    found = [binding(key.key, f"carry_out('{key.command}')", key.command, show=key.command in shown) for key in keys]
    return [*found, binding("?", "help", "keys", show=True)]


class Acting(Screen[None]):
    """A screen with a container that has the cursor."""

    def subject(self) -> Card | None:
        """The container."""
        raise NotImplementedError

    def actor(self) -> str:
        """The actor, or empty."""
        return ""

    def tick(self) -> None:
        """A second has passed."""
        raise NotImplementedError

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(Outcome("keys", help_text()))

    @work
    async def action_carry_out(self, command: str) -> None:
        """Do what a key is for: ask what has to be asked, and show what came of it."""
        card = self.subject()
        key = next(key for key in KEYS if key.command == command)
        if card is None:
            return
        arguments = await self._arguments(key)
        if arguments is None:
            return
        whom = " ".join(arguments) or "the supervisor of all actors"
        if command in CHANGING and not await self.app.push_screen_wait(
            Confirm(f"{command} {whom} of container {short(card.id)}?")
        ):
            self.notify("nothing was done", markup=False)
            return
        status, text = await carried_out(key.words(card.root, card.id, arguments))
        if command in CHANGING and status == 0:
            self.notify(f"{command} {whom}: done", markup=False)
        else:
            await self.app.push_screen(Outcome(f"{command} {short(card.id)}", text.rstrip() or "nothing"))

    async def _arguments(self, key: Key) -> tuple[str, ...] | None:
        found = []
        for want in key.wants:
            if want == "actor":
                if not self.actor():
                    self.notify(f"{key.command} is for an actor: put the cursor on one", severity="warning")
                    return None
                found.append(self.actor())
            else:
                answer = await self.app.push_screen_wait(Ask(f"{key.command}: {ASKED[want]}"))
                if not answer:
                    return None
                found.append(answer)
        return tuple(found)


async def carried_out(words: Sequence[str]) -> tuple[int, str]:
    """Run scrun with a command line; its exit status, and what it has said.

    A process of its own, so that the kernel can tell the container who asks, and so that nothing waits for it.
    """
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        async with asyncio.timeout(SECONDS):
            data = b""
            while len(data) < MOST and (part := await process.stdout.read(MOST - len(data))):
                data += part
            text = "\n".join(map(printable, data.decode(errors="replace").splitlines()))
            if len(data) < MOST:
                return await process.wait(), text
            return 0, f"{text}\n…"
    except TimeoutError:
        return 124, f"no answer within {SECONDS:g} s"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
