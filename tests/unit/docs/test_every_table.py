"""Each table of the documents is compared with the code by a test, or is known to be prose.

Whoever adds a table adds a row here, and so decides which of the two it is.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.unit.docs import markdown

if TYPE_CHECKING:
    import pathlib

PROSE = ""
"""What an administrator has to do, what was observed, why something is so: the code has no such table."""
UNIT = "tests/unit/docs"
BATS = "tests/conformance/test_document.py::test_the_document_is_made_of_the_table"
BESIDE = "tests/unit/beside/test_document.py::test_the_section_is_made_of_the_rows"
# The tests that a row of "what shows it" names exist: that much is compared.
SHOWN = f"{UNIT}/test_links.py::test_files_of_the_project_that_are_named_exist"

KNOWN: dict[tuple[str, str, str], str] = {
    ("README.md", "Options", "example"): f"{UNIT}/test_options.py::test_the_examples_are_options",
    ("README.md", "The repository", ""): f"{UNIT}/test_examples.py::test_the_folders_of_the_repository",
    ("docs/architecture.md", "The life of a container", "state"): f"{UNIT}/test_protocol.py::"
    "test_the_life_of_a_container_has_every_intent",
    ("docs/architecture.md", "Decisions", "who ends"): PROSE,
    ("docs/architecture.md", "The rooms", "room"): SHOWN,
    ("docs/architecture.md", "Dependencies", "package"): f"{UNIT}/test_links.py::"
    "test_the_dependencies_are_what_the_code_imports",
    ("docs/architecture.md", "pyslurm", "wanted"): PROSE,
    ("docs/comparison.md", "What was seen", ""): f"{UNIT}/test_comparison.py::test_the_page_has_the_rows_of_the_table",
    ("docs/conformance.md", "runc's bats", "file"): BATS,
    (
        "docs/console.md",
        "The screen",
        "column",
    ): f"{UNIT}/test_console.py::test_the_columns_of_the_screen_are_explained",
    ("docs/console.md", "The screen", "key"): f"{UNIT}/test_console.py::test_the_page_is_made_of_the_table",
    ("docs/console.md", "Commands", "command"): f"{UNIT}/test_console.py::test_the_page_is_made_of_the_table",
    ("docs/conformance.md", "runtime-tools", "case"): BATS,
    ("docs/conformance.md", "Reasons", ""): BATS,
    ("docs/engine-options.md", "podman run and docker run", "option"): "tests/oci/test_engine_options.py::"
    "test_every_option_of_the_engine_has_a_row",
    ("docs/engine-options.md", "update, top and stats", "option"): PROSE,
    ("docs/engine-options.md", "update, top and stats", "command"): PROSE,
    ("docs/conformance.md", "Side by side", "reason"): BESIDE,
    ("docs/conformance.md", "Side by side", "row"): BESIDE,
    ("docs/exporter.md", "Metrics", "metric"): f"{UNIT}/test_exporter.py::test_every_metric_has_its_row_and_no_other",
    ("docs/gpus.md", "Asking", "what is said"): "tests/unit/oci/test_gpu_request.py::test_how_many",
    ("docs/images.md", "How an image gets to a node", ""): PROSE,
    ("docs/images.md", "Five ways", "way"): f"{UNIT}/test_images.py::test_every_way_has_its_row",
    ("docs/images.md", "What an image is known by", "root file system"): PROSE,
    ("docs/images.md", "Import", "tree"): PROSE,
    ("docs/images.md", "Import", "what it is known by"): PROSE,
    ("docs/images.md", "A store for the site", "the user has the image"): PROSE,
    ("docs/install.md", "Install", "where"): PROSE,
    ("docs/install.md", "3. containers.conf, on the login hosts", "line"): f"{UNIT}/test_settings.py::"
    "test_the_lines_of_containers_conf_have_a_reason",
    ("docs/install.md", "3. containers.conf, on the login hosts", "the host"): f"{UNIT}/test_settings.py::"
    "test_what_containers_conf_must_not_say",
    ("docs/install.md", "4. scrun.toml, if a default does not fit", "homes"): PROSE,
    ("docs/install.md", "4. scrun.toml, if a default does not fit", "section"): f"{UNIT}/test_settings.py::"
    "test_every_key_has_its_row_in_the_order_of_the_code_and_nothing_else_has",
    ("docs/lua.md", "The two functions", "argument"): f"{UNIT}/test_lua.py::"
    "test_the_arguments_of_both_functions_are_those_of_the_document_in_its_order",
    ("docs/lua.md", "slurm", "function"): f"{UNIT}/test_lua.py::test_every_function_of_slurm_has_a_row_and_no_other",
    ("docs/lua.md", "What differs from Slurm's scrun", "there"): PROSE,
    ("docs/oci-conf.md", "Runtimes", "form"): f"{UNIT}/test_oci_conf.py::test_what_is_refused_is_refused",
    ("docs/oci-conf.md", "Keys", "key"): f"{UNIT}/test_oci_conf.py::test_every_key_has_its_row",
    ("docs/oci-conf.md", "Patterns", "pattern"): f"{UNIT}/test_oci_conf.py::test_every_pattern_has_its_row",
    ("docs/operations.md", "The commands", "command"): f"{UNIT}/test_commands.py::"
    "test_every_verb_has_its_row_and_no_other",
    ("docs/operations.md", "Files", "file"): f"{UNIT}/test_operations.py::"
    "test_every_file_of_a_container_has_a_row_and_no_other",
    ("docs/operations.md", "Mounts", "source"): PROSE,
    ("docs/operations.md", "What doctor looks at", "row"): f"{UNIT}/test_operations.py::"
    "test_every_check_of_the_doctor_has_a_row",
    ("docs/operations.md", "What doctor looks at", "program"): f"{UNIT}/test_operations.py::"
    "test_every_known_fault_has_a_row",
    ("docs/operations.md", "Hosts that are not as they should be", "what is wrong"): f"{UNIT}/test_operations.py::"
    "test_every_broken_set_up_has_a_row",
    ("docs/operations.md", "Log levels", "place"): f"{UNIT}/test_operations.py::test_what_each_place_gets_unless_asked",
    ("docs/operations.md", "States and annotations", "annotation"): f"{UNIT}/test_operations.py::"
    "test_every_annotation_has_a_row",
    ("docs/operations.md", "Exit codes", "`scrun.end`"): f"{UNIT}/test_operations.py::test_every_kind_of_end_has_a_row",
    ("docs/operations.md", "Exit codes", "exit status"): f"{UNIT}/test_operations.py::"
    "test_the_exit_statuses_of_commands",
    ("docs/operations.md", "What errors mean", "sentence begins"): f"{UNIT}/test_operations.py::"
    "test_a_sentence_is_one_of_scruns",
    ("docs/operations.md", "kill -9", "process"): f"{UNIT}/test_operations.py::test_every_actor_may_be_killed",
    ("docs/operations.md", "The job in the books", "word"): f"{UNIT}/test_operations.py::"
    "test_every_word_of_the_comment_has_a_row",
    ("docs/operations.md", "Leftovers", "a job whose cookie no container here has"): PROSE,
    ("docs/options.md", "Lists", "sign"): f"{UNIT}/test_options.py::test_the_signs_for_commas",
    ("docs/options.md", "What is no option", "option"): f"{UNIT}/test_options.py::test_what_is_no_option",
    ("docs/mpi.md", "MPI", "plug-in"): "tests/slurm/test_mpi.py::test_open_mpi_by_pmix",
    ("docs/options.md", "The options", "option"): f"{UNIT}/test_options.py::"
    "test_every_option_has_its_row_and_nothing_else_has",
    ("docs/performance.md", "Figures", ""): f"{UNIT}/test_performance.py::"
    "test_page_and_picture_are_those_of_the_kept_numbers",
    ("docs/performance.md", "Beside Slurm's own scrun", ""): f"{UNIT}/test_performance.py::"
    "test_page_and_picture_are_those_of_the_kept_numbers",
    ("docs/performance.md", "What was tried", "what"): PROSE,
    ("docs/performance.md", "What exec takes", ""): PROSE,
    ("docs/performance.md", "Where the processor time of a life goes", "process"): PROSE,
    ("docs/performance.md", "Where the time of an end goes", ""): PROSE,
    ("docs/protocol.md", "Sockets", "socket"): f"{UNIT}/test_protocol.py::test_the_sockets_are_files_of_the_container",
    ("docs/protocol.md", "Envelope", "#"): f"{UNIT}/test_protocol.py::test_the_envelope",
    ("docs/protocol.md", "Requests", "code"): f"{UNIT}/test_protocol.py::test_every_error_has_a_row",
    ("docs/protocol.md", "The anchor's socketpair", "word"): f"{UNIT}/test_protocol.py::"
    "test_which_way_the_anchors_talk_goes",
    **dict.fromkeys(
        [
            ("docs/protocol.md", "Requests", "type"),
            ("docs/protocol.md", "Requests", "reply"),
            ("docs/protocol.md", "Intents and facts", "intent"),
            ("docs/protocol.md", "Intents and facts", "fact"),
            ("docs/protocol.md", "Intents and facts", "report"),
        ],
        f"{UNIT}/test_protocol.py::test_a_row_has_the_fields_of_its_message",
    ),
    ("docs/tap.md", "Messages", "field"): f"{UNIT}/test_tap.py::test_a_message_has_the_fields_of_the_header",
    ("docs/tap.md", "Messages", "topic"): f"{UNIT}/test_tap.py::test_every_layer_has_a_row",
    ("docs/tap.md", "The hello", "field"): f"{UNIT}/test_tap.py::test_a_hello_has_the_fields_of_its_table",
    ("docs/tap.md", "What a gap means", "`why`"): f"{UNIT}/test_tap.py::test_every_gap_has_a_row_and_a_sentence",
    **{
        ("docs/reliability.md", table.heading, "what happens"): SHOWN
        for table in markdown.tables("docs/reliability.md")
    },
    ("docs/variables.md", "Which wins in the container", "name"): "tests/slurm/test_variables.py::"
    "test_which_variable_wins",
    ("docs/variables.md", "Of the container", "variable"): f"{UNIT}/test_variables.py::"
    "test_the_containers_are_what_scrun_tells",
    ("docs/variables.md", "Of the job and its step", "variable"): f"{UNIT}/test_variables.py::"
    "test_every_variable_of_the_manual_has_its_row_and_no_other",
}


def test_every_table_is_known() -> None:
    there = {
        (document, table.heading, table.header[0])
        for document in markdown.DOCUMENTS
        for table in markdown.tables(document)
    }
    assert there == set(KNOWN)


@pytest.mark.parametrize("test", sorted(set(KNOWN.values()) - {PROSE}))
def test_what_compares_it_exists(test: str) -> None:
    path, _, function = test.partition("::")
    assert function in functions(markdown.CHECKOUT / path)


def functions(path: pathlib.Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}
