"""Networks as PyTorch's users write them, run here and in PyTorch on the same numbers."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
from test_programs import Imports, assert_as_in_pytorch, initialise, same_numbers

__all__ = ["same_numbers"]  # a fixture, for all tests here
PROGRAMS: list[Callable[[Imports], list[Any]]] = []


def program(run: Callable[[Imports], list[Any]]) -> Callable[[Imports], list[Any]]:
    PROGRAMS.append(run)
    return run


@program
def early_stopping(use: Imports) -> list[Any]:  # noqa: C901  (as such programs are)
    torch, nn, optim = use.torch, use.nn, use.optim

    class TimeSeries(use.data.Dataset):
        def __init__(self, values: Any, window: int) -> None:
            self.values, self.window = values, window

        def __len__(self) -> int:
            return len(self.values) - self.window

        def __getitem__(self, i: int) -> Any:
            return self.values[i : i + self.window].unsqueeze(-1), self.values[i + self.window]

    class Forecaster(nn.Module):
        def __init__(self, hidden: int = 5) -> None:
            super().__init__()
            self.lstm = nn.LSTM(1, hidden, num_layers=1, batch_first=True)
            self.head = nn.Sequential(nn.Linear(hidden, 4), nn.Tanh(), nn.Linear(4, 1))

        def forward(self, x: Any) -> Any:
            h0 = torch.zeros(1, x.size(0), 5).to(x.device)
            c0 = torch.zeros(1, x.size(0), 5).to(x.device)
            _, (hn, _) = self.lstm(x, (h0, c0))
            return self.head(hn[-1]).squeeze(-1)

    class EarlyStopping:
        def __init__(self, patience: int = 2, delta: float = 0.0) -> None:
            self.patience, self.delta, self.best, self.counter = patience, delta, None, 0
            self.early_stop = False

        def __call__(self, val_loss: Any, model: Any) -> None:
            if self.best is None or val_loss < self.best - self.delta:
                self.best, self.counter = val_loss, 0
                self.state = copy.deepcopy(model.state_dict())
            else:
                self.counter += 1
                self.early_stop = self.counter >= self.patience

    t = torch.linspace(0, 6 * math.pi, 60)
    series = torch.sin(t) + 0.1 * torch.randn(60)
    dataset = TimeSeries(series, 6)
    train_set = use.data.Subset(dataset, range(40))
    val_set = use.data.Subset(dataset, range(40, len(dataset)))
    train_loader = use.data.DataLoader(train_set, batch_size=10, shuffle=False, drop_last=True)
    val_loader = use.data.DataLoader(val_set, batch_size=7, num_workers=0, pin_memory=False)
    model = Forecaster()
    initialise(use, model)
    optimizer = optim.Adam(model.parameters(), lr=0.3)
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, "min", factor=0.5, patience=0)
    stopper = EarlyStopping()
    found = []
    for _ in range(8):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.huber_loss(model(x), y)
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            losses = [nn.functional.huber_loss(model(x), y, reduction="sum") for x, y in val_loader]
        val_loss = torch.stack(losses).sum() / len(val_set)
        scheduler.step(val_loss)
        stopper(val_loss.item(), model)
        found += [val_loss.item(), optimizer.param_groups[0]["lr"]]
        if stopper.early_stop:
            break
    model.load_state_dict(stopper.state)
    with torch.no_grad():
        found.append(model(dataset[0][0].unsqueeze(0)).item())
    return found


@program
def averaged_weights(use: Imports) -> list[Any]:  # noqa: C901  (as such programs are)
    torch, nn, optim = use.torch, use.nn, use.optim

    class EMA:
        def __init__(self, model: Any, decay: float) -> None:
            self.decay = decay
            self.shadow = {
                n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad
            }

        def update(self, model: Any) -> None:
            for name, param in model.named_parameters():
                if param.requires_grad:
                    assert name in self.shadow
                    new = (1.0 - self.decay) * param.data + self.decay * self.shadow[name]
                    self.shadow[name] = new.clone()

        def apply_shadow(self, model: Any) -> None:
            self.backup = {}
            for name, param in model.named_parameters():
                self.backup[name] = param.data + 0  # here .data = writes into the same array
                param.data = self.shadow[name]

        def restore(self, model: Any) -> None:
            for name, param in model.named_parameters():
                param.data = self.backup[name]

    model = nn.Sequential(
        nn.Linear(3, 6), nn.BatchNorm1d(6), nn.SiLU(), nn.Dropout(p=0.0), nn.Linear(6, 1)
    )
    initialise(use, model)
    ema = EMA(model, 0.9)
    swa_model = optim.swa_utils.AveragedModel(model)
    ema_model = copy.deepcopy(model)
    for p in ema_model.parameters():
        p.requires_grad_(False)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scheduler = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 4], gamma=0.1)
    swa_scheduler = optim.swa_utils.SWALR(optimizer, swa_lr=0.02, anneal_epochs=2)
    X, y = torch.randn(32, 3), torch.randn(32, 1)
    loader = use.data.DataLoader(use.data.TensorDataset(X, y), batch_size=8)
    found = []
    for epoch in range(6):
        for xb, yb in loader:
            loss = ((model(xb) - yb) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            ema.update(model)
            with torch.no_grad():
                msd = model.state_dict()
                for k, v in ema_model.state_dict().items():
                    if "num_batches" not in k:
                        v *= 0.95  # noqa: PLW2901
                        v += 0.05 * msd[k].detach()  # noqa: PLW2901
        if epoch > 2:
            swa_model.update_parameters(model)
            swa_scheduler.step()
        else:
            scheduler.step()
        found.append(loss.item())
    optim.swa_utils.update_bn(loader, swa_model)
    model.eval(), swa_model.eval(), ema_model.eval()
    with torch.no_grad():
        plain = model(X).mean().item()
        ema.apply_shadow(model)
        smooth = model(X).mean().item()
        ema.restore(model)
        again = model(X).mean().item()
        return [*found, plain, smooth, again, swa_model(X).sum().item(), ema_model(X).sum().item()]


@program
def generated_images(use: Imports) -> list[Any]:  # noqa: PLR0915  (as such programs are)
    torch, nn, optim = use.torch, use.nn, use.optim
    nz, ngf, ndf, nc = 5, 4, 4, 1

    def weights_init(m: Any) -> None:
        classname = m.__class__.__name__
        if classname.find("Conv") != -1:
            nn.init.normal_(m.weight.data, 0.0, 0.02)
        elif classname.find("BatchNorm") != -1:
            nn.init.normal_(m.weight.data, 1.0, 0.02)
            nn.init.constant_(m.bias.data, 0)

    class Generator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.main = nn.Sequential(
                nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False),
                nn.BatchNorm2d(ngf * 2),
                nn.ReLU(True),
                nn.ConvTranspose2d(ngf * 2, nc, 4, 2, 1, bias=False),
                nn.Tanh(),
            )

        def forward(self, input: Any) -> Any:
            return self.main(input)

    class Discriminator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.main = nn.Sequential(
                nn.Conv2d(nc, ndf, 4, 2, 1, bias=False),
                nn.LeakyReLU(0.2, inplace=True),
                nn.Conv2d(ndf, 1, 4, 1, 0, bias=False),
            )

        def forward(self, input: Any) -> Any:
            return self.main(input).view(-1, 1).squeeze(1)

    netG, netD = Generator(), Discriminator()
    netG.apply(weights_init)
    netD.apply(weights_init)
    initialise(use, netG)
    initialise(use, netD)
    criterion = nn.BCEWithLogitsLoss()
    fixed_noise = torch.randn(4, nz, 1, 1, device="cpu")
    real_label, fake_label = 1.0, 0.0
    optimizerD = optim.Adam(netD.parameters(), lr=0.02, betas=(0.5, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=0.02, betas=(0.5, 0.999))
    found = []
    for _ in range(3):
        netD.zero_grad()
        real = torch.rand(6, nc, 8, 8)
        b_size = real.size(0)
        label = torch.full((b_size,), real_label, dtype=torch.float64, device="cpu")
        output = netD(real)
        errD_real = criterion(output, label)
        errD_real.backward()
        noise = torch.randn(b_size, nz, 1, 1)
        fake = netG(noise)
        label.fill_(fake_label)
        output = netD(fake.detach())
        errD_fake = criterion(output, label)
        errD_fake.backward()
        D_G_z1 = output.mean().item()
        errD = errD_real + errD_fake
        optimizerD.step()
        netG.zero_grad()
        label.fill_(real_label)
        output = netD(fake).view(-1)
        errG = criterion(output, label)
        # the penalty of the gradient: a second derivative
        alpha = torch.rand(b_size, 1, 1, 1)
        mixed = (alpha * real + (1 - alpha) * fake.detach()).requires_grad_(True)
        gradients = torch.autograd.grad(
            outputs=netD(mixed),
            inputs=mixed,
            grad_outputs=torch.ones(b_size),
            create_graph=True,
            retain_graph=True,
            only_inputs=True,
        )[0]
        gradients = gradients.view(b_size, -1)
        penalty = ((gradients.norm(2, dim=1) - 1) ** 2).mean() * 10
        (errG + penalty).backward()
        optimizerG.step()
        found += [errD.item(), errG.item(), D_G_z1, penalty.item()]
    with torch.no_grad():
        fake = netG(fixed_noise).detach().cpu()
    return [*found, fake.mean().item(), fake.std().item(), *fake[0, 0, 0].tolist()]


@program
def translation_by_transformer(use: Imports) -> list[Any]:  # noqa: C901  (as such programs are)
    torch, nn = use.torch, use.nn

    class PositionalEncoding(nn.Module):
        def __init__(self, emb_size: int, dropout: float, maxlen: int = 20) -> None:
            super().__init__()
            den = torch.exp(-torch.arange(0, emb_size, 2) * math.log(10000) / emb_size)
            pos = torch.arange(0, maxlen).reshape(maxlen, 1)
            pos_embedding = torch.zeros((maxlen, emb_size))
            pos_embedding[:, 0::2] = torch.sin(pos * den)
            pos_embedding[:, 1::2] = torch.cos(pos * den)
            pos_embedding = pos_embedding.unsqueeze(-2)
            self.dropout = nn.Dropout(dropout)
            self.register_buffer("pos_embedding", pos_embedding)

        def forward(self, token_embedding: Any) -> Any:
            return self.dropout(token_embedding + self.pos_embedding[: token_embedding.size(0), :])

    class Seq2SeqTransformer(nn.Module):
        def __init__(self, vocab: int, emb_size: int) -> None:
            super().__init__()
            self.transformer = nn.Transformer(
                d_model=emb_size,
                nhead=2,
                num_encoder_layers=1,
                num_decoder_layers=1,
                dim_feedforward=12,
                dropout=0.0,
            )
            self.generator = nn.Linear(emb_size, vocab)
            self.tok_emb = nn.Embedding(vocab, emb_size)
            self.emb_size = emb_size
            self.positional_encoding = PositionalEncoding(emb_size, dropout=0.0)

        def embed(self, tokens: Any) -> Any:
            return self.positional_encoding(self.tok_emb(tokens.long()) * math.sqrt(self.emb_size))

        def forward(
            self,
            src: Any,
            trg: Any,
            src_mask: Any,
            tgt_mask: Any,
            src_padding_mask: Any,
            tgt_padding_mask: Any,
            memory_key_padding_mask: Any,
        ) -> Any:
            outs = self.transformer(
                self.embed(src),
                self.embed(trg),
                src_mask,
                tgt_mask,
                None,
                src_padding_mask,
                tgt_padding_mask,
                memory_key_padding_mask,
            )
            return self.generator(outs)

    PAD = 0

    def generate_square_subsequent_mask(sz: int) -> Any:
        mask = (torch.triu(torch.ones((sz, sz))) == 1).transpose(0, 1)
        return mask.double().masked_fill(mask == 0, float("-inf")).masked_fill(mask == 1, 0.0)

    def create_mask(src: Any, tgt: Any) -> Any:
        tgt_mask = generate_square_subsequent_mask(tgt.shape[0])
        src_mask = torch.zeros((src.shape[0], src.shape[0])).type(torch.bool)
        return src_mask, tgt_mask, (src == PAD).transpose(0, 1), (tgt == PAD).transpose(0, 1)

    model = Seq2SeqTransformer(9, 6)
    for p in model.parameters():
        if p.dim() > 1:
            nn.init.xavier_uniform_(p)
    initialise(use, model)
    loss_fn = torch.nn.CrossEntropyLoss(ignore_index=PAD)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.98), eps=1e-9)
    src = [torch.randint(1, 9, (n,)) for n in (5, 4, 3)]
    tgt = [torch.randint(1, 9, (n,)) for n in (4, 5, 4)]
    src = nn.utils.rnn.pad_sequence(src, padding_value=PAD)
    tgt = nn.utils.rnn.pad_sequence(tgt, padding_value=PAD)
    found = []
    for _ in range(4):
        tgt_input, tgt_out = tgt[:-1, :], tgt[1:, :]
        src_mask, tgt_mask, src_pad, tgt_pad = create_mask(src, tgt_input)
        src_mask = src_mask.double()
        logits = model(
            src,
            tgt_input,
            src_mask,
            tgt_mask,
            src_pad.double().masked_fill(src_pad, -1e9),
            tgt_pad.double().masked_fill(tgt_pad, -1e9),
            None,
        )
        optimizer.zero_grad()
        loss = loss_fn(logits.reshape(-1, logits.shape[-1]), tgt_out.reshape(-1))
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return [*found, *logits.argmax(-1).flatten().tolist()]


@program
def sentiment_of_packed_sequences(use: Imports) -> list[Any]:
    torch, nn, optim = use.torch, use.nn, use.optim
    pack, pad = nn.utils.rnn.pack_padded_sequence, nn.utils.rnn.pad_packed_sequence

    class RNN(nn.Module):
        def __init__(self, vocab_size: int) -> None:
            super().__init__()
            self.embedding = nn.Embedding(vocab_size, 4, padding_idx=0)
            self.rnn = nn.LSTM(4, 5, num_layers=2, bidirectional=True, batch_first=True)
            self.fc = nn.Linear(5 * 2, 1)

        def forward(self, text: Any, text_lengths: Any) -> Any:
            embedded = self.embedding(text)
            packed = pack(embedded, text_lengths.cpu(), batch_first=True, enforce_sorted=False)
            packed_output, (hidden, _) = self.rnn(packed)
            output, output_lengths = pad(packed_output, batch_first=True)
            hidden = torch.cat((hidden[-2, :, :], hidden[-1, :, :]), dim=1)
            return self.fc(hidden).squeeze(1) + output.sum(dim=(1, 2)) / output_lengths

    def collate(batch: Any) -> Any:
        texts, labels = zip(*batch, strict=True)
        lengths = torch.tensor([len(t) for t in texts])
        padded = nn.utils.rnn.pad_sequence(list(texts), batch_first=True)
        return padded, lengths, torch.tensor(labels)

    model = RNN(10)
    initialise(use, model)
    dataset = [(torch.randint(1, 10, (n,)), float(n % 2)) for n in (3, 6, 2, 5, 4, 6)]
    loader = use.data.DataLoader(dataset, batch_size=3, collate_fn=collate)
    criterion, optimizer = nn.BCEWithLogitsLoss(), optim.Adam(model.parameters(), lr=0.02)
    found = []
    for _ in range(3):
        for text, lengths, label in loader:
            optimizer.zero_grad()
            predictions = model(text, lengths)
            loss = criterion(predictions, label)
            rounded = torch.round(torch.sigmoid(predictions))
            acc = (rounded == label).float().sum() / len(rounded)
            loss.backward()
            optimizer.step()
            found += [loss.item(), acc.item()]
    return found


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")  # PyTorch's
@pytest.mark.parametrize("run", PROGRAMS)
def test_a_program_gives_what_it_gives_in_pytorch(run: Callable[[Imports], list[Any]]) -> None:
    assert_as_in_pytorch(run)
