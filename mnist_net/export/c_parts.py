"""What `c_source` puts together: C99 functions that have no tables in them, each used or left out.

An unused static function would be a warning, so a file holds those that its networks need.
"""

from mnist_net.learning.normalization import BREADTH, HEIGHT, MOST, PIXEL, STEEPEST

SIGNATURE = (
    "int mnist_net_digit(const unsigned char picture[784], float probabilities[MNIST_NET_CLASSES])"
)

INCLUDES = """\
#include <math.h>
#include <stdint.h>
#ifdef MNIST_NET_MAIN
#include <stdio.h>
#endif
"""

PRODUCT = """\
/* outputs = inputs times weights (row by row) plus biases; an input of zero costs nothing. */
static void layer(const float *inputs, int n_inputs, const float *weights, const float *biases,
                  float *outputs, int n_outputs)
{
    for (int j = 0; j < n_outputs; j++)
        outputs[j] = biases[j];
    for (int i = 0; i < n_inputs; i++, weights += n_outputs) {
        const float input = inputs[i];
        if (input == 0.0f)
            continue;
        for (int j = 0; j < n_outputs; j++)
            outputs[j] += input * weights[j];
    }
}
"""

WHOLE_PRODUCT = """\
/* The layer that sees pixels: whole numbers, and the scales at the end; paper costs nothing. */
static void first_layer(const unsigned char *picture, const signed char *weights,
                        const float *scales, const float *biases, int32_t *sums, float *outputs,
                        int n_outputs)
{
    for (int j = 0; j < n_outputs; j++)
        sums[j] = 0;
    for (int i = 0; i < 784; i++, weights += n_outputs) {
        const int32_t pixel = picture[i];
        if (pixel == 0)
            continue;
        for (int j = 0; j < n_outputs; j++)
            sums[j] += pixel * weights[j];
    }
    for (int j = 0; j < n_outputs; j++)
        outputs[j] = scales[j] * (float)sums[j] + biases[j];
}
"""

INT8_PRODUCT = """\
/* outputs = inputs times weights (row by row) times scales plus biases. */
static void layer(const float *inputs, int n_inputs, const signed char *weights,
                  const float *scales, const float *biases, float *outputs, int n_outputs)
{
    for (int j = 0; j < n_outputs; j++)
        outputs[j] = 0.0f;
    for (int i = 0; i < n_inputs; i++, weights += n_outputs) {
        const float input = inputs[i];
        if (input == 0.0f)
            continue;
        for (int j = 0; j < n_outputs; j++)
            outputs[j] += input * weights[j];
    }
    for (int j = 0; j < n_outputs; j++)
        outputs[j] = scales[j] * outputs[j] + biases[j];
}
"""

UPRIGHT = f"""\
static float clipped(float value, float least, float most)
{{
    return value < least ? least : value > most ? most : value;
}}

/* Pixels of the picture per pixel of what the network sees. */
static float towards(float usual, float variance)
{{
    const float least = 1.0f / {MOST:#g}f, deviation = sqrtf(fmaxf(variance, {PIXEL:.9g}f));
    return clipped(sqrtf(deviation / usual), least, {MOST:#g}f);
}}

/* Towards a usual slant, height and breadth, by the moments of the ink; bilinear. */
static void upright(const unsigned char *picture, float *inputs)
{{
    int32_t mass = 0, i = 0, j = 0, ii = 0, jj = 0, ij = 0; /* sums over half pixels: exact */
    for (int k = 0; k < 784; k++) {{
        const int32_t ink = picture[k], r = 2 * (k / 28) - 27, c = 2 * (k % 28) - 27;
        mass += ink, i += ink * r, j += ink * c;
        ii += ink * r * r, jj += ink * c * c, ij += ink * r * c;
    }}
    const float whole = mass > 0 ? (float)mass : 1.0f;
    const float row = 0.5f * (float)i / whole, column = 0.5f * (float)j / whole;
    const float height = 0.25f * (float)ii / whole - row * row;
    const float breadth = 0.25f * (float)jj / whole - column * column;
    const float both = 0.25f * (float)ij / whole - row * column;
    const float slope = both / fmaxf(height, {PIXEL:.9g}f);
    const float slant = clipped(slope, -{STEEPEST:#g}f, {STEEPEST:#g}f);
    const float tall = towards({HEIGHT:#g}f, height);
    const float broad = towards({BREADTH:#g}f, breadth - slant * both);
    for (int k = 0; k < 784; k++) {{
        const float down = (float)(k / 28) - 13.5f, across = (float)(k % 28) - 13.5f;
        const float y = clipped(row + tall * down + 13.5f, 0.0f, 27.0f);
        const float x =
            clipped(column + broad * across + slant * tall * down + 13.5f, 0.0f, 27.0f);
        const int top = (int)y, left = (int)x;
        const unsigned char *upper = picture + 28 * top + left;
        const unsigned char *lower = top < 27 ? upper + 28 : upper;
        const int beside = left < 27 ? 1 : 0;
        const float dx = x - (float)left, dy = y - (float)top;
        const float above = upper[0] + dx * (float)(upper[beside] - upper[0]);
        const float below = lower[0] + dx * (float)(lower[beside] - lower[0]);
        inputs[k] = above + dy * (below - above);
    }}
}}
"""
"""The normalization by moments; see `learning.normalization`."""

