"""What each perturbation does to photos; :mod:`pellucid.evaluation.robustness.perturbations` hands the table on."""
