"""Guard failures from the inline counters of specialized sites.

A specialized instruction keeps a cooldown in its first cache unit: every miss takes one step off
it, the miss after the last re-specializes the site, or makes it generic again. Between two boundary
events (start, resumption, return, backward jump, handler entry) an instruction runs at most once,
so polls at most a cooldown of events apart see every miss.
"""

import sys

import bytecost_opcodes
import bytecost_wire



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

    def __init__(self, code, calibration, read=None):
        self.code = code
        if read:  # a thread's own copy of the bytecode
            self.live = read
        self.offsets = []
        self.for_iters = []
        self.misses = {}
        self.fell_back = {}
        self.eras = {}
        self.rounds = {}
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
        self.backoff = 15 if bytecost_opcodes.OLD else self.step - 1  # its bits in a generic counter
        live = self.live()
        key = self.watch(live)
        self.state = (live, key, key(live))

    def live(self):
        """The bytecode as it is now."""
        return self.code._co_code_adaptive

    def watch(self, live):
        """What a poll compares: opcodes, and the counters of sites that are or were specialized. Other
        generic counters, and branch history, change all the time."""
        specialized = bytecost_opcodes.SPECIALIZED
        indices = []
        for offset in self.offsets:
            indices.append(offset)
            if live[offset] in specialized or offset in self.fell_back:
                indices += [offset + 2, offset + 3]
        return bytecost_opcodes.itemgetter(*indices)

    def poll(self, table=None, every=0):
        """Account for what changed since the last poll; restart the countdown of `table`."""
        if not self.offsets:
            return
        # No call stands between these: no other thread comes in between, each change is seen once.
        if table is not None:
            table[1] = every
        before, key, old = self.state
        live = self.live()
        self.state = (live, key, None)
        # Without `old`, another thread has not finished: its key may not fit what it has read.
        if old is None or key(live) != old:
            if self.account(before, live) or old is None:
                key = self.watch(live)
        new = key(live)
        if self.state[0] is live:
            self.state = (live, key, new)

    def account(self, before, live):
        """Whether any opcode has changed."""
        rewritten = False
        for offset in self.offsets:
            if before[offset : offset + 4] != live[offset : offset + 4]:
                rewritten |= before[offset] != live[offset]
                self.changed(offset, before[offset], self.raw(before, offset), live[offset], self.raw(live, offset))
        return rewritten

    def raw(self, live, offset):
        return live[offset + self.low] | live[offset + self.high] << 8

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
                self.fell_back.setdefault(offset, 0)
                self.fell_back[offset] += 1
        elif now:
            self.add(offset, now, self.cooldown - new)
            if bytecost_opcodes.is_base(old_op):
                self.eras.setdefault(offset, []).append([old_raw, self.rounds.pop(offset, 0)])
        elif new_raw > old_raw and new_raw & self.backoff == old_raw & self.backoff:
            # A failed attempt at the highest backoff: the counter starts over.
            self.rounds.setdefault(offset, 0)
            self.rounds[offset] += 1

    def add(self, offset, form, count):
        forms = self.misses.setdefault(offset, {})
        forms.setdefault(form, 0)
        forms[form] += count  # with no call on the way: safe between threads

    def report(self):
        """By offset, for sites that were ever specialized: misses of each form; before each
        specialization the generic counter and its rounds; rounds since; times it went generic again;
        live opcode and counter."""
        out = {}
        live = self.state[0] if self.offsets else b""
        for offset, forms in list(self.misses.items()):
            misses = ",".join([f'"{form}":{count}' for form, count in list(forms.items())])
            eras, rounds = self.eras.get(offset, []), self.rounds.get(offset, 0)
            rest = f"{eras},{rounds},{self.fell_back.get(offset, 0)},{live[offset]},{self.raw(live, offset)}"
            out[offset] = bytecost_wire.Text(f"[{{{misses}}},{rest}]")
        return out

    def quiet(self):
        """Offsets of the sites that never were: no misses."""
        misses = self.misses
        return bytecost_wire.Numbers([offset for offset in self.offsets if offset not in misses])

    def copies(self):
        """What other copies of the bytecode tell: there are none."""
        return []
