"""The model that ships.

    python -m scripts.release student      # the network, and the deep ones that teach it: two hours
    python -m scripts.release              # the presets, without a teacher: an hour
    python -m scripts.release committee    # a committee of the network and deep ones: minutes more
    python -m scripts.release card         # models/README.md: a second

Each evaluation on the test set is appended to results/test_evaluations.jsonl.
"""

from scripts.options import studies
from scripts.release import card, committee, network, student

main = studies(
    __doc__,
    default="network",
    network=network.main,
    committee=committee.main,
    student=student.main,
    card=card.main,
)

if __name__ == "__main__":
    main()
