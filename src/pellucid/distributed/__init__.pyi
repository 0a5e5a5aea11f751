from .cluster import open_cluster as open_cluster
from .evaluation import evaluate as evaluate
from .prediction import WrittenPredictions as WrittenPredictions
from .prediction import predict as predict
from .training import train as train
from .waiting import ClusterError as ClusterError
