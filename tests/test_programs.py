"""Programs as PyTorch's users write them, run here and in PyTorch on the same numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.utils import data as torch_data

import tinytorch

# What a program imports: the package, `nn`, `nn.functional`, `optim`, the data loaders.
Imports = Any
HERE = SimpleNamespace(
    torch=tinytorch,
    nn=tinytorch.nn,
    F=tinytorch.nn.functional,
    optim=tinytorch.optim,
    data=tinytorch.data,
)
THERE = SimpleNamespace(
    torch=torch, nn=torch.nn, F=torch.nn.functional, optim=torch.optim, data=torch_data
)


@pytest.fixture(autouse=True)
def same_numbers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let PyTorch draw the numbers that are drawn here, and be in float64."""

    def ours(x: Any) -> Any:
        if isinstance(x, torch.dtype):
            return str(x).removeprefix("torch.")
        return tinytorch.from_numpy(x.detach().numpy()) if isinstance(x, torch.Tensor) else x

    def drawn(draw: Callable[..., Any]) -> Callable[..., Any]:
        def draw_here(*args: Any, **options: Any) -> Any:
            kept = {name: x for name, x in options.items() if name not in ("generator", "out")}
            needs_grad = kept.pop("requires_grad", False)
            kept = {name: ours(x) for name, x in kept.items() if not isinstance(x, torch.device)}
            made = draw(*map(ours, args), **kept)
            return torch.tensor(made.numpy(), requires_grad=needs_grad)

        return draw_here

    for name in ("rand", "randn", "randint", "randperm", "randn_like", "normal", "multinomial"):
        monkeypatch.setattr(torch, name, drawn(getattr(tinytorch, name)))
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def initialise(use: Imports, model: Any) -> None:
    """Give the parameters the same values here and there, and go on with the same numbers."""
    tinytorch.manual_seed(2)  # a module here has drawn some
    rng = np.random.default_rng(5)
    with use.torch.no_grad():
        for p in model.parameters():
            p.copy_(use.torch.tensor(rng.normal(size=tuple(p.shape)) / 3))


PROGRAMS: list[Callable[[Imports], list[Any]]] = []


def program(run: Callable[[Imports], list[Any]]) -> Callable[[Imports], list[Any]]:
    PROGRAMS.append(run)
    return run


@pytest.mark.parametrize("run", PROGRAMS)
def test_a_program_gives_what_it_gives_in_pytorch(run: Callable[[Imports], list[Any]]) -> None:
    assert_as_in_pytorch(run)


def assert_as_in_pytorch(run: Callable[[Imports], list[Any]]) -> None:
    tinytorch.manual_seed(1)
    expected = run(THERE)
    tinytorch.manual_seed(1)
    actual = run(HERE)
    assert len(expected) > 4
    assert np.isfinite(expected).all()
    assert_allclose(actual, expected, rtol=1e-10, atol=1e-12)


WORDS = ["emma", "olivia", "ava", "isabella", "sophia", "charlotte", "mia", "amelia", "harper"]


# --- by hand --------------------------------------------------------------------------------------


@program
def bigrams_counted(use: Imports) -> list[Any]:
    torch = use.torch
    chars = sorted(set("".join(WORDS)))
    stoi = {s: i + 1 for i, s in enumerate(chars)}
    stoi["."] = 0
    itos = {i: s for s, i in stoi.items()}
    n = len(stoi)

    N = torch.zeros((n, n), dtype=torch.int32)
    for w in WORDS:
        chs = [".", *w, "."]
        for ch1, ch2 in pairwise(chs):
            N[stoi[ch1], stoi[ch2]] += 1
    P = (N + 1).double()
    P /= P.sum(1, keepdims=True)

    g = torch.Generator().manual_seed(2147483647)
    names = []
    for _ in range(3):
        out: list[str] = []
        ix = 0
        while len(out) < 20:
            p = P[ix]
            ix = torch.multinomial(p, num_samples=1, replacement=True).item()
            if ix == 0:
                break
            out.append(itos[ix])
        names.append(len(out))
    assert g is not None

    log_likelihood, count = 0.0, 0
    for w in WORDS:
        chs = [".", *w, "."]
        for ch1, ch2 in pairwise(chs):
            log_likelihood += torch.log(P[stoi[ch1], stoi[ch2]])
            count += 1
    nll = -log_likelihood
    return [*names, nll.item(), (nll / count).item(), P[0].max().item()]


