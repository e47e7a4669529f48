"""A row as the tokens that a model is trained on."""

from __future__ import annotations

from pathlib import Path

from t2s_tui.generation.tokens_command import Cutter
from tests.model_support import Room, one_core, room, tiny_model

__all__ = ["one_core", "room", "tiny_model"]


def test_pieces_join_to_the_text_and_count_their_tokens(room: Room, tmp_path: Path) -> None:
    cutter = Cutter(room.workspace.root)
    cut = cutter.cut(room.model, "short", "CREATE TABLE t (a INT);", "모두 세어줘 🙂", "SELECT '가';")
    assert "".join(text for text, _ in cut.prompt).endswith("CREATE TABLE t (a INT);\n모두 세어줘 🙂\n")
    assert "".join(text for text, _ in cut.answer) == "SELECT '가';<|end|>"
    assert ("모", 3) in cut.prompt  # every byte is a token of this model
    assert ("🙂", 4) in cut.prompt
    assert ("가", 3) in cut.answer
    assert sum(count for _, count in cut.prompt) == cut.prompt_tokens
    assert sum(count for _, count in cut.answer) == cut.answer_tokens == 14
