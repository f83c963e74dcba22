"""What one finds on the web when one looks for it: Flask, a PNG in, MLPClassifier, JSON out.

It runs with another Python, which has Flask, scikit-learn and Pillow: nothing of ours is imported.
"""

import io
import sys
from typing import Any

import numpy as np
from flask import Flask, jsonify, request
from PIL import Image
from sklearn.neural_network import MLPClassifier

app = Flask(__name__)
model = MLPClassifier((100,), max_iter=10, random_state=0)


@app.post("/predict")  # type: ignore[untyped-decorator]
def predict() -> Any:
    image = Image.open(io.BytesIO(request.get_data())).convert("L").resize((28, 28))
    probabilities = model.predict_proba(np.asarray(image).reshape(1, -1) / 255.0)[0]
    return jsonify(digit=int(probabilities.argmax()), probabilities=probabilities.tolist())


if __name__ == "__main__":
    learned = np.load(sys.argv[1])
    model.fit(learned["images"].reshape(len(learned["images"]), -1) / 255.0, learned["labels"])
    app.run(port=int(sys.argv[2]), threaded=True)