@program
def bigrams_learnt(use: Imports) -> list[Any]:
    torch, F = use.torch, use.F
    chars = sorted(set("".join(WORDS)))
    stoi = {s: i for i, s in enumerate([".", *chars])}
    xs, ys = [], []
    for w in WORDS:
        chs = [".", *w, "."]
        for ch1, ch2 in pairwise(chs):
            xs.append(stoi[ch1])
            ys.append(stoi[ch2])
    xs, ys = torch.tensor(xs), torch.tensor(ys)
    num, n = xs.nelement(), len(stoi)
    W = torch.randn((n, n), requires_grad=True)
    losses = []
    for _ in range(15):
        xenc = F.one_hot(xs, num_classes=n).double()
        logits = xenc @ W
        counts = logits.exp()
        probs = counts / counts.sum(1, keepdims=True)
        loss = -probs[torch.arange(num), ys].log().mean() + 0.01 * (W**2).mean()
        losses.append(loss.item())
        W.grad = None
        loss.backward()
        W.data += -10 * W.grad
    return losses


@program
def multilayer_perceptron_with_batch_norm(use: Imports) -> list[Any]:
    torch, F = use.torch, use.F
    stoi = {s: i for i, s in enumerate([".", *sorted(set("".join(WORDS)))])}
    block_size, n_embd, n_hidden, vocab_size = 3, 4, 12, len(stoi)
    X, Y = [], []
    for w in WORDS:
        context = [0] * block_size
        for ch in w + ".":
            ix = stoi[ch]
            X.append(context)
            Y.append(ix)
            context = [*context[1:], ix]
    X, Y = torch.tensor(X), torch.tensor(Y)
    n1 = int(0.8 * X.shape[0])
    Xtr, Ytr, Xdev, Ydev = X[:n1], Y[:n1], X[n1:], Y[n1:]

    C = torch.randn((vocab_size, n_embd))
    W1 = torch.randn((n_embd * block_size, n_hidden)) * (5 / 3) / ((n_embd * block_size) ** 0.5)
    W2 = torch.randn((n_hidden, vocab_size)) * 0.01
    b2 = torch.randn(vocab_size) * 0
    bngain = torch.ones((1, n_hidden))
    bnbias = torch.zeros((1, n_hidden))
    bnmean_running = torch.zeros((1, n_hidden))
    bnstd_running = torch.ones((1, n_hidden))
    parameters = [C, W1, W2, b2, bngain, bnbias]
    for p in parameters:
        p.requires_grad = True
    lossi = [sum(p.nelement() for p in parameters)]
    for i in range(30):
        ix = torch.randint(0, Xtr.shape[0], (16,))
        Xb, Yb = Xtr[ix], Ytr[ix]
        emb = C[Xb]
        embcat = emb.view(emb.shape[0], -1)
        hpreact = embcat @ W1
        bnmeani = hpreact.mean(0, keepdim=True)
        bnstdi = hpreact.std(0, keepdim=True)
        hpreact = bngain * (hpreact - bnmeani) / bnstdi + bnbias
        with torch.no_grad():
            bnmean_running = 0.9 * bnmean_running + 0.1 * bnmeani
            bnstd_running = 0.9 * bnstd_running + 0.1 * bnstdi
        h = torch.tanh(hpreact)
        logits = h @ W2 + b2
        loss = F.cross_entropy(logits, Yb)
        for p in parameters:
            p.grad = None
        loss.backward()
        lr = 0.1 if i < 20 else 0.01
        for p in parameters:
            p.data += -lr * p.grad
        lossi.append(loss.log10().item())

    @torch.no_grad()
    def split_loss(x: Any, y: Any) -> float:
        hpreact = C[x].view(x.shape[0], -1) @ W1
        hpreact = bngain * (hpreact - bnmean_running) / bnstd_running + bnbias
        return F.cross_entropy(torch.tanh(hpreact) @ W2 + b2, y).item()

    return [*lossi, split_loss(Xtr, Ytr), split_loss(Xdev, Ydev)]


