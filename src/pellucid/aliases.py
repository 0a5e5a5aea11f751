"""What other libraries call things: one table of names of Keras, PyTorch and scikit-learn, and ours for each.

Every message about an unknown name asks it. Names are compared without capitals and underscores, so that ``Conv2d``
and ``leakyrelu`` need no line here.
"""

from collections.abc import Iterable, Mapping
from functools import cache

# Our name, and what others call it. Where a name stands in several lines, the first of ours that is known counts.
OURS: Mapping[str, str] = {
    "0..1": "unit",
    "-1..1": "signed",
    "0..255": "bytes raw",
    # arguments of a training
    "n_epochs": "epochs nb_epoch num_epochs max_epochs max_iter n_iter",
    "max_iter": "epochs n_epochs num_epochs",
    "max_iterations": "epochs n_epochs max_iter maxiter",
    "learning_rate_init": "lr eta0",
    "learning_rate": "lr rate eta eta0 learning_rate_init step_size",
    "batch_size": "batch bs",
    "validation": "val validation_data validation_split validation_fraction val_data eval_set val_set test_data",
    "validation_fraction": "validation_split",
    "patience": "early_stopping early_stop n_iter_no_change",
    "n_iter_no_change": "patience",
    "seed": "random_state random_seed manual_seed",
    "random_state": "seed random_seed",
    "loss": "criterion loss_fn loss_function objective",
    "optimizer": "optim solver",
    "solver": "optimizer optim",
    "schedule": "scheduler lr_scheduler learning_rate_schedule lr_schedule",
    "weight_decay": "wd l2 alpha l2_penalty kernel_regularizer",
    "alpha": "l2 weight_decay",
    "n_jobs": "jobs workers cores cpus",
    "n_workers": "jobs n_jobs cores cpus",
    "n_threads": "n_jobs jobs num_workers workers num_threads cores cpus",
    "progress": "verbose verbosity",
    "metrics": "metric scoring",
    "data": "x X train training_data train_data train_loader dataset dataloader",
    "augment": "transform transforms augmentation data_augmentation",
    "model": "network net arch architecture",
    "image_size": "size resize img_size",
    "target": "label column y class",
    "out": "output save folder results",
    "quiet": "silent q",
    "to_frame": "to_pandas to_dataframe",
    # our own names before the first release
    "start": "from",
    "overwrite": "force yes replace",
    "cv": "folds k n_splits",
    "samples": "test tests",
    "retrain": "is_retrained",
    "sanity_check": "has_sanity",
    "raw": "is_raw",
    "full": "is_full",
    "min_lr": "lowest",
    "max_lr": "highest",
    "perturbations": "only",
    "sample": "photo",
    "hook": "hooked register_forward_hook",
    "record": "watched",
    "cluster": "jobs_on",
    # options of layers
    "units": "out_features hidden_size num_units n_units nb_units output_dim n_neurons size",
    "filters": "out_channels num_filters n_filters nb_filter channels",
    "kernel_size": "kernel filter_size",
    "size": "pool_size kernel_size",
    "stride": "strides subsample",
    "dilation": "dilation_rate",
    "use_bias": "bias",
    "initializer": "kernel_initializer weight_init init weights_initializer",
    "activation": "nonlinearity act activation_fn",
    "rate": "p prob drop_prob dropout_rate",
    "factor": "scale_factor size gamma decay_rate",
    "layers": "modules layer_list",
    "branches": "layers",
    "epsilon": "eps",
    # options of optimizers, schedules, losses and callbacks
    "slope": "negative_slope alpha",
    "beta1": "betas beta_1",
    "decay": "rho alpha",
    "clip_norm": "max_norm max_grad_norm clipnorm global_clipnorm",
    "every": "step_size decay_steps",
    "final": "eta_min min_lr",
    "lowest": "min_lr",
    "metric": "monitor",
    "validation_loss": "val_loss",
    "validation_accuracy": "val_accuracy val_acc",
    "accuracy": "acc categorical_accuracy binary_accuracy",
    "folder": "filepath log_dir dirpath",
    "threshold": "min_delta tol",
    "positive_weight": "pos_weight",
    "n_classes": "num_classes classes",
    # losses
    "mean_squared_error": "mse mse_loss l2_loss squared_error",
    "mean_absolute_error": "mae l1 l1_loss absolute_error",
    "binary_cross_entropy": "bce bce_loss bce_with_logits bce_with_logits_loss log_loss",
    "categorical_cross_entropy": (
        "cross_entropy cross_entropy_loss sparse_categorical_crossentropy softmax_cross_entropy nll nll_loss "
        "log_loss"
    ),
    "huber": "smooth_l1 smooth_l1_loss huber_loss",
    "hinge": "squared_hinge hinge_loss multi_margin_loss hinge_embedding_loss",
    "focal": "focal_loss binary_focal_crossentropy categorical_focal_crossentropy",
    "poisson": "poisson_nll_loss",
    "multi_label": "multi_label_soft_margin_loss",
    # optimizers, schedules, initializers and activations
    "sgd": "gd gradient_descent momentum nesterov",
    "adam": "nadam adamax radam adamwr",
    "step": "step_lr multi_step_lr piecewise_constant_decay",
    "cosine": "cosine_annealing_lr cosine_decay cosine_annealing_warm_restarts",
    "exponential": "exponential_lr exponential_decay",
    "one_cycle": "one_cycle_lr",
    "reduce_on_plateau": "reduce_lr_on_plateau",
    "glorot": "xavier xavier_uniform xavier_normal glorot_uniform glorot_normal",
    "he": "kaiming kaiming_uniform kaiming_normal he_uniform he_normal",
    "lecun": "lecun_uniform lecun_normal",
    "normal": "random_normal truncated_normal",
    "uniform": "random_uniform",
    "silu": "swish mish",
    "sigmoid": "logistic expit",
    "linear": "identity none",
    "relu": "rectifier",
    "elu": "celu",
    "gelu_tanh": "gelu_new gelu_approximate",
    "hard_sigmoid": "hardsigmoid",
    "hard_swish": "hardswish hard_silu",
    "relu6": "hardtanh clip",
    "softmax": "log_softmax",
    # layers and structures
    "Dense": "Linear FullyConnected LazyLinear",
    "Conv2D": "Convolution2D SeparableConv2D DepthwiseConv2D LazyConv2d",
    "BatchNorm": "BatchNormalization BatchNorm1d BatchNorm2d",
    "LayerNorm": "LayerNormalization",
    "MaxPool2D": "MaxPooling2D",
    "AvgPool2D": "AveragePooling2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D AdaptiveAvgPool2d",
    "UpSample2D": "UpSampling2D Upsample",
    "Resize2D": "Resizing Interpolate UpsamplingBilinear2d",
    "ReflectPad2D": "ReflectionPad2d",
    "ZeroPad2D": "ZeroPadding2D",
    "Dropout": "Dropout2d SpatialDropout2D AlphaDropout",
    "Layer": "Module Function",
    "Residual": "Add",
    "Parallel": "Concatenate",
    "Sequential": "ModuleList",
    # callbacks
    "Checkpoint": "ModelCheckpoint BackupAndRestore",
    "Progress": "ProgbarLogger TQDMProgressBar ProgressBar",
    # what the package offers
    "train": "fit Trainer fit_model fit_generator train_on_batch",
    "evaluate": "score test accuracy_score classification_report confusion_matrix roc_auc_score f1_score",
    "compare": "cross_validate cross_val_score cross_val_predict",
    "load": "load_model load_weights load_state_dict load_architecture",
    "save": "save_model save_weights dump",
    "Dataset": "DataLoader TensorDataset",
    "load_data": (
        "ImageFolder image_dataset_from_directory ImageDataLoaders flow_from_directory read_csv load_digits "
        "load_iris fetch_openml datasets"
    ),
    "find_learning_rate": "lr_find lr_finder LearningRateFinder",
    "explain_photo": "grad_cam GradCAM",
    "Augment": "transforms ImageDataGenerator Compose",
    "optimizers": "optim",
    "schedules": "lr_scheduler",
    # attributes of models, layers and histories
    "theta": "weight weights parameters get_weights trainable_weights trainable_variables named_parameters",
    "params": "weight weights parameters state_dict get_weights kernel",
    "grad": "gradient gradients",
    "n_steps": "global_step",
    "columns": "history epochs",
}

