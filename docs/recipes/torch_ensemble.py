"""An ensemble of small networks with torch on CPUs: each is trained by one worker.

`myscoop` gives each worker its share of the cores, and torch as many threads; with `--hybrid 2` two
workers on each host train with half of its cores each.
"""

import torch

from scoopmpi import futures

torch.manual_seed(0)
X = torch.linspace(-2, 2, 200).unsqueeze(1)
Y = torch.sin(2 * X) + 0.1 * torch.randn(200, 1)


def train(seed):
    """Train one network; returns what it says of the whole interval."""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(1, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(200):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(net(X), Y).backward()
        optimizer.step()
    return net(X).detach().numpy()  # an array, no tensor with its graph


if __name__ == "__main__":
    found = list(futures.map(train, range(8)))  # on the farm
    answers = torch.stack([torch.from_numpy(answer) for answer in found])
    error = torch.mean((answers.mean(0) - torch.sin(2 * X)) ** 2)
    print(f"error of the ensemble {error:.4f}, its spread {answers.std(0).mean():.4f}")