@program
def logistic_regression(use: Imports) -> list[Any]:
    torch = use.torch
    X = torch.randn(80, 3)
    true_w = torch.tensor([[1.5], [-2.0], [0.5]])
    y = (torch.sigmoid(X @ true_w) > torch.rand(80, 1)).double()
    w = torch.zeros(3, 1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    losses = []
    for _ in range(25):
        p = torch.sigmoid(X.mm(w) + b).clamp(1e-7, 1 - 1e-7)
        loss = -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
        loss.backward()
        with torch.no_grad():
            w -= 0.5 * w.grad
            b.sub_(0.5 * b.grad)
            w.grad = None
            b.grad = None
        losses.append(loss.item())
    with torch.no_grad():
        predicted = (torch.sigmoid(X @ w + b) > 0.5).long()
    accuracy = predicted.eq(y.long()).sum().item() / y.size(0)
    return [*losses, accuracy, (predicted == y).float().mean().item(), w.norm().item()]


@program
def polynomial(use: Imports) -> list[Any]:
    torch = use.torch
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    x = torch.linspace(-math.pi, math.pi, 200, device=device)
    y = torch.sin(x)
    a = torch.randn((), device=device, requires_grad=True)
    b = torch.randn((), device=device, requires_grad=True)
    c = torch.randn((), device=device, requires_grad=True)
    losses = []
    for _ in range(20):
        y_pred = a + b * x + c * x.pow(3)
        loss = (y_pred - y).pow(2).sum()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            a -= 1e-6 * a.grad
            b -= 1e-6 * b.grad
            c -= 1e-6 * c.grad
            a.grad = b.grad = c.grad = None
    return losses


@program
def recurrent_network(use: Imports) -> list[Any]:
    torch, nn = use.torch, use.nn
    names = [("abc", 0), ("aab", 0), ("xyz", 1), ("zzy", 1)]
    letters = "abcxyz"

    class RNN(nn.Module):
        def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
            super().__init__()
            self.hidden_size = hidden_size
            self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
            self.h2o = nn.Linear(hidden_size, output_size)
            self.softmax = nn.LogSoftmax(dim=1)

        def forward(self, input: Any, hidden: Any) -> Any:
            combined = torch.cat((input, hidden), 1)
            hidden = torch.tanh(self.i2h(combined))
            return self.softmax(self.h2o(hidden)), hidden

        def initHidden(self) -> Any:
            return torch.zeros(1, self.hidden_size)

    def line_to_tensor(line: str) -> Any:
        tensor = torch.zeros(len(line), 1, len(letters))
        for li, letter in enumerate(line):
            tensor[li][0][letters.find(letter)] = 1
        return tensor

    rnn = RNN(len(letters), 8, 2)
    initialise(use, rnn)
    criterion = nn.NLLLoss()
    losses, correct = [], 0
    for _ in range(6):
        for name, category in names:
            line_tensor, category_tensor = line_to_tensor(name), torch.tensor([category])
            hidden = rnn.initHidden()
            rnn.zero_grad()
            for i in range(line_tensor.size()[0]):
                output, hidden = rnn(line_tensor[i], hidden)
            loss = criterion(output, category_tensor)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(rnn.parameters(), 1.0)
            with torch.no_grad():
                for p in rnn.parameters():
                    p.add_(torch.as_tensor(p.grad), alpha=-0.1)
            losses.append(loss.item())
            top_n, top_i = output.topk(1)
            correct += top_i[0].item() == category
            assert top_n.size() == (1, 1)
    return [*losses, correct]


# --- by modules -----------------------------------------------------------------------------------


@program
def linear_regression(use: Imports) -> list[Any]:
    torch, nn, optim = use.torch, use.nn, use.optim
    X = torch.randn(64, 3)
    y = X @ torch.tensor([[2.0], [-1.0], [0.5]]) + 0.3 + 0.1 * torch.randn(64, 1)
    loader = use.data.DataLoader(use.data.TensorDataset(X, y), batch_size=16, shuffle=False)
    model = nn.Linear(3, 1)
    initialise(use, model)
    criterion = nn.MSELoss()
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    losses = []
    for _ in range(5):
        running_loss = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            running_loss += loss.item() * xb.size(0)
        scheduler.step()
        losses.append(running_loss / len(loader.dataset))
    return [*losses, *model.weight.detach().numpy().ravel(), model.bias.item()]


@program
def classifier(use: Imports) -> list[Any]:
    torch, nn, F, optim = use.torch, use.nn, use.F, use.optim
    device = "cuda" if torch.cuda.is_available() else "cpu"

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.flatten = nn.Flatten()
            self.fc1 = nn.Linear(16, 12)
            self.bn = nn.BatchNorm1d(12)
            self.fc2 = nn.Linear(12, 3)

        def forward(self, x: Any) -> Any:
            x = self.flatten(x)
            x = F.relu(self.bn(self.fc1(x)))
            return self.fc2(x)

    images = torch.randint(0, 256, (60, 1, 4, 4), dtype=torch.uint8)
    labels = images.view(60, -1).double().mean(1).sub(120).div(8).clamp(0, 2).long()
    model = Net().to(device)
    initialise(use, model)
    optimizer = optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
    criterion = nn.CrossEntropyLoss()
    loader = use.data.DataLoader(use.data.TensorDataset(images / 255.0, labels), batch_size=20)
    found: list[Any] = []
    for _ in range(4):
        model.train()
        for batch in loader:
            data, target = batch[0].to(device), batch[1].to(device)
            optimizer.zero_grad(set_to_none=True)
            output = model(data)
            loss = criterion(output, target)
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        model.eval()
        correct, total, test_loss = 0, 0, 0.0
        with torch.no_grad():
            for data, target in loader:
                output = model(data.to(device))
                test_loss += F.cross_entropy(output, target, reduction="sum").item()
                _, predicted = torch.max(output.data, 1)
                total += target.size(0)
                correct += (predicted == target).sum().item()
                pred = output.argmax(dim=1, keepdim=True)
                assert pred.eq(target.view_as(pred)).sum().item() == (predicted == target).sum()
        found += [test_loss / total, 100.0 * correct / total]
    confusion = torch.zeros(3, 3, dtype=torch.long)
    for t, p in zip(target.view(-1), predicted.view(-1), strict=True):
        confusion[t.long(), p.long()] += 1
    return [*found, *confusion.diag().tolist(), sum(p.numel() for p in model.parameters())]


@program
def language_model(use: Imports) -> list[Any]:  # noqa: C901  (as such programs are)
    torch, nn, F, optim = use.torch, use.nn, use.F, use.optim
    batch_size, block_size, n_embd, n_head, n_layer = 4, 8, 12, 2, 2
    device = "cuda" if torch.cuda.is_available() else "cpu"
    text = " ".join(WORDS) * 3
    chars = sorted(set(text))
    vocab_size = len(chars)
    stoi = {ch: i for i, ch in enumerate(chars)}
    data = torch.tensor([stoi[c] for c in text], dtype=torch.long)
    n = int(0.9 * len(data))
    train_data, val_data = data[:n], data[n:]

    def get_batch(split: str) -> Any:
        data = train_data if split == "train" else val_data
        ix = torch.randint(len(data) - block_size, (batch_size,))
        x = torch.stack([data[i : i + block_size] for i in ix])
        y = torch.stack([data[i + 1 : i + block_size + 1] for i in ix])
        x, y = x.to(device), y.to(device)
        return x, y

    class Head(nn.Module):
        def __init__(self, head_size: int) -> None:
            super().__init__()
            self.key = nn.Linear(n_embd, head_size, bias=False)
            self.query = nn.Linear(n_embd, head_size, bias=False)
            self.value = nn.Linear(n_embd, head_size, bias=False)
            self.register_buffer("tril", torch.tril(torch.ones(block_size, block_size)))

        def forward(self, x: Any) -> Any:
            _, T, C = x.shape
            k, q = self.key(x), self.query(x)
            wei = q @ k.transpose(-2, -1) * C**-0.5
            wei = wei.masked_fill(self.tril[:T, :T] == 0, float("-inf"))
            wei = F.softmax(wei, dim=-1)
            return wei @ self.value(x)

    class MultiHead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.heads = nn.ModuleList([Head(n_embd // n_head) for _ in range(n_head)])
            self.proj = nn.Linear(n_embd, n_embd)

        def forward(self, x: Any) -> Any:
            return self.proj(torch.cat([h(x) for h in self.heads], dim=-1))

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sa = MultiHead()
            self.ffwd = nn.Sequential(
                nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd)
            )
            self.ln1, self.ln2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)

        def forward(self, x: Any) -> Any:
            x = x + self.sa(self.ln1(x))
            return x + self.ffwd(self.ln2(x))

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token_embedding_table = nn.Embedding(vocab_size, n_embd)
            self.position_embedding_table = nn.Embedding(block_size, n_embd)
            self.blocks = nn.Sequential(*[Block() for _ in range(n_layer)])
            self.ln_f = nn.LayerNorm(n_embd)
            self.lm_head = nn.Linear(n_embd, vocab_size)
            self.apply(self._init_weights)

        def _init_weights(self, module: Any) -> None:
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, mean=0.0, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

        def forward(self, idx: Any, targets: Any = None) -> Any:
            B, T = idx.shape
            tok_emb = self.token_embedding_table(idx)
            pos_emb = self.position_embedding_table(torch.arange(T, device=device))
            x = self.ln_f(self.blocks(tok_emb + pos_emb))
            logits = self.lm_head(x)
            if targets is None:
                return logits, None
            B, T, C = logits.shape
            loss = F.cross_entropy(logits.view(B * T, C), targets.view(B * T))
            return logits, loss

        def generate(self, idx: Any, max_new_tokens: int) -> Any:
            for _ in range(max_new_tokens):
                idx_cond = idx[:, -block_size:]
                logits, _ = self(idx_cond)
                probs = F.softmax(logits[:, -1, :], dim=-1)
                idx_next = torch.multinomial(probs, num_samples=1)
                idx = torch.cat((idx, idx_next), dim=1)
            return idx

    model = Model().to(device)
    initialise(use, model)
    optimizer = optim.AdamW(model.parameters(), lr=1e-2)

    @torch.no_grad()
    def estimate_loss() -> list[float]:
        out = []
        model.eval()
        for split in ("train", "val"):
            losses = torch.zeros(2)
            for k in range(2):
                _, loss = model(*get_batch(split))
                losses[k] = loss.item()
            out.append(losses.mean().item())
        model.train()
        return out

    losses = [sum(p.numel() for p in model.parameters())]
    for _ in range(4):
        xb, yb = get_batch("train")
        _, loss = model(xb, yb)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    losses += estimate_loss()
    context = torch.zeros((1, 1), dtype=torch.long, device=device)
    return [*losses, *model.generate(context, max_new_tokens=12)[0].tolist()]


@program
def variational_autoencoder(use: Imports) -> list[Any]:
    torch, nn, F, optim = use.torch, use.nn, use.F, use.optim

    class VAE(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1 = nn.Linear(16, 10)
            self.fc21, self.fc22 = nn.Linear(10, 2), nn.Linear(10, 2)
            self.fc3, self.fc4 = nn.Linear(2, 10), nn.Linear(10, 16)

        def encode(self, x: Any) -> Any:
            h1 = F.relu(self.fc1(x))
            return self.fc21(h1), self.fc22(h1)

        def reparameterize(self, mu: Any, logvar: Any) -> Any:
            std = torch.exp(0.5 * logvar)
            eps = torch.randn_like(std)
            return mu + eps * std

        def decode(self, z: Any) -> Any:
            return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

        def forward(self, x: Any) -> Any:
            mu, logvar = self.encode(x.view(-1, 16))
            return self.decode(self.reparameterize(mu, logvar)), mu, logvar

    def loss_function(recon_x: Any, x: Any, mu: Any, logvar: Any) -> Any:
        BCE = F.binary_cross_entropy(recon_x, x.view(-1, 16), reduction="sum")
        KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return BCE + KLD

    model = VAE()
    initialise(use, model)
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    data = torch.rand(32, 1, 4, 4)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        recon, mu, logvar = model(data)
        loss = loss_function(recon, data, mu, logvar)
        loss.backward()
        optimizer.step()
        losses.append(loss.item() / len(data))
    with torch.no_grad():
        sample = model.decode(torch.randn(3, 2)).cpu()
    return [*losses, *sample.view(3, 1, 4, 4).mean(dim=(1, 2, 3)).tolist()]


@program
def policy_gradient(use: Imports) -> list[Any]:
    torch, nn, F, optim = use.torch, use.nn, use.F, use.optim
    Categorical = torch.distributions.Categorical

    class Policy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.affine1 = nn.Linear(2, 8)
            self.affine2 = nn.Linear(8, 3)

        def forward(self, x: Any) -> Any:
            return F.softmax(self.affine2(F.relu(self.affine1(x))), dim=1)

    policy = Policy()
    initialise(use, policy)
    optimizer = optim.Adam(policy.parameters(), lr=1e-2)
    eps = np.finfo(np.float32).eps.item()
    state = np.array([0.5, -0.2])
    found: list[Any] = []
    for _ in range(4):
        saved_log_probs, rewards, entropies = [], [], []
        for _ in range(6):
            probs = policy(torch.from_numpy(state).unsqueeze(0))
            m = Categorical(probs)
            action = m.sample()
            saved_log_probs.append(m.log_prob(action))
            entropies.append(m.entropy())
            state = 0.9 * state + 0.1 * (action.item() - 1)
            rewards.append(-abs(state[0]) + action.item() * 0.1)
        R, returns = 0.0, []
        for r in rewards[::-1]:
            R = r + 0.99 * R
            returns.insert(0, R)
        returns = torch.tensor(returns)
        returns = (returns - returns.mean()) / (returns.std() + eps)
        policy_loss = [-lp * R for lp, R in zip(saved_log_probs, returns, strict=True)]
        optimizer.zero_grad()
        loss = torch.cat(policy_loss).sum() - 0.01 * torch.stack(entropies).mean()
        loss.backward()
        optimizer.step()
        found += [loss.item(), sum(rewards)]
    return found


@program
def gaussian_policy(use: Imports) -> list[Any]:
    torch, optim = use.torch, use.optim
    Normal, kl_divergence = torch.distributions.Normal, torch.distributions.kl_divergence
    observed = torch.randn(50) * 0.5 + 2
    mu = torch.zeros(1, requires_grad=True)
    log_sigma = torch.zeros(1, requires_grad=True)
    optimizer = optim.RMSprop([mu, log_sigma], lr=0.05)
    prior = Normal(torch.zeros(1), torch.ones(1))
    losses = []
    for _ in range(15):
        q = Normal(mu, log_sigma.exp())
        z = q.mean + q.stddev * torch.randn(20)
        likelihood = Normal(z.unsqueeze(1), 0.5).log_prob(observed).sum(1).mean()
        loss = kl_divergence(q, prior).sum() - likelihood
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return [*losses, mu.item(), q.entropy().item()]


@program
def matrix_factorisation(use: Imports) -> list[Any]:
    torch, nn, F, optim = use.torch, use.nn, use.F, use.optim

    class MF(nn.Module):
        def __init__(self, n_users: int, n_items: int, dim: int = 4) -> None:
            super().__init__()
            self.user, self.item = nn.Embedding(n_users, dim), nn.Embedding(n_items, dim)
            self.user_bias, self.item_bias = nn.Embedding(n_users, 1), nn.Embedding(n_items, 1)

        def forward(self, u: Any, v: Any) -> Any:
            dot = (self.user(u) * self.item(v)).sum(1)
            return dot + self.user_bias(u).squeeze() + self.item_bias(v).squeeze()

    users, items = torch.randint(0, 10, (200,)), torch.randint(0, 12, (200,))
    ratings = ((users * 7 + items * 3) % 5 + 1).double()
    model = MF(10, 12)
    initialise(use, model)
    optimizer = optim.Adam(model.parameters(), lr=0.05, weight_decay=1e-5)
    losses = []
    for _ in range(5):
        for ix in torch.randperm(200).split(50):
            optimizer.zero_grad()
            loss = F.mse_loss(model(users[ix], items[ix]), ratings[ix])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    rmse = torch.sqrt(torch.mean((model(users, items) - ratings) ** 2))
    return [*losses, rmse.item()]


@program
def adversarial_networks(use: Imports) -> list[Any]:
    torch, nn, optim = use.torch, use.nn, use.optim
    G = nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 2), nn.Tanh())
    D = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
    initialise(use, G)
    initialise(use, D)
    criterion = nn.BCELoss()
    g_opt = optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.999))
    d_opt = optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.999))
    found: list[Any] = []
    for _ in range(6):
        real = torch.randn(16, 2) * 0.1 + 0.5
        ones, zeros = torch.ones(16, 1), torch.zeros(16, 1)
        d_opt.zero_grad()
        fake = G(torch.randn(16, 3))
        d_loss = criterion(D(real), ones) + criterion(D(fake.detach()), zeros)
        d_loss.backward()
        d_opt.step()
        g_opt.zero_grad()
        g_loss = criterion(D(fake), ones)
        g_loss.backward()
        g_opt.step()
        found += [d_loss.item(), g_loss.item()]
    return found


