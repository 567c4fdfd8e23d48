"""Words and phrases that the bot understands, in lower case and without punctuation.

`parsing` compares them with a buyer's normalised text.
"""

from enum import StrEnum
from typing import Final


class ChatCommand(StrEnum):
    """The three commands that work in every state."""

    MENU = "menu"
    HELP = "help"
    CANCEL = "cancel"


COMMAND_WORDINGS: Final = {
    ChatCommand.MENU: {"menu", "start", "main menu", "home", "restart", "back to menu"},
    ChatCommand.HELP: {"help", "info", "how does it work", "how does this work"},
    ChatCommand.CANCEL: {"cancel", "cancel order", "cancel my order", "cancel it"},
}
MAX_TYPOS: Final = {ChatCommand.MENU: 1, ChatCommand.HELP: 1, ChatCommand.CANCEL: 2}
"""Letters in which a misspelt command may differ."""

NOT_COMMAND_TYPOS: Final = {
    "mend", "hell", "held", "hemp", "heal", "hello", "men", "hep", "helo", "candle",
}  # fmt: skip
"""Other words that are close to a command, and not a misspelling of it."""


class ChatInquiry(StrEnum):
    """Questions about a draw that work in every state and change nothing."""

    RULES = "rules"
    RESULTS = "who won"
    VERIFY = "verify"


INQUIRY_WORDINGS: Final = {
    ChatInquiry.RULES: {
        "rules", "rule", "raffle rules", "draw rules", "rules of the draw", "what r the rules",
        "terms", "terms and conditions", "how is it drawn", "how will it be drawn",
        "how is the winner chosen", "how is the winner picked", "how will the winner be chosen",
        "how will the winner be picked", "how do you choose the winner",
        "how do you pick the winner", "how does the draw work", "how do you draw",
        "how is the draw done", "how is the draw made",
    },
    ChatInquiry.RESULTS: {
        "who won", "whowon", "whos won", "who has won", "who have won", "who wins", "who win",
        "who one", "who is the winner", "who is winner", "whos the winner", "who was the winner",
        "who are the winners", "results", "result", "draw results", "draw result",
        "raffle results", "raffle result", "winner", "winners", "lucky winner",
        "who is the lucky winner", "did i win", "did i win anything", "did i win something",
        "have i won", "did we win", "am i the winner", "am i a winner", "winning number",
        "winning numbers", "winning ticket", "what number won", "which number won",
        "which numbers won", "is it drawn", "was it drawn", "has it been drawn",
        "has the raffle been drawn", "when is the draw", "when is it drawn", "did anyone win",
        "did anybody win",
    },
    ChatInquiry.VERIFY: {"verify", "verify my number", "check my number", "verify a number"},
}  # fmt: skip
INQUIRY_OPENINGS: Final = (
    "hi", "hello", "hey", "please", "pls", "plz", "so", "ok", "okay", "and", "thanks", "the", "any",
    "show", "show me", "send", "send me", "tell me", "can i see", "can i read", "could i see",
    "may i see", "i want to see", "i want to know", "let me see", "do you know", "what are",
    "what is", "whats", "what were", "where are",
)  # fmt: skip
INQUIRY_ENDINGS: Final = (
    "please", "pls", "plz", "thanks", "thank you", "yet", "already", "now", "it", "then", "so far",
    "of the raffle", "of this raffle", "in the raffle", "the raffle", "this raffle", "of the draw",
    "the draw",
)  # fmt: skip
"""Words around a question about a draw without a meaning of their own."""

WHO_WON_OPENINGS: Final = ("who won", "who has won")
"""Words after which anything but a number may follow: "who won the motorbike"."""

INQUIRY_KEYWORDS: Final = {
    "rules": ChatInquiry.RULES,
    "results": ChatInquiry.RESULTS,
    "winner": ChatInquiry.RESULTS,
    "winners": ChatInquiry.RESULTS,
}
"""Single words that are also understood misspelt."""

NOT_INQUIRY_TYPOS: Final = {"winter", "dinner", "winder", "ruler", "rulers", "ruled", "roles"}
"""Other words that are close to such a question, and not a misspelling of it."""

VERIFY_WORDS: Final = {"verify", "check", "validate"}
"""Words before a ticket number that ask what became of it: "verify 07"."""

NUMBER_QUESTION_FIRST_WORDS: Final = {"did", "has", "is", "was"}
NUMBER_QUESTION_LAST_WORDS: Final = {"win", "won", "sold", "free", "taken", "available", "drawn"}
"""Words around a ticket number that ask what became of it: "did 07 win"."""

