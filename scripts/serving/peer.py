"""What one finds on the web when one looks for it: a PNG in, MLPClassifier, JSON out.

It runs with another Python, which has scikit-learn, Pillow and Flask or gradio: nothing of ours is
imported.
"""

import io
import sys
from typing import Any

import numpy as np
from PIL import Image
from sklearn.neural_network import MLPClassifier

model = MLPClassifier((100,), max_iter=10, random_state=0)


def probabilities(image: Image.Image) -> list[float]:
    pixels = np.asarray(image.convert("L").resize((28, 28)))
    return [float(p) for p in model.predict_proba(pixels.reshape(1, -1) / 255.0)[0]]


def by_flask(port: int) -> None:
    """On Flask's own server; the body is a PNG file."""
    from flask import Flask, jsonify, request

    app = Flask(__name__)

    @app.post("/predict")  # type: ignore[untyped-decorator]
    def predict() -> Any:
        found = probabilities(Image.open(io.BytesIO(request.get_data())))
        return jsonify(digit=int(np.argmax(found)), probabilities=found)

    app.run(port=port, threaded=True)


def by_gradio(port: int) -> None:
    """Without its queue, whose every answer takes two requests; the body is JSON with a PNG."""
    import gradio

    def predict(image: Image.Image) -> dict[str, float]:
        return {str(digit): p for digit, p in enumerate(probabilities(image))}

    with gradio.Blocks(analytics_enabled=False) as app:
        image, label = gradio.Image(type="pil"), gradio.Label()
        gradio.Button().click(predict, image, label, api_name="predict", queue=False)
    app.launch(server_port=port, ssr_mode=False, quiet=True)


if __name__ == "__main__":
    by, pictures, number = sys.argv[1:]
    learned = np.load(pictures)
    model.fit(learned["images"].reshape(len(learned["images"]), -1) / 255.0, learned["labels"])
    {"flask": by_flask, "gradio": by_gradio}[by](int(number))
