"""What Python's own libraries compute with exported models, against what this job computes.

PythonLibrariesTest exports small models into $MIXTRAINING_EXPORTS, with images and answers in
expected.json, and runs this. A test whose library is missing is skipped. The libraries, for instance:

    python3 -m venv target/python
    target/python/bin/pip install torch torchvision timm transformers onnx onnxruntime mlflow
"""
import importlib
import json
import os
import unittest
from pathlib import Path

EXPORTS = Path(os.environ["MIXTRAINING_EXPORTS"])
EXPECTED = json.loads((EXPORTS / "expected.json").read_text())


def library(name):
    """A library, or the reason to skip."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise unittest.SkipTest(f"{name} cannot be imported: {error}")


class Libraries(unittest.TestCase):
    def normalised(self):
        """The images as PyTorch models take them: float32, [images, channels, side, side]."""
        torch = library("torch")
        pixels = torch.tensor(EXPECTED["pixels"]).float() / 255
        mean, std = (torch.tensor(EXPECTED[of]).view(1, -1, 1, 1) for of in ("mean", "std"))
        return (pixels - mean) / std

    def assert_same(self, values, expected, most=1e-4):
        torch = library("torch")
        apart = (torch.as_tensor(values).double() - torch.tensor(expected).double()).abs().max()
        self.assertEqual(list(torch.as_tensor(values).shape), list(torch.tensor(expected).shape))
        self.assertLess(apart.item(), most)

    def assert_same_logits(self, logits, name):
        """Logits are the logarithms of probabilities but for a constant of each image."""
        torch = library("torch")
        expected = torch.tensor(EXPECTED[f"probabilities-{name}"]).log()
        self.assert_same(torch.log_softmax(logits, 1), expected.tolist())

    # --- timm ------------------------------------------------------------------------------------

    def test_timm(self):
        torch, timm = library("torch"), library("timm")
        load_file = library("safetensors.torch").load_file
        for pooling in "mean", "cls":
            folder = EXPORTS / f"timm-{pooling}"
            config = json.loads((folder / "config.json").read_text())
            model = timm.create_model(config["architecture"], **config["model_args"])
            model.load_state_dict(load_file(folder / "model.safetensors"), strict=True)
            with torch.no_grad():
                self.assert_same_logits(model.eval()(self.normalised()), pooling)

    def test_timm_of_a_directory(self):
        torch, timm = library("torch"), library("timm")
        model = timm.create_model(f"local-dir:{EXPORTS / 'timm-mean'}", pretrained=True)
        with torch.no_grad():
            self.assert_same_logits(model.eval()(self.normalised()), "mean")
        self.assertEqual(list(model.pretrained_cfg["mean"]), EXPECTED["mean"])

    # --- transformers ----------------------------------------------------------------------------

    def loaded(self, auto, name):
        """The model of a directory, into which every tensor of the file must fit."""
        loader = getattr(library("transformers"), auto)
        model, info = loader.from_pretrained(EXPORTS / name, output_loading_info=True)
        for problem in "missing_keys", "unexpected_keys", "mismatched_keys":
            self.assertFalse(info[problem], f"{name}: {problem}")
        return model.eval()

    def classifier(self, name, kind, answer):
        torch, transformers = library("torch"), library("transformers")
        model = self.loaded("AutoModelForImageClassification", name)
        self.assertIsInstance(model, getattr(transformers, kind))
        self.assertEqual(model.config.id2label[3], "main 3")
        with torch.no_grad():
            self.assert_same_logits(model(self.normalised()).logits, answer)

    def test_vit_for_image_classification(self):
        self.classifier("transformers-cls", "ViTForImageClassification", "cls")

    def test_dinov2_for_image_classification(self):
        self.classifier("transformers-mean", "Dinov2ForImageClassification", "mean")

    def test_vit_mae(self):
        torch, transformers = library("torch"), library("transformers")
        model = self.loaded("AutoModel", "transformers-mae")
        self.assertIsInstance(model, transformers.ViTMAEModel)
        model.config.mask_ratio = 0.0
        in_order = torch.arange(EXPECTED["patches"]).float().expand(len(EXPECTED["pixels"]), -1)
        with torch.no_grad():
            tokens = model(self.normalised(), noise=in_order).last_hidden_state
        self.assert_same(tokens[:, 1:].mean(1), EXPECTED["features"])

    def test_image_processor(self):
        """What prepares images for transformers gives the model what this job gives it."""
        numpy, transformers = library("numpy"), library("transformers")
        library("PIL")
        processor = transformers.AutoImageProcessor.from_pretrained(EXPORTS / "transformers-cls")
        images = [numpy.array(p, "uint8").transpose(1, 2, 0) for p in EXPECTED["pixels"]]
        made = processor(images=images, return_tensors="pt")["pixel_values"]
        self.assert_same(made, self.normalised().tolist(), 1e-5)

    # --- ONNX ------------------------------------------------------------------------------------

    def test_onnx_runtime(self):
        numpy, onnxruntime = library("numpy"), library("onnxruntime")
        session = onnxruntime.InferenceSession(EXPORTS / "mlflow" / "model.onnx")
        pixels = numpy.array(EXPECTED["pixels"], "uint8")
        (probabilities,) = session.run(["probabilities"], {"images": pixels})
        self.assertLess(abs(probabilities - numpy.array(EXPECTED["probabilities-mean"])).max(), 1e-4)

    def test_onnx_checker(self):
        onnx = library("onnx")
        onnx.checker.check_model(onnx.load(EXPORTS / "mlflow" / "model.onnx"), full_check=True)

    def test_mlflow(self):
        numpy, mlflow = library("numpy"), library("mlflow.pyfunc")
        library("onnxruntime")
        model = mlflow.load_model(str(EXPORTS / "mlflow"))
        answer = model.predict(numpy.array(EXPECTED["pixels"], "uint8"))
        probabilities = answer["probabilities"] if isinstance(answer, dict) else answer
        self.assertLess(abs(probabilities - numpy.array(EXPECTED["probabilities-mean"])).max(), 1e-4)
