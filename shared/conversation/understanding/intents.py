"""Intents: the meanings that a text may have."""

from enum import StrEnum


class Intent(StrEnum):
    """The meaning of a text; the value is the section of the vocabulary that describes it."""

    # commands and wishes that work everywhere
    MENU = "menu"
    HELP = "help"
    HOW_IT_WORKS = "how_it_works"
    CANCEL = "cancel"
    GIVE_UP = "give_up"  # rather not: it may mean CANCEL
    STOP = "stop"
    START = "start"
    PERSON = "person"
    # small talk
    GREETING = "greeting"
    FOREIGN_GREETING = "foreign_greeting"
    THANKS = "thanks"
    LATER = "later"
    # answers
    YES = "yes"
    NO = "no"
    UNSURE = "unsure"
    KEEP = "keep"
    ADULT = "adult"
    MINOR = "minor"
    # buying
    BUY = "buy"
    RANDOM = "random"
    PICK = "pick"
    TAKE = "take"  # a quantity, or ticket numbers
    ADD = "add"
    DROP = "drop"
    SWAP = "swap"
    EITHER = "either"  # numbers, or others if they are taken
    LIKE = "like"  # numbers that end in a digit, odd ones …
    SPEND = "spend"  # for an amount of money
    OTHER_NUMBERS = "other_numbers"
    CHOOSE_RAFFLE = "choose_raffle"
    # what they have
    MY_TICKETS = "my_tickets"
    ORDER = "order"  # an order code
    ORDER_CHOICE = "order_choice"
    PAID = "paid"
    # questions
    PRICE = "price"
    TOTAL = "total"
    PRIZE = "prize"
    DRAW_DATE = "draw_date"
    RULES = "rules"
    LEFT = "left"
    WHICH_FREE = "which_free"
    IS_FREE = "is_free"
    LIMITS = "limits"
    HOW_TO_PAY = "how_to_pay"
    RECEIPT = "receipt"
    REAL = "real"
    RESULTS = "results"
    VERIFY = "verify"
    REFUND = "refund"
    CHANGE = "change"
    CAN_CANCEL = "can_cancel"
    MORE_TIME = "more_time"
    LATE = "late"
    DELIVERY = "delivery"
    PRIVACY = "privacy"
    BOT = "bot"
    SELLER = "seller"
    AGE = "age"
    LANGUAGE = "language"
    RAFFLES = "raffles"
    CHANCES = "chances"
    # nothing of these
    UNKNOWN = "unknown"
