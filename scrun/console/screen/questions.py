"""Small windows above the others: a question that wants a y, one that wants a word, and a text to be read."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class Confirm(ModalScreen[bool]):
    """Whether something shall be done: y, and everything else is no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,enter,q", "answer(False)", "No"),
    ]

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self._sentence = sentence

    def compose(self) -> ComposeResult:
        """The question."""
        yield Static(f"{self._sentence} [y/N]", classes="window", markup=False)

    def action_answer(self, answer: bool) -> None:
        """End with the answer."""
        self.dismiss(answer)


class Ask(ModalScreen[str]):
    """A word or a few; empty if nothing is wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Back")]

    def __init__(self, label: str, value: str = "") -> None:
        super().__init__()
        self._label = label
        self._value = value

    def compose(self) -> ComposeResult:
        """The label, and room for the answer."""
        with Vertical(classes="window"):
            yield Static(self._label, markup=False)
            yield Input(self._value, compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """End with the answer."""
        self.dismiss(event.value.strip())


class Outcome(ModalScreen[None]):
    """What a command has said: a table, whose lines stay lines, or one sentence, which is wrapped."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Back")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading = title
        self.text = text

    def compose(self) -> ComposeResult:
        """The text; it scrolls both ways."""
        with VerticalScroll(classes="text", can_focus=True) as window:
            window.border_title = self.heading
            window.border_subtitle = "escape: back"
            yield Static(self.text, markup=False, classes="table" if "\n" in self.text else "")
