"""Losses and gradients against torch's automatic differentiation, under the same noise."""

import numpy as np
import pytest

from adamcore import CNN, MLP, VAE

pytestmark = pytest.mark.slow
torch = pytest.importorskip("torch")
F = torch.nn.functional


def masks(model, x, seed):
    """Run the model once, and return what each dropout layer multiplied by, as torch's tensors."""
    theta = model.init(np.random.default_rng(0))
    model.layers.forward(x, model.layout.views(theta), np.random.default_rng(seed))
    found = [layer._mask for layer in model.layers.layers if type(layer).__name__ == "Dropout"]
    return [1.0 if mask is None else torch.tensor(mask) for mask in found]


def parameters(model, theta):
    """The model's parts as leaves of torch's graph."""
    return {name: torch.tensor(part, requires_grad=True) for name, part in vars(model.layout.views(theta)).items()}


def mlp_loss(model, w, x, y, masks):
    h = torch.tensor(x) * masks[0]
    last = len(model.sizes) - 1
    for k in range(1, last):
        h = F.relu(h @ w[f"W{k}"] + w[f"b{k}"]) * masks[k]
    return F.cross_entropy(h @ w[f"W{last}"] + w[f"b{last}"], torch.tensor(y)) + penalty(model, w)


def cnn_loss(model, w, x, y, masks):
    """In the textbook's order: convolution with its bias, ReLU, pooling; channels first."""
    h = (torch.tensor(x) * masks[0]).permute(0, 3, 1, 2)
    stages = len(model.channels)
    for k in range(1, stages + 1):
        h = F.relu(F.conv2d(h, w[f"W{k}"].permute(3, 2, 0, 1), w[f"b{k}"], padding=2))
        h = F.max_pool2d(h, 3, 2, ceil_mode=True)
    h = h.permute(0, 2, 3, 1).flatten(1)
    h = F.relu(h @ w[f"W{stages + 1}"] + w[f"b{stages + 1}"]) * masks[1]
    logits = h @ w[f"W{stages + 2}"] + w[f"b{stages + 2}"]
    return F.cross_entropy(logits, torch.tensor(y)) + penalty(model, w)


def penalty(model, w):
    return model.l2 / 2 * sum((part**2).sum() for name, part in w.items() if name.startswith("W"))


def vae_loss(model, w, x, epsilon):
    x = torch.tensor(x)
    encoded = F.softplus(x @ w["encoder_W1"] + w["encoder_b1"], threshold=700) @ w["encoder_W2"] + w["encoder_b2"]
    mean, log_variance = encoded.chunk(2, dim=1)
    z = mean + torch.exp(0.5 * log_variance) * torch.tensor(epsilon)
    h = F.softplus(z @ w["decoder_W1"] + w["decoder_b1"], threshold=700)
    logits = h @ w["decoder_W2"] + w["decoder_b2"]
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    divergence = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum()
    return (reconstruction + divergence) / len(x)


def assert_same(model, theta, ours, loss, w):
    """Ours is (loss, gradient); torch's comes from its loss."""
    loss.backward()
    assert ours[0] == pytest.approx(loss.item(), rel=1e-10)
    for name, part in vars(model.layout.views(ours[1])).items():
        theirs = w[name].grad.numpy()
        np.testing.assert_allclose(part, theirs, rtol=1e-10, atol=1e-10 * np.abs(theirs).max(), err_msg=name)


@pytest.mark.parametrize("noisy", [True, False], ids=["noise", "evaluation"])
@pytest.mark.parametrize("n", [1, 7, 128])
@pytest.mark.parametrize("sizes", [(5, 3), (784, 1000, 1000, 10), (11, 13, 7, 5, 3)], ids=str)
def test_mlp(sizes, n, noisy):
    model = MLP(sizes, input_dropout=0.2, hidden_dropout=0.5, l2=0.01, dtype=np.float64)
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, sizes[0])), rng.integers(sizes[-1], size=n)
    theta = model.init(rng) + rng.normal(scale=0.01, size=model.layout.size)
    w = parameters(model, theta)
    drawn = masks(model, x, 3) if noisy else [1.0] * len(sizes)
    ours = model.loss_and_grad(theta, (x, y), np.random.default_rng(3) if noisy else None)
    assert_same(model, theta, ours, mlp_loss(model, w, x, y, drawn), w)


@pytest.mark.parametrize("noisy", [True, False], ids=["noise", "evaluation"])
@pytest.mark.parametrize("convolution", ["direct", "winograd"])
@pytest.mark.parametrize(
    ("image", "channels", "n"),
    [
        ((32, 32, 3), (64, 64, 128), 9),
        ((13, 22, 2), (5, 11, 3), 3),
        ((9, 4, 1), (7, 6), 1),
        ((2, 3, 4), (3,), 40),
        ((40, 17, 1), (3, 4), 5),
    ],
    ids=str,
)
def test_cnn(image, channels, n, noisy, convolution):
    noise = {"input_dropout": 0.2, "hidden_dropout": 0.5}
    model = CNN(
        image, channels=channels, hidden=21, n_classes=4, l2=0.01, convolution=convolution, dtype=np.float64, **noise
    )
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, *image)), rng.integers(4, size=n)
    theta = model.init(rng) + rng.normal(scale=0.01, size=model.layout.size)
    w = parameters(model, theta)
    drawn = masks(model, x, 3) if noisy else [1.0, 1.0]
    ours = model.loss_and_grad(theta, (x, y), np.random.default_rng(3) if noisy else None)
    assert_same(model, theta, ours, cnn_loss(model, w, x, y, drawn), w)


@pytest.mark.parametrize("noisy", [True, False], ids=["noise", "evaluation"])
@pytest.mark.parametrize("n", [1, 7, 128])
@pytest.mark.parametrize("sizes", [(784, 500, 50), (3, 5, 1)], ids=str)
def test_vae(sizes, n, noisy):
    model = VAE(sizes[0], hidden=sizes[1], n_latent=sizes[2], dtype=np.float64)
    rng = np.random.default_rng(n)
    x = rng.random((n, sizes[0]))
    theta = model.init(rng) + rng.normal(scale=0.05, size=model.layout.size)
    w = parameters(model, theta)
    shape = n, sizes[2]
    epsilon = np.random.default_rng(3).standard_normal(shape) if noisy else np.zeros(shape)
    ours = model.loss_and_grad(theta, (x,), np.random.default_rng(3) if noisy else None)
    assert_same(model, theta, ours, vae_loss(model, w, x, epsilon), w)
