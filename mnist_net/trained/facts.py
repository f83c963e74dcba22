"""What there is to say of a model, as plain values."""

from typing import Any

from mnist_net.trained.committee import Committee, Predictor
from mnist_net.trained.model import Model


def facts_of(model: Predictor) -> dict[str, Any]:
    """Its size and kind; of a committee, those of its first member, and how many there are."""
    if isinstance(model, Committee):
        return {"members": len(model.members), **_facts(model.members[0])}
    return _facts(model)


def _facts(model: Model) -> dict[str, Any]:
    architecture = model.architecture
    arrays = [array for layer in model.parameters for array in layer if array is not None]
    return {
        "layer_sizes": list(architecture.layer_sizes),
        "activations": list(architecture.activations),
        "loss": architecture.loss,
        "parameters": sum(array.size for array in arrays),
        "dtype": str(arrays[0].dtype),
        "classes": model.classes.tolist(),
        "scaling": model.scaling._asdict(),
        "temperature": model.temperature,
    }
