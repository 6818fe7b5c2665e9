"""The three networks, the refiner and the model composed of them in PyTorch, with the names that checkpoints have.

`load_state_dict` takes the tensors of a run's checkpoints/best.safetensors as they are; load_in_pytorch.py shows how.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


def conv_norm(i, o):
    return nn.ModuleDict({"conv": nn.Conv2d(i, o, 3, padding=1, bias=False), "norm": nn.BatchNorm2d(o)})


class Block(nn.Module):
    """Two convolutions, each with batch norm and ReLU; without norm they have biases."""

    def __init__(self, i, o, norm=True):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(i, o, 3, padding=1, bias=not norm), nn.BatchNorm2d(o) if norm else nn.Identity()
        self.conv2, self.norm2 = nn.Conv2d(o, o, 3, padding=1, bias=not norm), nn.BatchNorm2d(o) if norm else nn.Identity()

    def forward(self, x):
        return F.relu(self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))


class Up(nn.Module):
    def __init__(self, i, o, norm):
        super().__init__()
        self.up, self.block = nn.ConvTranspose2d(i, o, 2, stride=2), Block(2 * o, o, norm)

    def forward(self, skip, x):
        return self.block(torch.cat((skip, self.up(x)), dim=1))


class UNet(nn.Module):
    def __init__(self, base, norm=True):
        super().__init__()
        widths = [base * 2 ** stage for stage in range(5)]
        self.encoder = nn.ModuleList(Block(i, o, norm) for i, o in zip([3] + widths, widths))
        self.decoder = nn.ModuleList(Up(i, o, norm) for i, o in zip(widths[1:], widths))
        self.head = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        features = [self.encoder[0](x)]
        for stage in self.encoder[1:]:
            features.append(stage(F.max_pool2d(features[-1], 2)))
        x = features.pop()
        for stage in reversed(self.decoder):
            x = stage(features.pop(), x)
        return self.head(x)


class UNetPlusPlus(nn.Module):
    def __init__(self, base, transposed=False, side_heads=False):
        super().__init__()
        self.node, self.up = nn.ModuleDict(), nn.ModuleDict()
        for j in range(5):
            for i in range(5 - j):
                own, below, above = base * 2 ** i, base * 2 ** (i + 1), 3 if i == 0 else base * 2 ** (i - 1)
                if j > 0 and transposed:
                    self.up[f"{i}_{j}"] = nn.ConvTranspose2d(below, own, 2, stride=2)
                    below = own
                self.node[f"{i}_{j}"] = Block(above if j == 0 else j * own + below, own)
        if side_heads:  # of training with deep supervision alone
            self.side_head = nn.ModuleDict({str(j): nn.Conv2d(base, 1, 1) for j in (1, 2, 3)})
        self.head = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        rows = []
        for i in range(5):
            rows.append([self.node[f"{i}_0"](x if i == 0 else F.max_pool2d(rows[i - 1][0], 2))])
        for j in range(1, 5):
            for i in range(5 - j):
                below = rows[i + 1][j - 1]
                if self.up:
                    up = self.up[f"{i}_{j}"](below)
                else:
                    up = F.interpolate(below, scale_factor=2, mode="bilinear", align_corners=True)
                rows[i].append(self.node[f"{i}_{j}"](torch.cat(rows[i] + [up], dim=1)))
        return self.head(rows[0][4])


class SegNet(nn.Module):
    def __init__(self, base):
        super().__init__()
        widths = [base, 2 * base, 4 * base, 8 * base, 8 * base]
        self.encoder, channels = nn.ModuleList(), 3
        for count, width in zip((2, 2, 3, 3, 3), widths):
            self.encoder.append(nn.ModuleList(conv_norm(channels if k == 0 else width, width) for k in range(count)))
            channels = width
        stages = {}
        for s, count in zip((4, 3, 2, 1, 0), (3, 3, 3, 2, 1)):
            outs = [widths[s]] * (count - 1) + [widths[s - 1] if s > 0 else widths[0]]
            stages[s] = nn.ModuleList()
            for o in outs:
                stages[s].append(conv_norm(channels, o))
                channels = o
        self.decoder = nn.ModuleList(stages[s] for s in range(5))
        self.head = nn.Conv2d(base, 1, 3, padding=1)

    def forward(self, x):
        places = []
        for stage in self.encoder:
            for block in stage:
                x = F.relu(block["norm"](block["conv"](x)))
            size = x.shape[-2:]
            x, index = F.max_pool2d(x, 2, return_indices=True)
            places.append((index, size))
        for stage in reversed(self.decoder):
            index, size = places.pop()
            x = F.max_unpool2d(x, index, 2, output_size=size)
            for block in stage:
                x = F.relu(block["norm"](block["conv"](x)))
        return self.head(x)


class Refiner(nn.Module):
    def __init__(self, channels, kernels):
        super().__init__()
        self.expand = nn.Conv2d(1, channels, 1)
        self.conv = nn.ModuleList(nn.Conv2d(channels, channels, k, padding=k // 2) for k in kernels[:-1])
        self.head = nn.Conv2d(channels, 1, kernels[-1], padding=kernels[-1] // 2)

    def forward(self, p):
        x = F.relu(self.expand(p))
        for conv in self.conv:
            x = F.relu(conv(x))
        return self.head(x)


class Composed(nn.Module):
    def __init__(self, backbone, refiner):
        super().__init__()
        self.backbone, self.refiner = backbone, refiner

    def forward(self, x):
        logits = self.backbone(x)
        return logits, self.refiner(torch.sigmoid(logits))


BACKBONES = {"unet": UNet, "unet++": UNetPlusPlus, "segnet": SegNet}
