"""What Piccolo's migration commands look for: the engine and the apps, in their order."""

from piccolo.conf.apps import AppRegistry

from market.database import DB as DB  # noqa: PLC0414  # Piccolo finds the engine under this name

APP_REGISTRY = AppRegistry(
    apps=[
        "market.piccolo_app",
        "suppliers.piccolo_app",
        "tenders.piccolo_app",
        "evaluation.piccolo_app",
    ]
)
