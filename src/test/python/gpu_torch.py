"""How submit/gpu_torch.py calls torch.compile, on a stand-in for PyTorch; run from the root."""
import runpy
import sys
import unittest
from unittest.mock import MagicMock, patch


class Module:
    def cuda(self):
        return self

    def parameters(self):
        return []

    def register_buffer(self, name, buffer):
        setattr(self, name, buffer)

    def __call__(self, *inputs):
        return MagicMock()


class Compiled(unittest.TestCase):
    def test_each_batch_size_is_compiled_for_itself(self):
        calls = []
        torch = MagicMock()
        torch.nn.Module = Module
        torch._dynamo.reset = lambda: calls.append("reset")

        def compiled(model, dynamic=None):
            calls.append(dynamic)
            return model

        torch.compile = compiled
        modules = {"torch": torch, "torch.nn": torch.nn, "torch.nn.functional": torch.nn.functional}
        arguments = ["gpu_torch.py", "--mode", "compile", "--objectives", "ssl", "sl", "--batches", "2", "3"]
        with patch.dict(sys.modules, modules), patch.object(sys, "argv", arguments):
            runpy.run_path("submit/gpu_torch.py", run_name="__main__")
        self.assertEqual(calls, 4 * ["reset", False])


if __name__ == "__main__":
    unittest.main()
