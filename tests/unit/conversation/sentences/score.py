"""Score of the conversation over the table of sentences; `README.md` says how to run it."""

import sys
from collections import Counter

from shared.conversation import flow
from shared.conversation.conversation_events import TextReceived
from shared.conversation.values import Step
from tests.unit.conversation.sentences.meanings import Sentence, Verdict, judge, load_sentences
from tests.unit.conversation.sentences.scenes import SCENES


def answer(sentence: Sentence) -> Step:
    """Return the step for the messages of a sentence, which wait together."""
    scene = SCENES[sentence.scene]
    return flow.step(
        scene.state, scene.context, TextReceived("\n".join(sentence.texts)), scene.facts
    )


def describe(step: Step) -> str:
    """Return a step in a few words."""
    what = step.effect or step.lookup
    return str(what) if what is not None else ", ".join(reply.key for reply in step.replies)


def main() -> None:
    """Print how many sentences were understood, and with `-v` those that were not."""
    wanted = [arg for arg in sys.argv[1:] if not arg.startswith("-")]
    counts: Counter[tuple[str, Verdict]] = Counter()
    for sentence in load_sentences():
        if wanted and sentence.scene not in wanted:
            continue
        step = answer(sentence)
        verdict = judge(step, sentence)
        counts[(sentence.scene, verdict)] += 1
        if "-v" in sys.argv and verdict is not Verdict.RIGHT:
            print(
                f"{sentence.place:22} {sentence.scene:12} {verdict:26} "
                f"{' // '.join(sentence.texts)!r} => {' | '.join(sentence.meanings)}"
                f"\n{'':35} got {describe(step)}"
            )
    total = sum(counts.values())
    for verdict in Verdict:
        count = sum(n for (_, each), n in counts.items() if each is verdict)
        print(f"{verdict:28} {count:5} {count / total:7.1%}")
    for scene in SCENES:
        right = counts[(scene, Verdict.RIGHT)]
        all_of_scene = sum(n for (each, _), n in counts.items() if each == scene)
        if all_of_scene:
            print(f"{scene:16} {right:4} of {all_of_scene:4}")


if __name__ == "__main__":
    main()
