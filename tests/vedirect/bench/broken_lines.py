#!/usr/bin/env python3
"""Lines that turn bits and lose bytes: how many wrong blocks of three devices are believed, and how many of the whole ones.

    tests/vedirect/bench/broken_lines.py [BLOCKS]

BLOCKS (1 000 000) are sent by a battery monitor, which has two kinds of them, and two solar chargers of one house, at 0.1 % turned bits, at
0.1 % lost bytes, and at both; a tenth of them have a HEX message. Then ten times as many random bytes.
"""

import random
import sys
import time
import tracemalloc
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from pimains.house.solar import SolarHouse  # only findable now
from pimains.house.victron import BatteryMonitor, Charger, Faults  # only findable now
from pimains.vedirect.plan import fields  # only findable now
from pimains.vedirect.plan.belief import Belief  # only findable now
from pimains.vedirect.plan.framing import Block, Framing  # only findable now


class Told(NamedTuple):
    """Blocks: sent, unharmed, those of them that were published; wrong ones that were; how many of these in a field beyond its bound."""

    sent: int
    undamaged: int
    published: int
    wrong: int
    too_far: int


def told(blocks: int, flip: float, lose: float, seed: int = 1) -> Told:
    """So many blocks of each of three devices."""
    devices = (BatteryMonitor(), Charger("HQ9999ABCDE", 2), Charger("HQ9999FGHIJ", 2))
    found = [_of_one(device, blocks, flip, lose, random.Random(f"{seed} {number}")) for number, device in enumerate(devices)]
    return Told(*(sum(each) for each in zip(*found, strict=True)))


def _of_one(device: BatteryMonitor | Charger, blocks: int, flip: float, lose: float, chance: random.Random) -> Told:
    house = SolarHouse(hour=chance.uniform(5, 12))
    messages, faults = Faults(chance), Faults(chance)
    messages.hex, faults.flip, faults.lose = 0.1, flip, lose
    framing, belief = Framing(), Belief()
    clean = Framing()
    recent: list[Block] = []
    sent = undamaged = published = wrong = too_far = 0
    while sent < blocks:
        if chance.random() < 0.002:
            house.load, house.clouds = chance.choice((60.0, 120.0, 400.0, 900.0)), chance.choice((0.0, 0.2, 0.7))
        house.live(1)
        for data in device.blocks(house):
            leaves = messages.on(data)
            arrives = faults.on(leaves)
            (truth,) = clean.feed(data)
            recent = [*recent[-3:], truth]
            sent += 1
            whole, was_published = arrives == leaves, False
            for block in framing.feed(arrives):
                if not belief.believes(block):
                    continue
                if block in recent:  # what ends with a lost byte is known with the next block
                    was_published |= block == truth
                    continue
                wrong += 1
                too_far += not any(_is_within(block, each) for each in recent)
            undamaged += whole
            published += whole and was_published
    return Told(sent, undamaged, published, wrong, too_far)


def _is_within(block: Block, truth: Block) -> bool:
    if [label for label, _ in block] != [label for label, _ in truth]:
        return False
    for (label, text), (_, was) in zip(block, truth, strict=True):
        bound, one, other = fields.jump(label), fields.whole(text), fields.whole(was)
        if text != was and (bound is None or one is None or other is None or abs(one - other) > bound):
            return False
    return True


def random_bytes(count: int) -> tuple[int, float]:
    """Blocks believed of so many random bytes, and the most memory that took, in kB; raises whatever framing or belief do."""
    chance = random.Random(3)
    framing, belief, believed = Framing(), Belief(), 0
    tracemalloc.start()
    for start in range(0, count, 1000):
        few = bytes(chance.choices(b"\r\n\t:0A9VPIChecksum\xff-", k=1000)) if start % 2000 else chance.randbytes(1000)
        believed += sum(belief.believes(block) for block in framing.feed(few + b"\r\nChecksum\t" * (start % 5000 == 0)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return believed, most / 1000


def main() -> None:
    """Print the table."""
    blocks = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for flip, lose in ((0.001, 0.0), (0.0, 0.001), (0.001, 0.001)):
        began = time.process_time()
        found = told(blocks // 3, flip, lose)
        share = 100 * found.published / found.undamaged
        print(f"bits turned {flip:.1%}, bytes lost {lose:.1%}: {found.sent} blocks, {found.sent - found.undamaged} damaged")
        print(
            f"  wrong ones believed {found.wrong}, of them beyond the bound {found.too_far}; of the undamaged {share:.2f} % published",
            end="",
        )
        print(f" ({time.process_time() - began:.0f} s)", flush=True)
    believed, most = random_bytes(10 * blocks)
    print(f"{10 * blocks} random bytes: {believed} blocks believed, {most:.0f} kB at most", flush=True)


if __name__ == "__main__":
    main()
