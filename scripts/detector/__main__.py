"""The network that tells digits from what is none.

    python -m scripts.detector train       # models/detector.joblib: an hour
    python -m scripts.detector measure     # results/detector.json: minutes

Both need fonts, those of the Debian packages in scripts/detector/packages.txt.
"""

from scripts.detector import measure, train
from scripts.options import studies

main = studies(__doc__, train=train.main, measure=measure.main)

if __name__ == "__main__":
    main()