@program
def deep_q_learning(use: Imports) -> list[Any]:
    torch, nn, F, optim = use.torch, use.nn, use.F, use.optim
    policy_net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3))
    target_net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3))
    initialise(use, policy_net)
    target_net.load_state_dict(policy_net.state_dict())
    optimizer = optim.AdamW(policy_net.parameters(), lr=1e-2, amsgrad=True)
    states = torch.randn(64, 2)
    actions = torch.randint(3, (64, 1))
    rewards = -states.pow(2).sum(dim=1)
    done = torch.rand(64) < 0.2
    found: list[Any] = []
    for i in range(8):
        ix = torch.randint(64, (16,))
        q = policy_net(states[ix]).gather(1, actions[ix])
        next_values = torch.zeros(16)
        with torch.no_grad():
            not_done = ~done[ix]
            next_values[not_done] = target_net(states[ix][not_done]).max(dim=1).values
        expected = next_values * 0.9 + rewards[ix]
        loss = F.smooth_l1_loss(q, expected.unsqueeze(1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(policy_net.parameters(), 0.5)
        optimizer.step()
        found.append(loss.item())
        if i % 2:
            with torch.no_grad():
                for p, t in zip(policy_net.parameters(), target_net.parameters(), strict=True):
                    t.mul_(0.9).add_(p, alpha=0.1)
    return [*found, (policy_net(states).argmax(1) == actions.squeeze(1)).sum().item()]


@program
def nearest_means(use: Imports) -> list[Any]:
    torch = use.torch
    points = torch.cat([torch.randn(20, 2), torch.randn(20, 2) + 4, torch.randn(20, 2) - 4])
    centers = points[torch.tensor([0, 20, 40])].clone()
    found: list[Any] = []
    for _ in range(5):
        distances = ((points[:, None, :] - centers[None, :, :]) ** 2).sum(dim=2).sqrt()
        nearest, labels = distances.min(dim=1)
        for k in range(3):
            mask = labels == k
            if mask.any():
                centers[k] = points[mask].mean(dim=0)
        counts = torch.bincount(labels, minlength=3)
        found += [nearest.sum().item(), counts.max().item(), *centers.view(-1).tolist()]
    return found
