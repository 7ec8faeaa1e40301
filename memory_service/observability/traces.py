"""OpenTelemetry traces, when an endpoint is configured. Spans carry counts and times, no content."""

from fastapi import FastAPI
from opentelemetry import trace

from memory_service.errors import ConfigurationError

tracer = trace.get_tracer("memory_service")
"""Does nothing until `instrument` has set up an exporter."""


def instrument(app: FastAPI, endpoint: str | None) -> None:
    """Sends spans of requests to an OTLP/HTTP endpoint. Raises ConfigurationError without the `otel` extra."""
    if endpoint is None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ConfigurationError(
            "MEMORY_OTEL_ENDPOINT needs the otel extra: pip install 'agent-memory-service[otel]'."
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": "memory-service"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")))
    trace.set_tracer_provider(provider)
    # Query strings and paths can hold ids that users made up of names: the route's template is enough.
    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=provider, server_request_hook=_hide_path, http_capture_headers_server_request=[]
    )


def _hide_path(span: trace.Span, scope: dict[str, object]) -> None:
    for attribute in ("http.target", "http.url", "url.path", "url.full", "url.query"):
        if span.is_recording():
            span.set_attribute(attribute, "")
