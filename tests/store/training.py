"""A pretended training that records what is known beforehand, to be killed and read by tests.

`python -m tests.store.training STORE RUN COUNT [resume]` prints each step after it was committed.
"""

import sys

import infogeo
from tests.samples import random_log_probs

SAMPLES, CLASSES = 40, 5
PROBE = infogeo.Probe(labels=[i % CLASSES for i in range(SAMPLES)], ids=list(range(SAMPLES)), name="test")


def predicted(step):
    """What every run predicts at a step [N, C]."""
    return random_log_probs(step, 1, SAMPLES, CLASSES)[0]


def train(store, run, count, resume=False):
    with infogeo.Recorder(store, run=run, probe=PROBE, meta={"arch": "mlp"}, resume=resume) as recorder:
        for step in range(count):
            recorder.log(step, predicted(step))
            recorder.flush()
            print(step, flush=True)


if __name__ == "__main__":
    train(sys.argv[1], sys.argv[2], int(sys.argv[3]), resume="resume" in sys.argv)
