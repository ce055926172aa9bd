"""Makes src/test/resources/timm: tiny ViTs with random weights under the names of timm's
VisionTransformer, and what PyTorch computes with them. Needs torch and numpy; run from the root:

    python src/test/python/timm_golden.py

patch3.safetensors has MAE's sine-cosine positions, patch6.safetensors learned ones and patches of
another size; golden.json holds images and the features that Java has to reproduce.
"""
import json
import struct
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SIZE, DIM, DEPTH, HEADS = 12, 12, 2, 3
OUT = Path("src/test/resources/timm")


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(DIM, 3 * DIM)
        self.proj = nn.Linear(DIM, DIM)

    def forward(self, x):
        b, n, c = x.shape
        qkv = self.qkv(x).reshape(b, n, 3, HEADS, c // HEADS).permute(2, 0, 3, 1, 4)
        x = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        return self.proj(x.transpose(1, 2).reshape(b, n, c))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(DIM, 4 * DIM)
        self.fc2 = nn.Linear(4 * DIM, DIM)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(DIM, eps=1e-6)
        self.attn = Attention()
        self.norm2 = nn.LayerNorm(DIM, eps=1e-6)
        self.mlp = Mlp()

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, patch):
        super().__init__()
        self.proj = nn.Conv2d(3, DIM, patch, patch)


class ViT(nn.Module):
    def __init__(self, patch):
        super().__init__()
        self.patch_embed = PatchEmbed(patch)
        self.cls_token = nn.Parameter(torch.randn(1, 1, DIM))
        self.pos_embed = nn.Parameter(torch.randn(1, 1 + (SIZE // patch) ** 2, DIM))
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(DIM, eps=1e-6)
        self.head = nn.Linear(DIM, 7)

    def tokens(self, images, kernel, positions):
        x = F.conv2d(images, kernel, self.patch_embed.proj.bias, stride=kernel.shape[-1])
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + positions
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def sincos(grid):
    """MAE's get_2d_sincos_pos_embed: columns first, then rows; zero for the class token."""
    omega = 1.0 / 10000 ** (np.arange(DIM // 4) / (DIM / 4.0))
    rows, columns = np.meshgrid(np.arange(grid), np.arange(grid), indexing="ij")
    parts = []
    for position in (columns, rows):
        angle = np.outer(position.reshape(-1), omega)
        parts += [np.sin(angle), np.cos(angle)]
    return torch.tensor(np.concatenate([np.zeros((1, DIM)), np.concatenate(parts, 1)]))[None]


def resampled(kernel, size):
    """timm's resample_patch_embed."""
    old = kernel.shape[-1]
    basis = torch.eye(old * old, dtype=torch.float64).reshape(old * old, 1, old, old)
    resize = F.interpolate(basis, size=(size, size), mode="bicubic", antialias=True)
    pinv = torch.linalg.pinv(resize.reshape(old * old, size * size))
    return (kernel.reshape(-1, old * old) @ pinv.T).reshape(*kernel.shape[:2], size, size)


def interpolated(positions, grid):
    """timm's resample_abs_pos_embed."""
    cls, places = positions[:, :1], positions[:, 1:]
    old = int(places.shape[1] ** 0.5)
    places = places.reshape(1, old, old, DIM).permute(0, 3, 1, 2)
    if old != grid:
        places = F.interpolate(places, size=(grid, grid), mode="bicubic", antialias=True)
    return torch.cat([cls, places.flatten(2).transpose(1, 2)], 1)


def save(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().to(torch.float32).contiguous().numpy().tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    images = torch.rand(2, 3, SIZE, SIZE) * 2 - 1
    images = images.to(torch.float32).to(torch.float64)
    golden = {"images": images.flatten().tolist()}
    OUT.mkdir(parents=True, exist_ok=True)
    for patch in (3, 6):
        vit = ViT(patch)
        with torch.no_grad():
            for parameter in vit.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
            if patch == 3:
                vit.pos_embed.copy_(sincos(SIZE // patch))
            vit.pos_embed[0, 0] = 0.3 * torch.randn(DIM)
            for parameter in vit.parameters():
                parameter.copy_(parameter.to(torch.float32).to(torch.float64))
            save(OUT / f"patch{patch}.safetensors", vit.state_dict())
            # The job's patch is 3 either way. Where its positions are the fixed ones, the class
            # token still keeps its own.
            kernel = vit.patch_embed.proj.weight
            kernel = kernel if patch == 3 else resampled(kernel, 3)
            positions = sincos(SIZE // 3)
            positions[0, 0] = vit.pos_embed[0, 0]
            fixed = vit.tokens(images, kernel, positions)
            learned = vit.tokens(images, kernel, interpolated(vit.pos_embed, 4))
        for name, tokens in ((f"patch{patch}", fixed), (f"patch{patch}-learned", learned)):
            golden[name] = {
                "cls": tokens[:, 0].flatten().tolist(),
                "mean": tokens[:, 1:].mean(1).flatten().tolist(),
            }
    (OUT / "golden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
