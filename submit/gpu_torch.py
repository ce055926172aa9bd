#!/usr/bin/env python3
"""Training steps of ViT-Tiny by PyTorch on the same GPU, for submit/gpu-check.sh: bfloat16 autocast,
scaled_dot_product_attention, fused AdamW, eager and torch.compile. One JSON object a line."""
import argparse
import json
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

DIM, HEADS, DEPTH, DECODER_DEPTH, PATCH, SIZE, CLASSES = 192, 3, 12, 4, 4, 32, 10
PATCHES = (SIZE // PATCH) ** 2
VISIBLE = PATCHES // 4
VALUES = 3 * PATCH * PATCH


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(DIM, eps=1e-6), nn.LayerNorm(DIM, eps=1e-6)
        self.qkv, self.proj = nn.Linear(DIM, 3 * DIM), nn.Linear(DIM, DIM)
        self.fc1, self.fc2 = nn.Linear(DIM, 4 * DIM), nn.Linear(4 * DIM, DIM)

    def forward(self, x):
        b, n, _ = x.shape
        qkv = self.qkv(self.norm1(x)).view(b, n, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(*qkv.unbind(0))
        x = x + self.proj(attended.transpose(1, 2).reshape(b, n, DIM))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Linear(VALUES, DIM)
        self.cls, self.mask = nn.Parameter(torch.zeros(1, 1, DIM)), nn.Parameter(torch.zeros(1, 1, DIM))
        self.register_buffer("positions", torch.randn(1, 1 + PATCHES, DIM) * 0.02)
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(DIM, eps=1e-6)
        self.to_decoder = nn.Linear(DIM, DIM)
        self.decoder = nn.ModuleList(Block() for _ in range(DECODER_DEPTH))
        self.decoder_norm = nn.LayerNorm(DIM, eps=1e-6)
        self.pixels, self.head = nn.Linear(DIM, VALUES), nn.Linear(DIM, CLASSES)

    def encode(self, patches, kept=None):
        x = self.embedding(patches) + self.positions[:, 1:]
        if kept is not None:
            x = torch.gather(x, 1, kept.unsqueeze(-1).expand(-1, -1, DIM))
        x = torch.cat([self.cls.expand(len(x), -1, -1).to(x.dtype), x], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def forward(self, images, labels, noise, objective):
        """The loss; JOINT takes one pass over the visible patches, like mix.pass = visible."""
        g = SIZE // PATCH
        patches = images.view(-1, 3, g, PATCH, g, PATCH).permute(0, 2, 4, 1, 3, 5).reshape(-1, PATCHES, VALUES)
        if objective == "sl":
            x = self.encode(patches)
            return F.cross_entropy(self.head(x[:, 1:].mean(1)).float(), labels, label_smoothing=0.1)
        order = noise.argsort(1)
        back = order.argsort(1)
        x = self.encode(patches, order[:, :VISIBLE])
        y = self.to_decoder(x)
        masks = self.mask.expand(len(y), PATCHES - VISIBLE, -1).to(y.dtype)
        z = torch.gather(torch.cat([y[:, 1:], masks], 1), 1, back.unsqueeze(-1).expand(-1, -1, DIM))
        z = torch.cat([y[:, :1], z], 1) + self.positions
        for block in self.decoder:
            z = block(z)
        prediction = self.pixels(self.decoder_norm(z))[:, 1:].float()
        mean, var = patches.mean(-1, keepdim=True), patches.var(-1, keepdim=True)
        error = ((prediction - (patches - mean) / (var + 1e-6).sqrt()) ** 2).mean(-1)
        hidden = (back >= VISIBLE).float()
        loss = (error * hidden).sum() / hidden.sum()
        if objective == "joint":
            scores = self.head(x[:, 1:].mean(1)).float()
            loss = 0.5 * loss + 0.5 * F.cross_entropy(scores, labels, label_smoothing=0.1)
        return loss


def rate(objective, batch, mode, warmup=10, steps=50):
    """Images a second, the minibatch being on the device."""
    torch.manual_seed(0)
    torch._dynamo.reset()  # else what was compiled for one batch size is made to serve all
    model = Model().cuda()
    forward = torch.compile(model, dynamic=False) if mode == "compile" else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05, fused=True)
    images = torch.randn(batch, 3, SIZE, SIZE, device="cuda")
    labels = torch.randint(0, CLASSES, (batch,), device="cuda")
    for step in range(-warmup, steps):
        if step == 0:
            torch.cuda.synchronize()
            start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        noise = torch.rand(batch, PATCHES, device="cuda")
        with torch.autocast("cuda", torch.bfloat16):
            loss = forward(images, labels, noise, objective)
        loss.backward()
        optimizer.step()
    torch.cuda.synchronize()
    return batch * steps / (time.perf_counter() - start)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--objectives", nargs="+", default=["ssl", "sl", "joint"])
    arguments.add_argument("--batches", nargs="+", type=int, default=[256, 1024, 4096])
    arguments.add_argument("--mode", choices=["eager", "compile"], default="eager")
    wanted = arguments.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = True
    for objective in wanted.objectives:
        for batch in wanted.batches:
            found = rate(objective, batch, wanted.mode)
            line = dict(objective=objective, batch=batch, mode=wanted.mode, images_per_second=found)
            print(json.dumps(line), flush=True)
