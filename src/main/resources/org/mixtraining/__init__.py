"""The stages of MixTraining for pyspark.ml, in the module ml."""
