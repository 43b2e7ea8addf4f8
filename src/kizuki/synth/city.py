"""The city as one object: people, register and every domain's facts, built from one seed."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from kizuki.synth.benefits import Benefits, draw_benefits
from kizuki.synth.calendar import Window
from kizuki.synth.canaries import Canaries, plant_canaries
from kizuki.synth.draws import Streams
from kizuki.synth.economy import Assistance, Taxes, draw_assistance, draw_taxes
from kizuki.synth.hardship import Latent, draw_latent
from kizuki.synth.life_events import Register, draw_register
from kizuki.synth.names import NameBook, name_book
from kizuki.synth.numbers import spread_serials, with_check_digit
from kizuki.synth.places import Schools
from kizuki.synth.population import Array, People, Units
from kizuki.synth.settlement import draw_population

DEFAULT_PEOPLE = 182_835
DEFAULT_SEED = 20231116
DEFAULT_TODAY = date(2026, 11, 20)
BEFORE_NOTICES = DEFAULT_TODAY - timedelta(days=14)
"""The day the story of the demo begins: a fortnight of notices lies between it and the city's own day."""
NAME = "わかば市"


@dataclass
class City:
    """Everything true about the city. Positions in `people` and `units` are the true identities."""

    people_count: int
    seed: int
    today: date
    window: Window
    streams: Streams
    book: NameBook
    schools: Schools
    units: Units
    people: People
    register: Register
    person_no: Array  # 9-digit numbers
    household_no: Array  # by household position of the register
    latent: Latent
    assistance: Assistance
    taxes: Taxes
    benefits: Benefits
    canaries: Canaries

    def address_row(self, persons: Array, days: Array | int) -> Array:
        """Address position of people on a day."""
        return self.register.address[self.register.at(persons, days)]

    def true_ids(self) -> Array:
        """Identity numbers used in the truth folder."""
        return np.arange(len(self.people))


def build_city(people: int = DEFAULT_PEOPLE, seed: int = DEFAULT_SEED, today: date = DEFAULT_TODAY) -> City:
    """The synthetic city: the same arguments give the same city, byte for byte.

    `people` is the number of residents today (at least 300); history covers the sixty months up to `today`.
    """
    streams, window, book = Streams(seed), Window.until(today), name_book()
    units, persons = draw_population(people, streams, window, book)
    register = draw_register(units, persons, streams, window, book)
    rng = streams.of("numbers")
    person_no = with_check_digit(spread_serials(rng, len(persons)))
    household_no = 1_000_000 + rng.permutation(register.households).astype(np.int64) * 37 + 11
    latent = draw_latent(units, persons, streams, window)
    assistance = draw_assistance(units, persons, latent, streams=streams, window=window)
    taxes = draw_taxes(units, persons, latent, assistance, streams=streams, window=window)
    benefits = draw_benefits(units, persons, taxes, assistance, streams=streams, window=window)
    canaries = plant_canaries(units, persons, register, streams=streams, window=window, book=book)
    return City(
        people,
        seed,
        today,
        window,
        streams,
        book,
        Schools.for_people(people),
        units,
        persons,
        register,
        person_no,
        household_no,
        latent,
        assistance,
        taxes,
        benefits,
        canaries,
    )
