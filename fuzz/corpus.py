"""Corpora of the fuzzers, packed: as folders for them, as one file each in the repository.

    python fuzz/corpus.py unpack FOLDER          # FOLDER/TARGET/…, to fuzz from
    python fuzz/corpus.py pack FOLDER            # after `cargo fuzz run -- -merge=1`: the smallest inputs
"""

import gzip
import hashlib
import struct
import sys
from pathlib import Path

HERE = Path(__file__).parent / "corpus"
LARGEST = 4096  # bytes of an input
MOST = 80  # inputs of a target


def pack(folder):
    for target in sorted(path for path in Path(folder).iterdir() if path.is_dir()):
        inputs = {file.read_bytes() for file in target.iterdir() if file.stat().st_size <= LARGEST}
        chosen = spread(sorted(inputs, key=lambda data: (len(data), data)))
        data = b"".join(struct.pack("<I", len(one)) + one for one in chosen)
        (HERE / f"{target.name}.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        print(target.name, len(chosen), "of", len(inputs))


def spread(inputs):
    """Small and large ones alike."""
    step = max(1, len(inputs) / MOST)
    return [inputs[int(at * step)] for at in range(min(MOST, len(inputs)))]


def unpack(folder):
    for file in sorted(HERE.glob("*.gz")):
        target = Path(folder) / file.stem
        target.mkdir(parents=True, exist_ok=True)
        data, at = gzip.decompress(file.read_bytes()), 0
        while at < len(data):
            (length,) = struct.unpack_from("<I", data, at)
            one = data[at + 4 : at + 4 + length]
            (target / hashlib.sha1(one).hexdigest()).write_bytes(one)
            at += 4 + length


{"pack": pack, "unpack": unpack}[sys.argv[1]](sys.argv[2])
