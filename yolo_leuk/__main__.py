"""``python -m yolo_leuk`` does what the command ``yolo-leuk`` does."""

from __future__ import annotations

from yolo_leuk.cli.main import main

if __name__ == "__main__":
    main()
