"""What each perturbation does to photos; :mod:`pellucid.evaluation.perturbations` hands the table on."""
