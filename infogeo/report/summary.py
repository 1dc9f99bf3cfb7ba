"""What the page says in words and single numbers."""

from __future__ import annotations

from dataclasses import dataclass

from infogeo.core.words import listed
from infogeo.embed.inpca import Embedding
from infogeo.pairwise.matrix import GIVEN
from infogeo.plots.axes import scale_text
from infogeo.plots.shares import differs
from infogeo.report.fit import Fit, FitWords, fit_words, percent_with_error
from infogeo.report.records import MapRecords
from infogeo.report.words import bound


@dataclass(frozen=True)
class Summary:
    """The words of the page.

    Attributes:
        title: of the page.
        lead: one or two sentences for a stranger.
        null: what the null says, or the empty string.
        warnings: what must not be overlooked, a sentence each.
        has_part: whether the null was compared with a part of the data whose stress is another.
        tiles: the numbers at the top, (number, what it counts).
        fit: how well the map fits and how sure it is.
        facts: how the numbers were made, (name, value).
    """

    title: str
    lead: str
    null: str
    has_part: bool
    warnings: tuple[str, ...]
    tiles: tuple[tuple[str, str], ...]
    fit: FitWords
    facts: tuple[tuple[str, str], ...]


def summarise(records: MapRecords, fit: Fit) -> Summary:
    """The summary of a map of P points on K axes."""
    embedding, matrix, null, errors = records.embedding, records.matrix, records.null, records.errors
    points, runs = len(embedding.points), len(embedding.points.runs)
    samples = matrix.n_samples if matrix is not None else 0
    shown = min(3, embedding.n_components)
    stress = float(embedding.explained_stress[shown - 1])
    share = f"{100 * stress:.1f} %"
    tiles = [(f"{runs:,}", _word(runs, "run")), (f"{points:,}", _word(points, "checkpoint"))]
    if samples:
        tiles.append((f"{samples:,}", f"probe {_word(samples, 'sample')}"))
    if records.projected is not None:
        tiles.append((f"{len(records.projected.points):,}", "placed afterwards"))
    first = "first axis" if shown == 1 else f"first {shown} axes"
    if errors is not None:
        reach = errors.t_factor() * float(errors.explained_stress[shown - 1])
        tiles.append((percent_with_error(stress, reach), f"of the stress in the {first} (95\u00a0% interval)"))
    else:
        tiles.append((share, f"of the stress in the {first}"))
    return Summary(
        title=f"The paths of {runs:,} runs" if runs > 1 else "The path of one run",
        lead=_lead(embedding, runs, points, samples, "" if null is not None else share, shown),
        null=bound(null.sentence()) if null is not None else "",
        has_part=null is not None and differs(null, embedding.explained_stress),
        warnings=(embedding.warning,) if embedding.warning else (),
        tiles=tuple(tiles),
        fit=fit_words(fit, records),
        facts=_facts(records),
    )


def _lead(embedding: Embedding, runs: int, points: int, samples: int, share: str, shown: int) -> str:
    on = f" on {samples:,} probe samples" if samples else ""
    timelike = [str(k + 1) for k, sign in enumerate(embedding.signature) if sign < 0]
    which = "The first axis explains" if shown == 1 else f"The first {shown} axes explain"
    explained = f" {which} {share} of the stress." if share else ""
    kinds = ""
    if timelike:
        many = len(timelike) > 1
        kinds = f" Ax{'es' if many else 'is'} {listed(timelike)} {'are' if many else 'is'} time-like."
    name = "divergences as given" if embedding.divergence == GIVEN else f"{embedding.divergence} divergence"
    return (
        f"Every point is one checkpoint of a model in training, {points:,} in all from {runs:,} {_word(runs, 'run')}, "
        f"and points lie close when the models predict alike{on}: {name}, embedded by InPCA.{explained}{kinds}"
    )


def _facts(records: MapRecords) -> tuple[tuple[str, str], ...]:
    embedding, matrix, null, errors = records.embedding, records.matrix, records.null, records.errors
    kind = (
        "given; unit not known"
        if embedding.divergence == GIVEN
        else f"{embedding.divergence}, in nats, mean over samples"
    )
    facts = [("Divergence", kind)]
    if matrix is not None:
        facts.append(("Scale", scale_text(matrix.fisher_factor)))
        facts.append(("Probe samples N", f"{matrix.n_samples:,}" if matrix.n_samples else "not known"))
    facts.append(("Points P", f"{len(embedding.points):,}"))
    facts.append(("Axes K", f"{embedding.n_components}, ordered by |eigenvalue|"))
    if matrix is not None:
        facts.append(("Predictions raised to the floor", f"{matrix.floored:,}"))
        facts.append(("Pairs rounded up to zero", f"{matrix.clipped:,}"))
    state = "converged" if embedding.converged else "did not converge"
    share = embedding.residual / embedding.norm
    facts.append(("Eigensolver", f"{state}, largest residual {share:.1g} of the norm of the matrix"))
    if null is not None:
        replicates = f"{len(null.replicates)} {_word(len(null.replicates), 'replicate')}"
        facts.append(("Null model", f"{null.null_model}; {replicates}, seed {null.seed}"))
    if errors is not None:
        how = f"jackknife over {errors.n_groups} groups of probe samples; ± and bars are 95 % intervals (Student's t)"
        facts.append(("Errors", how))
    return tuple(facts)


def _word(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"
