"""InPCA and isKL as scikit-learn estimators: thin adapters over `infogeo.embed`."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from infogeo.core.errors import InputError
from infogeo.embed.families import ExponentialFamily
from infogeo.embed.inpca import Embedding, inpca
from infogeo.embed.iskl import iskl
from infogeo.pairwise.matrix import PairwiseMatrix

Array = NDArray[np.float64]


class _Estimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """What both estimators share: the attributes of a fitted map, and `fit_transform` by way of `fit`."""

    n_components: int

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit the map; `y` is not used."""
        raise NotImplementedError

    def fit_transform(self, X: ArrayLike, y: object = None, **fit_params: object) -> Array:
        """Fit the map and return the coordinates of its points [P, K]; `y` is not used."""
        return self.fit(X).embedding_

    def _keep(self, embedding: Embedding) -> Self:
        self.map_ = embedding
        self.embedding_ = embedding.coords
        self.eigenvalues_ = embedding.eigenvalues
        self.signature_ = embedding.signature
        self.explained_stress_ = embedding.explained_stress
        return self

    def _checked_components(self) -> int:
        if not isinstance(self.n_components, Integral) or self.n_components < 1:
            raise InputError(f"n_components: {self.n_components!r}; give a whole number, at least 1")
        return int(self.n_components)

    @property
    def _n_features_out(self) -> int:
        return self.map_.n_components


class InPCA(_Estimator):
    """InPCA, W = -1/2 J D J = U Lambda U' and coordinates U sqrt|Lambda|: `infogeo.inpca` for scikit-learn.

    D holds divergences, which stand in the role of *squared* distances. scikit-learn's own estimators (`MDS`,
    `ClassicalMDS`, `Isomap`) take unsquared ones: what you give them as `distance`, give here as `distance**2`.

    Axes are ordered by |eigenvalue|. Along an axis of signature -1 (time-like), separation makes a divergence smaller:
    Euclidean distances between the coordinates are not the divergences, unless the signature is all +1.

    Args:
        n_components: K, how many axes at most; a matrix of lower rank has fewer.
        metric: "precomputed", where X is the matrix D [P, P] itself and new points are rows of divergences [Q, P] to
            the fitted points; or a function metric(X, Y) of tables [P, F] and [Q, F] that returns divergences [P, Q].

    Attributes:
        embedding_: coordinates [P, K].
        eigenvalues_: Lambda [K], by descending |value|.
        signature_: +1 space-like, -1 time-like [K].
        explained_stress_: [K].
        map_: the `infogeo.Embedding` itself.
        n_features_in_: columns of X.

    Source: Quinn et al., PNAS 116 (2019) 13762.
    """

    def __init__(self, n_components: int = 2, metric: str | Callable[[Any, Any], ArrayLike] = "precomputed") -> None:
        self.n_components = n_components
        self.metric = metric

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit the map of P points.

        Args:
            X: divergences [P, P], or with a metric a table [P, F].
            y: not used.

        Raises:
            InputError: not a matrix of divergences (see `PairwiseMatrix.from_array`), or all points coincide.
        """
        k = self._checked_components()
        self._check_metric()
        table = _table(self, X, dtype="numeric", ensure_min_samples=2)
        if self.metric != "precomputed":
            self.X_fit_ = table
        return self._keep(inpca(PairwiseMatrix.from_array(self._divergences(table, fitting=True)), k))

    def transform(self, X: ArrayLike) -> Array:
        """The coordinates [Q, K] of new points; the map stays as it is, and fitted points keep their coordinates.

        Args:
            X: divergences [Q, P] to the fitted points, or with a metric a table [Q, F].

        Raises:
            InputError: another number of columns, or not finite.
        """
        check_is_fitted(self)
        table = _table(self, X, dtype="numeric", reset=False)
        return self.map_.project(self._divergences(table, fitting=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = tags.input_tags.positive_only = self.metric == "precomputed"
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags

    def _check_metric(self) -> None:
        if self.metric != "precomputed" and not callable(self.metric):
            raise InputError(f"metric: {self.metric!r}; give 'precomputed' or a function of two tables")

    def _divergences(self, table: Any, *, fitting: bool) -> ArrayLike:
        if not callable(self.metric):
            return table
        other = table if fitting else self.X_fit_
        found = np.asarray(self.metric(table, other))
        if found.shape != (len(table), len(other)):
            raise InputError(f"metric: returned shape {found.shape}, expected {(len(table), len(other))}")
        return found


class IsKL(_Estimator):
    """The principal axes of an exponential family under the symmetric Kullback-Leibler divergence, exactly.

    D = sum_i (eta_i - eta_i') (<t_i> - <t_i>'). X = [natural | expected], the parameters eta [P, n] and beside them the
    expectations <t> [P, n], for example `np.hstack([family.natural, family.expected])` with a family of
    `infogeo.embed`. With more than 2n points there are n space-like and n time-like axes. No matrix [P, P] is made.

    Args:
        n_components: K, how many axes at most; there are never more than 2n.

    Attributes:
        embedding_: coordinates [P, K] on the principal axes, in the square root of nats.
        eigenvalues_: [K], by descending |value|.
        signature_: +1 space-like, -1 time-like [K].
        explained_stress_: [K].
        map_: the `infogeo.Embedding` itself.
        iskl_: the `infogeo.embed.IsklEmbedding` with all space-like and time-like coordinates.
        n_features_in_: 2n.

    Source: Teoh et al., Phys. Rev. Research 2 (2020) 033221.
    """

    def __init__(self, n_components: int = 2) -> None:
        self.n_components = n_components

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit the map of P models.

        Args:
            X: [natural | expected], [P, 2n].
            y: not used.

        Raises:
            InputError: an odd number of columns, or all models coincide.
        """
        k = self._checked_components()
        table = _table(self, X, dtype=np.float64, ensure_min_samples=2, ensure_min_features=2)
        self.iskl_ = iskl(_family(table))
        return self._keep(self.iskl_.principal(k))

    def transform(self, X: ArrayLike) -> Array:
        """The coordinates [Q, K] of new members of the family; the map stays as it is.

        Args:
            X: [natural | expected], [Q, 2n].

        Raises:
            InputError: another number of columns, or not finite.
        """
        check_is_fitted(self)
        table = _table(self, X, dtype=np.float64, reset=False)
        return self.iskl_.project(_family(table), self.map_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags


def _family(table: Any) -> ExponentialFamily:
    """The family whose parameters and expectations are the two halves of a table [P, 2n]."""
    if table.shape[1] % 2:
        raise InputError(f"X: {table.shape[1]} columns; give [natural | expected], an even number of them")
    natural, expected = np.split(table, 2, axis=1)
    return ExponentialFamily(natural, expected)


def _table(estimator: BaseEstimator, X: Any, **options: Any) -> Any:
    """X as an array, checked as scikit-learn does it, with the number and names of its columns kept or compared."""
    return validate_data(estimator, X, **options)
