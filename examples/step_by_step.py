"""The published tutorial from beginning to end: how a network learns to tell a cat, and where it goes wrong.

    python examples/step_by_step.py [--data-dir DIR] [--iterations 2500] [--photo FILE] [--out DIR]

DIR holds train_catvnoncat.h5 and test_catvnoncat.h5; without it, pellucid's own drawn pictures are used.
"""

import argparse
import os
from datetime import datetime
from pathlib import Path

import matplotlib
import numpy as np

from pellucid import textbook as tb

parser = argparse.ArgumentParser(description="The published tutorial, step by step.")
parser.add_argument("--data-dir", default=os.environ.get("PELLUCID_DATA_DIR", "drawn-cats"))
parser.add_argument("--iterations", type=int, default=2500)
parser.add_argument("--photo", type=Path, help="a photo of your own")
parser.add_argument("--out", type=Path, default=Path("step_by_step_figures"), help="where the figures go")
options = parser.parse_args()
options.out.mkdir(parents=True, exist_ok=True)
matplotlib.use("Agg")  # figures go to files, not to a window

# 1. Load
train_x_orig, train_y, test_x_orig, test_y, classes = tb.load_data(options.data_dir)

# 2. Look at the numbers
print(f"Number of training examples: {len(train_x_orig)}")
print(f"Number of testing examples: {len(test_x_orig)}")
print(f"Each image is of size: {train_x_orig.shape[1:]}")
print(f"train_x_orig shape: {train_x_orig.shape}\ntrain_y shape: {train_y.shape}")
print(f"test_x_orig shape: {test_x_orig.shape}\ntest_y shape: {test_y.shape}")
print(f"The target labels: {np.unique(train_y)}")

# 3. How many of each class?
tb.plot_bar(train_y, loc="left", classes=classes)
tb.plot_bar(test_y, loc="right", classes=classes).savefig(options.out / "03_classes.png")

# 4. What do they look like?
for flag, images, labels, part in [(1, train_x_orig, train_y, "train"), (2, test_x_orig, test_y, "test")]:
    figure = tb.visualize_images_and_labels(25, flag, images=images, labels=labels)
    figure.savefig(options.out / f"04_{part}_images.png")

# 5. Each photo becomes a column of numbers from 0 to 1
train_x = train_x_orig.reshape(len(train_x_orig), -1).T / 255
test_x = test_x_orig.reshape(len(test_x_orig), -1).T / 255
print(f"train_x's shape: {train_x.shape}\ntest_x's shape: {test_x.shape}")
tb.plot_flattening(train_x_orig[np.argmax(train_y)]).savefig(options.out / "05_flattening.png")

# 6. The network: [LINEAR -> RELU] x 3 -> LINEAR -> SIGMOID
layers_dims = [len(train_x), 20, 7, 5, 1]
tb.plot_network(layers_dims).savefig(options.out / "06_network.png")
tb.plot_outline().savefig(options.out / "06_outline.png")

# 7. Train
parameters, costs = tb.L_layer_model(
    train_x, train_y, layers_dims, 0.0075, options.iterations, print_cost=True
)

# 8. How the cost fell
tb.plot_costs(costs, options.iterations, learning_rate=0.0075).savefig(options.out / "08_cost.png")

# 9. Right how often? First on the photos it learned from, then on photos that it has never seen
tb.predict(train_x, train_y, parameters)
p = tb.predict(test_x, test_y, parameters)

# 10. Where it is wrong
tb.print_mislabeled_images(classes, test_x, test_y, p).savefig(options.out / "10_mislabeled.png")

# 11. Why
print("""Why a photo may be misread:
- the cat's body is in an unusual position
- the background has a similar colour
- the cat's colour and species are unusual
- the angle of the camera
- the brightness of the picture
- the scale: the cat is very large or very small in the image""")

# 12. A new photo
photo_file = options.photo or Path(options.data_dir) / "my_cat_1.jpg"
if not photo_file.is_file() and options.photo is None:  # none at hand: a test image stands in
    photo_file = options.out / "12_stand_in.png"
    matplotlib.image.imsave(photo_file, test_x_orig[np.argmax(test_y)])
photo, x = tb.load_photo(photo_file, num_px=train_x_orig.shape[1])
AL, _ = tb.L_model_forward(x, parameters)
y = tb.predict(x, None, parameters).item()
print(f'y = {y}, your L-layer model predicts a "{classes[int(y)].decode()}" picture.')
tb.plot_photo(photo, x, AL.item(), classes).savefig(options.out / "12_new_photo.png")

# 13. Goodbye
print(f"Program executed successfully on: {datetime.now():%Y-%m-%d %H:%M:%S}...Goodbye!")