# Keyword arguments for which there is none here, and what to do instead.
KEYWORDS: Mapping[str, str] = {
    "in_features in_channels num_features normalized_shape input_shape input_dim batch_input_shape": (
        "Leave it out: a layer takes the shape of its input from the data."
    ),
    "name": "Leave it out: layers are named by kind and number, such as dense_1.",
    "bias use_bias": "Leave it out: the layer always has a bias.",
    "bias_initializer": "Leave it out: biases start at zero.",
    "kernel_regularizer bias_regularizer activity_regularizer": (
        "An L2 penalty is weight_decay of pl.train or of the optimizer."
    ),
    "from_logits": "Leave it out: losses take logits, the last layer's outputs without an activation.",
    "reduction size_average reduce": "Leave it out: the loss is the mean over the samples.",
    "device": "Leave it out: everything runs on the CPU.",
    "verbose": "Leave it out.",
    "batch_size": "Leave it out: samples are computed in pieces.",
    "axis data_format": "Leave it out: channels are the last axis.",
    "y target targets labels": "Give samples and labels as one pair: (X, y).",
    "restore_best_weights save_best_only": "Leave it out: EarlyStopping restores the best weights.",
    "steps_per_epoch": "Leave it out: an epoch is one pass over the data. Choose batch_size.",
    "initial_epoch": "Go on from a checkpoint: resume=FOLDER.",
    "hidden_layer_sizes hidden_units": (
        "Write a Dense layer for each: pl.Sequential(pl.Dense(100, 'relu'), pl.Dense(1)); "
        "pl.estimators.MLPClassifier takes hidden_layer_sizes."
    ),
    "early_stopping": "Stop early by pl.train(..., validation=0.2, patience=10).",
}

