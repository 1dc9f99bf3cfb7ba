"""Lengths and curves in the space of predictions: arrays only."""

from infogeo.geometry.steps import StepTerms, step_terms

__all__ = ["StepTerms", "step_terms"]
