"""Comparisons made by hand: real results and real statistics, but nothing is trained.

And a real browser that opens what is made of them.
"""

import itertools
import math
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from firstlight.comparison import Comparison, RunResult, RunSpec
from firstlight.comparison.sweep import TUNING_SEED, Sweep


def comparison(results, *, tuning=()):
    """Wrap ``results`` in the sweep that asks for them."""
    results = tuple(results)
    specs = [result.spec for result in results]

    def values(field):
        return tuple(dict.fromkeys(getattr(spec, field) for spec in specs))

    asked = Sweep(
        models=values("model"),
        data=values("data"),
        optimizers=values("optimizer"),
        schemes=values("scheme"),
        seeds=values("seed"),
        learning_rate=1e-3,
        tune_lr=bool(tuning),
        **{name: values(name)[0] for name in ("epochs", "batch_size", "weight_decay")},
        match_variance=values("match_variance")[0],
    )
    return Comparison(asked, results, tuple(tuning))


def curve(scheme, seed, epochs):
    """An accuracy that climbs from chance, a little different for every scheme and seed."""
    top, rate = CLIMBS[scheme]
    noise = np.random.default_rng([seed, *scheme.encode()])
    steps = np.arange(1, epochs + 1)
    climb = top - (top - 0.1) * np.exp(-rate * steps) + noise.normal(0, 0.006)
    return np.clip(climb + noise.normal(0, 0.004, epochs), 0.0, 1.0)


def run(scheme, seed, *, accuracy, status="ok", reason="", **spec):
    """One result with the given accuracies and a loss that falls with them."""
    asked = {"model": "mlp", "data": "digits", "optimizer": "adamw", "batch_size": 64}
    asked |= {"learning_rate": 1e-3, "weight_decay": 1e-3, "epochs": max(1, len(accuracy))}
    loss = [-math.log(min(0.99, value)) for value in accuracy]
    return RunResult(
        spec=RunSpec(**(asked | {"scheme": scheme, "seed": seed} | spec)),
        status=status,
        reason=reason,
        accuracy=tuple(float(value) for value in accuracy),
        loss=tuple(loss),
        train_loss=tuple(0.8 * value for value in loss),
        seconds=(0.5,) * len(accuracy),
        parameters=85_002,
        device="cpu",
        versions={"python": "3.11.9", "torch": "2.13.0", "firstlight": "0.1.0"},
    )


CLIMBS = {  # highest accuracy, rate of climb
    "default": (0.925, 0.30),
    "he_normal": (0.925, 0.32),
    "orthogonal": (0.93, 0.40),
    "lsuv": (0.93, 0.45),
    "sinusoidal": (0.95, 0.60),
    "harmonic": (0.96, 0.75),
}


def sweep(schemes=tuple(CLIMBS), *, seeds=3, epochs=12, **spec):
    """A whole comparison in which every run finished."""
    pairs = itertools.product(schemes, range(seeds))
    return comparison(
        tuple(
            run(scheme, seed, accuracy=curve(scheme, seed, epochs), epochs=epochs, **spec)
            for scheme, seed in pairs
        )
    )


def with_failures():
    """One scheme diverges for one seed, another crashes always."""
    whole = [
        result
        for result in sweep().results
        if (result.spec.scheme, result.spec.seed) != ("sinusoidal", 2)
        and result.spec.scheme != "lsuv"
    ]
    reason = "loss became nan at epoch 2, step 31"
    whole.append(run("sinusoidal", 2, accuracy=[0.3], status="diverged", reason=reason, epochs=12))
    whole += [
        run("lsuv", seed, accuracy=[], status="crashed", reason="out of memory", epochs=12)
        for seed in range(3)
    ]
    return comparison(tuple(whole))


def two_settings():
    """The same schemes under two optimizers."""
    return comparison(sweep().results + sweep(optimizer="sgd", seeds=4, epochs=20).results)


def tuned():
    """Every scheme with the learning rate that served it best."""
    tried = [
        run(scheme, TUNING_SEED, accuracy=[0.5, 0.9 - abs(rate - best)], learning_rate=rate)
        for scheme, best in (("default", 0.01), ("harmonic", 0.003))
        for rate in (0.001, 0.003, 0.01)
    ]
    results = sweep(("default",), learning_rate=0.01).results
    results += sweep(("harmonic",), learning_rate=0.003).results
    return comparison(results, tuning=tried)


def long_names():
    """Names as long as options and paths make them."""
    schemes = {name: f"{name}:activation=gudermannian:gain=1.4142" for name in CLIMBS}
    data = "parquet:" + "a_very_long_folder_name/" * 4 + "cifar10-*.parquet"
    return comparison(
        result.model_copy(
            update={
                "spec": result.spec.model_copy(
                    update={"scheme": schemes[result.spec.scheme], "data": data}
                )
            }
        )
        for result in sweep().results
    )


@pytest.fixture
def make():
    """Builds the comparisons that the tests look at, by name."""
    return SimpleNamespace(
        sweep=sweep,
        with_failures=with_failures,
        two_settings=two_settings,
        tuned=tuned,
        long_names=long_names,
        run=run,
        of=comparison,
    )


BROWSER = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    if BROWSER is None or DRIVER is None:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_page_load_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture
def visit(browser):
    """Open a page from a file; the browser must have nothing to complain about."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait

    def open_page(path, *, width=1280, theme="light", script=True):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": theme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        browser.get_log("browser")
        browser.get_log("performance")
        browser.get(path.as_uri())
        if script:
            plots = len(browser.find_elements(By.CSS_SELECTOR, ".plot"))
            WebDriverWait(browser, 60).until(
                lambda page: (
                    len(page.find_elements(By.CSS_SELECTOR, ".plot .scatterlayer")) >= plots
                )
            )
        return browser

    yield open_page
    assert browser.get_log("browser") == []
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
