"""Guard failures from the inline counters of specialized sites.

A specialized instruction keeps a cooldown in its first cache unit: every miss takes one step off
it, the miss after the last re-specializes the site, or makes it generic again. Between two boundary
events (start, resumption, return, backward jump, handler entry) an instruction runs at most once,
so polls at most a cooldown of events apart see every miss.
"""

import sys

import bytecost_opcodes

EMPTY = {}


def deep(frames=5):
    """Raises RecursionError where a poll would, which must not happen amid one."""
    if frames:
        deep(frames - 1)


def calibrate():
    """Watch one site of our own specialize and miss: what a fresh counter holds, and one step of it."""

    def probe(a, b):
        return a + b

    code = probe.__code__
    offset = next((o for o, name, caches in bytecost_opcodes.walk(code) if name == "BINARY_OP"), None)
    if offset is None:
        return None
    for _ in range(16):
        probe(1, 2)
    live = code._co_code_adaptive
    if bytecost_opcodes.name(live[offset]) == "BINARY_OP":
        return None  # this build does not specialize, or something instruments it
    fresh = live[offset + 2] | live[offset + 3] << 8
    probe("a", "b")
    live = code._co_code_adaptive
    step = fresh - (live[offset + 2] | live[offset + 3] << 8)
    if step <= 0 or step & (step - 1):
        return None
    # 3.11 goes generic with the last step; later ones try again with the miss after it.
    after = 0 if bytecost_opcodes.OLD else 1
    return {"step": step, "cooldown": fresh // step, "after": after, "little": sys.byteorder == "little"}


class Sites:
    """The specializable sites of one code object and what became of them."""

    def __init__(self, code, calibration):
        self.code = code
        self.offsets = []
        self.for_iters = []
        self.misses = {}
        self.fell_back = {}
        self.generic = {}
        self.attempts = {}
        self.threads = 1
        self.polls = 0
        tables = bytecost_opcodes
        for offset, name, caches in tables.walk(code):
            if name == "FOR_ITER":
                self.for_iters.append(offset)
            if caches and name in tables.FAMILIES and calibration:
                self.offsets.append(offset)
        if not self.offsets:
            return
        self.step, self.cooldown, self.after = calibration["step"], calibration["cooldown"], calibration["after"]
        self.low, self.high = (2, 3) if calibration["little"] else (3, 2)
        # Only the sites' own bytes: branch history changes all the time.
        self.key = tables.itemgetter(*[o + k for o in self.offsets for k in (0, 2, 3)])
        self.last = self.key(code._co_code_adaptive)

    def poll(self):
        """Account for what changed since the last poll."""
        if not self.offsets:
            return
        new = self.key(self.code._co_code_adaptive)
        old = self.last
        if new == old:
            return
        self.last = new
        low, high = self.low - 1, self.high - 1
        for index, offset in enumerate(self.offsets):
            at = 3 * index
            if new[at : at + 3] != old[at : at + 3]:
                self.changed(
                    offset, old[at], old[at + low] | old[at + high] << 8, new[at], new[at + low] | new[at + high] << 8
                )

    def changed(self, offset, old_op, old_raw, new_op, new_raw):
        specialized = bytecost_opcodes.SPECIALIZED
        was, now = specialized.get(old_op), specialized.get(new_op)
        old, new = old_raw // self.step, new_raw // self.step
        if was and now:
            if was == now and new <= old:
                self.add(offset, was, old - new)
            else:  # the cooldown ran out and another attempt succeeded at once
                self.add(offset, was, old + self.after)
                self.add(offset, now, self.cooldown - new)
        elif was:
            if bytecost_opcodes.is_base(new_op):
                # The miss that emptied the cooldown made an attempt that failed: a fresh generic counter.
                self.add(offset, was, old + self.after)
                self.fell_back[offset] = self.fell_back.get(offset, 0) + 1
        elif now:
            self.add(offset, now, self.cooldown - new)
            if bytecost_opcodes.is_base(old_op):
                self.attempts.setdefault(offset, []).append(old_raw)

    def add(self, offset, form, count):
        forms = self.misses.get(offset)
        if forms is None:
            forms = self.misses[offset] = {}
        forms[form] = forms.get(form, 0) + count

    def report(self):
        """By offset: misses of each form seen, and the generic counter before each specialization."""
        out = {}
        end = dict(zip(self.offsets, range(0, len(self.offsets) * 3, 3))) if self.offsets else EMPTY
        for offset, at in end.items():
            forms = self.misses.get(offset, {})
            eras = self.attempts.get(offset, [])
            raw = self.last[at + self.low - 1] | self.last[at + self.high - 1] << 8
            out[offset] = {
                "misses": forms,
                "eras": eras,
                "fell_back": self.fell_back.get(offset, 0),
                "op": self.last[at],
                "raw": raw,
            }
        return out
