from actors.oci.streams import TASKS_PIPE, Streams, merged


def test_the_pipe_is_shown_in_the_container_and_carried_on_by_two_hooks() -> None:
    streams = Streams("/b/node/streams", "/dev/.scrun-c.out", "/b/node/stdout")
    [mount] = streams.mounts()
    assert (mount["destination"], mount["source"], mount["type"]) == ("/dev/.scrun-c.out", "/b/node/stdout", "bind")
    words = {name: [hook["args"][1:] for hook in hooks] for name, hooks in streams.hooks().items()}
    assert words == {
        "poststart": [["/b/node/streams", "pass", "/b/node/stdout"]],
        "poststop": [["/b/node/streams", "finish"]],
    }


def test_what_may_outlive_the_program_is_named() -> None:
    streams = Streams("/b/node/streams", "/dev/.scrun-c.out", TASKS_PIPE, "/dev/.scrun-c")
    [hook] = streams.hooks()["poststop"]
    assert hook["args"][2:] == ["finish", "/dev/.scrun-c"]


def test_on_a_terminal_it_is_only_waited_for_the_runtime() -> None:
    streams = Streams("/b/node/streams", "/dev/.scrun-c.go", "/b/node/stdout", terminal=True)
    [mount] = streams.mounts()
    assert mount["destination"] == "/dev/.scrun-c.go"
    [hook] = streams.hooks().pop("poststart")
    assert hook["args"][2:] == ["watch", "/b/node/stdout"]
    assert list(streams.hooks()) == ["poststart"]


def test_ours_come_before_the_others_and_once() -> None:
    theirs = {"path": "/bin/theirs"}
    ours = Streams("/p", "/out", "/in").hooks()
    config = {"hooks": {"poststart": [theirs], "createContainer": [theirs]}}
    once = merged(config, ours, {"poststop": [theirs]})
    assert once == {
        "poststart": [*ours["poststart"], theirs],
        "createContainer": [theirs],
        "poststop": [*ours["poststop"], theirs],
    }
    assert merged({"hooks": once}, ours) == once
    assert config == {"hooks": {"poststart": [theirs], "createContainer": [theirs]}}
