"""The network that reads two digits that touch.

    python -m scripts.pairs train       # models/pairs.joblib: an hour
    python -m scripts.pairs measure     # results/pairs.json: minutes

The first needs fonts, those of the Debian packages in scripts/detector/packages.txt.
"""

from scripts.options import studies
from scripts.pairs import measure, train

main = studies(__doc__, train=train.main, measure=measure.main)

if __name__ == "__main__":
    main()