ACTIVATIONS = {
    "sigmoid": (
        "sigmoid",
        """\
static void sigmoid(float *values, int n)
{
    for (int j = 0; j < n; j++)
        values[j] = 0.5f * (1.0f + tanhf(0.5f * values[j]));
}
""",
    ),
    "tanh": (
        "hyperbolic_tangent",
        """\
static void hyperbolic_tangent(float *values, int n)
{
    for (int j = 0; j < n; j++)
        values[j] = tanhf(values[j]);
}
""",
    ),
    "relu": (
        "relu",
        """\
static void relu(float *values, int n)
{
    for (int j = 0; j < n; j++)
        values[j] = values[j] > 0.0f ? values[j] : 0.0f;
}
""",
    ),
}
"""By name: what each is called in C, and its text. They work in place; the identity needs none."""

_SOFTMAX = """\
/* By the largest value, so that expf is at most 1. */
static void softmax(float *values, int n)
{
    float largest = values[0], total = 0.0f;
    for (int j = 1; j < n; j++)
        largest = values[j] > largest ? values[j] : largest;
    for (int j = 0; j < n; j++)
        total += values[j] = expf(values[j] - largest);
    for (int j = 0; j < n; j++)
        values[j] /= total;
}
"""

PROBABILITIES = {
    "softmax-cross-entropy": ("softmax", (_SOFTMAX,)),
    "binary-cross-entropy": (
        "normalized_sigmoid",
        (
            _SOFTMAX,
            """\
/* Sigmoids over their sum, in the logarithm: log sigmoid(z) = min(z, 0) - log(1 + exp(-|z|)). */
static void normalized_sigmoid(float *values, int n)
{
    for (int j = 0; j < n; j++)
        values[j] = fminf(values[j], 0.0f) - log1pf(expf(-fabsf(values[j])));
    softmax(values, n);
}
""",
        ),
    ),
    "mean-squared-error": (
        "normalized",
        (
            """\
static void normalized(float *values, int n)
{
    float total = 0.0f;
    for (int j = 0; j < n; j++)
        total += values[j];
    for (int j = 0; j < n; j++)
        values[j] = total > 0.0f ? values[j] / total : 1.0f / (float)n;
}
""",
        ),
    ),
}
"""By loss: the function that makes probabilities of outputs in place, and what must be there."""

INPUTS = {
    "none": [
        "float inputs[784];",
        "for (int i = 0; i < 784; i++)",
        "    inputs[i] = picture[i];",
    ],
    "moments": ["float inputs[784];", "upright(picture, inputs);"],
}
"""By normalization."""

ADD_ONE = [
    "for (int k = 0; k < MNIST_NET_CLASSES; k++)",
    "    probabilities[k] += one[k];",
]

MEAN = [
    "for (int k = 0; k < MNIST_NET_CLASSES; k++)",
    "    probabilities[k] /= {n}.0f;",
]

BEST = [
    "for (int k = 1; k < MNIST_NET_CLASSES; k++)",
    "    best = probabilities[k] > probabilities[best] ? k : best;",
    "return classes[best];",
]

MAIN = """\
#ifdef MNIST_NET_MAIN
int main(void)
{
    unsigned char picture[784];
    float probabilities[MNIST_NET_CLASSES];
    size_t n_read;
    while ((n_read = fread(picture, 1, sizeof picture, stdin)) == sizeof picture) {
        printf("%d", mnist_net_digit(picture, probabilities));
        for (int k = 0; k < MNIST_NET_CLASSES; k++)
            printf(" %.9g", (double)probabilities[k]);
        printf("\\n");
    }
    if (n_read != 0)
        fprintf(stderr, "the input ends within a picture of 784 bytes\\n");
    return n_read != 0;
}
#endif
"""
