"""How pictures that are not MNIST's are read.

    python -m scripts.reading              # figures: some minutes
    python -m scripts.reading constants    # other values of each constant: an hour

Both need a folder of such pictures, which is not ours to publish.
"""

from scripts.options import studies
from scripts.reading import constants, figures

main = studies(__doc__, default="figures", figures=figures.main, constants=constants.main)

if __name__ == "__main__":
    main()
