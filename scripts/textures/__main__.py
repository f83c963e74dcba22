"""The network that tells what is written on a photograph from folds, edges, and cloth.

python -m scripts.textures train       # models/textures.joblib: an hour
python -m scripts.textures measure     # results/textures.json: minutes
"""

from scripts.options import studies
from scripts.textures import measure, train

main = studies(__doc__, train=train.main, measure=measure.main)

if __name__ == "__main__":
    main()
