"""The Python classes of spark.ml (org/mixtraining/ml.py in the jar) in a real PySpark.

PythonStagesTest writes a directory of PNG files per class into $MIXTRAINING_PHOTOS and runs this. It
needs pyspark 3.5:

    python3 -m venv target/python
    target/python/bin/pip install pyspark==3.5.*
"""
import importlib.util
import os
import sys
import tempfile
import unittest

JAR = os.path.abspath("target/mixtraining.jar")
PHOTOS = os.environ["MIXTRAINING_PHOTOS"]
sys.path.insert(0, JAR)  # as --py-files does


class Stages(unittest.TestCase):
    def test_module_is_in_the_jar(self):
        spec = importlib.util.find_spec("org.mixtraining.ml")
        self.assertTrue(spec.origin.startswith(JAR), spec)
        self.assertIn("MixTrainingClassifier", spec.loader.get_code(spec.name).co_names)

    def test_stages_in_pyspark(self):
        try:
            from pyspark import __version__
        except ImportError as error:
            raise unittest.SkipTest(f"pyspark cannot be imported: {error}")
        if not __version__.startswith("3.5."):
            raise unittest.SkipTest(f"pyspark is {__version__}, not 3.5")
        os.environ["PYSPARK_SUBMIT_ARGS"] = (
            f"--master local[2] --jars {JAR} --conf spark.ui.enabled=false"
            " --driver-java-options --add-modules=jdk.incubator.vector pyspark-shell"
        )
        from pyspark.ml import Pipeline, PipelineModel
        from pyspark.ml.evaluation import MulticlassClassificationEvaluator
        from pyspark.ml.feature import StringIndexer
        from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
        from pyspark.sql import SparkSession
        from pyspark.sql.functions import col, element_at, split

        from org.mixtraining.ml import MixTrainingClassificationModel, MixTrainingClassifier

        spark = SparkSession.builder.getOrCreate()
        self.addCleanup(spark.stop)
        images = (
            spark.read.format("binaryFile")
            .option("recursiveFileLookup", True)
            .load(PHOTOS)
            .withColumn("kind", element_at(split("path", "/"), -2))
        )
        with tempfile.TemporaryDirectory() as directory:
            classifier = MixTrainingClassifier(
                featuresCol="content",
                runOutput=f"{directory}/runs",
                dataImageSize=16,
                dataShards=2,
                modelPreset="vit-nano",
                modelPatch=8,
                modelDecoderDepth=1,
                epochsSsl=2,
                epochsSl=4,
                optimizerBatchSize=16,
                optimizerWarmup=0,
                trackingTensorboard=False,
            )
            labels = StringIndexer(inputCol="kind", outputCol="label")
            validator = CrossValidator(
                estimator=Pipeline(stages=[labels, classifier]),
                estimatorParamMaps=ParamGridBuilder()
                .addGrid(classifier.optimizerBaseLr, ["0.004", "1e-9"])
                .build(),
                evaluator=MulticlassClassificationEvaluator(metricName="accuracy"),
                numFolds=2,
                seed=1,
            )
            chosen = validator.fit(images)
            self.assertGreater(chosen.avgMetrics[0], chosen.avgMetrics[1] + 0.2)

            model = chosen.bestModel.stages[1]
            self.assertIsInstance(model, MixTrainingClassificationModel)
            self.assertEqual(model.numClasses, 3)
            self.assertEqual(len(model.classes), 3)
            model.setParams(errorCol="why", handleInvalid="skip")
            self.assertIn("why", model.transform(images.withColumn("label", col("kind"))).columns)
            features = model.featurizer().setParams(inputCol="content").transform(images)
            self.assertEqual(len(features.first()["features"]), 48)

            said = chosen.bestModel.transform(images).orderBy("path").select("probability").collect()
            chosen.bestModel.write().overwrite().save(f"{directory}/model")
            again = PipelineModel.load(f"{directory}/model").transform(images).orderBy("path")
            self.assertEqual(again.select("probability").collect(), said)
