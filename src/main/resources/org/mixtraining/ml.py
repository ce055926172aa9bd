"""MixTraining in pyspark.ml: the classes of the Java package of the same name, which do the work.

    spark-submit --jars mixtraining.jar --py-files mixtraining.jar learn.py

    from org.mixtraining.ml import MixTrainingClassifier
    model = MixTrainingClassifier(featuresCol="content", epochsSsl=20, epochsSl=20).fit(images)
    model.transform(images).select("prediction", "probability", "error")

A param is a key of the configuration in camelCase (optimizer.base-lr is optimizerBaseLr), or a
column; explainParams() lists them. Module and classes have the names of the Java ones, so that
pyspark finds them when it loads a pipeline.
"""

from pyspark.ml.util import JavaMLReadable, JavaMLWritable
from pyspark.ml.wrapper import JavaEstimator, JavaModel

__all__ = ["MixTrainingClassifier", "MixTrainingClassificationModel", "MixTrainingFeaturizer"]


def _text(value):
    """A value of a param as the configuration writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


class _Stage(JavaMLReadable, JavaMLWritable):
    """A stage with the params of its Java object."""

    def setParams(self, **params):
        """Sets params by their names."""
        return self._set(**{name: _text(value) for name, value in params.items()})


class MixTrainingClassifier(_Stage, JavaEstimator):
    """Trains a Vision Transformer on a column of images; see the Java class."""

    def __init__(self, **params):
        super().__init__()
        self._java_obj = self._new_java_obj("org.mixtraining.ml.MixTrainingClassifier", self.uid)
        self._create_params_from_java()
        self.setParams(**params)

    def _create_model(self, java_model):
        return MixTrainingClassificationModel(java_model)


class MixTrainingClassificationModel(_Stage, JavaModel):
    """Classifies a column of images; see the Java class."""

    @property
    def classes(self):
        """Names of the classes by index."""
        return list(self._call_java("classes"))

    @property
    def numClasses(self):
        """Number of classes."""
        return self._call_java("numClasses")

    def featurizer(self):
        """The encoder alone."""
        return MixTrainingFeaturizer(self._java_obj.featurizer())


class MixTrainingFeaturizer(_Stage, JavaModel):
    """Turns a column of images into vectors; see the Java class."""
