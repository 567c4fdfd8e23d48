"""Fills the database of the browser test and prints what was made; runs in a process of its own."""

import json
import sys
from io import BytesIO
from typing import Final

import django

PASSWORD: Final = "correct-horse-battery"


def receipt(words: str) -> bytes:
    """Draw a receipt as tall as a phone's screenshot."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (720, 1280), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 720, 160), fill="navy")
    draw.text((40, 220), words, fill="black", font_size=48)
    written = BytesIO()
    picture.save(written, "JPEG")
    return written.getvalue()


def main() -> None:
    """Make a seller, a raffle, and orders at every stage."""
    django.setup()
    from django.contrib.auth.models import User

    from tests import builders
    from tests.integration.backoffice import shop

    User.objects.create_superuser("olga", password=PASSWORD)
    raffle = builders.raffle(numbers=1000, time_zone="America/Bogota")
    long_name = "Wilhelmina Featherstonehaugh-Cholmondeley of the Third Street Corner Shop"
    keys: dict[str, int] = {}
    for name in ("wide", "narrow"):
        order = shop.an_order(
            raffle,
            numbers=list(range(len(keys) * 20 + 1, len(keys) * 20 + 21)),
            buyer=builders.contact(profile_name=long_name),
        )
        shop.with_file(shop.a_proof(order), content=receipt(name))
        keys[name] = order.pk
    twin = shop.an_order(raffle, numbers=[500])
    shop.with_file(shop.a_proof(twin), content=receipt("wide"))
    for number in range(600, 660):
        shop.an_order(raffle, numbers=[number])
    json.dump(keys, sys.stdout)


if __name__ == "__main__":
    main()