ADULT_WORDINGS: Final = {
    "yes i am", "i am", "yes i am 18", "yes im 18", "i am 18", "im 18", "i am over 18",
    "im over 18", "yes i am over 18", "over 18", "18 or older", "i am 18 or older",
    "yes i am 18 or older", "older than 18", "i am an adult", "im an adult", "adult", "of age",
}  # fmt: skip
MINOR_WORDINGS: Final = {
    "i am not", "im not", "no i am not", "no im not", "not yet", "under 18", "i am under 18",
    "im under 18", "younger", "i am younger", "im younger", "i am 17", "im 17", "i am 16",
    "im 16", "i am a minor", "im a minor", "minor", "too young", "im too young",
}  # fmt: skip
"""Answers to the question for the buyer's age, beside yes and no."""

PERSON_WORDINGS: Final = {
    "person", "a person", "real person", "a real person", "human", "a human", "real human",
    "a real human", "human being", "agent", "live agent", "an agent", "operator", "the seller",
    "seller", "someone", "somebody", "representative", "support", "customer service", "staff",
    "admin", "the organizer", "organizer", "the organiser", "organiser",
}  # fmt: skip
PERSON_OPENINGS: Final = {
    "talk to", "talk with", "speak to", "speak with", "chat with", "write to", "contact",
    "i want", "i need", "i want to talk to", "i want to talk with", "i want to speak to",
    "i want to speak with", "i need to talk to", "i need to speak to", "i would like to talk to",
    "i would like to speak to", "i would like to speak with", "id like to talk to",
    "id like to speak to", "id like to speak with", "i wish to speak to", "can i talk to",
    "can i talk with", "can i speak to", "can i speak with", "can i chat with", "could i talk to",
    "could i speak to", "could i speak with", "may i talk to", "may i speak to",
    "may i speak with", "can you connect me to", "connect me to", "connect me with",
    "let me talk to", "let me speak to", "get me", "is there", "i want to contact",
    "how do i talk to", "how can i talk to",
}  # fmt: skip
PERSON_SENTENCES: Final = {
    "is anyone there", "is anybody there", "is there anybody", "is someone there",
    "call me", "please call me", "someone call me", "i want a call", "not a bot", "no bot",
    "stop the bot", "bot off",
}  # fmt: skip
"""Texts of a buyer who wants a person: the first alone or after one of the second, or the third."""

STOP_WORDINGS: Final = {
    "stop", "stop all", "stopall", "unsubscribe", "unsubscribe me", "opt out", "optout",
    "stop promotions", "stop promotion", "stop marketing", "stop marketing messages",
    "stop messages", "stop the messages", "stop messaging", "stop messaging me",
    "stop sending", "stop sending messages", "stop sending me messages",
    "stop sending me anything", "stop texting me", "stop writing me", "stop writing to me",
    "stop spamming", "stop spamming me", "no more messages", "do not message me",
    "dont message me", "do not write me", "dont write me", "do not send me messages",
    "dont send me messages", "do not contact me", "dont contact me", "remove me",
    "remove me from the list", "remove me from your list", "remove my number",
    "take me off the list", "take me off your list", "leave me alone",
}  # fmt: skip
"""Whole texts of a buyer who wants no messages; a longer text or a misspelt one is none."""

START_WORDINGS: Final = {
    "start", "unstop", "subscribe", "subscribe me", "resubscribe", "opt in", "optin",
    "start messages", "start messaging", "start promotions", "resume", "resume messages",
    "resume promotions",
}  # fmt: skip
"""Whole texts that end a STOP; without one they lead to the menu."""

