from __future__ import annotations
from typing import Any
from .ordeal import in_parallel, live
from .witness import Witness

def test_plain(runtime: Any, chaos: Any) -> None:
    data = chaos.data(1 << 16)
    def run(n: int) -> None:
        with Witness(runtime, f"p{n}", lambda *_: None) as w:
            o = live(runtime, f"p{n}", data, w)
            log = [x for x in o.words if "Signal" in x]
            print(n, o.code, repr(o.errors), log)
    in_parallel(range(40), run)
    assert 0
