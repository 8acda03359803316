"""The settings of webhooks, and what a worker does about them."""

import pytest

from market.background import Workbench
from market.settings import BadSettings, Settings, from_environment
from market.worker import tasks


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"TIMEOUT": "0"}, "MARKET_WEBHOOK_TIMEOUT must be above 0 and at most 30 seconds."),
        ({"TIMEOUT": "31"}, "MARKET_WEBHOOK_TIMEOUT must be above 0 and at most 30 seconds."),
        ({"TIMEOUT": "nan"}, "MARKET_WEBHOOK_TIMEOUT must be above 0"),
        ({"LEASE": "19"}, "MARKET_WEBHOOK_LEASE must be at least twice MARKET_WEBHOOK_TIMEOUT"),
        ({"LEASE": "601"}, "MARKET_WEBHOOK_LEASE must be at least twice MARKET_WEBHOOK_TIMEOUT"),
        ({"FIRST_RETRY": "0"}, "MARKET_WEBHOOK_FIRST_RETRY must be above 0"),
        ({"RETRY_SPAN": "5"}, "MARKET_WEBHOOK_FIRST_RETRY must be above 0 and at most"),
        ({"RETRY_SPAN": "inf"}, "MARKET_WEBHOOK_FIRST_RETRY must be above 0 and at most"),
        ({"DELIVERIES_AT_ONCE": "0"}, "MARKET_WEBHOOK_DELIVERIES_AT_ONCE must be from 1 to 256."),
        ({"PRIVATE_TARGETS": "perhaps"}, "MARKET_WEBHOOK_PRIVATE_TARGETS: "),
    ],
)
def test_what_could_not_work_is_refused_by_name(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadSettings) as refused:
        from_environment({f"MARKET_WEBHOOK_{name}": value for name, value in environ.items()})
    assert str(refused.value).startswith(sentence)


def test_nothing_private_is_sent_to_unless_the_settings_say_so() -> None:
    assert not Settings().webhook_private_targets
    assert from_environment({"MARKET_WEBHOOK_PRIVATE_TARGETS": "true"}).webhook_private_targets


def test_a_worker_delivers_looks_keeps_up_and_forgets(bench: Workbench) -> None:
    names = [task.name for task in tasks(bench)]
    assert len(names) == len(set(names))
    assert {
        "webhook delivery",
        "webhook fan-out",
        "webhook upkeep",
        "webhook retention",
    } <= set(names)
