"""Runs `boardcast` with OpenTelemetry set up: spans are written to the given file, one line of JSON each."""

import sys
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from boardcast import main

file = Path(sys.argv.pop(1)).open("w", buffering=1)  # noqa: SIM115 - open until the process ends
provider = TracerProvider()
exporter = ConsoleSpanExporter(out=file, formatter=lambda span: span.to_json(indent=None) + "\n")
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
sys.exit(main())
