"""The doctor's words: for each kind of finding a title, why it matters, and what to try."""

TITLES = {
    "leak": "In both parts",
    "conflict": "Under two labels",
    "duplicate": "Twice in one part",
    "near_duplicate": "Nearly the same in one part",
    "unreadable": "Cannot be read",
    "constant": "Empty picture",
    "tiny": "Tiny",
    "size": "Odd size",
    "mode": "Odd kind of picture",
    "outlier": "Unlike the others",
    "prior_shift": "Classes differ between the parts",
    "imbalance": "Classes of very different size",
    "absent_class": "Class missing",
    "few_samples": "Very small class",
    "missing_values": "Missing values",
    "constant_column": "Column of one value",
}

WHY = {
    "leak": "A model that learned the copy by heart is right on it, so the test score comes out too high.",
    "conflict": "No model can be right on all of them, and training pulls the weights both ways.",
    "duplicate": "A copy counts twice in the training, or in the score, and adds nothing new.",
    "near_duplicate": "Copies count several times in the training, or in the score, and add nothing new; a "
    "later random split can put one on each side.",
    "unreadable": "Such a file stops a training, or is left out and makes its class smaller.",
    "constant": "There is nothing in it to learn from.",
    "tiny": "Enlarged, it is blurred, and a model may learn the blur in place of the thing.",
    "size": "All are brought to one size: a smaller original comes out blurred, one of another shape stretched.",
    "mode": "A model may learn how the files were made in place of what they show.",
    "outlier": "It may be a mistake (a scan, a chart, a damaged file, a wrong unit); if it is right, a model has "
    "seen little like it.",
    "prior_shift": "What a model learned about how common each class is does not hold on the test part, and plain "
    "accuracy says more about the mix than about the model.",
    "imbalance": "A model that never answers the rare class still scores high.",
    "absent_class": "It cannot be learned, or cannot be tested.",
    "few_samples": "So few cannot show what a class has in common; its score is left to chance.",
    "missing_values": "Numbers that are not there cannot be learned from, and rows with them are refused.",
    "constant_column": "A column that never changes tells nothing about the target.",
}

ADVICE = {
    "leak": "Remove it from one part, or quote the score without it.",
    "conflict": "Look at them and correct the label, or remove them.",
    "duplicate": "Keep one of them.",
    "near_duplicate": "Keep one of them, or keep all in the same part.",
    "unreadable": "Repair it, save it again as JPEG or PNG, or remove it.",
    "constant": "Remove it.",
    "tiny": "Find a larger original, or remove it.",
    "size": "Use originals of one shape and of a similar size, or crop these to the shape of the others.",
    "mode": "See whether they belong to one class more than to another; if so, convert all to one kind.",
    "outlier": "Look at it; remove it if it does not belong.",
    "prior_shift": "Draw the test part anew, at random or stratified; or report balanced accuracy.",
    "imbalance": "Report balanced accuracy, gather more of the rare class, or train with --class-weight balanced.",
    "absent_class": "Add samples of it, or remove the class.",
    "few_samples": "Add samples of it, or join it with another class.",
    "missing_values": "Fill them in, or remove those rows or columns.",
    "constant_column": "Remove the column.",
}
