"""The model that ships: trained, measured and described.

python -m scripts.release              # the network: some hours
python -m scripts.release committee    # a committee with its networks: some hours more
python -m scripts.release card         # models/README.md: a second
"""

from scripts.options import studies
from scripts.release import card, committee, network

main = studies(
    __doc__,
    default="network",
    network=network.main,
    committee=committee.main,
    card=card.main,
)

if __name__ == "__main__":
    main()
