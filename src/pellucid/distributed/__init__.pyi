from .cluster import open_cluster as open_cluster
from .evaluation import evaluate as evaluate
from .map_unordered import ClusterError as ClusterError
from .prediction import WrittenPredictions as WrittenPredictions
from .prediction import predict as predict
