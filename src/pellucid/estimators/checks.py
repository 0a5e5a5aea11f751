"""scikit-learn's checks, one thread at a time: they set the process's warning filters, and put them back."""

from sklearn import metrics, model_selection
from sklearn.utils import class_weight, multiclass, validation

from pellucid.process_state import one_at_a_time

accuracy_score = one_at_a_time(metrics.accuracy_score)
check_classification_targets = one_at_a_time(multiclass.check_classification_targets)
check_partial_fit_first_call = one_at_a_time(multiclass._check_partial_fit_first_call)
check_sample_weight = one_at_a_time(validation._check_sample_weight)
check_y = one_at_a_time(validation._check_y)
column_or_1d = one_at_a_time(validation.column_or_1d)
compute_sample_weight = one_at_a_time(class_weight.compute_sample_weight)
r2_score = one_at_a_time(metrics.r2_score)
train_test_split = one_at_a_time(model_selection.train_test_split)
type_of_target = one_at_a_time(multiclass.type_of_target)
validate_data = one_at_a_time(validation.validate_data)
