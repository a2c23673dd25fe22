"""Prints what bytesight records of a call: reference.py PROGRAM FUNCTION."""

import importlib
import json
import re
import sys

from bytesight.events import CallEvent, ExceptionEvent, LineEvent, OpcodeEvent, ReturnEvent
from bytesight.profiler import BytecodeProfiler

sys.path.insert(0, sys.argv[1])
function = getattr(importlib.import_module("calls"), sys.argv[2])
try:
    function()
except Exception:
    pass
profiler = BytecodeProfiler(num_warmups=0, num_repeats=0)
profiler.profile(function)
events = []
for event in profiler.events:
    if isinstance(event, CallEvent):
        events.append(["call", event.file.stem, event.name, event.lineno])
    elif isinstance(event, LineEvent):
        events.append(["line", event.contents])
    elif isinstance(event, ReturnEvent):
        events.append(["return"])
    elif isinstance(event, ExceptionEvent):
        events.append(["exception", event.exception.__qualname__])
    elif isinstance(event, OpcodeEvent):
        text = re.sub("0x[0-9a-f]+", "0x", event.argrepr)
        events.append(["instruction", event.offset, event.opname, event.arg, text, event.jump])
print(json.dumps(events))