# Public names for which there is none here: of the package, and of models.
NAMES: Mapping[str, str] = {
    "fit train_on_batch Trainer": "Use pl.train(model, (X, y), n_epochs=50).",
    "compile": "Leave it out: loss and optimizer are arguments of pl.train(model, (X, y), optimizer='adam').",
    "predict_proba": "A model predicts: model.predict_proba(X).",
    "summary": "A model has it: model.summary().",
    "layers": "Layers are in the package itself: pl.Dense, pl.Conv2D.",
    "models": "Models are in the package itself: pl.Sequential, pl.Graph, pl.preset('mlp').",
    "functional": "Plain functions, forward and backward, are in pellucid.ops.",
    "Input InputLayer": "Leave it out: a model takes the shape of its input from the data.",
    "metrics": "Metrics are names or functions: metrics=['f1', function] of pl.train and pl.evaluate.",
    "utils to_categorical one_hot OneHotEncoder LabelEncoder": "Leave it out: y holds class numbers or names.",
    "StandardScaler Normalization preprocessing Rescaling": (
        "Pixels are divided by 255 by the model itself; for tables take pl.estimators in a scikit-learn Pipeline."
    ),
    "Pipeline make_pipeline": "Take scikit-learn's, with pl.estimators.MLPClassifier().",
    "plot_model": "Use print(model.summary()).",
    "clone clone_model": "Use copy.deepcopy(model).",
    "ReLU LeakyReLU ELU Sigmoid Tanh Softmax GELU SiLU": (
        "Name it in the layer before, as pl.Dense(64, 'relu'), or write pl.Activation('relu')."
    ),
    "tensor Tensor Variable from_numpy constant": "Use NumPy arrays: np.array(...).",
    "device cuda no_grad inference_mode set_grad_enabled": "Leave it out: everything runs on the CPU with NumPy.",
    "manual_seed set_random_seed seed": "Every function that draws has a seed: pl.train(..., seed=1).",
    "train_test_split": "pl.load_data(...) has .train and .test; pl.train(..., validation=0.2) holds samples out.",
    "MLPClassifier MLPRegressor NetworkClassifier NetworkRegressor ImageClassifier": (
        "Estimators are in pellucid.estimators: pl.estimators.MLPClassifier()."
    ),
    "mlp cnn resnet resnet18 logistic": "Presets are made by name: pl.preset('mlp'), pl.preset('cnn').",
    "GridSearchCV": "Take scikit-learn's, with pl.estimators.MLPClassifier().",
    "Adam AdamW Adagrad Nadam": "Optimizers are in pl.optimizers: pl.optimizers.Adam().",
    "SGD": "Optimizers are in pl.optimizers: pl.optimizers.SGD(learning_rate=0.1).",
    "RMSprop": "Optimizers are in pl.optimizers: pl.optimizers.RMSprop().",
    "EarlyStopping TensorBoard Callback LambdaCallback": (
        "Callbacks are in pl.callbacks: pl.callbacks.EarlyStopping(patience=10)."
    ),
    "ModelCheckpoint": "Callbacks are in pl.callbacks: pl.callbacks.Checkpoint('checkpoints').",
    "ReduceLROnPlateau": "It is a schedule: pl.schedules.ReduceOnPlateau().",
    "MSELoss mse": "Losses are in pl.losses: pl.losses.MeanSquaredError().",
    "L1Loss": "Losses are in pl.losses: pl.losses.MeanAbsoluteError().",
    "HuberLoss": "Losses are in pl.losses: pl.losses.Huber().",
    "CrossEntropyLoss NLLLoss": "Losses are in pl.losses: pl.losses.CategoricalCrossEntropy(), of logits.",
    "BCELoss BCEWithLogitsLoss": "Losses are in pl.losses: pl.losses.BinaryCrossEntropy(), of logits.",
    "applications torchvision": "A network trained on ImageNet: pl.pretrained('efficientnet-lite0').",
    "vision_learner cnn_learner": "A pretrained network and a last layer: pl.train('pretrained', 'photos').",
    "to_pandas": "Data, results and histories have to_frame().",
    "Conv2DTranspose ConvTranspose2d": "There is no such layer here: take UpSample2D and then Conv2D.",
    "Embedding LSTM GRU SimpleRNN RNN Transformer MultiheadAttention MultiHeadAttention Conv1D Conv3D": (
        "There is no such layer here; docs/extending.md shows how to write one."
    ),
}
METHODS: Mapping[str, str] = {
    "fit train train_on_batch fit_generator partial_fit": "Use pl.train(model, (X, y), n_epochs=50).",
    "compile": NAMES["compile"],
    "evaluate score": "Use pl.evaluate(model, (X, y)).",
    "save_weights": "Use model.save('model.safetensors').",
    "load_weights load_state_dict load": "Use model = pl.load('model.safetensors').",
    "parameters named_parameters weight weights get_weights trainable_weights trainable_variables kernel bias "
    "coef_ coefs_ intercepts_": (
        "Use model.theta, all parameters in one array, or model.params['dense_1']['W']."
    ),
    "state_dict": "Write a model to a file by pl.save(model, 'm.safetensors'); model.params has its parameters.",
    "eval": "Leave it out: model.predict(X) always predicts, pl.train always trains.",
    "to cuda cpu double half": (
        "Leave it out: everything runs on the CPU; pl.train(..., dtype='float64') sets the dtype."
    ),
    "zero_grad": "Leave it out: each backward pass writes the gradients again.",
    "requires_grad_ requires_grad": "Leave it out: pl.train updates every parameter.",
    "add append add_module register_module": (
        "Give all layers at once: pl.Sequential(pl.Dense(64, 'relu'), pl.Dense(1))."
    ),
    "pop": "Make a new model of the layers that are wanted: pl.Sequential(*model.layers[:-1]).",
    "get_layer": "Layers are in model.layers, and by name in model._leaves().",
    "get_config": "Use model.config().",
    "predict_classes": "Use model.predict(X).",
    "call": "Use model.forward(X).",
    "step": "Use pl.train(model, (X, y), n_epochs=50).",
    "plot history": "pl.train returns it: history = pl.train(...), then history['loss'] and history.plot().",
    "optimizer metrics": "It is an argument of pl.train, such as optimizer='adam' or metrics=['f1'].",
    "trainable": "Use pl.freeze(model, 'dense_1').",
}
# How the advice begins that holds for classes, too.
OF_CLASSES = "Losses are in", "Name it in the layer before", "It is a schedule"
CLASSES: Mapping[str, str] = {
    **{words: text for words, text in NAMES.items() if text.startswith(OF_CLASSES)},
    "LearningRateScheduler LRScheduler": "Choose a schedule: pl.train(..., schedule=pl.schedules.Cosine()).",
    "CSVLogger": "pl.train returns a history: history.write('history.csv').",
    "LambdaCallback": "Any function of an event is a callback.",
}
HISTORY: Mapping[str, str] = {
    "history": "What was measured each epoch is in history['loss'] or history.columns.",
    "epoch epochs": "Use len(history.losses).",
    "params": "pl.train changes the model itself: see model.params.",
}
# Attributes of a data set, and of one in two parts.
DATA: Mapping[str, str] = {
    "data images image inputs input features feature samples": "Samples are data.X.",
    "target targets label labels": "Labels and targets are data.y.",
    "target_names class_names class_to_idx class_indices": "The names of the classes are data.classes.",
    "shape element_spec": "Use data.X.shape and len(data).",
    "n_samples size nrows num_examples": "Use len(data).",
    "batch shuffle map prefetch cache repeat transform transforms": (
        "Leave it out: pl.train(model, data, batch_size=32, augment='photo') shuffles, augments and makes batches."
    ),
    "head sample subset select iloc loc skip": "Choose samples as of an array: data[:100], data[rows].",
    "train test train_test_split": "It is one part; pl.load_data(...) returns both, .train and .test.",
    "astype normalize scale": "A model divides pixels by 255 itself; else make a new pl.Dataset(X, y).",
}
SPLIT: Mapping[str, str] = {
    "X y data images inputs features samples target targets label labels shape counts groups": (
        "It has two parts, data.train and data.test, each with X and y: data.train.X, data.train.y."
    ),
    "x_train X_train train_data train_images training": "Use data.train, with data.train.X and data.train.y.",
    "y_train train_labels": "Use data.train.y.",
    "x_test X_test test_data test_images": "Use data.test, with data.test.X and data.test.y.",
    "y_test test_labels": "Use data.test.y.",
    "valid validation val x_val y_val": "Hold samples out by pl.train(model, data.train, validation=0.2).",
    "target_names class_names class_to_idx class_indices": "The names of the classes are data.classes.",
    "to_pandas to_frame": "Take one part: data.train.to_frame().",
    "take batch shuffle map prefetch": "Take one part: data.train.",
}
_ADVICE: Mapping[str, Mapping[str, str]] = {
    "option": KEYWORDS, "argument": KEYWORDS, "parameter": KEYWORDS, "name": NAMES, "attribute": METHODS,
    "class": CLASSES, "column": HISTORY, "data": DATA, "split": SPLIT,
}  # fmt: skip


