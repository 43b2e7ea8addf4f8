"""Numbers that offices give: 宛名番号 with its check digit, and My Number shaped ones for the file that must be refused."""

import numpy as np

from kizuki.synth.cells import Ints


def with_check_digit(serial: Ints) -> Ints:
    """宛名番号: an 8-digit serial and one check digit (modulus 11, weights 2-7 from the right; remainder 0 or 1 gives 0)."""
    serial = np.asarray(serial, np.int64)
    total = sum(((serial // 10**k) % 10) * (2 + k % 6) for k in range(8))
    remainder = np.asarray(total) % 11
    return serial * 10 + np.where(remainder <= 1, 0, 11 - remainder)


def my_numbers(serial: Ints) -> Ints:
    """12-digit numbers whose check digit is valid as a My Number (番号法施行規則 5条); they belong to nobody."""
    serial = np.asarray(serial, np.int64)
    total = sum(((serial // 10**k) % 10) * (k + 2 if k < 6 else k - 4) for k in range(11))
    remainder = np.asarray(total) % 11
    return serial * 10 + np.where(remainder <= 1, 0, 11 - remainder)


def spread_serials(rng: np.random.Generator, count: int) -> Ints:
    """Distinct 8-digit serials in no telling order, some beginning with zero."""
    order = rng.permutation(count).astype(np.int64)
    return 1_200_000 + order * (90_000_000 // max(count, 1)) + rng.integers(0, max(1, 90_000_000 // max(count, 1) - 1), count)
