"""How accurate recipes are, chosen on validation pictures and measured on test pictures.

python -m scripts.accuracy search      # chooses on the validation split: hours
python -m scripts.accuracy ablation    # what each kind of distortion buys: an hour
python -m scripts.accuracy recipes     # test accuracies: an hour
"""

from scripts.accuracy import ablation, recipes, search
from scripts.options import studies

main = studies(
    __doc__,
    search=search.main,
    ablation=ablation.main,
    recipes=recipes.main,
)

if __name__ == "__main__":
    main()