GREETINGS: Final = {
    "hi", "hello", "hey", "hola", "hallo", "good morning", "good afternoon", "good evening",
    "good day", "hi there", "hello there", "hey there", "yo", "hii", "helo", "greetings",
}  # fmt: skip
YES_WORDINGS: Final = {
    "yes", "y", "yes please", "yeah", "yep", "yup", "ok", "okay", "okey", "k", "sure", "confirm",
    "confirmed", "i confirm", "confirm it", "go ahead", "right", "correct", "fine", "perfect",
    "sounds good", "good", "great", "do it", "agreed", "of course", "si",
}  # fmt: skip
NO_WORDINGS: Final = {
    "no", "n", "nope", "nah", "no thanks", "no thank you", "not these",
}  # fmt: skip
KEEP_WORDINGS: Final = {"keep it", "keep", "keep them"}
OTHER_NUMBERS_WORDINGS: Final = {
    "other", "others", "other numbers", "others please", "change", "change them", "different",
    "different numbers", "another", "new numbers", "no other numbers",
}  # fmt: skip
THANKS_WORDINGS: Final = {
    "thanks", "thank you", "thx", "ty", "many thanks", "thanks a lot", "great thanks",
}  # fmt: skip
MY_TICKETS_WORDINGS: Final = {
    "my tickets", "my numbers", "tickets", "my orders", "my order", "mine", "my ticket", "status",
    "show my tickets", "show my numbers", "which are my numbers", "order status",
    "check my tickets", "check my numbers", "check my order", "check my orders",
}  # fmt: skip
BUY_MORE_WORDINGS: Final = {
    "buy more", "more", "buy", "buy tickets", "buy again", "again", "new order",
}  # fmt: skip
HOW_TO_PAY_WORDINGS: Final = {
    "how to pay", "pay", "how do i pay", "payment", "bank details", "account", "how can i pay",
}  # fmt: skip
RANDOM_KEYWORDS: Final = {
    "random", "randomly", "lucky", "any", "surprise", "whichever", "whatever",
}  # fmt: skip
PICK_KEYWORDS: Final = {"pick", "choose", "select", "own"}
PAID_WORDINGS: Final = {
    "done", "paid", "i paid", "i have paid", "sent", "transferred", "payment sent", "payed",
    "already paid", "payment done", "finished", "ready", "money sent", "i have sent it",
    "i sent it",
}  # fmt: skip

UNITS: Final = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "dozen": 12,
}  # fmt: skip
TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90, "hundred": 100,
}  # fmt: skip

COUNTED_NOUNS: Final = {"tickets", "ticket", "numbers", "chances", "pieces", "pcs"}
"""Nouns after a number that make it a quantity: "5 tickets"."""

TICKET_NUMBER_NOUNS: Final = {"number", "nr", "num"}
"""Words before a number that make it a ticket number: "number 5"; "no 5" may be a refusal."""

NAMING_WORDS: Final = TICKET_NUMBER_NOUNS | {"lucky"}
"""Words before a number that may name it where random numbers are asked for: "lucky 13"."""

ADDING_FIRST_WORDS: Final = {"and", "also", "plus", "add", "n"}
ADDING_LAST_WORDS: Final = {"too", "also"}
"""Words that add a text to what was said before it: "and 21", "21 too"."""

WORDS_BETWEEN_NUMBERS: Final = COUNTED_NOUNS | TICKET_NUMBER_NOUNS | {
    "and", "n", "no", "nos", "please", "pls", "plz", "the", "also", "plus",
}  # fmt: skip
"""Filler words that may stand between two ticket numbers; "for" and "of" give another meaning."""

FILLER_WORDS: Final = {
    "i", "i'd", "id", "i'll", "ill", "want", "would", "like", "take", "give", "me", "please", "pls",
    "plz", "the", "a", "number", "numbers", "ticket", "tickets", "no", "nr", "num", "n", "nos",
    "my", "can", "could", "have", "get", "buy", "for", "only", "just", "with", "need", "of", "them",
    "these", "those", "are", "is", "it", "ok", "and", "hi", "hello", "chances", "pieces", "pcs",
    "maybe", "let", "let's", "lets", "reserve", "book", "hold", "thanks", "thank", "you", "also",
    "add", "plus", "too",
}  # fmt: skip
"""Words that may stand around quantities and ticket numbers without a meaning of their own."""

RANDOM_PHRASE_WORDS: Final = RANDOM_KEYWORDS | {"at", "chosen", "ones"}
PICK_PHRASE_WORDS: Final = PICK_KEYWORDS | {"myself", "to"}

ORDER_PLACES: Final = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4,
    "fifth": 5, "5th": 5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "last": -1,
    "latest": -1, "newest": -1,
}  # fmt: skip
"""Places of an order in a question, from 1; the last is -1."""

ORDER_CHOICE_WORDS: Final = {
    "the", "a", "it", "it's", "its", "is", "for", "with", "of", "order", "that", "this", "my",
    "number", "nr", "no", "please", "pls", "receipt", "payment", "raffle", "to", "pay", "pays",
}  # fmt: skip
"""Words around a place or an amount without a meaning of their own: "it is for the 15 one"."""

CURRENCY_WORDS: Final = {
    "dollar", "dollars", "usd", "us", "bucks", "euro", "euros", "eur", "pound", "pounds", "gbp",
    "peso", "pesos", "cop", "mxn", "ars", "clp", "sol", "soles", "pen", "real", "reais", "brl",
    "r", "s",
}  # fmt: skip
"""Words that make a number an amount of money: "15 dollars", "R$ 15"."""
