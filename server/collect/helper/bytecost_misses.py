"""Guard failures from the inline counters of specialized sites.

A specialized instruction keeps a cooldown in its first cache unit: every miss takes one step off
it, the miss after the last re-specializes the site, or makes it generic again. Between two boundary
events (start, resumption, return, backward jump, handler entry) an instruction runs at most once,
so polls at most a cooldown of events apart see every miss.
"""

import sys

import bytecost_opcodes
import bytecost_wire


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
        self.pending = []
        self.threads = self.frames = 1
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
        self.live = code._co_code_adaptive
        self.read = (self.live, self.key(self.live))

    def poll(self, table=None, every=0):
        """Account for what changed since the last poll; restart the countdown of `table`."""
        if not self.offsets:
            return
        # No call stands between these: no other thread comes in between, each change is seen once.
        if table is not None:
            table[1] = every
        before = self.live
        self.live = live = self.code._co_code_adaptive
        read = self.read
        old = read[1] if read[0] is before else self.key(before)
        new = self.key(live)
        self.read = (live, new)
        if new == old:
            return
        try:
            self.account(old, new)
        except RecursionError:  # it needs one more frame
            self.pending.append((old, new))

    def account(self, old_bytes, new_bytes):
        """Misses between two polls. Calls nothing written in Python: near the recursion limit it is
        entered or it is not. No `+=` has a call on the way: they are safe between threads."""
        low, high = self.low - 1, self.high - 1
        specialized, base = bytecost_opcodes.SPECIALIZED, bytecost_opcodes.BASE_NUMBERS
        for index, offset in enumerate(self.offsets):
            at = 3 * index
            if new_bytes[at : at + 3] == old_bytes[at : at + 3]:
                continue
            old_op, new_op = old_bytes[at], new_bytes[at]
            old_raw = old_bytes[at + low] | old_bytes[at + high] << 8
            was, now = specialized.get(old_op), specialized.get(new_op)
            if not (was or now):
                continue
            old = old_raw // self.step
            new = (new_bytes[at + low] | new_bytes[at + high] << 8) // self.step
            forms = self.misses.setdefault(offset, {})
            if was and was == now and new <= old:
                forms.setdefault(was, 0)
                forms[was] += old - new
                continue
            if was and (now or new_op in base):
                # The miss that emptied the cooldown made another attempt: it succeeded at once, or
                # failed and left a fresh generic counter.
                forms.setdefault(was, 0)
                forms[was] += old + self.after
                if not now:
                    self.fell_back.setdefault(offset, 0)
                    self.fell_back[offset] += 1
            if now:
                forms.setdefault(now, 0)
                forms[now] += self.cooldown - new
                if old_op in base:
                    self.attempts.setdefault(offset, []).append(old_raw)

    def report(self):
        """By offset, for sites that were ever specialized: misses of each form, the generic counter
        before each specialization, times it went generic again, live opcode and counter."""
        out = {}
        while self.pending:
            self.account(*self.pending.pop())
        if not self.misses:
            return out
        at = dict(zip(self.offsets, range(0, len(self.offsets) * 3, 3)))
        last = self.key(self.live)
        for offset, forms in list(self.misses.items()):
            here = at[offset]
            eras, fell_back = self.attempts.get(offset, ()), self.fell_back.get(offset, 0)
            raw = last[here + self.low - 1] | last[here + self.high - 1] << 8
            out[offset] = [dict(forms), list(eras), fell_back, last[here], raw]
        return out

    def quiet(self):
        """Offsets of the sites that never were: no misses."""
        misses = self.misses
        return bytecost_wire.Numbers([offset for offset in self.offsets if offset not in misses])
