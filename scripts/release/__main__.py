"""The model that ships.

    python -m scripts.release              # the network: some hours
    python -m scripts.release committee    # a committee with it as a member: some hours
    python -m scripts.release student      # a network that a committee teaches: some hours
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
