"""Verdicts: what two effect sizes say about a stress beside that of a null model.

One effect size is not enough. What is left unexplained, relative to the null (`effect`), is small on easy data too,
where the null explains nearly everything: at k = 3 it is 0.51 for the demo's networks on digits and between 0.07 and
0.75 for parts of them, and 0.18 for networks on Fashion-MNIST. So the share of the stress that is more than the null
(`excess`) is asked first: 0.01 on digits, 0.08 at most for networks of one kind or few of them, and 0.13 on
Fashion-MNIST. The p-value has no part in it: in all of these it is as small as it can be.
"""

from __future__ import annotations

from dataclasses import dataclass

NEARLY_ALL = 0.1
"""Where less of the stress than this is more than the null, more than nine tenths come without what is tested."""
ONE_THIRD = 1 / 3
"""Where no more is left unexplained than this part of what the null leaves, what is tested explains most of the rest.
Runs that learn their examples in one order have 0.03 at k = 3; with so much noise in the order that it hardly shows,
0.51."""
AS_MUCH = 0.9
"""Where more is left unexplained than this part of what the null leaves, there is no effect: runs that share nothing
had 0.97 to 1.02 with 400 samples, and 0.90 to 1.05 with 120."""


@dataclass(frozen=True)
class Verdict:
    """What a null comparison says.

    Attributes:
        name: in two to four words.
        meaning: a sentence, with {claim} for what the null tests.
    """

    name: str
    meaning: str

    def sentence(self, claim: str) -> str:
        """In words, for a claim that follows "evidence that"."""
        return self.meaning.format(claim=claim)


SHARED = Verdict("shared structure", "Shared structure: evidence that {claim}.")
PARTLY = Verdict("partly shared", "Partly shared: evidence that {claim}, beside much that stays unexplained.")
AUTOMATIC = Verdict("nearly automatic", "Nearly all of it is automatic: the stress alone is no evidence that {claim}.")
CHANCE = Verdict("no more than chance", "This is no more than the null: no evidence that {claim}.")


def verdict_of(effect: float, excess: float) -> Verdict:
    """The verdict on a stress s beside a null stress s0, from effect = (1 - s) / (1 - s0) and excess = (s - s0) / s.

    `no more than chance` for excess <= 0 or effect > 0.9; else `nearly automatic` for excess < 0.1; else
    `shared structure` for effect <= 1/3, and `partly shared` above.

    Args:
        effect: what is left unexplained, relative to the null; NaN where the null explains everything.
        excess: the share of the stress that is more than the null.
    """
    if excess <= 0 or not effect <= AS_MUCH:
        return CHANCE
    if excess < NEARLY_ALL:
        return AUTOMATIC
    return SHARED if effect <= ONE_THIRD else PARTLY