def letters_of(name: str) -> str:
    """Return a name without capitals, underscores and the like.

    Examples
    --------
    >>> letters_of("Leaky_ReLU")
    'leakyrelu'
    """
    return "".join(letter for letter in name.lower() if letter.isalnum())


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.5) -> str:
    """Return which of the known names is meant: the same but for its writing, a habit's, or a similar one; else "".

    Examples
    --------
    >>> nearest("epochs", ["n_epochs", "seed"]), nearest("RELU", ["relu", "elu"]), nearest("mpl", ["mlp"])
    ('n_epochs', 'relu', 'mlp')
    """
    names = sorted(known)
    by_letters = {letters_of(each): each for each in names}
    wanted = letters_of(name)
    meant = (wanted, *_ours(wanted), *_ours(letters_of(name.rpartition(".")[2])))  # nn.CrossEntropyLoss
    found = next((by_letters[each] for each in meant if each in by_letters), "")
    if found or not wanted:
        return found
    import difflib

    close = difflib.get_close_matches(wanted, by_letters, n=1, cutoff=cutoff)
    close = close or difflib.get_close_matches(name, names, n=1, cutoff=cutoff)
    initials = [each for each in names if "".join(word[:1] for word in each.split("_")) == name.lower()]
    return by_letters.get(close[0], close[0]) if close else "".join(initials[:1])


