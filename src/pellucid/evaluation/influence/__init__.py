"""Influence of training samples on predictions: TracIn, leave-one-out, and trainings without groups of samples.

``begin_influence`` (find_influence.py) does it, in three steps. run_trace.py trains again, or reads the checkpoints
that the training left (snapshots.py has the parameters on the way, stages.py a training in several stages,
retraining.py one without some samples); tracin.py adds up the products of gradients, linear.py estimates what a
last layer would be without a sample; explain.py proves it by training without the most influential ones, and
without as many drawn at random. outcome.py holds what is found, plot_influence.py draws it, logits.py has the score
that is asked about.
"""