def is_habit(name: str, known: Iterable[str]) -> bool:
    """Return whether a known name is meant beyond doubt: in another writing, or by another library's name."""
    wanted = {letters_of(name), *_ours(letters_of(name))}
    return any(letters_of(each) in wanted for each in known)


def advice(kind: str, name: str) -> str:
    """Return what to do instead of a name for which there is none here; "" where nothing is known of it.

    Examples
    --------
    >>> advice("option", "in_features")
    'Leave it out: a layer takes the shape of its input from the data.'
    """
    return _sentences(kind).get(letters_of(name), "")


def _ours(wanted: str) -> tuple[str, ...]:
    """Return our names for what others call so, each as its letters."""
    return _by_others().get(wanted, ())


@cache
def _by_others() -> dict[str, tuple[str, ...]]:
    """Return the table from each foreign name to ours, each as its letters."""
    found: dict[str, tuple[str, ...]] = {}
    for ours, others in OURS.items():
        for other in others.split():
            found[letters_of(other)] = (*found.get(letters_of(other), ()), letters_of(ours))
    return found


@cache
def _sentences(kind: str) -> dict[str, str]:
    """Return what to do instead, by the letters of a name."""
    return {letters_of(word): text for words, text in _ADVICE.get(kind, {}).items() for word in words.split()}
